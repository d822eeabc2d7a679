/** The search that goes forward in time, against brute force and against the search in depth. */
import { describe, expect, test } from "vitest";
import type { Operation } from "../history.ts";
import { isExplainable } from "../testing/brute-force.ts";
import { createChance } from "../testing/chance.ts";
import { ORDINARY, generateHistory } from "../testing/histories.ts";
import type { Chance, HistoryShape } from "../testing/histories.ts";
import { moveReturn, swapReads } from "../testing/spoils.ts";
import { searchFrontier } from "./frontier.ts";
import { search } from "./search.ts";
import { groupsOf } from "./steps.ts";
import type { Group } from "./steps.ts";

const generous = { budget: 1_000_000, isOutOfTime: () => false };

const tiny: HistoryShape = {
  operations: 7,
  keys: 1,
  clients: 4,
  unknownOneIn: 3,
  lengthMax: 6,
  values: 2,
  mix: { put: 3, get: 4, delete: 1, cas: 3 },
};

const spoils: readonly ((history: readonly Operation[], chance: Chance) => Operation[])[] = [
  (history) => [...history],
  swapReads,
  moveReturn,
];

/** Two gets or two puts become one transaction, so that keys are tied together. */
function joined(history: readonly Operation[], chance: Chance): Operation[] {
  return history.map((operation) => {
    const { action } = operation;
    if (action.kind !== "get" && action.kind !== "put") return operation;
    if (chance.integer(0, 2) > 0) return operation;
    const other = {
      key: action.key === "k1" ? "k2" : "k1",
      value: chance.integer(1, 2).toString(),
    };
    const isTold = operation.outcome === "ok";
    const txn = { kind: "txn" as const, succeeded: isTold ? true : null };
    const own = { key: action.key, value: action.value };
    const compare = chance.integer(0, 3) === 0 ? [other] : [];
    return action.kind === "get"
      ? { ...operation, action: { ...txn, compare, writes: [], reads: [own] } }
      : { ...operation, action: { ...txn, compare, writes: [own, other], reads: [] } };
  });
}

function verdictOf(history: readonly Operation[], seed: number): string {
  for (const group of groupsOf(history)) {
    const { verdict, longest } = searchFrontier(group, generous);
    if (verdict !== "ok") return verdict;
    expectOrder(group, longest, seed);
  }
  return "ok";
}

/** Everything that must be in the order is, in time, and a store that works so answers so. */
function expectOrder({ steps }: Group, order: readonly number[], seed: number): void {
  expect(new Set(order).size, `seed ${seed}`).toBe(order.length);
  let latestCall = Number.NEGATIVE_INFINITY;
  for (const at of order) {
    latestCall = Math.max(latestCall, steps[at]!.call);
    expect(latestCall, `seed ${seed}`).toBeLessThanOrEqual(steps[at]!.return);
  }
  const inARow = order.map((at, place): Operation => {
    const { operation } = steps[at]!;
    const told = operation.action.kind === "cas" && operation.action.swapped === null;
    const action = told ? { ...operation.action, swapped: true } : operation.action;
    const isTxn = action.kind === "txn" && action.succeeded === null;
    const certain = isTxn ? { ...action, succeeded: true } : action;
    return { client: 1, action: certain, call: place * 2, return: place * 2 + 1, outcome: "ok" };
  });
  expect(isExplainable(inARow), `seed ${seed}`).toBe(true);
  for (const [at, { optional, succeeds }] of steps.entries()) {
    // Refusals that fit anywhere may be missing.
    if (!optional && succeeds === true) expect(order, `seed ${seed}`).toContain(at);
  }
}

const SEEDS = 1_000;

describe.each([
  ["one key", tiny, false],
  ["one key, every value once", { ...tiny, values: null }, false],
  ["one value, much unknown", { ...tiny, values: 1, unknownOneIn: 2 }, false],
  ["two keys that transactions tie", { ...tiny, keys: 2 }, true],
] as const)("the frontier, %s", { timeout: 60_000 }, (_, shape, isJoined) => {
  test("agrees with brute force", () => {
    let illegal = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const chance = createChance(seed);
      const made = generateHistory(shape, chance);
      const spoilt = spoils[seed % spoils.length]!(made, chance);
      const history = isJoined ? joined(spoilt, chance) : spoilt;
      const expected = isExplainable(history) ? "ok" : "illegal";
      expect(verdictOf(history, seed), `seed ${seed}`).toBe(expected);
      if (expected === "illegal") illegal += 1;
    }
    expect(illegal).toBeGreaterThan(SEEDS / 50);
    expect(illegal).toBeLessThan(SEEDS);
  });
});

test("agrees with the search in depth where that comes to an end", { timeout: 60_000 }, () => {
  let settled = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const chance = createChance(seed);
    const shape = { ...ORDINARY, operations: 60, keys: 1, clients: 6, values: 3 };
    const history = spoils[seed % spoils.length]!(generateHistory(shape, chance), chance);
    for (const group of groupsOf(history)) {
      const { verdict } = search(group, { ...generous, budget: 20_000 });
      if (verdict === "unknown") continue;
      settled += 1;
      expect(searchFrontier(group, generous).verdict, `seed ${seed}`).toBe(verdict);
    }
  }
  expect(settled).toBeGreaterThan(30);
});

test("what was dropped makes it uncertain, never illegal", () => {
  const shape = { ...ORDINARY, operations: 500, keys: 1, clients: 50, values: 20 };
  let unknown = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    for (const group of groupsOf(generateHistory(shape, createChance(seed)))) {
      const { verdict } = searchFrontier(group, generous, 16);
      expect(verdict).not.toBe("illegal");
      if (verdict === "unknown") unknown += 1;
    }
  }
  expect(unknown).toBeGreaterThan(0);
});
