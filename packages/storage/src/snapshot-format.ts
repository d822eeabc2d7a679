/**
 * A snapshot file.
 *
 *     header   magic u32 · format version u32 · length of the rest u32 · CRC-32C of the rest u32 ·
 *              node id u64 · index u64 · term u64 · configuration index u64 · configuration ·
 *              cluster text
 *     blocks   CRC-32C u32 (seeded with the block's number) · length u32 · data
 *              every block but the last has BLOCK_DATA_BYTES of data
 *     footer   magic u32 · CRC-32C of the next 16 bytes u32 · number of blocks u64 · size u64
 *
 * Blocks of one size make any offset easy to find, and let a chunk be served without trusting a
 * byte that was not checked.
 */
import type { Configuration, NodeId, SnapshotMetadata } from "@raftarium/node";

import { ByteReader, ByteWriter, getU32, getU64, putU32, putU64 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { FORMAT_VERSION } from "./records.ts";

/** "RfSn" and "RfSe", read little-endian. */
const HEADER_MAGIC = 0x6e53_6652;
const FOOTER_MAGIC = 0x6553_6652;

export const HEADER_PREFIX_BYTES = 16;
export const BLOCK_DATA_BYTES = 64 * 1024;
export const BLOCK_PREFIX_BYTES = 8;
const BLOCK_BYTES = BLOCK_PREFIX_BYTES + BLOCK_DATA_BYTES;
export const FOOTER_BYTES = 24;
/** More members than any cluster has: a longer header is damage. */
export const HEADER_BYTES_MAX = 1024 * 1024;

export interface SnapshotOwner {
  readonly cluster: string;
  readonly nodeId: NodeId;
}

export interface SnapshotHeader extends SnapshotOwner {
  readonly metadata: SnapshotMetadata;
}

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const { metadata } = header;
  const body = new ByteWriter()
    .u64(header.nodeId)
    .u64(metadata.index)
    .u64(metadata.term)
    .u64(metadata.configurationIndex);
  putConfiguration(body, metadata.configuration);
  const encoded = body.text(header.cluster).done();
  const bytes = new Uint8Array(HEADER_PREFIX_BYTES + encoded.length);
  putU32(bytes, 0, HEADER_MAGIC);
  putU32(bytes, 4, FORMAT_VERSION);
  putU32(bytes, 8, encoded.length);
  putU32(bytes, 12, crc32c(encoded));
  bytes.set(encoded, HEADER_PREFIX_BYTES);
  return bytes;
}

/** What the first bytes say: the version and how long the whole header is; null: no snapshot. */
export function decodeHeaderPrefix(
  bytes: Uint8Array,
): { formatVersion: number; headerBytes: number } | null {
  if (bytes.length < HEADER_PREFIX_BYTES || getU32(bytes, 0) !== HEADER_MAGIC) return null;
  return { formatVersion: getU32(bytes, 4), headerBytes: HEADER_PREFIX_BYTES + getU32(bytes, 8) };
}

/** The whole header, or null when its checksum is wrong or it makes no sense. */
export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader | null {
  if (getU32(bytes, 12) !== crc32c(bytes, HEADER_PREFIX_BYTES)) return null;
  const reader = new ByteReader(bytes, HEADER_PREFIX_BYTES);
  const nodeId = reader.u64();
  const index = reader.u64();
  const term = reader.u64();
  const configurationIndex = reader.u64();
  const configuration = getConfiguration(reader);
  const cluster = reader.text();
  if (!reader.ok) return null;
  return { cluster, nodeId, metadata: { index, term, configuration, configurationIndex } };
}

function putConfiguration(writer: ByteWriter, configuration: Configuration): void {
  for (const ids of [configuration.voters, configuration.votersOutgoing, configuration.learners]) {
    writer.u32(ids.length);
    for (const id of ids) writer.u64(id);
  }
  const addresses = Object.entries(configuration.addresses);
  writer.u32(addresses.length);
  for (const [id, address] of addresses) writer.u64(Number(id)).text(address);
}

function getConfiguration(reader: ByteReader): Configuration {
  const voters = getIds(reader);
  const votersOutgoing = getIds(reader);
  const learners = getIds(reader);
  const addresses: Record<NodeId, string> = {};
  for (let left = reader.u32(); left > 0 && reader.ok; left -= 1) {
    const id = reader.u64();
    addresses[id] = reader.text();
  }
  return { voters, votersOutgoing, learners, addresses };
}

function getIds(reader: ByteReader): NodeId[] {
  const ids: NodeId[] = [];
  for (let left = reader.u32(); left > 0 && reader.ok; left -= 1) ids.push(reader.u64());
  return ids;
}

/** Where block `number` begins. */
export function blockOffset(headerBytes: number, number: number): number {
  return headerBytes + number * BLOCK_BYTES;
}

export function blockPrefix(number: number, data: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(BLOCK_PREFIX_BYTES);
  putU32(prefix, 0, crc32c(data, 0, data.length, number >>> 0));
  putU32(prefix, 4, data.length);
  return prefix;
}

/** Is the block that begins at `at` in `bytes` whole, with this number and length? */
export function isBlockValid(
  bytes: Uint8Array,
  at: number,
  number: number,
  length: number,
): boolean {
  const start = at + BLOCK_PREFIX_BYTES;
  return (
    start + length <= bytes.length &&
    getU32(bytes, at + 4) === length &&
    getU32(bytes, at) === crc32c(bytes, start, start + length, number >>> 0)
  );
}

export function encodeFooter(blockCount: number, size: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  putU64(bytes, 8, blockCount);
  putU64(bytes, 16, size);
  putU32(bytes, 0, FOOTER_MAGIC);
  putU32(bytes, 4, crc32c(bytes, 8));
  return bytes;
}

/** The size of the snapshot's data, or null when the footer is damaged. */
export function decodeFooter(bytes: Uint8Array): { blockCount: number; size: number } | null {
  if (bytes.length !== FOOTER_BYTES || getU32(bytes, 0) !== FOOTER_MAGIC) return null;
  if (getU32(bytes, 4) !== crc32c(bytes, 8)) return null;
  return { blockCount: getU64(bytes, 8), size: getU64(bytes, 16) };
}

/** Bytes of data in block `number` of a snapshot with `size` bytes. */
export function blockLength(size: number, number: number): number {
  return Math.min(BLOCK_DATA_BYTES, size - number * BLOCK_DATA_BYTES);
}
