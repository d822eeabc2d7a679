/** Little-endian numbers and UTF-8 text in byte arrays. Pure code has no TextEncoder. */

const TWO_TO_32 = 0x1_0000_0000;

export function putU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}

export function getU32(source: Uint8Array, at: number): number {
  return (
    (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) >>> 0
  );
}

/** Writes a safe integer, from 0 up, as 8 bytes. */
export function putU64(target: Uint8Array, at: number, value: number): void {
  putU32(target, at, value % TWO_TO_32);
  putU32(target, at + 4, Math.floor(value / TWO_TO_32));
}

/** Reads 8 bytes; NaN when the number is beyond the safe integers. */
export function getU64(source: Uint8Array, at: number): number {
  const value = getU32(source, at + 4) * TWO_TO_32 + getU32(source, at);
  return value <= Number.MAX_SAFE_INTEGER ? value : Number.NaN;
}

/** Text as UTF-8. A lone surrogate becomes U+FFFD, as in WHATWG's TextEncoder. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      bytes.push(code);
    } else if (code < 0x800) {
      bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    } else if (code < 0x1_0000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 0x3f),
        0x80 | ((code >> 6) & 0x3f),
        0x80 | (code & 0x3f),
      );
    }
  }
  return Uint8Array.from(bytes);
}

/** The inverse of `encodeText`; only ever reads what that wrote, under a checksum. */
export function decodeText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let code = length === 1 ? lead : lead & (0xff >> (length + 1));
    for (let more = 1; more < length; more += 1) {
      code = (code << 6) | ((bytes[at + more] ?? 0) & 0x3f);
    }
    text += String.fromCodePoint(Math.min(code, 0x10_ffff));
    at += length;
  }
  return text;
}

/** `size` rounded up to a multiple of 8. */
export function align8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** A byte array that grows as values are appended; for small things off the hot path. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    putU32(this.#bytes, this.#length, value);
    this.#length += 4;
    return this;
  }

  u64(value: number): this {
    this.#reserve(8);
    putU64(this.#bytes, this.#length, value);
    this.#length += 8;
    return this;
  }

  text(value: string): this {
    const encoded = encodeText(value);
    this.u32(encoded.length);
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what a ByteWriter wrote. Past the end everything is NaN or empty, and `ok` is false. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  ok = true;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? Number.NaN : this.#bytes[at]!;
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? Number.NaN : getU32(this.#bytes, at);
  }

  u64(): number {
    const at = this.#take(8);
    if (at < 0) return Number.NaN;
    const value = getU64(this.#bytes, at);
    if (Number.isNaN(value)) this.ok = false;
    return value;
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(0) : this.#bytes.slice(at, at + length);
  }

  text(): string {
    return decodeText(this.bytes(this.u32()));
  }

  #take(count: number): number {
    // Also true for NaN, which a length read past the end is.
    if (!(this.#at + count <= this.#end)) {
      this.ok = false;
      return -1;
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
