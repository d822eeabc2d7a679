/**
 * Frames of appends and of their answers, by hand: a leader writes each entry once for each peer,
 * and each peer reads it. `node test/bench/codec.ts` compares with the generated code, which does
 * everything else; the bytes are the same.
 */
import type { AppendEntries, AppendEntriesResponse, Entry, EntryKind } from "@raftarium/raft";
import type { Envelope } from "./frame.ts";
import { EntryKind as WireKind } from "./gen/raftarium/raft/v1/raft_pb.ts";
import {
  WireReader,
  WireWriter,
  fits,
  lengthSize,
  lengthTag,
  numberSize,
  varintTag,
} from "./wire.ts";

const ENVELOPE = lengthTag(2);
const APPEND = lengthTag(12);
const RESPONSE = lengthTag(13);
const [ONE, TWO, THREE, FOUR, FIVE, SIX, SEVEN, EIGHT, NINE] = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(
  varintTag,
) as [number, number, number, number, number, number, number, number, number];
const ENTRY = lengthTag(4);
const DATA = lengthTag(4);

const KIND_NUMBERS: Readonly<Record<EntryKind, number>> = {
  command: WireKind.COMMAND,
  "no-op": WireKind.NO_OP,
  configuration: WireKind.CONFIGURATION,
};
const KINDS: readonly (EntryKind | undefined)[] = [undefined, "command", "no-op", "configuration"];

/** Null: not one of these, or with values that only the generated code knows how to refuse. */
export function encodeAppendFrame(envelope: Envelope): Uint8Array<ArrayBuffer> | null {
  const { message } = envelope;
  if (message.type === "append-entries") {
    if (!envelopeFits(envelope) || !appendFits(message)) return null;
    const size = appendSize(message);
    const writer = beginEnvelope(envelope, APPEND, size);
    writeAppend(writer, message);
    return writer.finish();
  }
  if (message.type === "append-entries-response") {
    if (!envelopeFits(envelope) || !responseFits(message)) return null;
    const size = responseSize(message);
    const writer = beginEnvelope(envelope, RESPONSE, size);
    writeResponse(writer, message);
    return writer.finish();
  }
  return null;
}

/** Null: another kind of frame, an unusual one, or a bad one; the generated code can tell. */
export function decodeAppendFrame(bytes: Uint8Array): Envelope | null {
  const reader = new WireReader(bytes);
  if (reader.varint() !== ENVELOPE || reader.lengthEnd(bytes.length) !== bytes.length) return null;
  let source = 0;
  let target = 0;
  let incarnation = 0;
  let sequence = 0;
  let sentAtUs = 0;
  let message: AppendEntries | AppendEntriesResponse | null = null;
  while (reader.at < bytes.length && reader.ok) {
    switch (reader.varint()) {
      case ONE:
        source = reader.varint();
        break;
      case TWO:
        target = reader.varint();
        break;
      case THREE:
        incarnation = reader.varint();
        break;
      case FOUR:
        sequence = reader.varint();
        break;
      case FIVE:
        sentAtUs = reader.varint();
        break;
      case APPEND:
        if (message !== null) return null;
        message = readAppend(reader, bytes.length);
        break;
      case RESPONSE:
        if (message !== null) return null;
        message = readResponse(reader, bytes.length);
        break;
      default:
        return null;
    }
  }
  if (!reader.ok || reader.at !== bytes.length || message === null) return null;
  return { source, target, incarnation, sequence, sentAtUs, message };
}

function envelopeFits({ source, target, incarnation, sequence, sentAtUs }: Envelope): boolean {
  return fits(source) && fits(target) && fits(incarnation) && fits(sequence) && fits(sentAtUs);
}

function beginEnvelope(envelope: Envelope, tag: number, messageSize: number): WireWriter {
  const { source, target, incarnation, sequence, sentAtUs } = envelope;
  const size =
    numberSize(source) +
    numberSize(target) +
    numberSize(incarnation) +
    numberSize(sequence) +
    numberSize(sentAtUs) +
    lengthSize(messageSize);
  const writer = new WireWriter(lengthSize(size));
  writer.begin(ENVELOPE, size);
  writer.number(ONE, source);
  writer.number(TWO, target);
  writer.number(THREE, incarnation);
  writer.number(FOUR, sequence);
  writer.number(FIVE, sentAtUs);
  writer.begin(tag, messageSize);
  return writer;
}

function appendFits(message: AppendEntries): boolean {
  const { term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound } = message;
  return (
    fits(term) &&
    fits(prevLogIndex) &&
    fits(prevLogTerm) &&
    fits(leaderCommit) &&
    fits(readRound) &&
    Array.isArray(entries) &&
    entries.every(entryFits)
  );
}

function entryFits({ index, term, kind, data }: Entry): boolean {
  const known = KIND_NUMBERS[kind] !== undefined;
  return fits(index) && fits(term) && known && data instanceof Uint8Array;
}

function entrySize({ index, term, data }: Entry): number {
  // A kind is below 128: a tag and a byte.
  const dataSize = data.length === 0 ? 0 : lengthSize(data.length);
  return numberSize(index) + numberSize(term) + 2 + dataSize;
}

function appendSize(message: AppendEntries): number {
  let size =
    numberSize(message.term) +
    numberSize(message.prevLogIndex) +
    numberSize(message.prevLogTerm) +
    numberSize(message.leaderCommit) +
    numberSize(message.readRound);
  for (const entry of message.entries) size += lengthSize(entrySize(entry));
  return size;
}

function writeAppend(writer: WireWriter, message: AppendEntries): void {
  writer.number(ONE, message.term);
  writer.number(TWO, message.prevLogIndex);
  writer.number(THREE, message.prevLogTerm);
  for (const entry of message.entries) {
    writer.begin(ENTRY, entrySize(entry));
    writer.number(ONE, entry.index);
    writer.number(TWO, entry.term);
    writer.number(THREE, KIND_NUMBERS[entry.kind]);
    writer.data(DATA, entry.data);
  }
  writer.number(FIVE, message.leaderCommit);
  writer.number(SIX, message.readRound);
}

function readAppend(reader: WireReader, within: number): AppendEntries {
  const end = reader.lengthEnd(within);
  const entries: Entry[] = [];
  let term = 0;
  let prevLogIndex = 0;
  let prevLogTerm = 0;
  let leaderCommit = 0;
  let readRound = 0;
  while (reader.at < end && reader.ok) {
    switch (reader.varint()) {
      case ONE:
        term = reader.varint();
        break;
      case TWO:
        prevLogIndex = reader.varint();
        break;
      case THREE:
        prevLogTerm = reader.varint();
        break;
      case ENTRY:
        entries.push(readEntry(reader, end));
        break;
      case FIVE:
        leaderCommit = reader.varint();
        break;
      case SIX:
        readRound = reader.varint();
        break;
      default:
        reader.ok = false;
    }
  }
  if (reader.at !== end) reader.ok = false;
  const type = "append-entries";
  return { type, term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound };
}

const NO_DATA = new Uint8Array(0);

function readEntry(reader: WireReader, within: number): Entry {
  const end = reader.lengthEnd(within);
  let index = 0;
  let term = 0;
  let kind: EntryKind | undefined;
  let data = NO_DATA as Uint8Array;
  while (reader.at < end && reader.ok) {
    switch (reader.varint()) {
      case ONE:
        index = reader.varint();
        break;
      case TWO:
        term = reader.varint();
        break;
      case THREE:
        kind = KINDS[reader.varint()];
        break;
      case DATA:
        data = reader.data(end);
        break;
      default:
        reader.ok = false;
    }
  }
  if (reader.at !== end || kind === undefined) reader.ok = false;
  return { index, term, kind: kind ?? "no-op", data };
}

function responseFits(message: AppendEntriesResponse): boolean {
  const { term, success, matchIndex, hintIndex, hintTerm, rejectedIndex } = message;
  const { readRound, heartbeat, priority } = message;
  return (
    fits(term) &&
    typeof success === "boolean" &&
    fits(matchIndex) &&
    fits(hintIndex) &&
    fits(hintTerm) &&
    fits(rejectedIndex) &&
    fits(readRound) &&
    typeof heartbeat === "boolean" &&
    fits(priority)
  );
}

function responseSize(message: AppendEntriesResponse): number {
  return (
    numberSize(message.term) +
    (message.success ? 2 : 0) +
    numberSize(message.matchIndex) +
    numberSize(message.hintIndex) +
    numberSize(message.hintTerm) +
    numberSize(message.rejectedIndex) +
    numberSize(message.readRound) +
    (message.heartbeat ? 2 : 0) +
    numberSize(message.priority)
  );
}

function writeResponse(writer: WireWriter, message: AppendEntriesResponse): void {
  writer.number(ONE, message.term);
  writer.bool(TWO, message.success);
  writer.number(THREE, message.matchIndex);
  writer.number(FOUR, message.hintIndex);
  writer.number(FIVE, message.hintTerm);
  writer.number(SIX, message.rejectedIndex);
  writer.number(SEVEN, message.readRound);
  writer.bool(EIGHT, message.heartbeat);
  writer.number(NINE, message.priority);
}

function readResponse(reader: WireReader, within: number): AppendEntriesResponse {
  const end = reader.lengthEnd(within);
  let term = 0;
  let matchIndex = 0;
  let hintIndex = 0;
  let hintTerm = 0;
  let rejectedIndex = 0;
  let readRound = 0;
  let success = false;
  let heartbeat = false;
  let priority = 0;
  while (reader.at < end && reader.ok) {
    switch (reader.varint()) {
      case ONE:
        term = reader.varint();
        break;
      case TWO:
        success = reader.varint() !== 0;
        break;
      case THREE:
        matchIndex = reader.varint();
        break;
      case FOUR:
        hintIndex = reader.varint();
        break;
      case FIVE:
        hintTerm = reader.varint();
        break;
      case SIX:
        rejectedIndex = reader.varint();
        break;
      case SEVEN:
        readRound = reader.varint();
        break;
      case EIGHT:
        heartbeat = reader.varint() !== 0;
        break;
      case NINE:
        priority = reader.varint();
        break;
      default:
        reader.ok = false;
    }
  }
  if (reader.at !== end) reader.ok = false;
  const known = { term, success, matchIndex, hintIndex, hintTerm, rejectedIndex };
  return { type: "append-entries-response", ...known, readRound, heartbeat, priority };
}
