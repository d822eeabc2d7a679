import type { Disk, DiskError, DiskFile } from "./disk.ts";
import { MemoryFile, failure } from "./memory-file.ts";
import type { MemoryDiskOperation } from "./memory-file.ts";
import { contentOf, copyOf, settle } from "./memory-inode.ts";
import type { Chance, Inode } from "./memory-inode.ts";

export interface MemoryDiskOptions {
  /** Runs `complete` later, never within the call: the caller decides how long a disk takes. */
  readonly schedule: (operation: MemoryDiskOperation, complete: () => void) => void;
  /** A code (EIO, ENOSPC…) makes the operation fail without an effect. */
  readonly fault?: (operation: MemoryDiskOperation) => string | null;
  /** All files together; beyond it ENOSPC. Default: no limit. */
  readonly capacityBytes?: number;
  readonly nowUs?: () => number;
}

type PendingName =
  | { readonly kind: "create"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly inode: Inode }
  | { readonly kind: "remove"; readonly path: string };

/**
 * A Disk in memory that knows what is durable and what isn't. Changes are seen at once, as in a
 * page cache; a sync makes those durable that were there when it was asked for. `crash` loses
 * power: each sector and each name that was not synced is there afterwards or not, by chance.
 */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #pendingNames: PendingName[] = [];
  /** Operations of an earlier life never complete. */
  #life = 0;
  capacityBytes: number;

  constructor(options: MemoryDiskOptions) {
    this.#options = options;
    this.capacityBytes = options.capacityBytes ?? Number.MAX_SAFE_INTEGER;
  }

  // --- the Disk port ----------------------------------------------------------------------

  open(
    path: string,
    mode: "create" | "existing",
    done: (error: DiskError | null, file: DiskFile | null) => void,
  ): void {
    const operation = { kind: "open", path, bytes: 0 } as const;
    let error = this.#fault(operation);
    let inode = this.#names.get(path);
    if (error === null && mode === "create") {
      if (inode !== undefined) error = failure("EEXIST", path);
      else inode = this.#create(path);
    } else if (error === null && inode === undefined) {
      error = failure("ENOENT", path);
    }
    const file = error === null ? this.#handle(path, inode!) : null;
    this.#later(operation, () => done(error, file));
  }

  allocate(file: DiskFile, size: number, done: (error: DiskError | null) => void): void {
    (file as MemoryFile).allocate(size, done);
  }

  rename(from: string, to: string, done: (error: DiskError | null) => void): void {
    const operation = { kind: "rename", path: from, bytes: 0 } as const;
    const inode = this.#names.get(from);
    const error = this.#fault(operation) ?? (inode === undefined ? failure("ENOENT", from) : null);
    if (error === null) this.#changeNames({ kind: "rename", from, to, inode: inode! });
    this.#later(operation, () => done(error));
  }

  remove(path: string, done: (error: DiskError | null) => void): void {
    const operation = { kind: "remove", path, bytes: 0 } as const;
    const error =
      this.#fault(operation) ?? (this.#names.has(path) ? null : failure("ENOENT", path));
    if (error === null) this.#changeNames({ kind: "remove", path });
    this.#later(operation, () => done(error));
  }

  list(
    done: (
      error: DiskError | null,
      files: readonly { readonly path: string; readonly size: number }[],
    ) => void,
  ): void {
    const operation = { kind: "list", path: "", bytes: 0 } as const;
    const error = this.#fault(operation);
    const files = error === null ? this.files() : [];
    this.#later(operation, () => done(error, files));
  }

  syncDirectory(done: (error: DiskError | null) => void): void {
    const operation = { kind: "sync-directory", path: "", bytes: 0 } as const;
    const error = this.#fault(operation);
    const changes = [...this.#pendingNames];
    this.#later(operation, () => {
      if (error === null) {
        for (const change of changes) {
          const at = this.#pendingNames.indexOf(change);
          if (at < 0) continue;
          this.#pendingNames.splice(at, 1);
          applyName(this.#durableNames, change);
        }
      }
      done(error);
    });
  }

  nowUs(): number {
    return this.#options.nowUs?.() ?? 0;
  }

  // --- for those who hold it --------------------------------------------------------------

  /** Names and sizes as the process sees them, sorted by name. */
  files(): { path: string; size: number }[] {
    return [...this.#names]
      .map(([path, inode]) => ({ path, size: inode.seen.size }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** A copy of a file's bytes as the process sees them. */
  content(path: string): Uint8Array {
    return copyOf(this.#inode(path).seen);
  }

  /** The process is gone (kill -9): what it wrote is there, callbacks never come. */
  kill(): void {
    this.#life += 1;
  }

  /**
   * Power is lost: callbacks never come, and of what was not synced each sector and each name is
   * kept or lost by `chance`; a file's end may be anywhere it has been.
   */
  crash(chance: Chance): void {
    this.#life += 1;
    const names = new Map(this.#durableNames);
    for (const change of this.#pendingNames) {
      if (chance.integer(0, 1) === 1) applyName(names, change);
    }
    const inodes = new Set([...names.values(), ...this.#names.values()]);
    for (const inode of inodes) settle(inode, chance);
    this.#names = names;
    this.#durableNames = new Map(names);
    this.#pendingNames = [];
  }

  /** Rot: turns one bit, wherever it is written. */
  flipBit(path: string, byte: number, bit: number): void {
    const inode = this.#inode(path);
    const mask = 1 << bit;
    for (const { bytes, size } of [inode.seen, inode.durable]) {
      if (byte < size) bytes[byte] = bytes[byte]! ^ mask;
    }
  }

  /** Puts a file there, durably, as from a backup. */
  place(path: string, bytes: Uint8Array): void {
    const [seen, durable] = [contentOf(bytes.slice()), contentOf(bytes.slice())];
    const inode = { seen, durable, pending: [] };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** Takes a file away, durably, as by mistake. */
  unplace(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** How much a crash could lose: unsynced changes to bytes and to names. */
  get pendingCount(): number {
    let count = this.#pendingNames.length;
    for (const inode of new Set(this.#names.values())) count += inode.pending.length;
    return count;
  }

  /** The same disk, with the same things pending, and another schedule. */
  clone(options: MemoryDiskOptions): MemoryDisk {
    const copies = new Map<Inode, Inode>();
    const copy = (inode: Inode): Inode => {
      const known = copies.get(inode);
      if (known !== undefined) return known;
      const made = {
        seen: contentOf(copyOf(inode.seen)),
        durable: contentOf(copyOf(inode.durable)),
        pending: [...inode.pending],
      };
      copies.set(inode, made);
      return made;
    };
    const disk = new MemoryDisk(options);
    for (const [path, inode] of this.#names) disk.#names.set(path, copy(inode));
    for (const [path, inode] of this.#durableNames) disk.#durableNames.set(path, copy(inode));
    disk.#pendingNames = this.#pendingNames.map((change) =>
      change.kind === "remove" ? change : { ...change, inode: copy(change.inode) },
    );
    return disk;
  }

  // --- inside -----------------------------------------------------------------------------

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new Error(`expected a file ${path} on the disk, found none`);
    return inode;
  }

  #create(path: string): Inode {
    const inode: Inode = {
      seen: contentOf(new Uint8Array(0)),
      durable: contentOf(new Uint8Array(0)),
      pending: [],
    };
    this.#changeNames({ kind: "create", path, inode });
    return inode;
  }

  #changeNames(change: PendingName): void {
    applyName(this.#names, change);
    this.#pendingNames.push(change);
  }

  #handle(path: string, inode: Inode): MemoryFile {
    return new MemoryFile(path, inode, {
      fault: (operation) => this.#fault(operation),
      later: (operation, complete) => this.#later(operation, complete),
      hasRoom: (bytes) => this.#usedBytes() + bytes <= this.capacityBytes,
    });
  }

  #usedBytes(): number {
    let bytes = 0;
    for (const inode of this.#names.values()) bytes += inode.seen.size;
    return bytes;
  }

  #fault(operation: MemoryDiskOperation): DiskError | null {
    const code = this.#options.fault?.(operation) ?? null;
    return code === null ? null : failure(code, operation.path);
  }

  #later(operation: MemoryDiskOperation, complete: () => void): void {
    const life = this.#life;
    this.#options.schedule(operation, () => {
      if (life === this.#life) complete();
    });
  }
}

function applyName(names: Map<string, Inode>, change: PendingName): void {
  if (change.kind === "create") {
    names.set(change.path, change.inode);
  } else if (change.kind === "remove") {
    names.delete(change.path);
  } else {
    if (names.get(change.from) === change.inode) names.delete(change.from);
    names.set(change.to, change.inode);
  }
}
