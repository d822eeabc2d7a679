/** Good histories are spoilt, and must be found out: the checker is checked. */
import { describe, expect, test } from "vitest";
import type { Operation } from "../history.ts";
import { isExplainable } from "../testing/brute-force.ts";
import { createChance } from "../testing/chance.ts";
import { generateHistory } from "../testing/histories.ts";
import { moveReturn, swapReads } from "../testing/spoils.ts";
import type { Chance, HistoryShape } from "../testing/histories.ts";
import { checkLinearizable } from "./check.ts";

/** So short that many operations touch: one ends in the moment in which another begins. */
const tiny: HistoryShape = {
  operations: 6,
  keys: 1,
  clients: 3,
  unknownOneIn: 4,
  lengthMax: 4,
  values: null,
  mix: { put: 4, get: 5, delete: 1, cas: 2 },
};

const shapes: readonly [string, HistoryShape][] = [
  ["every value once", tiny],
  ["few values", { ...tiny, values: 2 }],
  ["two keys", { ...tiny, operations: 7, keys: 2 }],
  ["answers always come", { ...tiny, unknownOneIn: 1_000_000 }],
];

type Tamper = (history: readonly Operation[], chance: Chance) => readonly Operation[];

const tampers: readonly [string, Tamper][] = [
  ["two reads exchange what they saw", swapReads],
  ["a return is moved to the call", moveReturn],
];

const SEEDS = 300;

describe.each(shapes)("tiny histories, %s", { timeout: 60_000 }, (_, shape) => {
  test("are good as they are", () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const history = generateHistory(shape, createChance(seed));
      expect(isExplainable(history), `seed ${seed}`).toBe(true);
      expectRight(history, seed);
    }
  });

  test.each(tampers)("%s: the verdict is that of brute force", (_, tamper) => {
    expectSomeIllegal((chance) => tamper(generateHistory(shape, chance), chance));
  });

  test("an answered write took no effect: the verdict is that of brute force", () => {
    expectSomeIllegal((chance) => generateHistory({ ...shape, lost: 1 }, chance));
  });
});

/** Of the histories that `make` gives some must be illegal, and all judged rightly. */
function expectSomeIllegal(make: (chance: Chance) => readonly Operation[]): void {
  let illegal = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    if (expectRight(make(createChance(seed)), seed) === "illegal") illegal += 1;
  }
  expect(illegal).toBeGreaterThan(SEEDS / 100);
}

function expectRight(history: readonly Operation[], seed: number): string {
  const expected = isExplainable(history) ? "ok" : "illegal";
  const result = checkLinearizable(history, { thorough: true });
  expect(result.verdict, `seed ${seed}`).toBe(expected);
  if (expected === "ok") {
    for (const { order } of result.groups) expectOrder(history, order);
    return expected;
  }
  expect(isExplainable(result.window), `seed ${seed}`).toBe(false);
  expect(result.window, `seed ${seed}`).toContain(result.impossible);
  expect(result.sentence).not.toBe("");
  return expected;
}

/** The order that is told is one, and keeps to the times. */
function expectOrder(history: readonly Operation[], order: readonly Operation[]): void {
  expect(new Set(order).size).toBe(order.length);
  let latestCall = Number.NEGATIVE_INFINITY;
  for (const operation of order) {
    expect(history).toContain(operation);
    latestCall = Math.max(latestCall, operation.call);
    if (operation.outcome === "ok") expect(latestCall).toBeLessThanOrEqual(operation.return!);
  }
  if (order.some(({ action }) => action.kind === "cas" && action.swapped === null)) return;
  const inARow = order.map((operation, at) => {
    return { ...operation, call: at * 2, return: at * 2 + 1, outcome: "ok" as const };
  });
  expect(isExplainable(inARow)).toBe(true);
}
