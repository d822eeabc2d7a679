/** How often a node was started with its data directory. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const FILE = "incarnation";

/** True if a node was ever started with this data directory. */
export function hasLived(dataDir: string): boolean {
  return existsSync(join(dataDir, FILE));
}

/**
 * Counts this start, durably: part of each message's identity, so that no two starts share one.
 * Runs once, before anything else does, and so may block.
 */
export function nextIncarnation(dataDir: string): number {
  const file = join(dataDir, FILE);
  const incarnation = readIncarnation(file) + 1;
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, "w");
  writeSync(descriptor, `${incarnation}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(temporary, file);
  syncDirectory(dataDir);
  return incarnation;
}

/** Until the directory is synced, a crash of the machine may take the new name back. */
function syncDirectory(directory: string): void {
  // Windows can't open a directory, and needs no flush of names.
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function readIncarnation(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
  const incarnation = Number(text);
  if (!Number.isSafeInteger(incarnation) || incarnation < 1) {
    throw new Error(
      `cannot start: expected ${file} to hold a whole number from 1 up, got ${JSON.stringify(text)}`,
    );
  }
  return incarnation;
}
