import type { DiskError, DiskFile } from "./disk.ts";
import { applyChange } from "./memory-inode.ts";
import type { Inode, PendingChange } from "./memory-inode.ts";

type PendingWrite = Extract<PendingChange, { readonly kind: "write" }>;

/** One operation on its way, as `schedule` and `fault` are told of it. */
export interface MemoryDiskOperation {
  readonly kind:
    | "open"
    | "write"
    | "sync"
    | "truncate"
    | "read"
    | "close"
    | "allocate"
    | "rename"
    | "remove"
    | "list"
    | "sync-directory";
  /** "" for the directory. */
  readonly path: string;
  /** Bytes written, read or allocated; 0 for the rest. */
  readonly bytes: number;
}

/** What an open file asks of its disk. */
export interface MemoryFileHost {
  fault(operation: MemoryDiskOperation): DiskError | null;
  later(operation: MemoryDiskOperation, complete: () => void): void;
  hasRoom(bytes: number): boolean;
}

export class MemoryFile implements DiskFile {
  readonly #path: string;
  readonly #inode: Inode;
  readonly #host: MemoryFileHost;

  constructor(path: string, inode: Inode, host: MemoryFileHost) {
    this.#path = path;
    this.#inode = inode;
    this.#host = host;
  }

  write(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    this.#write(pieces, position, done);
  }

  /** A write, and a sync that covers only what it wrote. */
  writeThrough(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null) => void,
  ): void {
    this.#write(pieces, position, (error, written) => {
      if (written === null) done(error);
      else this.#flush([written], done);
    });
  }

  #write(
    pieces: readonly Uint8Array[],
    position: number,
    done: (error: DiskError | null, written: PendingWrite | null) => void,
  ): void {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    const operation = { kind: "write", path: this.#path, bytes: length } as const;
    const error = this.#host.fault(operation) ?? this.#needRoom(position + length);
    if (error !== null) {
      this.#host.later(operation, () => done(error, null));
      return;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const written: PendingWrite = { kind: "write", position, bytes };
    this.#change(written);
    this.#host.later(operation, () => done(null, written));
  }

  sync(done: (error: DiskError | null) => void): void {
    this.#flush([...this.#inode.pending], done);
  }

  #flush(covered: readonly PendingChange[], done: (error: DiskError | null) => void): void {
    const operation = { kind: "sync", path: this.#path, bytes: 0 } as const;
    const error = this.#host.fault(operation);
    const inode = this.#inode;
    this.#host.later(operation, () => {
      if (error === null) {
        const { pending, durable } = inode;
        const isAll =
          pending.length === covered.length &&
          pending.every((change, at) => change === covered[at]);
        // Nearly always all of it.
        if (isAll) {
          for (const change of pending) applyChange(durable, change);
          inode.pending = [];
        } else {
          const flushed = new Set(covered);
          for (const change of pending) if (flushed.has(change)) applyChange(durable, change);
          inode.pending = withoutFlushed(pending, flushed);
        }
      }
      done(error);
    });
  }

  truncate(size: number, done: (error: DiskError | null) => void): void {
    const operation = { kind: "truncate", path: this.#path, bytes: 0 } as const;
    const error = this.#host.fault(operation);
    if (error === null) this.#change({ kind: "size", size });
    this.#host.later(operation, () => done(error));
  }

  allocate(size: number, done: (error: DiskError | null) => void): void {
    const bytes = Math.max(0, size - this.#inode.seen.size);
    const operation = { kind: "allocate", path: this.#path, bytes } as const;
    const error = this.#host.fault(operation) ?? this.#needRoom(size);
    if (error === null && bytes > 0) this.#change({ kind: "size", size });
    this.#host.later(operation, () => done(error));
  }

  read(
    position: number,
    length: number,
    done: (error: DiskError | null, data: Uint8Array) => void,
  ): void {
    const operation = { kind: "read", path: this.#path, bytes: length } as const;
    const error = this.#host.fault(operation);
    const { seen } = this.#inode;
    const end = Math.min(seen.size, position + length);
    const start = error === null ? Math.min(position, end) : end;
    const data = seen.bytes.slice(start, end);
    this.#host.later(operation, () => done(error, data));
  }

  close(done: (error: DiskError | null) => void): void {
    this.#host.later({ kind: "close", path: this.#path, bytes: 0 }, () => done(null));
  }

  #needRoom(end: number): DiskError | null {
    const more = end - this.#inode.seen.size;
    return more > 0 && !this.#host.hasRoom(more) ? failure("ENOSPC", this.#path) : null;
  }

  #change(change: PendingChange): void {
    applyChange(this.#inode.seen, change);
    this.#inode.pending.push(change);
  }
}

export function failure(code: string, path: string): DiskError {
  return { code, message: `${code}: ${path}` };
}

/**
 * What is still pending once `covered` is durable. An older write to the same bytes can't come
 * back over a newer one that was flushed: of it only the rest is left.
 */
function withoutFlushed(
  pending: readonly PendingChange[],
  covered: ReadonlySet<PendingChange>,
): PendingChange[] {
  let left: PendingChange[] = [];
  for (const change of pending) {
    if (!covered.has(change)) left.push(change);
    else if (change.kind === "write") left = left.flatMap((older) => outside(older, change));
  }
  return left;
}

function outside(older: PendingChange, newer: PendingWrite): PendingChange[] {
  if (older.kind !== "write") return [older];
  const { position, bytes } = older;
  const from = Math.max(newer.position - position, 0);
  const to = Math.min(newer.position + newer.bytes.length - position, bytes.length);
  if (from >= to) return [older];
  return [
    { kind: "write" as const, position, bytes: bytes.subarray(0, from) },
    { kind: "write" as const, position: position + to, bytes: bytes.subarray(to) },
  ].filter((rest) => rest.bytes.length > 0);
}
