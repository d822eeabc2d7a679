/** Writing and reading the compact binary forms: varints, doubles, byte strings with a length. */
import { EMPTY } from "./bytes.ts";

/** Bytes of a varint of a non-negative safe integer: seven bits each, lowest first. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Engines keep arrays up to this size among other small objects: no memory of their own. */
const SMALL_BYTES = 64;

/** Grows as needed; `take` hands out what was written and starts over. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = SMALL_BYTES) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  /** Any number, eight bytes. */
  double(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** The bytes with their length before them. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/**
 * Never throws: what isn't there, or makes no sense, reads as zero and sets `failed`. Byte strings
 * are views of the input, but for short ones: those are copies, which cost less than views.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  failed = false;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  fail(): void {
    this.failed = true;
    this.#at = this.#bytes.length;
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) {
      this.fail();
      return 0;
    }
    const value = this.#bytes[this.#at] as number;
    this.#at += 1;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        // The only form that is accepted is the shortest, so that equal means equal bytes.
        if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && count > 0)) break;
        return value;
      }
      scale *= 0x80;
    }
    this.fail();
    return 0;
  }

  double(): number {
    if (this.remaining < 8) {
      this.fail();
      return 0;
    }
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8);
    this.#at += 8;
    return value.getFloat64(0);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    if (length > this.remaining) {
      this.fail();
      return EMPTY;
    }
    const start = this.#at;
    this.#at += length;
    return length <= SMALL_BYTES
      ? this.#bytes.slice(start, this.#at)
      : this.#bytes.subarray(start, this.#at);
  }

  /** A number of things of at least one byte each. */
  count(): number {
    const value = this.varint();
    if (value <= this.remaining) return value;
    this.fail();
    return 0;
  }
}
