/** The key-value machine: the StateMachine port (packages/node) over a store. */
import { encodeAnswer } from "./answer.ts";
import { textOf } from "./bytes.ts";
import { decodeCommand, decodeRange, encodeCommand } from "./command.ts";
import { describeCommand } from "./describe.ts";
import { checkRevision, range } from "./range.ts";
import { SnapshotReader, writeSnapshot } from "./snapshot.ts";
import type { Version } from "./store.ts";
import { Store } from "./store.ts";
import type {
  KvLimits,
  KvResult,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from "./types.ts";
import { DEFAULT_LIMITS } from "./types.ts";
import { validate } from "./validate.ts";
import { execute, readTxn } from "./write.ts";

export interface KvOptions {
  /** How many revisions back can be read; what is older is compacted away. From 0 up. */
  readonly historyRevisionsMax?: number;
  readonly limits?: KvLimits;
}

const HISTORY_REVISIONS_MAX = 10_000;

export interface KvChange {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface KvApplied {
  readonly result: KvResult;
  readonly changes: readonly KvChange[];
}

export interface KvStats {
  /** Of the newest write; 1 when nothing was written yet. */
  readonly revision: number;
  /** The oldest revision that can be read; -1: all can. */
  readonly compactedRevision: number;
  readonly versionCount: number;
  /** Keys and values of all versions, roughly what they take in memory. */
  readonly byteCount: number;
}

/** Satisfies `StateMachine<KvResult>` of packages/node, and offers reads without bytes between. */
export interface KvMachine {
  apply(command: Uint8Array, index: number): KvApplied;
  /** `encodeRange` asks, `decodeAnswer` reads. */
  query(question: Uint8Array): Uint8Array;
  range(request: RangeRequest): KvResult<RangeResponse>;
  /** A txn of ranges only (see `isReadOnly`); throws on another: that must go through the log. */
  readTxn(request: TxnRequest): KvResult<TxnResponse>;
  snapshot(): IterableIterator<Uint8Array>;
  /** `write` and `end` throw on bytes that are no snapshot; the state stays as it was. */
  restore(): { write(piece: Uint8Array): void; end(): void };
  describe(command: Uint8Array): string;
  rows(rowsMax: number): readonly { readonly key: string; readonly value: string }[];
  /** A compaction, once the history is half as long again as it may be. */
  maintenance(): Uint8Array | null;
  stats(): KvStats;
}

const NO_CHANGES: readonly KvChange[] = [];

/** An empty store at revision 1. */
export function createKv(options: KvOptions = {}): KvMachine {
  const { historyRevisionsMax = HISTORY_REVISIONS_MAX, limits = DEFAULT_LIMITS } = options;
  let store = new Store();

  const ask = (request: RangeRequest): KvResult<RangeResponse> => {
    const refused = validate(request, limits) ?? checkRevision(store, request.revision ?? 0);
    return refused ?? { ok: true, response: range(store, request, store.revision) };
  };

  return {
    apply(bytes) {
      store.prune();
      const command = decodeCommand(bytes);
      if ("ok" in command) return { result: command, changes: NO_CHANGES };
      const refused = validate(command, limits);
      if (refused !== null) return { result: refused, changes: NO_CHANGES };
      const changes: Version[] = [];
      return { result: execute(store, command, changes), changes };
    },
    query(question) {
      const request = decodeRange(question);
      return encodeAnswer("ok" in request ? request : ask(request));
    },
    range: ask,
    readTxn: (request) => validate(request, limits) ?? readTxn(store, request),
    snapshot: () => writeSnapshot(store),
    restore() {
      const reader = new SnapshotReader();
      return {
        write: (piece) => reader.write(piece),
        end: () => {
          store = reader.end();
        },
      };
    },
    describe: describeCommand,
    rows: (rowsMax) => rowsOf(store, rowsMax),
    maintenance() {
      const { revision, compactedRevision } = store;
      const historyRevisions = revision - Math.max(compactedRevision, 1);
      if (historyRevisions <= historyRevisionsMax + Math.ceil(historyRevisionsMax / 2)) return null;
      return encodeCommand({ kind: "compact", revision: revision - historyRevisionsMax });
    },
    stats() {
      const { revision, compactedRevision, versionCount, byteCount } = store;
      return { revision, compactedRevision, versionCount, byteCount };
    },
  };
}

function rowsOf(store: Store, rowsMax: number): { key: string; value: string }[] {
  const rows: { key: string; value: string }[] = [];
  if (rowsMax <= 0) return rows;
  store.scan("", null, (entry) => {
    const version = store.at(entry, Infinity);
    if (version !== null) rows.push({ key: textOf(version.key), value: textOf(version.value) });
    return rows.length < rowsMax;
  });
  return rows;
}
