/** In how many turns entries reach the state machine. */
import type { Entry } from "@raftarium/raft";
import { expect, test } from "vitest";
import { Applier } from "./applier.ts";
import type { Ports } from "./options.ts";

function entriesFrom(first: number, count: number): Entry[] {
  return Array.from({ length: count }, (_, at) => ({
    index: first + at,
    term: 1,
    kind: "command",
    data: new Uint8Array(0),
  }));
}

/** Applies these batches, all handed over at once; the indexes applied in each turn. */
function turnsOf(...batches: readonly number[]): number[][] {
  const tasks: (() => void)[] = [];
  const turns: number[][] = [[]];
  const ports = {
    scheduler: { nowUs: () => 0, defer: (task: () => void) => void tasks.push(task) },
    machine: {
      apply(_command: Uint8Array, index: number) {
        turns.at(-1)?.push(index);
        return { result: null, changes: [] };
      },
    },
  } as unknown as Ports<null>;
  const told: number[] = [];
  const applier = new Applier(ports, {
    startIndex: 0,
    onEntry: () => undefined,
    onRestored: () => undefined,
    onApplied: (index) => told.push(index),
  });
  let next = 1;
  for (const count of batches) {
    applier.apply(entriesFrom(next, count));
    next += count;
  }
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
    turns.push([]);
    task();
  }
  expect(turns.flat()).toEqual(entriesFrom(1, next - 1).map(({ index }) => index));
  expect(told.at(-1)).toBe(next - 1);
  return turns;
}

const lengths = (turns: number[][]): number[] => turns.map((turn) => turn.length);

test("a small batch takes one turn, a large one four, so that its first clients need not wait", () => {
  expect(lengths(turnsOf(1))).toEqual([1]);
  expect(lengths(turnsOf(16))).toEqual([16]);
  expect(lengths(turnsOf(40))).toEqual([16, 16, 8]);
  expect(lengths(turnsOf(64))).toEqual([16, 16, 16, 16]);
  expect(lengths(turnsOf(402))).toEqual([101, 101, 101, 99]);
});

test("no turn is longer than 256 entries, however many wait", () => {
  const replay = turnsOf(5000);
  expect(Math.max(...lengths(replay))).toBe(256);
  const many = turnsOf(1000, ...Array.from({ length: 100 }, () => 15));
  expect(Math.max(...lengths(many))).toBeLessThanOrEqual(256);
});
