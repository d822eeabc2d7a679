/** The bytes of a configuration in the log. */
import type { Configuration, NodeId } from "./types.ts";

const formatVersion = 1;

/**
 * The bytes carried by an entry of kind `configuration`. Format: a version byte, then the lists
 * voters, votersOutgoing and learners (a count, then ids), then the addresses (a count, then id,
 * length and UTF-16 code units: one byte for each ASCII character), in ascending order of id. All
 * numbers are LEB128 varints. Equal configurations give equal bytes.
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
    const address = configuration.addresses[nodeId]!;
    writeNumber(bytes, nodeId);
    writeNumber(bytes, address.length);
    for (let i = 0; i < address.length; i++) writeNumber(bytes, address.charCodeAt(i));
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

  text(length: number): string {
    let text = "";
    for (let i = 0; i < length && !this.failed; i++) {
      const unit = this.number();
      if (unit > 0xffff) this.failed = true;
      text += String.fromCharCode(unit);
    }
    return text;
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
