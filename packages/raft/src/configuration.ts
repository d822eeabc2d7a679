/** The bytes of a configuration in the log. */
import type { Configuration, NodeId } from "./types.ts";

const formatVersion = 1;

/**
 * The bytes carried by an entry of kind `configuration`. Format: a version byte, then the lists
 * voters, votersOutgoing and learners (a count, then ids), then the addresses (a count, then id,
 * byte length and UTF-8), in ascending order of id. All numbers are LEB128 varints. Equal
 * configurations give equal bytes.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const bytes: number[] = [formatVersion];
  for (const list of [configuration.voters, configuration.votersOutgoing, configuration.learners]) {
    writeNumber(bytes, list.length);
    for (const nodeId of list.toSorted((a, b) => a - b)) writeNumber(bytes, nodeId);
  }
  const ids = Object.keys(configuration.addresses).map(Number);
  writeNumber(bytes, ids.length);
  for (const nodeId of ids.toSorted((a, b) => a - b)) {
    const text: number[] = [];
    writeText(text, configuration.addresses[nodeId]!);
    writeNumber(bytes, nodeId);
    writeNumber(bytes, text.length);
    for (const byte of text) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The reverse of `encodeConfiguration`; null if these are not its bytes. */
export function decodeConfiguration(data: Uint8Array): Configuration | null {
  const reader = new Reader(data);
  if (reader.byte() !== formatVersion) return null;
  const voters = reader.ids();
  const votersOutgoing = reader.ids();
  const learners = reader.ids();
  const addresses: Record<NodeId, string> = {};
  const count = reader.number();
  for (let i = 0; i < count && !reader.failed; i++) {
    const nodeId = reader.number();
    addresses[nodeId] = reader.text(reader.number());
  }
  if (reader.failed || !reader.atEnd) return null;
  return { voters, votersOutgoing, learners, addresses };
}

class Reader {
  /** Set by the first read beyond the end or of a malformed value; reads then give 0 or "". */
  failed = false;
  private offset = 0;
  private readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  get atEnd(): boolean {
    return this.offset === this.data.length;
  }

  byte(): number {
    const byte = this.data[this.offset];
    if (byte === undefined) {
      this.failed = true;
      return 0;
    }
    this.offset++;
    return byte;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) this.failed = true;
      if (byte < 0x80 || this.failed) return this.failed ? 0 : value;
      scale *= 0x80;
    }
  }

  ids(): NodeId[] {
    const ids: NodeId[] = [];
    const count = this.number();
    for (let i = 0; i < count && !this.failed; i++) {
      const nodeId = this.number();
      if (nodeId < 1 || ids.includes(nodeId)) this.failed = true;
      else ids.push(nodeId);
    }
    return ids;
  }

  text(byteLength: number): string {
    const end = this.offset + byteLength;
    let text = "";
    while (this.offset < end && !this.failed) text += String.fromCodePoint(this.codePoint());
    if (this.offset !== end) this.failed = true;
    return text;
  }

  private codePoint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    let code = first & (0x7f >> length);
    for (let i = 1; i < length; i++) {
      const next = this.byte();
      if ((next & 0xc0) !== 0x80) this.failed = true;
      code = code * 64 + (next & 0x3f);
    }
    const least = length === 4 ? 0x1_0000 : length === 3 ? 0x800 : 0x80;
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (first < 0xc0 || first > 0xf4 || code < least || code > 0x10_ffff || surrogate) {
      this.failed = true;
    }
    return this.failed ? 0 : code;
  }
}

function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** UTF-8; a lone surrogate becomes U+FFFD, as in TextEncoder. */
function writeText(bytes: number[], text: string): void {
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      bytes.push(code);
    } else if (code < 0x800) {
      bytes.push(0xc0 | (code >> 6), tail(code));
    } else if (code < 0x1_0000) {
      bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code));
    } else {
      bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
    }
  }
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
