/**
 * The Disk port: the few file operations that storage is built on. Callback-shaped, so that the
 * simulator decides what completes when, and what a crash leaves behind.
 *
 * Paths are relative to the data directory, with `/`. Callbacks run in a later turn. Nothing is
 * durable before `sync` of the file (its bytes) and `syncDirectory` (its name).
 */
export interface DiskError {
  /** As in errno: `ENOSPC`, `EIO`, `ENOENT`... */
  readonly code: string;
  readonly message: string;
}

export interface DiskFile {
  /** Writes all of `pieces`, one after the other, from byte `position` on. */
  write(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void;
  /**
   * Writes and flushes just these bytes, in one go: what was written before without a `sync` is
   * not flushed by it. Half the time of `write` and then `sync` on the same thread pool.
   */
  writeThrough(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void;
  /** Flushes what was written to this file (fdatasync). */
  sync(done: (error: DiskError | null) => void): void;
  truncate(size: number, done: (error: DiskError | null) => void): void;
  /** Reads up to `length` bytes; fewer only at the end of the file. */
  read(
    position: number,
    length: number,
    done: (error: DiskError | null, data: Uint8Array) => void,
  ): void;
  close(done: (error: DiskError | null) => void): void;
}

export interface Disk {
  /** `create`: makes it, fails with EEXIST if it is there. Missing: ENOENT. */
  open(
    path: string,
    mode: "create" | "existing",
    done: (error: DiskError | null, file: DiskFile | null) => void,
  ): void;
  /** Reserves space, so that later writes neither move the end nor fail for want of it. */
  allocate(file: DiskFile, size: number, done: (error: DiskError | null) => void): void;
  rename(from: string, to: string, done: (error: DiskError | null) => void): void;
  remove(path: string, done: (error: DiskError | null) => void): void;
  list(
    done: (
      error: DiskError | null,
      files: readonly { readonly path: string; readonly size: number }[],
    ) => void,
  ): void;
  /** Flushes names: creations, renames and removals. */
  syncDirectory(done: (error: DiskError | null) => void): void;
  /** A monotonic clock, microseconds: for measuring syncs, never for decisions. */
  nowUs(): number;
}
