/**
 * Protobuf's wire format by hand (https://protobuf.dev/programming-guides/encoding/), for the few
 * messages that are read and written for every request of a client. Whoever uses it knows the size
 * before it writes, and falls back to the generated code where a message is not of the usual kind.
 *
 * All fields here have numbers below 16: a tag is one byte.
 */

/** The tag of a number, a bool or an enum. */
export const varintTag = (field: number): number => field << 3;
/** The tag of bytes, text or a message. */
export const lengthTag = (field: number): number => (field << 3) | 2;

/** A number that fits: a safe integer from 0 up. */
export function fits(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let rest = Math.floor(value / 0x8_0000_0000); rest > 0; rest = Math.floor(rest / 0x80)) {
    size += 1;
  }
  return size;
}

/** Of a number with its tag. Zero is not written: it is what a missing field means. */
export function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

/** Of what has this many bytes, with its tag and its length. */
export function lengthSize(byteLength: number): number {
  return 1 + varintSize(byteLength) + byteLength;
}

/** Writes into an array that has exactly the room that it will take. */
export class WireWriter {
  readonly bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  number(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(value);
  }

  bool(tag: number, value: boolean): void {
    this.number(tag, value ? 1 : 0);
  }

  /** The beginning of a message of so many bytes. */
  begin(tag: number, byteLength: number): void {
    this.bytes[this.#at] = tag;
    this.#at += 1;
    this.#varint(byteLength);
  }

  /** Bytes; nothing for none. */
  data(tag: number, data: Uint8Array): void {
    if (data.length === 0) return;
    this.begin(tag, data.length);
    this.bytes.set(data, this.#at);
    this.#at += data.length;
  }

  /** What is encoded already. */
  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** @throws Error if what was written is not what was measured. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#at === this.bytes.length) return this.bytes;
    throw new Error(`expected a message of ${this.bytes.length} bytes, wrote ${this.#at}`);
  }

  #varint(value: number): void {
    const { bytes } = this;
    let at = this.#at;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      bytes[at] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
      at += 1;
    }
    while (rest > 0x7f) {
      bytes[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
      at += 1;
    }
    bytes[at] = rest;
    this.#at = at + 1;
  }
}

/**
 * Reads one message after the other. What it does not expect (numbers beyond the safe integers, a
 * length beyond the end) clears `ok`: then nothing of what was read counts.
 */
export class WireReader<Buffers extends ArrayBufferLike = ArrayBufferLike> {
  readonly #bytes: Uint8Array<Buffers>;
  at = 0;
  ok = true;

  constructor(bytes: Uint8Array<Buffers>) {
    this.#bytes = bytes;
  }

  varint(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at] ?? 0x80;
    this.at += 1;
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 0x80; scale <= 2 ** 49; scale *= 0x80) {
      const byte = bytes[this.at] ?? 0x80;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (value > Number.MAX_SAFE_INTEGER) this.ok = false;
      return value;
    }
    this.ok = false;
    return 0;
  }

  /** Where a message or bytes whose length comes next end. `end`: of what they are part of. */
  lengthEnd(end: number): number {
    const length = this.varint();
    const found = this.at + length;
    if (found <= end) return found;
    this.ok = false;
    return this.at;
  }

  /** A view, not a copy. */
  data(end: number): Uint8Array<Buffers> {
    const to = this.lengthEnd(end);
    const data = this.#bytes.subarray(this.at, to);
    this.at = to;
    return data;
  }
}
