/** Where bars of one client lie that overlap in time: below each other, not on each other. */
import type { Operation } from "../history.ts";

/** Beyond it, bars lie on each other after all. */
const LANES_MAX = 12;

export interface Lanes {
  /** Of each operation, from 0, within its client's row. */
  readonly of: readonly number[];
  /** By client: how many it needs. */
  readonly counts: ReadonlyMap<number, number>;
}

/** Each in the first lane that is free by its call. Without an answer it is never free again. */
export function lanesOf(history: readonly Operation[]): Lanes {
  const of = history.map(() => 0);
  const lastOf = new Map<number, Operation[]>();
  const byCall = history.map((operation, at) => ({ operation, at }));
  byCall.sort((left, right) => left.operation.call - right.operation.call);
  for (const { operation, at } of byCall) {
    const last = lastOf.get(operation.client) ?? [];
    lastOf.set(operation.client, last);
    const free = last.findIndex((before) => isOver(before, operation));
    if (free !== -1) of[at] = free;
    else if (last.length < LANES_MAX) of[at] = last.length;
    else of[at] = firstToEnd(last);
    last[of[at]] = operation;
  }
  const counts = new Map([...lastOf].map(([client, last]) => [client, last.length]));
  return { of, counts };
}

function isOver(before: Operation, { call }: Operation): boolean {
  const end = endOf(before);
  return end < call || (end === call && before.call < call);
}

function firstToEnd(last: readonly Operation[]): number {
  const ends = last.map(endOf);
  return ends.indexOf(Math.min(...ends));
}

function endOf(operation: Operation): number {
  return operation.return ?? Number.POSITIVE_INFINITY;
}
