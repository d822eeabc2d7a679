/**
 * The key-value machine as one would write it with no thought of speed: a copy of everything for
 * every revision. Written from etcd's documentation, not from the machine it is held against.
 */
import { ERRORS } from "../errors.ts";
import type {
  Command,
  Compare,
  KvFailure,
  KvResponse,
  KvResult,
  Operation,
  OperationResponse,
  RangeRequest,
} from "../types.ts";

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

type State = ReadonlyMap<string, Row>;

export class Refused extends Error {
  readonly failure: KvFailure;

  constructor(failure: KvFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export function textOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

export class Model {
  /** By revision; the fresh store is at 1. */
  #states: State[] = [new Map(), new Map()];
  compacted = -1;

  get revision(): number {
    return this.#states.length - 1;
  }

  get newest(): State {
    return this.#states[this.revision] as State;
  }

  apply(command: Command): KvResult<never> | KvFailure | { ok: true; response: unknown } {
    try {
      return { ok: true, response: this.#carryOut(command) };
    } catch (error) {
      if (error instanceof Refused) return error.failure;
      throw error;
    }
  }

  range(request: RangeRequest): { ok: true; response: unknown } | KvFailure {
    try {
      if ((request.revision ?? 0) > 0) this.#checkRanges(request);
      return { ok: true, response: this.#range(request, this.newest, this.revision) };
    } catch (error) {
      if (error instanceof Refused) return error.failure;
      throw error;
    }
  }

  #carryOut(command: Command): unknown {
    if (command.kind === "compact") {
      if (command.revision <= this.compacted) throw new Refused(ERRORS.compacted);
      if (command.revision > this.revision) throw new Refused(ERRORS.futureRevision);
      this.compacted = command.revision;
      return { kind: "compact", revision: this.revision };
    }
    const chosen = this.#choose(command);
    this.#checkPuts(chosen);
    this.#checkRanges(chosen);
    const draft = new Map(this.newest);
    const write = { draft, revision: this.revision + 1, changed: false };
    const response = this.#operate(chosen, write);
    if (write.changed) this.#states.push(draft);
    return response;
  }

  /** Replaces each txn by the branch that its compares choose, by the state before the command. */
  #choose(operation: Operation): Chosen {
    if (operation.kind !== "txn") return operation;
    const succeeded = operation.compare.every((compare) => this.#holds(compare));
    const branch = succeeded ? operation.success : operation.failure;
    return { kind: "chosen", succeeded, operations: branch.map((inner) => this.#choose(inner)) };
  }

  #holds(compare: Compare): boolean {
    const rows = within(this.newest, compare);
    const judge = (row: Row): boolean => {
      const left = { version: row.version, create: row.createRevision, mod: row.modRevision };
      const sides: [number | string, number | string] =
        compare.target === "value"
          ? [row.value, textOfBytes(compare.operand)]
          : [compare.target === "lease" ? 0 : left[compare.target], compare.operand];
      const [found, wanted] = sides;
      if (compare.result === "equal") return found === wanted;
      if (compare.result === "not-equal") return found !== wanted;
      return compare.result === "greater" ? found > wanted : found < wanted;
    };
    if (rows.length > 0) return rows.every(judge);
    if (compare.target === "value") return false;
    return judge({ key: "", value: "", createRevision: 0, modRevision: 0, version: 0 });
  }

  #checkPuts(operation: Chosen): void {
    if (operation.kind === "chosen") {
      for (const inner of operation.operations) this.#checkPuts(inner);
    } else if (operation.kind === "put") {
      const needed = operation.ignoreValue === true || operation.ignoreLease === true;
      if (needed && !this.newest.has(textOfBytes(operation.key))) {
        throw new Refused(ERRORS.keyNotFound);
      }
    }
  }

  #checkRanges(operation: Chosen): void {
    if (operation.kind === "chosen") {
      for (const inner of operation.operations) this.#checkRanges(inner);
    } else if (operation.kind === "range") {
      const { revision = 0 } = operation;
      if (revision > this.revision) throw new Refused(ERRORS.futureRevision);
      if (revision !== 0 && revision < this.compacted) throw new Refused(ERRORS.compacted);
    }
  }

  #operate(operation: Chosen, write: Draft): unknown {
    const current = (): number => (write.changed ? write.revision : write.revision - 1);
    switch (operation.kind) {
      case "range":
        return this.#range(operation, write.draft, current());
      case "put": {
        const key = textOfBytes(operation.key);
        const before = write.draft.get(key);
        write.changed = true;
        write.draft.set(key, {
          key,
          value:
            operation.ignoreValue === true ? (before?.value ?? "") : textOfBytes(operation.value),
          createRevision: before?.createRevision ?? write.revision,
          modRevision: write.revision,
          version: (before?.version ?? 0) + 1,
        });
        const prevKv = operation.prevKv === true ? (before ?? null) : null;
        return { kind: "put", revision: current(), prevKv };
      }
      case "delete-range": {
        const rows = within(write.draft, operation);
        for (const { key } of rows) write.draft.delete(key);
        if (rows.length > 0) write.changed = true;
        const prevKvs = operation.prevKv === true ? rows : [];
        return { kind: "delete-range", revision: current(), deleted: rows.length, prevKvs };
      }
      case "chosen": {
        const responses = operation.operations.map((inner) => this.#operate(inner, write));
        return { kind: "txn", revision: current(), succeeded: operation.succeeded, responses };
      }
      case "txn":
        throw new Error("every txn was chosen before");
    }
  }

  #range(request: RangeRequest, newest: State, current: number): unknown {
    const { revision = 0, limit = 0 } = request;
    const state = revision > 0 ? (this.#states[revision] as State) : newest;
    const all = within(state, request);
    let rows = all.filter(
      (row) =>
        atLeast(row.modRevision, request.minModRevision) &&
        atMost(row.modRevision, request.maxModRevision) &&
        atLeast(row.createRevision, request.minCreateRevision) &&
        atMost(row.createRevision, request.maxCreateRevision),
    );
    const { sortTarget = "key", sortOrder = "none" } = request;
    const field = (row: Row): string | number =>
      ({
        key: row.key,
        version: row.version,
        create: row.createRevision,
        mod: row.modRevision,
        value: row.value,
      })[sortTarget];
    const sign = sortOrder === "descend" ? -1 : 1;
    rows = rows.toSorted((left, right) =>
      field(left) === field(right) ? 0 : field(left) < field(right) ? -sign : sign,
    );
    if (request.countOnly === true) rows = [];
    const more = limit > 0 && rows.length > limit;
    if (more) rows = rows.slice(0, limit);
    if (request.keysOnly === true) rows = rows.map((row) => ({ ...row, value: "" }));
    return { kind: "range", revision: current, kvs: rows, more, count: all.length };
  }
}

function atLeast(value: number, bound: number | undefined): boolean {
  return bound === undefined || bound === 0 || value >= bound;
}

function atMost(value: number, bound: number | undefined): boolean {
  return bound === undefined || bound === 0 || value <= bound;
}

interface Draft {
  readonly draft: Map<string, Row>;
  readonly revision: number;
  changed: boolean;
}

type Chosen =
  | Operation
  | {
      readonly kind: "chosen";
      readonly succeeded: boolean;
      readonly operations: readonly Chosen[];
    };

function within(
  state: State,
  { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array },
): Row[] {
  const start = textOfBytes(key);
  const end = textOfBytes(rangeEnd ?? new Uint8Array(0));
  return [...state.values()]
    .filter((row) => {
      if (end === "") return row.key === start;
      return row.key >= start && (end === "\0" || row.key < end);
    })
    .toSorted((left, right) => (left.key < right.key ? -1 : 1));
}

/** A response with its bytes as text and nothing that is not part of it, to be compared. */
export function plain(result: KvResult): unknown {
  return result.ok ? { ok: true, response: plainResponse(result.response) } : result;
}

function plainResponse(response: KvResponse): unknown {
  switch (response.kind) {
    case "range":
      return { ...response, kvs: response.kvs.map(plainRow) };
    case "put":
      return { ...response, prevKv: response.prevKv === null ? null : plainRow(response.prevKv) };
    case "delete-range":
      return { ...response, prevKvs: response.prevKvs.map(plainRow) };
    case "txn":
      return {
        ...response,
        responses: response.responses.map((each: OperationResponse) => plainResponse(each)),
      };
    case "compact":
      return response;
  }
}

function plainRow(kv: {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}): Row {
  const { createRevision, modRevision, version } = kv;
  return {
    key: textOfBytes(kv.key),
    value: textOfBytes(kv.value),
    createRevision,
    modRevision,
    version,
  };
}
