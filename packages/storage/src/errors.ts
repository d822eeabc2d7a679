import type { DiskError } from "./disk.ts";

/** Named for what the operator does next; docs in the package's README. */
export type StorageErrorCode =
  /** Bytes that were durable once are not what was written. */
  | "CORRUPT_LOG"
  | "CORRUPT_SNAPSHOT"
  /** The files were written by another cluster or another node. */
  | "FOREIGN_DATA"
  /** The files were written by another version of this program. */
  | "UNKNOWN_FORMAT"
  /** A file of the log is not there, or all of them. */
  | "MISSING_LOG"
  /** The log starts after the entry that follows the snapshot. */
  | "SNAPSHOT_GAP"
  /** The disk refused an operation. Never retried (design 4.13). */
  | "DISK_FAILED"
  /** No space to start with. */
  | "DISK_FULL";

/** Why storage can't open, or can't go on. */
export interface StorageError {
  readonly code: StorageErrorCode;
  /** Relative to the data directory. */
  readonly file: string;
  /** Byte offset in `file`, or null where none applies. */
  readonly offset: number | null;
  /** One sentence for people: what was expected, what was found, what to do. */
  readonly message: string;
}

const START_AS_NEW =
  "this node must not vote with it: remove the data directory and add the node as a new member " +
  "with a new id";

export function corruptLog(file: string, offset: number, reason: string): StorageError {
  return {
    code: "CORRUPT_LOG",
    file,
    offset,
    message:
      `cannot open the log: ${file} is damaged at byte ${offset}: ${reason}; ` +
      `these bytes were durable, so acknowledged entries may be lost; ${START_AS_NEW}`,
  };
}

export function corruptSnapshot(file: string, offset: number, reason: string): StorageError {
  return {
    code: "CORRUPT_SNAPSHOT",
    file,
    offset,
    message:
      `cannot open the snapshot: ${file} is damaged at byte ${offset}: ${reason}; ` +
      `the log before it may be gone; ${START_AS_NEW}`,
  };
}

export function foreignData(file: string, expected: string, found: string): StorageError {
  return {
    code: "FOREIGN_DATA",
    file,
    offset: 0,
    message:
      `cannot open the data directory: expected files of ${expected}, ${file} is of ${found}; ` +
      "give each node a data directory of its own",
  };
}

export function unknownFormat(file: string, expected: number, found: number): StorageError {
  return {
    code: "UNKNOWN_FORMAT",
    file,
    offset: 0,
    message:
      `cannot open ${file}: expected format version ${expected}, got ${found}; ` +
      "start the version of Raftarium that wrote it",
  };
}

export function missingLog(file: string, reason: string): StorageError {
  return {
    code: "MISSING_LOG",
    file,
    offset: null,
    message: `cannot open the log: ${file} is missing: ${reason}; put it back, or ${START_AS_NEW}`,
  };
}

export function snapshotGap(file: string, reason: string): StorageError {
  return {
    code: "SNAPSHOT_GAP",
    file,
    offset: null,
    message: `cannot open the log: ${reason}; put the missing file back, or ${START_AS_NEW}`,
  };
}

export function diskFailed(operation: string, file: string, error: DiskError): StorageError {
  return {
    code: error.code === "ENOSPC" ? "DISK_FULL" : "DISK_FAILED",
    file,
    offset: null,
    message:
      `cannot ${operation} ${file}: the disk said ${error.code} (${error.message}); ` +
      (error.code === "ENOSPC"
        ? "free some space and start the node again"
        : "check the disk, then start the node again: it reads back what is really there"),
  };
}
