/** How often a node was started with its data directory. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

const FILE = "incarnation";

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
  return incarnation;
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
