/** A file's bytes in a MemoryDisk: as the process sees them, and what of them is durable. */

const SECTOR_BYTES = 512;

/** Chooses a whole number from `min` to `max`, both included. */
export interface Chance {
  integer(min: number, max: number): number;
}

/** A change to a file's bytes that no sync has covered yet. */
export type PendingChange =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "size"; readonly size: number };

export interface Inode {
  /** As the running process sees it. */
  bytes: Uint8Array;
  size: number;
  /** As it is after losing power now, if nothing pending makes it. */
  durable: Uint8Array;
  pending: PendingChange[];
}

/** The bytes after the change; the same array if nothing had to move. */
export function applyChange(bytes: Uint8Array, change: PendingChange): Uint8Array {
  const size =
    change.kind === "size"
      ? change.size
      : Math.max(bytes.length, change.position + change.bytes.length);
  let changed = bytes;
  if (size !== bytes.length) {
    changed = new Uint8Array(size);
    changed.set(bytes.subarray(0, Math.min(size, bytes.length)));
  }
  if (change.kind === "write") changed.set(change.bytes, change.position);
  return changed;
}

/** Decides what of the pending changes reached the platter, sector by sector. */
export function settle(inode: Inode, chance: Chance): void {
  let bytes = inode.durable;
  for (const change of inode.pending) {
    if (change.kind === "size") {
      if (chance.integer(0, 1) === 1) bytes = applyChange(bytes, change);
      continue;
    }
    for (const sector of sectorsOf(change.position, change.bytes)) {
      if (chance.integer(0, 1) === 1) bytes = applyChange(bytes, sector);
    }
  }
  inode.bytes = bytes.slice();
  inode.size = bytes.length;
  inode.durable = bytes;
  inode.pending = [];
}

/** A write, cut where sectors end: what a disk writes as one. */
function sectorsOf(position: number, bytes: Uint8Array): PendingChange[] {
  const sectors: PendingChange[] = [];
  for (let at = 0; at < bytes.length;) {
    const room = SECTOR_BYTES - ((position + at) % SECTOR_BYTES);
    const part = bytes.subarray(at, at + room);
    sectors.push({ kind: "write", position: position + at, bytes: part });
    at += part.length;
  }
  return sectors;
}
