/** What the virtual clients ask: few keys, unique values, so that every read names its write. */
import type { Action, KeyValue, Value } from "@raftarium/checker";
import type { Chance } from "./chance.ts";

export interface Workload {
  readonly keyCount: number;
  readonly valueBytesMax: number;
}

/** What a client last saw of each key: what it expects when it compares. */
export type LastSeen = Map<string, Value>;

/** The next operation of a client; the parts that only the answer tells are null or empty. */
export function drawAction(
  chance: Chance,
  workload: Workload,
  requestId: number,
  lastSeen: LastSeen,
): Action {
  const key = drawKey(chance, workload);
  const value = drawValue(chance, workload, requestId);
  const dice = chance.integer(0, 99);
  if (dice < 40) return { kind: "get", key, value: null };
  if (dice < 70) return { kind: "put", key, value };
  if (dice < 78) return { kind: "delete", key };
  if (dice < 92) {
    return { kind: "cas", key, expected: expectation(chance, key, lastSeen), value, swapped: null };
  }
  return drawTxn(chance, workload, key, value, lastSeen);
}

function drawTxn(
  chance: Chance,
  workload: Workload,
  key: string,
  value: string,
  lastSeen: LastSeen,
): Action {
  const other = drawKey(chance, workload);
  const writes: KeyValue[] = [{ key, value }];
  if (other !== key) writes.push({ key: other, value: chance.happens(0.3) ? null : `${value}b` });
  const compare = chance.happens(0.7) ? [{ key, value: expectation(chance, key, lastSeen) }] : [];
  return { kind: "txn", compare, writes, reads: [{ key: other, value: null }], succeeded: null };
}

function expectation(chance: Chance, key: string, lastSeen: LastSeen): Value {
  return chance.happens(0.1) ? null : (lastSeen.get(key) ?? null);
}

function drawKey(chance: Chance, workload: Workload): string {
  return `k${chance.integer(1, workload.keyCount)}`;
}

function drawValue(chance: Chance, workload: Workload, requestId: number): string {
  const value = `v${requestId}`;
  if (workload.valueBytesMax <= 8) return value;
  return value.padEnd(chance.integer(value.length, workload.valueBytesMax), ".");
}
