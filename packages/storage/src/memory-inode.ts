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
  readonly seen: Content;
  /** As it is after losing power now, if nothing pending makes it. */
  readonly durable: Content;
  pending: PendingChange[];
}

/** A file's bytes: those before `size`, with room for more behind them. */
export interface Content {
  bytes: Uint8Array;
  size: number;
}

export function contentOf(bytes: Uint8Array): Content {
  return { bytes, size: bytes.length };
}

export function copyOf({ bytes, size }: Content): Uint8Array {
  return bytes.slice(0, size);
}

export function applyChange(content: Content, change: PendingChange): void {
  if (change.kind === "size") {
    resize(content, change.size);
    return;
  }
  const end = change.position + change.bytes.length;
  if (end > content.size) resize(content, end);
  content.bytes.set(change.bytes, change.position);
}

/** What is behind the end is zero once the end moves there. */
function resize(content: Content, size: number): void {
  const { bytes } = content;
  if (size > bytes.length) {
    // A file that grew will grow on.
    content.bytes = new Uint8Array(content.size === 0 ? size : Math.max(size, bytes.length * 2));
    content.bytes.set(content.size === bytes.length ? bytes : bytes.subarray(0, content.size));
  } else if (size < content.size) {
    bytes.fill(0, size, content.size);
  }
  content.size = size;
}

/** Decides what of the pending changes reached the platter, sector by sector. */
export function settle(inode: Inode, chance: Chance): void {
  const { durable, seen } = inode;
  for (const change of inode.pending) {
    if (change.kind === "size") {
      if (chance.integer(0, 1) === 1) applyChange(durable, change);
      continue;
    }
    for (const sector of sectorsOf(change.position, change.bytes)) {
      if (chance.integer(0, 1) === 1) applyChange(durable, sector);
    }
  }
  copyInto(seen, durable);
  inode.pending = [];
}

/** In the memory that it has, where that is enough. What is behind the end stays zero. */
function copyInto(target: Content, source: Content): void {
  if (source.size > target.bytes.length) target.bytes = copyOf(source);
  else {
    target.bytes.set(source.bytes.subarray(0, source.size));
    if (target.size > source.size) target.bytes.fill(0, source.size, target.size);
  }
  target.size = source.size;
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
