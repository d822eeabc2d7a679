import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What every built thing depends on besides its sources: the versions of what it imports. */
const LOCK_FILE = "pnpm-lock.yaml";
const NOT_SOURCES = new Set(["node_modules", "dist"]);

/**
 * Whether `file` is missing, or older than anything it was built from.
 *
 * @param root the repository's root directory.
 * @param sources directories, relative to it. Tests and built things in them don't count.
 */
export function isStale(root: string, file: string, sources: readonly string[]): boolean {
  const builtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  if (builtMs === undefined || statSync(join(root, LOCK_FILE)).mtimeMs > builtMs) return true;
  return sources.some((source) => hasNewer(join(root, source), builtMs));
}

function hasNewer(directory: string, builtMs: number): boolean {
  return readdirSync(directory, { withFileTypes: true }).some((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return !NOT_SOURCES.has(entry.name) && hasNewer(path, builtMs);
    return !entry.name.includes(".test.") && statSync(path).mtimeMs > builtMs;
  });
}
