import type { DiskError } from "@raftarium/storage";

/** Node.js' error as the port has it. */
export function toDiskError(error: NodeJS.ErrnoException | null | undefined): DiskError | null {
  if (error === null || error === undefined) return null;
  return { code: error.code ?? "EIO", message: error.message };
}
