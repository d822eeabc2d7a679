/**
 * Commands as bytes. First the operation, then its fields:
 *
 *     put           1  flags  key  value
 *     delete range  2  flags  key  range end
 *     txn           3  compares  success operations  failure operations
 *     compact       4  revision
 *     range         5  flags  key  range end  sort order and target  six numbers (if any is set)
 *
 * Lengths and counts are varints. A bit of meaning that a reader doesn't know is an error, never
 * skipped: all nodes must understand a command alike.
 */
import { ByteReader, ByteWriter, varintLength } from "./byte-stream.ts";
import { EMPTY } from "./bytes.ts";
import { malformed } from "./errors.ts";
import type {
  Command,
  Compare,
  CompareResult,
  DeleteRangeRequest,
  KvFailure,
  Operation,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
  TxnRequest,
} from "./types.ts";

export const OPERATION = { put: 1, deleteRange: 2, txn: 3, compact: 4, range: 5 } as const;

const PUT_PREV_KV = 1;
const PUT_IGNORE_VALUE = 2;
const PUT_IGNORE_LEASE = 4;
const PUT_FLAGS = 7;
const RANGE_KEYS_ONLY = 1;
const RANGE_COUNT_ONLY = 2;
const RANGE_NUMBERS = 4;
const RANGE_FLAGS = 7;

const SORT_ORDERS: readonly SortOrder[] = ["none", "ascend", "descend"];
const SORT_TARGETS: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];
const RESULTS: readonly CompareResult[] = ["equal", "greater", "less", "not-equal"];
const TARGETS: readonly Compare["target"][] = ["version", "create", "mod", "value", "lease"];

/** Deeper than any txn that passes `validate`. */
const DEPTH_MAX = 130;

/** The hot path: one allocation, nothing in between. Flags as in `PutRequest`. */
export function encodePut(
  key: Uint8Array,
  value: Uint8Array,
  prevKv = false,
  ignoreValue = false,
  ignoreLease = false,
): Uint8Array {
  const bytes = new Uint8Array(
    2 + varintLength(key.length) + key.length + varintLength(value.length) + value.length,
  );
  bytes[0] = OPERATION.put;
  bytes[1] =
    (prevKv ? PUT_PREV_KV : 0) |
    (ignoreValue ? PUT_IGNORE_VALUE : 0) |
    (ignoreLease ? PUT_IGNORE_LEASE : 0);
  putBytes(bytes, putBytes(bytes, 2, key), value);
  return bytes;
}

/** Writes length and bytes at `at`; returns where the next field goes. */
function putBytes(bytes: Uint8Array, at: number, value: Uint8Array): number {
  let next = at;
  let rest = value.length;
  while (rest >= 0x80) {
    bytes[next] = (rest & 0x7f) | 0x80;
    next += 1;
    rest >>>= 7;
  }
  bytes[next] = rest;
  bytes.set(value, next + 1);
  return next + 1 + value.length;
}

/** The request must have passed `validate`. Leases don't go into the bytes: there are none. */
export function encodeCommand(command: Command): Uint8Array {
  if (command.kind === "put") {
    const { key, value, prevKv, ignoreValue, ignoreLease } = command;
    return encodePut(key, value, prevKv, ignoreValue, ignoreLease);
  }
  const writer = new ByteWriter();
  if (command.kind === "compact") {
    writer.byte(OPERATION.compact);
    writer.double(command.revision);
  } else writeOperation(writer, command);
  return writer.take();
}

export function encodeRange(request: RangeRequest): Uint8Array {
  const writer = new ByteWriter();
  writeOperation(writer, request);
  return writer.take();
}

function writeOperation(writer: ByteWriter, operation: Operation): void {
  switch (operation.kind) {
    case "put":
      writer.byte(OPERATION.put);
      writer.byte(
        (operation.prevKv === true ? PUT_PREV_KV : 0) |
          (operation.ignoreValue === true ? PUT_IGNORE_VALUE : 0) |
          (operation.ignoreLease === true ? PUT_IGNORE_LEASE : 0),
      );
      writer.bytes(operation.key);
      writer.bytes(operation.value);
      return;
    case "delete-range":
      writer.byte(OPERATION.deleteRange);
      writer.byte(operation.prevKv === true ? 1 : 0);
      writer.bytes(operation.key);
      writer.bytes(operation.rangeEnd ?? EMPTY);
      return;
    case "txn":
      writer.byte(OPERATION.txn);
      writer.varint(operation.compare.length);
      for (const compare of operation.compare) writeCompare(writer, compare);
      for (const branch of [operation.success, operation.failure]) {
        writer.varint(branch.length);
        for (const inner of branch) writeOperation(writer, inner);
      }
      return;
    case "range":
      writeRange(writer, operation);
      return;
  }
}

function writeRange(writer: ByteWriter, request: RangeRequest): void {
  const numbers = numbersOf(request);
  const numbered = numbers.some((number) => number !== 0);
  writer.byte(OPERATION.range);
  writer.byte(
    (request.keysOnly === true ? RANGE_KEYS_ONLY : 0) |
      (request.countOnly === true ? RANGE_COUNT_ONLY : 0) |
      (numbered ? RANGE_NUMBERS : 0),
  );
  writer.bytes(request.key);
  writer.bytes(request.rangeEnd ?? EMPTY);
  writer.byte(SORT_ORDERS.indexOf(request.sortOrder ?? "none"));
  writer.byte(SORT_TARGETS.indexOf(request.sortTarget ?? "key"));
  if (numbered) for (const number of numbers) writer.double(number);
}

/** In the order in which they stand in a command: all of them, or none if all are 0. */
export function numbersOf(request: RangeRequest): readonly number[] {
  return [
    request.limit ?? 0,
    request.revision ?? 0,
    request.minModRevision ?? 0,
    request.maxModRevision ?? 0,
    request.minCreateRevision ?? 0,
    request.maxCreateRevision ?? 0,
  ];
}

function writeCompare(writer: ByteWriter, compare: Compare): void {
  writer.byte(RESULTS.indexOf(compare.result));
  writer.byte(TARGETS.indexOf(compare.target));
  writer.bytes(compare.key);
  writer.bytes(compare.rangeEnd ?? EMPTY);
  if (compare.target === "value") writer.bytes(compare.operand);
  else writer.double(compare.operand);
}

/** Byte strings in the result are views of `bytes`. Bad bytes give a failure, never a throw. */
export function decodeCommand(bytes: Uint8Array): Command | KvFailure {
  const reader = new ByteReader(bytes);
  let command: Command | null = null;
  if (bytes[0] === OPERATION.compact) {
    reader.byte();
    command = { kind: "compact", revision: reader.double() };
    if (!Number.isSafeInteger(command.revision)) reader.fail();
  } else {
    const operation = readOperation(reader, 0);
    if (operation !== null && operation.kind !== "range") command = operation;
  }
  if (command === null || reader.failed || reader.remaining > 0) return malformed("command", bytes);
  return command;
}

export function decodeRange(bytes: Uint8Array): RangeRequest | KvFailure {
  const reader = new ByteReader(bytes);
  const operation = readOperation(reader, 0);
  if (operation?.kind !== "range" || reader.failed || reader.remaining > 0) {
    return malformed("range request", bytes);
  }
  return operation;
}

function readOperation(reader: ByteReader, depth: number): Operation | null {
  switch (reader.byte()) {
    case OPERATION.put:
      return readPut(reader);
    case OPERATION.deleteRange:
      return readDeleteRange(reader);
    case OPERATION.txn:
      if (depth < DEPTH_MAX) return readTxn(reader, depth);
      break;
    case OPERATION.range:
      return readRange(reader);
    default:
      break;
  }
  reader.fail();
  return null;
}

function readFlags(reader: ByteReader, known: number): number {
  const flags = reader.byte();
  if ((flags & ~known) !== 0) reader.fail();
  return flags;
}

function readPut(reader: ByteReader): PutRequest {
  const flags = readFlags(reader, PUT_FLAGS);
  return {
    kind: "put",
    key: reader.bytes(),
    value: reader.bytes(),
    prevKv: (flags & PUT_PREV_KV) !== 0,
    ignoreValue: (flags & PUT_IGNORE_VALUE) !== 0,
    ignoreLease: (flags & PUT_IGNORE_LEASE) !== 0,
  };
}

function readDeleteRange(reader: ByteReader): DeleteRangeRequest {
  const flags = readFlags(reader, 1);
  return {
    kind: "delete-range",
    key: reader.bytes(),
    rangeEnd: reader.bytes(),
    prevKv: flags !== 0,
  };
}

function readTxn(reader: ByteReader, depth: number): TxnRequest {
  const compare: Compare[] = [];
  for (let left = reader.count(); left > 0 && !reader.failed; left -= 1) {
    compare.push(readCompare(reader));
  }
  const branch = (): Operation[] => {
    const operations: Operation[] = [];
    for (let left = reader.count(); left > 0 && !reader.failed; left -= 1) {
      const operation = readOperation(reader, depth + 1);
      if (operation !== null) operations.push(operation);
    }
    return operations;
  };
  return { kind: "txn", compare, success: branch(), failure: branch() };
}

function readRange(reader: ByteReader): RangeRequest {
  const flags = readFlags(reader, RANGE_FLAGS);
  const key = reader.bytes();
  const rangeEnd = reader.bytes();
  const sortOrder = readChoice(reader, SORT_ORDERS);
  const sortTarget = readChoice(reader, SORT_TARGETS);
  const number = (): number => {
    const value = (flags & RANGE_NUMBERS) === 0 ? 0 : reader.double();
    if (!Number.isSafeInteger(value)) reader.fail();
    return value;
  };
  return {
    kind: "range",
    key,
    rangeEnd,
    sortOrder,
    sortTarget,
    keysOnly: (flags & RANGE_KEYS_ONLY) !== 0,
    countOnly: (flags & RANGE_COUNT_ONLY) !== 0,
    limit: number(),
    revision: number(),
    minModRevision: number(),
    maxModRevision: number(),
    minCreateRevision: number(),
    maxCreateRevision: number(),
  };
}

function readCompare(reader: ByteReader): Compare {
  const result = readChoice(reader, RESULTS);
  const target = readChoice(reader, TARGETS);
  const range = { key: reader.bytes(), rangeEnd: reader.bytes() };
  if (target === "value") return { ...range, result, target, operand: reader.bytes() };
  const operand = reader.double();
  if (!Number.isSafeInteger(operand)) reader.fail();
  return { ...range, result, target, operand };
}

function readChoice<Choice>(reader: ByteReader, choices: readonly Choice[]): Choice {
  const choice = choices[reader.byte()];
  if (choice !== undefined) return choice;
  reader.fail();
  return choices[0] as Choice;
}
