import { getU32 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { FRAME_HEADER_BYTES, frameSize, getFrameHeader } from "./frame.ts";
import { decodeRecords } from "./records.ts";
import type { LogRecord, SegmentRecord } from "./records.ts";

/** What one segment's bytes say. */
export interface SegmentScan {
  /** Null: no valid first frame, so the segment was prepared and never begun (or is damaged). */
  readonly segment: SegmentRecord | null;
  /** The first frame's chain: the last checksum of the segment before. */
  readonly previousChain: number;
  /** All records of the valid frames, the segment record excluded. */
  readonly records: readonly LogRecord[];
  /** Where the valid frames end; the next one would begin here. */
  readonly end: number;
  /** The checksum of the last valid frame. */
  readonly chain: number;
  /** Something other than zeros (and a mark) follows `end`: a torn tail, or damage. */
  readonly dirty: boolean;
  /** Why the frame at `end` is not valid; only of interest when `dirty`. */
  readonly reason: string;
  /** Where a watermark beyond `end` was found: the bytes at `end` were durable once. */
  readonly evidence: { readonly offset: number; readonly watermark: number } | null;
}

/** Reads frame after frame until the first one that isn't valid, then says what is behind it. */
export function scanSegment(bytes: Uint8Array): SegmentScan {
  let segment: SegmentRecord | null = null;
  let previousChain = 0;
  const records: LogRecord[] = [];
  let end = 0;
  let chain = 0;
  let tailFrom = 0;
  let reason: string;
  let evidence: { offset: number; watermark: number } | null = null;
  for (;;) {
    const frame = readFrame(bytes, end, end === 0 ? null : chain);
    tailFrom = end;
    if (typeof frame === "string") {
      reason = frame;
      break;
    }
    if (frame.records === null) {
      // Whole, yet not ours: no crash does that, so it is never cut off.
      reason = "the frame's records cannot be decoded";
      evidence = { offset: end, watermark: end + frame.size };
      break;
    }
    if (frame.records.length === 0) {
      reason = "only zeros follow a mark, other bytes do";
      tailFrom = end + FRAME_HEADER_BYTES;
      break;
    }
    if (end === 0) {
      const first = frame.records[0]!;
      if (first.type !== "segment") {
        reason = "the first record does not open a segment";
        break;
      }
      segment = first;
      previousChain = frame.previousChain;
    }
    for (const record of frame.records) if (record.type !== "segment") records.push(record);
    chain = frame.chain;
    end += frame.size;
  }
  const dirty = !isZero(bytes, tailFrom);
  if (dirty) evidence ??= findWatermarkBeyond(bytes, end);
  return { segment, previousChain, records, end, chain, dirty, reason, evidence };
}

interface Frame {
  /** Null: the checksum is right, but the records make no sense. */
  readonly records: readonly LogRecord[] | null;
  readonly previousChain: number;
  readonly chain: number;
  readonly size: number;
}

/** The frame at `at`, or why there is none. `chain` null: whatever its chain is. */
function readFrame(bytes: Uint8Array, at: number, chain: number | null): Frame | string {
  const header = getFrameHeader(bytes, at);
  if (header === null) return "no valid frame header";
  if (chain !== null && header.chain !== chain) {
    return `expected a frame that follows checksum ${chain}, got one that follows ${header.chain}`;
  }
  const bodyStart = at + FRAME_HEADER_BYTES;
  const bodyEnd = bodyStart + header.bodyLength;
  const size = frameSize(header.bodyLength);
  if (at + size > bytes.length) return `the frame's body ends beyond the file (${at + size} bytes)`;
  if (crc32c(bytes, bodyStart, bodyEnd) !== header.bodyCrc) {
    return "the checksum of the frame's body does not match";
  }
  const records = decodeRecords(bytes, bodyStart, bodyEnd, header.recordCount);
  return { records, previousChain: header.chain, chain: header.checksum, size };
}

function isZero(bytes: Uint8Array, from: number): boolean {
  let at = from;
  // Nearly all of a fresh segment is looked at here, so eight bytes at a time.
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (; at + 8 <= bytes.length; at += 8) {
    if ((words.getInt32(at, true) | words.getInt32(at + 4, true)) !== 0) return false;
  }
  for (; at < bytes.length; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * Looks at every place where a frame could begin for one that says: bytes beyond `offset` were
 * synced before I was written.
 */
function findWatermarkBeyond(
  bytes: Uint8Array,
  offset: number,
): { offset: number; watermark: number } | null {
  for (let at = offset; at + FRAME_HEADER_BYTES <= bytes.length; at += 8) {
    // A cheap look at the watermark first: nearly all places fail here or at the magic number.
    if (getU32(bytes, at + 20) <= offset) continue;
    const header = getFrameHeader(bytes, at);
    if (header !== null && header.watermark > offset) {
      return { offset: at, watermark: header.watermark };
    }
  }
  return null;
}
