/**
 * The whole state as bytes: a header, then every version that can still be read, by key and then
 * oldest first, then a count. Versions that nobody can read are left out whether or not they are
 * still in memory, so that all nodes write the same bytes.
 *
 *     "RKV" 1  revision  compacted revision + 1
 *     1  key  (versions of this key: kind  mod revision  order [create revision  version  value]) 0
 *     0  number of versions
 */
import { ByteReader, ByteWriter } from "./byte-stream.ts";
import { nameOf } from "./bytes.ts";
import type { KeyEntry, Version } from "./store.ts";
import { Store } from "./store.ts";

const MAGIC = [0x52, 0x4b, 0x56, 1] as const;
const PIECE_BYTES = 64 * 1024;
const FIRST_BYTES = 2 * 1024;
const KEY = 1;
const END = 0;
const PUT = 1;
const DELETION = 2;

/** Of the moment of the call, however much is written while the pieces are drawn. */
export function writeSnapshot(store: Store): IterableIterator<Uint8Array> {
  const release = store.hold();
  const pieces = piecesOf(store, store.revision, store.compactedRevision, release);
  return {
    next: () => pieces.next(),
    // A generator that was never started would skip its own `finally`.
    return: () => {
      release();
      return pieces.return(undefined);
    },
    [Symbol.iterator]() {
      return this;
    },
  };
}

function* piecesOf(
  store: Store,
  revision: number,
  compactedRevision: number,
  release: () => void,
): Generator<Uint8Array, undefined> {
  // Most states are small; a large one makes it grow once.
  const writer = new ByteWriter(FIRST_BYTES);
  for (const byte of MAGIC) writer.byte(byte);
  writer.varint(revision);
  writer.varint(compactedRevision + 1);
  let count = 0;
  let from: string | null = "";
  while (from !== null) {
    let next: string | null = null;
    store.scan(from, null, (entry) => {
      if (writer.length >= PIECE_BYTES) {
        next = entry.name;
        return false;
      }
      count += writeEntry(writer, entry, revision, compactedRevision);
      return true;
    });
    if (next !== null) yield writer.take();
    from = next;
  }
  release();
  writer.byte(END);
  writer.varint(count);
  yield writer.take();
  return undefined;
}

/** Returns how many versions it wrote. */
function writeEntry(
  writer: ByteWriter,
  entry: KeyEntry,
  revision: number,
  compactedRevision: number,
): number {
  const versions: Version[] = [];
  for (let version = entry.newest; version !== null; version = version.older) {
    if (version.modRevision > revision) continue;
    const last = version.modRevision <= compactedRevision;
    if (!last || version.value !== null) versions.push(version);
    if (last) break;
  }
  if (versions.length === 0) return 0;
  writer.byte(KEY);
  writer.bytes(entry.key);
  for (let at = versions.length - 1; at >= 0; at -= 1) {
    const version = versions[at] as Version;
    writer.byte(version.value === null ? DELETION : PUT);
    writer.varint(version.modRevision);
    writer.varint(version.order);
    if (version.value === null) continue;
    writer.varint(version.createRevision);
    writer.varint(version.version);
    writer.bytes(version.value);
  }
  writer.byte(END);
  return versions.length;
}

/** Puts a store together from a snapshot's pieces, cut anew. */
export class SnapshotReader {
  readonly #store = new Store();
  #rest: Uint8Array = new Uint8Array(0);
  #started = false;
  #ended = false;
  #entry: KeyEntry | null = null;
  #count = 0;

  /** Throws if the bytes are not a snapshot's. */
  write(piece: Uint8Array): void {
    let bytes = piece;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + piece.length);
      bytes.set(this.#rest);
      bytes.set(piece, this.#rest.length);
    }
    let at = 0;
    while (at < bytes.length) {
      const reader = new ByteReader(bytes, at);
      this.#step(reader);
      // What is not there yet reads as a failure: wait for more.
      if (reader.failed) break;
      at = reader.position;
    }
    this.#rest = bytes.slice(at);
  }

  /** Throws if the snapshot is not complete. */
  end(): Store {
    if (!this.#ended || this.#rest.length > 0) {
      throw this.#error(`an end after ${this.#count} versions`, `${this.#rest.length} bytes`);
    }
    this.#store.sortHistory();
    return this.#store;
  }

  #step(reader: ByteReader): void {
    if (this.#ended) throw this.#error("nothing after the end", `${reader.remaining} bytes`);
    if (!this.#started) this.#header(reader);
    else if (this.#entry === null) this.#key(reader);
    else this.#version(reader, this.#entry);
  }

  #header(reader: ByteReader): void {
    const magic = MAGIC.map(() => reader.byte());
    const revision = reader.varint();
    const compacted = reader.varint();
    if (reader.failed) return;
    if (magic.join() !== MAGIC.join()) throw this.#error(MAGIC.join(" "), magic.join(" "));
    this.#store.revision = revision;
    this.#store.compactedRevision = compacted - 1;
    this.#started = true;
  }

  #key(reader: ByteReader): void {
    const kind = reader.byte();
    if (kind === KEY) {
      const key = reader.bytes();
      if (!reader.failed) this.#entry = { name: nameOf(key), key: key.slice(), newest: null };
      return;
    }
    const count = reader.varint();
    if (reader.failed) return;
    if (kind !== END || count !== this.#count) {
      throw this.#error(`the end of ${this.#count} versions`, `kind ${kind}, count ${count}`);
    }
    this.#ended = true;
  }

  #version(reader: ByteReader, entry: KeyEntry): void {
    const kind = reader.byte();
    if (kind === END) {
      this.#entry = null;
      return;
    }
    if (kind !== PUT && kind !== DELETION) throw this.#error("a version", `kind ${kind}`);
    const modRevision = reader.varint();
    const order = reader.varint();
    const createRevision = kind === PUT ? reader.varint() : 0;
    const version = kind === PUT ? reader.varint() : 0;
    const value = kind === PUT ? reader.bytes() : null;
    if (reader.failed) return;
    const kept = value === null ? null : value.slice();
    this.#store.add(entry, { value: kept, createRevision, modRevision, version, order });
    this.#count += 1;
  }

  #error(expected: string, found: string): Error {
    return new Error(
      `cannot restore the key-value state: expected ${expected}, found ${found}; ` +
        "the snapshot is damaged or of another machine",
    );
  }
}
