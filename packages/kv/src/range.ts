/** Reading: etcd's Range (server/etcdserver/txn/range.go). */
import { compareBytes, EMPTY, nameOf } from "./bytes.ts";
import { ERRORS } from "./errors.ts";
import { endNameOf } from "./key-range.ts";
import type { LiveVersion, Store } from "./store.ts";
import type { KeyRange, KeyValue, KvFailure, RangeRequest, RangeResponse } from "./types.ts";

/** null: the revision that is asked for can be read. Below 0 is the newest, as 0 is. */
export function checkRevision(store: Store, revision: number): KvFailure | null {
  return revision <= 0 ? null : checkRevisionInTxn(store, revision);
}

/** In a txn a revision below 0 is one that was compacted, as in etcd. */
export function checkRevisionInTxn(store: Store, revision: number): KvFailure | null {
  if (revision === 0) return null;
  if (revision > store.revision) return ERRORS.futureRevision;
  return revision < store.compactedRevision ? ERRORS.compacted : null;
}

/** Visits all keys of a range that lived at a revision, in order, until `visit` says false. */
export function visitRange(
  store: Store,
  { key, rangeEnd }: KeyRange,
  revision: number,
  visit: (version: LiveVersion) => boolean,
): void {
  const name = nameOf(key);
  if (rangeEnd === undefined || rangeEnd.length === 0) {
    const entry = store.find(name);
    const version = entry === undefined ? null : store.at(entry, revision);
    if (version !== null) visit(version);
    return;
  }
  store.scan(name, endNameOf(name, rangeEnd), (entry) => {
    const version = store.at(entry, revision);
    return version === null || visit(version);
  });
}

/**
 * The request's revision must have passed `checkRevision`. `current` is the newest revision, that
 * of the txn being carried out included.
 */
export function range(store: Store, request: RangeRequest, current: number): RangeResponse {
  const { revision = 0, limit = 0, countOnly = false, keysOnly = false } = request;
  const { sortOrder = "none", sortTarget = "key" } = request;
  const at = revision > 0 ? revision : current;
  const sorted = sortTarget !== "key" || sortOrder === "descend";
  const collectMax = sorted || limit <= 0 ? Infinity : limit + 1;
  const passes = filterOf(request);
  const found: KeyValue[] = [];
  let count = 0;
  visitRange(store, request, at, (version) => {
    count += 1;
    if (!countOnly && found.length < collectMax && passes(version)) found.push(version);
    return true;
  });
  if (sorted) found.sort(orderOf(sortTarget, sortOrder === "descend" ? -1 : 1));
  const more = limit > 0 && found.length > limit;
  const limited = more ? found.slice(0, limit) : found;
  const kvs = keysOnly ? limited.map(withoutValue) : limited;
  return { kind: "range", revision: current, kvs, more, count };
}

function withoutValue(kv: KeyValue): KeyValue {
  const { key, createRevision, modRevision, version } = kv;
  return { key, value: EMPTY, createRevision, modRevision, version };
}

function filterOf(request: RangeRequest): (kv: KeyValue) => boolean {
  const { minModRevision = 0, maxModRevision = 0 } = request;
  const { minCreateRevision = 0, maxCreateRevision = 0 } = request;
  if (
    minModRevision === 0 &&
    maxModRevision === 0 &&
    minCreateRevision === 0 &&
    maxCreateRevision === 0
  ) {
    return () => true;
  }
  return ({ modRevision, createRevision }) =>
    (minModRevision === 0 || modRevision >= minModRevision) &&
    (maxModRevision === 0 || modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || createRevision <= maxCreateRevision);
}

/** What compares equal stays in the order of keys. */
function orderOf(
  target: NonNullable<RangeRequest["sortTarget"]>,
  direction: 1 | -1,
): (left: KeyValue, right: KeyValue) => number {
  switch (target) {
    case "key":
      return (left, right) => direction * compareBytes(left.key, right.key);
    case "version":
      return (left, right) => direction * (left.version - right.version);
    case "create":
      return (left, right) => direction * (left.createRevision - right.createRevision);
    case "mod":
      return (left, right) => direction * (left.modRevision - right.modRevision);
    case "value":
      return (left, right) => direction * compareBytes(left.value, right.value);
  }
}
