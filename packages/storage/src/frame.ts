/**
 * The frame: what one write puts into a segment. A segment is a row of frames, then zeros.
 *
 *     offset  bytes
 *          0      4  magic
 *          4      4  length of the body, without padding
 *          8      4  CRC-32C of the body
 *         12      4  chain: the header checksum of the frame before
 *         16      4  this frame's own offset in the segment
 *         20      4  watermark: a sync that covered all bytes before this offset has succeeded
 *         24      4  number of records in the body
 *         28      4  CRC-32C of the 28 bytes before: the header checksum
 *         32      …  the body, zero-padded to a multiple of 8
 *
 * The watermark tells a torn tail from damage. Bytes before a watermark found anywhere later in
 * the segment were durable: if they are unreadable, acknowledged entries are lost. Bytes that no
 * watermark covers were never promised to anybody. A frame without records is a *mark*: it
 * carries a watermark while the log is idle, and the next frame is written over it.
 */
import { align8, getU32, putU32 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";

export const FRAME_HEADER_BYTES = 32;
/** "RfLg", read little-endian. */
const MAGIC = 0x674c_6652;

export interface FrameHeader {
  readonly bodyLength: number;
  readonly bodyCrc: number;
  readonly chain: number;
  readonly offset: number;
  readonly watermark: number;
  readonly recordCount: number;
  /** The header's own checksum: the next frame's `chain`. */
  readonly checksum: number;
}

/** Bytes that a frame with this much body takes. */
export function frameSize(bodyLength: number): number {
  return FRAME_HEADER_BYTES + align8(bodyLength);
}

/** Writes the header at `at` and returns its checksum. */
export function putFrameHeader(
  target: Uint8Array,
  at: number,
  header: Omit<FrameHeader, "checksum">,
): number {
  putU32(target, at, MAGIC);
  putU32(target, at + 4, header.bodyLength);
  putU32(target, at + 8, header.bodyCrc);
  putU32(target, at + 12, header.chain);
  putU32(target, at + 16, header.offset);
  putU32(target, at + 20, header.watermark);
  putU32(target, at + 24, header.recordCount);
  const checksum = crc32c(target, at, at + 28);
  putU32(target, at + 28, checksum);
  return checksum;
}

/** The header at `at`, or null if there is none, or a damaged one, or one of another place. */
export function getFrameHeader(source: Uint8Array, at: number): FrameHeader | null {
  if (at + FRAME_HEADER_BYTES > source.length) return null;
  if (getU32(source, at) !== MAGIC) return null;
  const checksum = getU32(source, at + 28);
  if (crc32c(source, at, at + 28) !== checksum) return null;
  const offset = getU32(source, at + 16);
  if (offset !== at) return null;
  return {
    bodyLength: getU32(source, at + 4),
    bodyCrc: getU32(source, at + 8),
    chain: getU32(source, at + 12),
    offset,
    watermark: getU32(source, at + 20),
    recordCount: getU32(source, at + 24),
    checksum,
  };
}
