/** The rows that people see, against a machine that is asked for them anew each time. */
import { ROWS_IN_VIEW_MAX, createFold, type RowView } from "@raftarium/observer";
import { expect, test } from "vitest";
import type { StateRow } from "./ports.ts";
import { RowWindow } from "./row-window.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A machine, its window, and a fold that knows only what the window tells. */
function watched(keyCount: number) {
  const state = new Map<string, string>();
  const window = new RowWindow();
  const fold = createFold();
  let asked = 0;
  let sequence = 0;
  const first = (): StateRow[] =>
    [...state]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .slice(0, ROWS_IN_VIEW_MAX)
      .map(([key, value]) => ({ key, value }));
  const set = (key: string, value: string | null): void => {
    if (value === null) state.delete(key);
    else state.set(key, value);
    window.note([{ key: bytes(key), value: value === null ? null : bytes(value) }]);
  };
  const tell = (): readonly RowView[] => {
    sequence += 1;
    const rows = window.take(() => {
      asked += 1;
      return first();
    });
    const stamp = { nodeId: 1, incarnation: 1, sequence, timeUs: sequence };
    fold.apply({ ...stamp, body: { kind: "applied", appliedIndex: sequence, rows } });
    return rows;
  };
  window.reset([]);
  for (let at = 0; at < keyCount; at += 1) set(keyOf(at), "0");
  tell();
  return { set, tell, first, shown: () => fold.snapshot().nodes[0]?.rows, asked: () => asked };
}

const keyOf = (at: number): string => `key-${String(at).padStart(4, "0")}`;

test("of many changes of one key the last is told", () => {
  const { set, tell } = watched(3);
  set(keyOf(1), "one");
  set(keyOf(1), "two");
  expect(tell()).toEqual([{ key: keyOf(1), value: "two" }]);
});

test("what nobody can see is not told", () => {
  const { set, tell, asked } = watched(500);
  for (let at = 200; at < 400; at += 1) set(keyOf(at), "new");
  set(keyOf(450), null);
  expect(tell()).toEqual([]);
  expect(asked()).toBe(0);
});

test("when a row goes the next one moves up", () => {
  const { set, tell } = watched(500);
  set(keyOf(7), null);
  expect(tell()).toEqual([
    { key: keyOf(7), value: null },
    { key: keyOf(ROWS_IN_VIEW_MAX), value: "0" },
  ]);
});

test("whatever changes, the fold shows the first rows as they are", () => {
  let chance = 7;
  const upTo = (bound: number): number => {
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((chance / 0x80000000) * bound);
  };
  const { set, tell, first, shown } = watched(150);
  for (let round = 0; round < 300; round += 1) {
    const changes = upTo(30);
    // Now mostly away, now mostly new: the window is filled and emptied again and again.
    const bias = upTo(3);
    for (let change = 0; change < changes; change += 1) {
      set(keyOf(upTo(220)), upTo(3) < bias ? null : `v${round}`);
    }
    tell();
    expect(shown()).toEqual(first());
  }
});
