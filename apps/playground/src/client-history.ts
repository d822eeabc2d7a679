/**
 * What clients asked through the page's door and were told, as a history that can be checked. It
 * sees puts, and gets and deletes of one key; what is written otherwise, or by another way (at a
 * node's own port), makes a key one of which nothing can be said.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { keysOf } from "@raftarium/checker";
import type { Action, FaultBand, Operation } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import type {
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RangeResponse,
  TxnRequest,
} from "@raftarium/protocol/etcd";

/** Beyond it nothing more is kept. */
const OPERATIONS_MAX = 20_000;

export interface ClientHistory {
  /** Lets `call` happen, and remembers what came of it. `method` is one of the KV service. */
  record<Answer>(method: string, request: object, call: () => Promise<Answer>): Promise<Answer>;
  /** Those that ended, and those under way (of unknown outcome), by order of call. */
  operations(): readonly Operation[];
  /** Keys that others wrote too. */
  foreignKeys(): readonly string[];
  isFull(): boolean;
  /** Nodes that were not well, in the times of the history. */
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

  return {
    async record(method, request, call) {
      const entry = begin(method, request);
      if (entry === null) return call();
      try {
        const answer = await call();
        end(entry, answered(entry.action, answer), "ok");
        return answer;
      } catch (error) {
        end(entry, entry.action, isDefinite(error) ? "fail" : "unknown");
        throw error;
      }
    },
    operations: () =>
      entries
        .filter(({ action }) => keysOf(action).every((key) => !foreign.has(key)))
        .map((entry) => ({ ...entry })),
    foreignKeys: () => [...foreign],
    isFull: () => entries.length >= OPERATIONS_MAX,
    faults: (observations) => bandsOf(observations, (timeUs) => (timeUs - startUs) * 1000),
  };
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
  return Buffer.from(bytes).toString();
}

const SICK: Readonly<Record<string, string>> = {
  crashed: "killed",
  paused: "paused",
  stopped: "stopped",
};

function bandsOf(
  observations: readonly Observation[],
  timeOf: (timeUs: number) => number,
): readonly FaultBand[] {
  const bands: FaultBand[] = [];
  const open = new Map<number, { label: string; from: number }>();
  for (const { nodeId, timeUs, body } of observations) {
    if (body.kind !== "health-changed") continue;
    const time = Math.max(0, timeOf(timeUs));
    const sick = SICK[body.health];
    const before = open.get(nodeId);
    if (before !== undefined) bands.push({ ...before, to: time });
    open.delete(nodeId);
    if (sick !== undefined) open.set(nodeId, { label: `node ${nodeId} ${sick}`, from: time });
  }
  for (const band of open.values()) bands.push({ ...band, to: null });
  return bands;
}
