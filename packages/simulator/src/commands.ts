/** The virtual clients' actions as commands of the key-value machine, and its results as answers. */
import type { Action, KeyValue, Value } from "@raftarium/checker";
import { encodeCommand, encodePut } from "@raftarium/kv";
import type { Compare, KvResult, Operation, OperationResponse, RangeResponse } from "@raftarium/kv";
import type { Answer } from "./model.ts";
import { asciiOf, bytesOfAscii } from "./text.ts";

/**
 * The bytes of an action; a get has none. Unique for each request, so that a command in the log
 * tells whose it is. `again`: it has been asked before, by a request whose bytes it must not share.
 */
export function commandOf(action: Action, requestId: number, again: boolean): Uint8Array | null {
  // Always true, for nobody writes such a key.
  const mark = again ? [compareOf({ key: `request ${requestId}`, value: null })] : [];
  switch (action.kind) {
    case "get":
      return null;
    case "put":
      if (!again) return encodePut(bytesOfAscii(action.key), bytesOfAscii(action.value));
      return encodeCommand({
        kind: "txn",
        compare: mark,
        success: [writeOf(action)],
        failure: [],
      });
    case "delete":
      // A range that holds this one key and no other that anybody writes.
      return encodeCommand({
        kind: "delete-range",
        key: bytesOfAscii(action.key),
        rangeEnd: bytesOfAscii(`${action.key}\0${requestId}`),
      });
    case "cas":
      return encodeCommand({
        kind: "txn",
        compare: [...mark, compareOf({ key: action.key, value: action.expected })],
        success: [writeOf({ key: action.key, value: action.value })],
        failure: [rangeOf(action.key)],
      });
    case "txn":
      return encodeCommand({
        kind: "txn",
        compare: [...mark, ...action.compare.map(compareOf)],
        success: [...action.writes.map(writeOf), ...action.reads.map(({ key }) => rangeOf(key))],
        failure: action.reads.map(({ key }) => rangeOf(key)),
      });
  }
}

function compareOf({ key, value }: KeyValue): Compare {
  const range = { key: bytesOfAscii(key), result: "equal" as const };
  return value === null
    ? { ...range, target: "version", operand: 0 }
    : { ...range, target: "value", operand: bytesOfAscii(value) };
}

function writeOf({ key, value }: KeyValue): Operation {
  return value === null
    ? { kind: "delete-range", key: bytesOfAscii(key) }
    : { kind: "put", key: bytesOfAscii(key), value: bytesOfAscii(value) };
}

function rangeOf(key: string): Operation {
  return { kind: "range", key: bytesOfAscii(key) };
}

/** null: the machine refused what it should have carried out. */
export function answerOf(result: KvResult): Answer | null {
  if (!result.ok) return null;
  const { response } = result;
  switch (response.kind) {
    case "range":
      return { revision: response.revision, succeeded: true, values: [valueOf(response)] };
    case "delete-range":
      return { revision: response.revision, succeeded: response.deleted > 0, values: [] };
    case "txn":
      return {
        revision: response.revision,
        succeeded: response.succeeded,
        values: valuesOf(response.responses),
      };
    case "put":
    case "compact":
      return { revision: response.revision, succeeded: true, values: [] };
  }
}

function valuesOf(responses: readonly OperationResponse[]): readonly Value[] {
  return responses.flatMap((response) => (response.kind === "range" ? [valueOf(response)] : []));
}

function valueOf(response: RangeResponse): Value {
  const found = response.kvs[0];
  return found === undefined ? null : asciiOf(found.value);
}

/** The action with what the answer told. */
export function answered(action: Action, answer: Answer): Action {
  switch (action.kind) {
    case "get":
      return { ...action, value: answer.values[0] ?? null };
    case "cas":
      return { ...action, swapped: answer.succeeded };
    case "txn": {
      const reads = action.reads.map(({ key }, at) => ({ key, value: answer.values[at] ?? null }));
      return { ...action, reads, succeeded: answer.succeeded };
    }
    case "put":
    case "delete":
      return action;
  }
}
