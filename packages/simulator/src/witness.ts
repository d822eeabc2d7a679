/**
 * A quick proof of linearizability: an order is given, and it is only checked that it explains the
 * history (Herlihy and Wing 1990, section 2). The log gives one for nearly every run; where it
 * explains nothing, there may still be another.
 */
import type { Action, KeyValue, Operation, Value } from "@raftarium/checker";

/** Where an operation is said to have taken effect; null: nowhere. Reads come after the write. */
export interface Placed {
  readonly operation: Operation;
  readonly place: number | null;
}

/** True: in the order of their places the operations explain what everybody saw. */
export function isWitness(placed: readonly Placed[]): boolean {
  const happened = placed.filter(({ place }) => place !== null);
  // Each that was answered did happen, and none that failed.
  const isComplete = placed.every(
    ({ operation: { outcome }, place }) =>
      outcome === "unknown" || (outcome === "ok") === (place !== null),
  );
  if (!isComplete) return false;
  const order = happened.toSorted(
    (left, right) => left.place! - right.place! || left.operation.call - right.operation.call,
  );
  const values = new Map<string, Value>();
  let now = Number.NEGATIVE_INFINITY;
  for (const { operation } of order) {
    now = Math.max(now, operation.call);
    if (operation.return !== null && operation.return < now) return false;
    if (!happens(operation.action, values, operation.outcome === "ok")) return false;
  }
  return true;
}

/** Changes `values`. False: that is not what was seen. What nobody was told is not compared. */
function happens(action: Action, values: Map<string, Value>, isAnswered: boolean): boolean {
  const holds = ({ key, value }: KeyValue): boolean => (values.get(key) ?? null) === value;
  switch (action.kind) {
    case "get":
      return !isAnswered || holds(action);
    case "put":
      values.set(action.key, action.value);
      return true;
    case "delete":
      values.delete(action.key);
      return true;
    case "cas": {
      const { key, expected, value, swapped } = action;
      const swaps = holds({ key, value: expected });
      if (swaps) values.set(key, value);
      return !isAnswered || swapped === swaps;
    }
    case "txn": {
      const succeeds = action.compare.every(holds);
      if (succeeds) for (const { key, value } of action.writes) values.set(key, value);
      return !isAnswered || (action.succeeded === succeeds && action.reads.every(holds));
    }
  }
}
