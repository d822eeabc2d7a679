/**
 * Writing: etcd's Put, DeleteRange, Txn and Compaction (server/etcdserver/txn, mvcc). One command
 * makes at most one new revision; whatever can be refused is refused before anything is written.
 */
import { compareBytes, nameOf } from "./bytes.ts";
import { ERRORS } from "./errors.ts";
import { checkRevisionInTxn, range, visitRange } from "./range.ts";
import type { KeyEntry, LiveVersion, Store, Version } from "./store.ts";
import type {
  Command,
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  KvFailure,
  KvResponse,
  KvResult,
  Operation,
  OperationResponse,
  PutRequest,
  PutResponse,
  TxnRequest,
  TxnResponse,
} from "./types.ts";

/** Carries out one command, already validated, and adds what it changes to `changes`. */
export function execute(store: Store, command: Command, changes: Version[]): KvResult {
  if (command.kind === "compact") return compact(store, command.revision);
  const plan = createPlan();
  planOperation(store, command, plan);
  const refused = plan.refusedPut ?? plan.refusedRange;
  if (refused !== null) return refused;
  const write = new Write(store, changes, plan);
  const response: KvResponse = write.carryOut(command);
  write.finish();
  return { ok: true, response };
}

/** A txn of nothing but ranges, asked of the state as it is. */
export function readTxn(store: Store, txn: TxnRequest): KvResult<TxnResponse> {
  assertReadOnly(txn);
  const plan = createPlan();
  planOperation(store, txn, plan);
  if (plan.refusedRange !== null) return plan.refusedRange;
  return { ok: true, response: new Write(store, [], plan).txn(txn) };
}

/** No write in either branch. A nested txn counts as one, as it does in etcd. */
export function isReadOnly(txn: TxnRequest): boolean {
  return txn.success.every(isRange) && txn.failure.every(isRange);
}

function isRange({ kind }: Operation): boolean {
  return kind === "range";
}

function assertReadOnly(txn: TxnRequest): void {
  if (!isReadOnly(txn)) throw new Error("cannot read by a txn: expected ranges only, got a write");
}

function compact(store: Store, revision: number): KvResult {
  if (revision <= store.compactedRevision) return ERRORS.compacted;
  if (revision > store.revision) return ERRORS.futureRevision;
  store.compact(revision);
  return { ok: true, response: { kind: "compact", revision: store.revision } };
}

/** What a command will do, found out before it does anything. */
interface Plan {
  /** Whether the compares hold, for each txn that will be carried out, in that order. */
  readonly decisions: boolean[];
  /** The first put and the first range that can't be done. Of both, etcd tells of the put. */
  refusedPut: KvFailure | null;
  refusedRange: KvFailure | null;
}

function createPlan(): Plan {
  return { decisions: [], refusedPut: null, refusedRange: null };
}

/** Looks only into the branches that will be taken, and at the state before any write. */
function planOperation(store: Store, operation: Operation, plan: Plan): void {
  switch (operation.kind) {
    case "range":
      plan.refusedRange ??= checkRevisionInTxn(store, operation.revision ?? 0);
      return;
    case "put":
      if (operation.ignoreValue !== true && operation.ignoreLease !== true) return;
      if (currentOf(store, operation.key) === null) plan.refusedPut ??= ERRORS.keyNotFound;
      return;
    case "delete-range":
      return;
    case "txn": {
      const succeeded = operation.compare.every((compare) => holds(store, compare));
      plan.decisions.push(succeeded);
      for (const inner of succeeded ? operation.success : operation.failure) {
        planOperation(store, inner, plan);
      }
    }
  }
}

function currentOf(store: Store, key: Uint8Array): LiveVersion | null {
  const entry = store.find(nameOf(key));
  return entry === undefined ? null : store.at(entry, Infinity);
}

const MISSING = { createRevision: 0, modRevision: 0, version: 0 } as const;

function holds(store: Store, compare: Compare): boolean {
  let found = false;
  let all = true;
  visitRange(store, compare, store.revision, (version) => {
    found = true;
    all = holdsFor(compare, version, version.value);
    return all;
  });
  return found ? all : holdsFor(compare, MISSING, null);
}

function holdsFor(
  compare: Compare,
  kv: Omit<KeyValue, "key" | "value">,
  value: Uint8Array | null,
): boolean {
  if (compare.target === "value") {
    if (value === null) return false;
    return agrees(compare.result, compareBytes(value, compare.operand));
  }
  return agrees(compare.result, numberOf(compare.target, kv) - compare.operand);
}

function numberOf(
  target: "version" | "create" | "mod" | "lease",
  kv: Omit<KeyValue, "key" | "value">,
): number {
  switch (target) {
    case "version":
      return kv.version;
    case "create":
      return kv.createRevision;
    case "mod":
      return kv.modRevision;
    case "lease":
      return 0;
  }
}

function agrees(result: Compare["result"], difference: number): boolean {
  switch (result) {
    case "equal":
      return difference === 0;
    case "not-equal":
      return difference !== 0;
    case "greater":
      return difference > 0;
    case "less":
      return difference < 0;
  }
}

/** One command's writes: all of them at the revision after the store's. */
class Write {
  readonly #store: Store;
  readonly #changes: Version[];
  readonly #revision: number;
  readonly #decisions: readonly boolean[];
  #decided = 0;

  constructor(store: Store, changes: Version[], plan: Plan) {
    this.#store = store;
    this.#changes = changes;
    this.#decisions = plan.decisions;
    this.#revision = store.revision + 1;
  }

  /** The newest revision, what this command wrote so far included. */
  get #current(): number {
    return this.#changes.length > 0 ? this.#revision : this.#store.revision;
  }

  finish(): void {
    this.#store.revision = this.#current;
  }

  carryOut(operation: Operation): OperationResponse {
    switch (operation.kind) {
      case "range":
        return range(this.#store, operation, this.#current);
      case "put":
        return this.#put(operation);
      case "delete-range":
        return this.#deleteRange(operation);
      case "txn":
        return this.txn(operation);
    }
  }

  #put(request: PutRequest): PutResponse {
    const name = nameOf(request.key);
    const entry = this.#store.find(name);
    const before = entry === undefined ? null : this.#store.at(entry, Infinity);
    const kept = request.ignoreValue === true ? before : null;
    // The request's bytes may be a small view of something large: the store keeps a copy.
    const value = kept === null ? request.value.slice() : kept.value;
    const order = this.#changes.length;
    this.#changes.push(this.#store.put(entry, name, request.key, value, this.#revision, order));
    return {
      kind: "put",
      revision: this.#revision,
      prevKv: request.prevKv === true ? before : null,
    };
  }

  #deleteRange(request: DeleteRangeRequest): DeleteRangeResponse {
    const found: LiveVersion[] = [];
    visitRange(this.#store, request, this.#revision, (version) => {
      found.push(version);
      return true;
    });
    for (const { entry } of found) this.#delete(entry);
    return {
      kind: "delete-range",
      revision: this.#current,
      deleted: found.length,
      prevKvs: request.prevKv === true ? found : [],
    };
  }

  #delete(entry: KeyEntry): void {
    this.#changes.push(this.#store.delete(entry, this.#revision, this.#changes.length));
  }

  txn(request: TxnRequest): TxnResponse {
    const succeeded = this.#decisions[this.#decided] === true;
    this.#decided += 1;
    const responses: OperationResponse[] = [];
    for (const operation of succeeded ? request.success : request.failure) {
      responses.push(this.carryOut(operation));
    }
    return { kind: "txn", revision: this.#current, succeeded, responses };
  }
}
