/**
 * What clients asked through the page's door and were told, as a history that can be checked. It
 * sees puts, and gets and deletes of one key; what is written otherwise, or by another way (at a
 * node's own port), makes a key one of which nothing can be said: foreign-writes.ts.
 */
import { isUtf8 } from "node:buffer";
import { Code, ConnectError } from "@connectrpc/connect";
import { keysOf } from "@raftarium/checker";
import type { Action, FaultBand, Operation } from "@raftarium/checker";
import { describeRequest } from "@raftarium/kv";
import type { Observation, ObservationBody } from "@raftarium/observer";
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RangeResponse,
  TxnRequest,
} from "@raftarium/protocol/etcd";
import { deleteRangeFromWire, putFromWire } from "@raftarium/protocol/kv";
import { createForeignWrites } from "./foreign-writes.ts";

/** Beyond it nothing more is kept. */
const OPERATIONS_MAX = 20_000;

export interface ClientHistory {
  /** Lets `call` happen, and remembers what came of it. `method` is one of the KV service. */
  record<Answer>(method: string, request: object, call: () => Promise<Answer>): Promise<Answer>;
  /** Those that ended, and those under way (of unknown outcome), by order of call. */
  operations(): readonly Operation[];
  /** Learns from it what others wrote. */
  observe(observations: readonly Observation[]): void;
  /** Keys that others wrote too. */
  foreignKeys(): readonly string[];
  /** Entries that others may have written, to keys that nobody told. */
  untoldCount(): number;
  isFull(): boolean;
  /** Nodes that were not well and links that were cut, in the times of the history. */
  faults(observations: readonly Observation[]): readonly FaultBand[];
}

interface Entry {
  readonly client: number;
  readonly call: number;
  action: Action;
  return: number | null;
  outcome: Operation["outcome"];
}

/** @param nowUs the clock that observations are stamped with. Times are ns since the creation. */
export function createClientHistory(nowUs: () => number): ClientHistory {
  const startUs = nowUs();
  const now = (): number => (nowUs() - startUs) * 1000;
  const entries: Entry[] = [];
  const free: number[] = [];
  let clientCount = 0;
  const foreign = new Set<string>();
  const written = new Map<string, Set<string>>();
  const others = createForeignWrites();

  /** Null: nothing that can be kept. */
  function begin(method: string, request: object): Entry | null {
    if (entries.length >= OPERATIONS_MAX) return null;
    const action = actionOf(method, request);
    if (action === null) {
      for (const key of keysWritten(method, request)) foreign.add(key);
      // Which keys a range holds is not known here.
      if (isRangeDelete(method, request)) for (const key of written.keys()) foreign.add(key);
      return null;
    }
    if (action.kind === "put") {
      const values = written.get(action.key) ?? new Set();
      written.set(action.key, values.add(action.value));
    }
    others.touch((request as PutRequest | RangeRequest | DeleteRangeRequest).key, textOf);
    const client = free.pop() ?? (clientCount += 1);
    const entry: Entry = { client, call: now(), action, return: null, outcome: "unknown" };
    entries.push(entry);
    return entry;
  }

  function end(entry: Entry, action: Action, outcome: Operation["outcome"]): void {
    entry.return = now();
    entry.outcome = outcome;
    entry.action = action;
    // Who never learned what came of it goes on as somebody else.
    if (outcome !== "unknown") free.push(entry.client);
    if (outcome !== "ok" || action.kind !== "get" || action.value === null) return;
    if (written.get(action.key)?.has(action.value) !== true) foreign.add(action.key);
  }

  const foreignKeys = (): string[] => [...new Set([...foreign, ...others.keys()])].toSorted();

  return {
    async record(method, request, call) {
      const entry = begin(method, request);
      const words = wordsOf(method, request);
      // Ours even where it can't be kept.
      const ended = words === null ? () => {} : others.expect(words);
      try {
        const answer = await call();
        ended("ok");
        if (entry !== null) end(entry, answered(entry.action, answer), "ok");
        return answer;
      } catch (error) {
        const outcome = isDefinite(error) ? "fail" : "unknown";
        ended(outcome);
        if (entry !== null) end(entry, entry.action, outcome);
        throw error;
      }
    },
    operations() {
      return withoutKeys(entries, foreignKeys()).map((entry) => ({ ...entry }));
    },
    observe: (observations) => others.observe(observations),
    foreignKeys,
    untoldCount: () => others.untoldCount(),
    isFull: () => entries.length >= OPERATIONS_MAX,
    faults: (observations) => bandsOf(observations, (timeUs) => (timeUs - startUs) * 1000),
  };
}

/** Those of which no key is left out. */
export function withoutKeys<Item extends Pick<Operation, "action">>(
  history: readonly Item[],
  keys: readonly string[],
): readonly Item[] {
  const left = new Set(keys);
  return history.filter(({ action }) => keysOf(action).every((key) => !left.has(key)));
}

function actionOf(method: string, request: object): Action | null {
  switch (method) {
    case "put": {
      const { key, value, ignoreValue } = request as PutRequest;
      return ignoreValue ? null : { kind: "put", key: textOf(key), value: textOf(value) };
    }
    case "range": {
      const { key, rangeEnd, serializable, revision, keysOnly, countOnly } =
        request as RangeRequest;
      const isPlain = rangeEnd.length === 0 && !serializable && revision === 0n;
      if (!isPlain || keysOnly || countOnly) return null;
      return { kind: "get", key: textOf(key), value: null };
    }
    case "deleteRange": {
      const { key, rangeEnd } = request as DeleteRangeRequest;
      return rangeEnd.length === 0 ? { kind: "delete", key: textOf(key) } : null;
    }
    default:
      return null;
  }
}

/** How the nodes will tell of it; null: nothing is written, or they have words of their own. */
function wordsOf(method: string, request: object): string | null {
  if (method === "put") return describeRequest(putFromWire(request as PutRequest));
  if (method !== "deleteRange") return null;
  const { rangeEnd } = request as DeleteRangeRequest;
  if (rangeEnd.length > 0) return null;
  return describeRequest(deleteRangeFromWire(request as DeleteRangeRequest));
}

function answered(action: Action, answer: unknown): Action {
  if (action.kind !== "get") return action;
  const [found] = (answer as RangeResponse).kvs;
  return { ...action, value: found === undefined ? null : textOf(found.value) };
}

function isRangeDelete(method: string, request: object): boolean {
  if (method === "deleteRange") return true;
  if (method !== "txn") return false;
  return operationsOf(request as TxnRequest).some(({ request: one }) => {
    return one.case === "requestDeleteRange" && one.value.rangeEnd.length > 0;
  });
}

/** By a request that can't be kept. */
function keysWritten(method: string, request: object): readonly string[] {
  if (method === "put") return [textOf((request as PutRequest).key)];
  if (method !== "txn") return [];
  return operationsOf(request as TxnRequest).flatMap(({ request: one }) =>
    one.case === "requestPut" || one.case === "requestDeleteRange" ? [textOf(one.value.key)] : [],
  );
}

function operationsOf({ success, failure }: TxnRequest): TxnRequest["success"] {
  return [...success, ...failure].flatMap((operation) =>
    operation.request.case === "requestTxn" ? operationsOf(operation.request.value) : [operation],
  );
}

/** Whether it definitely had no effect, and never will. */
function isDefinite(error: unknown): boolean {
  const { code, metadata } = ConnectError.from(error);
  const outcome = metadata.get("raftarium-outcome");
  if (outcome !== null) return outcome === "failed";
  return code === Code.InvalidArgument || code === Code.FailedPrecondition;
}

/** Bytes that are no text are shown as something that is. */
function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  return isUtf8(buffer) ? buffer.toString() : `0x${buffer.toString("hex")}`;
}

const CUTS_NAMED_MAX = 12;

const SICK: Readonly<Record<string, string>> = {
  crashed: "killed",
  paused: "paused",
  stopped: "stopped",
};

/** Empty: all is well. null: nothing is said of that. */
function labelOf(nodeId: number, body: ObservationBody): string | null {
  if (body.kind === "health-changed") {
    const sick = SICK[body.health];
    return sick === undefined ? "" : `node ${nodeId} ${sick}`;
  }
  if (body.kind !== "links-changed") return null;
  const cuts = body.links.filter(({ cut }) => cut);
  const named = cuts.slice(0, CUTS_NAMED_MAX).map(({ source, target }) => `${source}→${target}`);
  if (cuts.length === 0) return "";
  return `cut: ${named.join(", ")}${cuts.length > named.length ? ", …" : ""}`;
}

function bandsOf(
  observations: readonly Observation[],
  timeOf: (timeUs: number) => number,
): readonly FaultBand[] {
  const bands: FaultBand[] = [];
  const open = new Map<number, { label: string; from: number }>();
  for (const { nodeId, timeUs, body } of observations) {
    const label = labelOf(nodeId, body);
    const before = open.get(nodeId);
    if (label === null || label === before?.label) continue;
    const time = Math.max(0, timeOf(timeUs));
    if (before !== undefined) bands.push({ ...before, to: time });
    open.delete(nodeId);
    if (label !== "") open.set(nodeId, { label, from: time });
  }
  for (const band of open.values()) bands.push({ ...band, to: null });
  return bands;
}
