import { expect, test } from "vitest";
import { createChance } from "./chance.ts";

test("equal seeds give equal numbers, neighbouring seeds others", () => {
  const drawn = (seed: number): number[] => {
    const chance = createChance(seed);
    return Array.from({ length: 20 }, () => chance.integer(0, 1_000_000));
  };
  for (const seed of [0, 1, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
    expect(drawn(seed)).toEqual(drawn(seed));
    expect(drawn(seed)).not.toEqual(drawn(seed === 0 ? 1 : seed - 1));
  }
  expect(drawn(1)).not.toEqual(drawn(2 ** 32 + 1));
});

test("whole numbers fill their range evenly, both ends included", () => {
  const chance = createChance(3);
  const counts = [0, 0, 0, 0, 0];
  for (let draw = 0; draw < 10_000; draw += 1) counts[chance.integer(0, 4)]! += 1;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test("a tail is mostly short, has the mean asked for, and an end", () => {
  const chance = createChance(5);
  const drawn = Array.from({ length: 20_000 }, () => chance.tail(1000));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  expect(mean).toBeGreaterThan(800);
  expect(mean).toBeLessThan(1100);
  expect(drawn.filter((value) => value < 1000).length).toBeGreaterThan(12_000);
  expect(Math.max(...drawn)).toBe(20_000);
});

test("forks are independent of what their parent draws afterwards", () => {
  const parent = createChance(9);
  const fork = parent.fork(1);
  const first = fork.integer(0, 1_000_000);
  const again = createChance(9).fork(1).integer(0, 1_000_000);
  expect(first).toBe(again);
  expect(createChance(9).fork(2).integer(0, 1_000_000)).not.toBe(first);
});
