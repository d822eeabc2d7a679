/** A transaction as people write it, with etcdctl's words. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Compare_CompareResult, Compare_CompareTarget } from "@raftarium/protocol/etcd";
import type { CompareSchema, RequestOpSchema } from "@raftarium/protocol/etcd";
import { prefixEnd } from "@raftarium/protocol/kv";
import { bytesOf } from "./text.ts";

type Compare = MessageInitShape<typeof CompareSchema>;
type RequestOp = MessageInitShape<typeof RequestOpSchema>;

export class TxnTextError extends Error {
  override readonly name = "TxnTextError";
}

const RESULTS = {
  "=": Compare_CompareResult.EQUAL,
  "!=": Compare_CompareResult.NOT_EQUAL,
  ">": Compare_CompareResult.GREATER,
  "<": Compare_CompareResult.LESS,
} as const;

const COMPARE_PATTERN = /^(value|version|create|mod)\((.+)\)\s*(!=|=|>|<)\s*(.*)$/s;

/** `value(fruit) = pear`, `version(fruit) > 3`, `create(fruit) = 0`, `mod(fruit) != 7`. */
export function parseCompare(text: string): Compare {
  const [, target = "", name = "", sign = "", operand = ""] =
    COMPARE_PATTERN.exec(text.trim()) ?? [];
  if (target === "") {
    throw new TxnTextError(
      `cannot read the condition '${text}': expected value(KEY), version(KEY), create(KEY) or ` +
        "mod(KEY), then =, !=, > or <, then a value or number",
    );
  }
  const key = bytesOf(unquote(name));
  const result = RESULTS[sign as keyof typeof RESULTS];
  if (target === "value") {
    const value = bytesOf(unquote(operand));
    const targetUnion = { case: "value", value } as const;
    return { key, result, target: Compare_CompareTarget.VALUE, targetUnion };
  }
  if (!/^\d{1,18}$/.test(operand)) {
    throw new TxnTextError(
      `cannot read the condition '${text}': expected a whole number, got '${operand}'`,
    );
  }
  const value = BigInt(operand);
  switch (target) {
    case "version":
      return {
        key,
        result,
        target: Compare_CompareTarget.VERSION,
        targetUnion: { case: "version", value },
      };
    case "create":
      return {
        key,
        result,
        target: Compare_CompareTarget.CREATE,
        targetUnion: { case: "createRevision", value },
      };
    default:
      return {
        key,
        result,
        target: Compare_CompareTarget.MOD,
        targetUnion: { case: "modRevision", value },
      };
  }
}

/** `put KEY VALUE`, `get KEY [--prefix]`, `del KEY [--prefix]`; quotes hold blanks together. */
export function parseOperation(text: string): RequestOp {
  const [verb, ...rest] = words(text);
  const prefix = rest.includes("--prefix");
  const [name, value, ...more] = rest.filter((word) => word !== "--prefix");
  if (name !== undefined && name !== "") {
    const key = bytesOf(name);
    const rangeEnd = prefix ? prefixEnd(key) : new Uint8Array(0);
    if (verb === "put" && value !== undefined && more.length === 0 && !prefix) {
      return { request: { case: "requestPut", value: { key, value: bytesOf(value) } } };
    }
    if (verb === "get" && value === undefined) {
      return { request: { case: "requestRange", value: { key, rangeEnd } } };
    }
    if (verb === "del" && value === undefined) {
      return { request: { case: "requestDeleteRange", value: { key, rangeEnd } } };
    }
  }
  throw new TxnTextError(
    `cannot read the operation '${text}': expected put KEY VALUE, get KEY [--prefix] or ` +
      "del KEY [--prefix]",
  );
}

function words(text: string): string[] {
  const found = text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+/g) ?? [];
  return found.map(unquote);
}

function unquote(text: string): string {
  const trimmed = text.trim();
  if (/^'.*'$/s.test(trimmed)) return trimmed.slice(1, -1);
  if (/^".*"$/s.test(trimmed)) return trimmed.slice(1, -1).replaceAll(/\\(.)/gs, "$1");
  return trimmed;
}
