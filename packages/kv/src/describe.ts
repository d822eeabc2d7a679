/** Commands in a few words, for the log table. */
import { textOf } from "./bytes.ts";
import { decodeCommand } from "./command.ts";
import type { Command, Compare, KeyRange, Operation, TxnRequest } from "./types.ts";

const TEXT_LENGTH_MAX = 96;

/** `fruit=pear`, `del fruit`, `txn if fruit=pear: …`: never longer than about 100 characters. */
export function describeCommand(bytes: Uint8Array): string {
  const command = decodeCommand(bytes);
  if ("ok" in command) return `unreadable command, ${bytes.length} bytes`;
  return describeRequest(command);
}

/** The same for a request that is not bytes yet, or never will be: `get fruit`. */
export function describeRequest(request: Command | Operation): string {
  return shorten(describe(request));
}

function describe(command: Command | Operation): string {
  switch (command.kind) {
    case "put": {
      const value = command.ignoreValue === true ? "(same)" : textOf(command.value);
      return `${textOf(command.key)}=${value}`;
    }
    case "delete-range":
      return `del ${describeRange(command)}`;
    case "range":
      return `get ${describeRange(command)}`;
    case "compact":
      return `compact ${command.revision}`;
    case "txn":
      return describeTxn(command);
  }
}

function describeTxn({ compare, success, failure }: TxnRequest): string {
  const condition = compare.map(describeCompare).join(" & ");
  const then = success.map(describe).join(", ");
  const otherwise = failure.map(describe).join(", ");
  if (condition === "") return `txn ${then}`;
  return `txn if ${condition}: ${then || "·"}${otherwise === "" ? "" : `; else ${otherwise}`}`;
}

const SIGNS = { equal: "=", greater: ">", less: "<", "not-equal": "≠" } as const;

function describeCompare(compare: Compare): string {
  const what = describeRange(compare);
  const sign = SIGNS[compare.result];
  if (compare.target === "value") return `${what}${sign}${textOf(compare.operand)}`;
  return `${compare.target}(${what})${sign}${compare.operand}`;
}

function describeRange({ key, rangeEnd }: KeyRange): string {
  if (rangeEnd === undefined || rangeEnd.length === 0) return textOf(key);
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) {
    return key.length === 1 && key[0] === 0 ? "all keys" : `${textOf(key)} and after`;
  }
  return isPrefix(key, rangeEnd) ? `${textOf(key)}*` : `${textOf(key)} to ${textOf(rangeEnd)}`;
}

function isPrefix(key: Uint8Array, rangeEnd: Uint8Array): boolean {
  const last = key.length - 1;
  return (
    rangeEnd.length === key.length &&
    rangeEnd[last] === (key[last] as number) + 1 &&
    rangeEnd.every((byte, at) => at === last || byte === key[at])
  );
}

function shorten(text: string): string {
  const characters = Array.from(text);
  if (characters.length <= TEXT_LENGTH_MAX) return text;
  return `${characters.slice(0, TEXT_LENGTH_MAX).join("")}…`;
}
