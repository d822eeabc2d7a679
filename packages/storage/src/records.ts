/**
 * The records inside a frame's body.
 *
 *     segment   u8 1 · format version u32 · node id u64 · segment sequence u64 · last index u64 ·
 *               last term u64 · end of the segment before u64 · cluster text
 *     hard      u8 2 · has vote u8 · term u64 · voted for u64 · commit index u64
 *     entry     u8 3 · kind u8 · data length u32 · index u64 · term u64 · data
 *     reset     u8 4 · index u64 · term u64: the log holds nothing; the next entry follows index
 *
 * An entry whose index is in the log already replaces it and everything after it: the log file
 * only ever grows, the truncation is logical.
 */
import type { Entry, EntryKind, HardState, LogIndex, NodeId, Term } from "@raftarium/node";

import { ByteReader, ByteWriter, align8, putU32, putU64 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { FRAME_HEADER_BYTES, putFrameHeader } from "./frame.ts";

export const FORMAT_VERSION = 1;

const SEGMENT = 1;
const HARD_STATE = 2;
const ENTRY = 3;
const RESET = 4;

const ENTRY_KINDS: readonly EntryKind[] = ["command", "no-op", "configuration"];
export const ENTRY_HEADER_BYTES = 22;
export const HARD_STATE_BYTES = 26;

/** Every segment opens with this: whose it is, and what came before it. */
export interface SegmentRecord {
  readonly type: "segment";
  readonly formatVersion: number;
  readonly nodeId: NodeId;
  /** From 1 up, without gaps. */
  readonly sequence: number;
  /** The log's last entry when the segment was begun. */
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** Where the frames of the segment before end; its last checksum is this frame's `chain`. */
  readonly previousEnd: number;
  readonly cluster: string;
}

export type LogRecord =
  | SegmentRecord
  | { readonly type: "hard-state"; readonly hardState: HardState }
  | { readonly type: "entry"; readonly entry: Entry }
  | { readonly type: "reset"; readonly index: LogIndex; readonly term: Term };

/** Decodes a frame's body. Null: the bytes make no sense, though their checksum was right. */
export function decodeRecords(
  source: Uint8Array,
  start: number,
  end: number,
  count: number,
): LogRecord[] | null {
  const reader = new ByteReader(source, start, end);
  const records: LogRecord[] = [];
  for (let done = 0; done < count; done += 1) {
    const record = decodeRecord(reader);
    if (record === null || !reader.ok) return null;
    records.push(record);
  }
  return reader.at === end ? records : null;
}

function decodeRecord(reader: ByteReader): LogRecord | null {
  switch (reader.u8()) {
    case SEGMENT: {
      const formatVersion = reader.u32();
      return {
        type: "segment",
        formatVersion,
        nodeId: reader.u64(),
        sequence: reader.u64(),
        lastIndex: reader.u64(),
        lastTerm: reader.u64(),
        previousEnd: reader.u64(),
        cluster: reader.text(),
      };
    }
    case HARD_STATE: {
      const hasVote = reader.u8();
      const term = reader.u64();
      const votedFor = reader.u64();
      const commitIndex = reader.u64();
      const hardState = { term, votedFor: hasVote === 1 ? votedFor : null, commitIndex };
      return { type: "hard-state", hardState };
    }
    case ENTRY: {
      const kind = ENTRY_KINDS[reader.u8()];
      const length = reader.u32();
      const index = reader.u64();
      const term = reader.u64();
      const data = reader.bytes(length);
      return kind === undefined ? null : { type: "entry", entry: { index, term, kind, data } };
    }
    case RESET:
      return { type: "reset", index: reader.u64(), term: reader.u64() };
    default:
      return null;
  }
}

export function encodeSegmentRecord(record: SegmentRecord): Uint8Array {
  return new ByteWriter()
    .u8(SEGMENT)
    .u32(record.formatVersion)
    .u64(record.nodeId)
    .u64(record.sequence)
    .u64(record.lastIndex)
    .u64(record.lastTerm)
    .u64(record.previousEnd)
    .text(record.cluster)
    .done();
}

/** A frame begins with so much memory and takes more as it needs it. */
const FIRST_BYTES = 4 * 1024;

/** Builds one frame after another in the same memory: one write is outstanding at a time. */
export class FrameBuilder {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = FRAME_HEADER_BYTES;
  #recordCount = 0;

  begin(): void {
    // A single huge entry must not pin its memory for the life of the process.
    if (this.#bytes.length > 4 * 1024 * 1024) this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#length = FRAME_HEADER_BYTES;
    this.#recordCount = 0;
  }

  addSegment(record: SegmentRecord): void {
    const encoded = encodeSegmentRecord(record);
    this.#reserve(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#close(encoded.length);
  }

  addHardState(hardState: HardState): void {
    this.#reserve(HARD_STATE_BYTES);
    const at = this.#length;
    this.#bytes[at] = HARD_STATE;
    this.#bytes[at + 1] = hardState.votedFor === null ? 0 : 1;
    putU64(this.#bytes, at + 2, hardState.term);
    putU64(this.#bytes, at + 10, hardState.votedFor ?? 0);
    putU64(this.#bytes, at + 18, hardState.commitIndex);
    this.#close(HARD_STATE_BYTES);
  }

  addEntry(entry: Entry): void {
    this.#reserve(ENTRY_HEADER_BYTES + entry.data.length);
    const at = this.#length;
    this.#bytes[at] = ENTRY;
    this.#bytes[at + 1] = ENTRY_KINDS.indexOf(entry.kind);
    putU32(this.#bytes, at + 2, entry.data.length);
    putU64(this.#bytes, at + 6, entry.index);
    putU64(this.#bytes, at + 14, entry.term);
    this.#bytes.set(entry.data, at + ENTRY_HEADER_BYTES);
    this.#close(ENTRY_HEADER_BYTES + entry.data.length);
  }

  addReset(index: LogIndex, term: Term): void {
    this.#reserve(17);
    const at = this.#length;
    this.#bytes[at] = RESET;
    putU64(this.#bytes, at + 1, index);
    putU64(this.#bytes, at + 9, term);
    this.#close(17);
  }

  /** The finished frame, valid until the next `begin`, and its checksum for the chain. */
  finish(offset: number, watermark: number, chain: number): { bytes: Uint8Array; chain: number } {
    const end = align8(this.#length);
    this.#reserve(end - this.#length);
    this.#bytes.fill(0, this.#length, end);
    const checksum = putFrameHeader(this.#bytes, 0, {
      bodyLength: this.#length - FRAME_HEADER_BYTES,
      bodyCrc: crc32c(this.#bytes, FRAME_HEADER_BYTES, this.#length),
      chain,
      offset,
      watermark,
      recordCount: this.#recordCount,
    });
    return { bytes: this.#bytes.subarray(0, end), chain: checksum };
  }

  #close(length: number): void {
    this.#length += length;
    this.#recordCount += 1;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, needed));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
