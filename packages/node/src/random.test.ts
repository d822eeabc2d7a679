import { expect, test } from "vitest";
import { createRandom } from "./random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 8 }, () => random.integer(0, 1_000_000));
  };
  expect(draw(42)).toEqual(draw(42));
  expect(draw(42)).not.toEqual(draw(43));
  expect(draw(2 ** 40)).not.toEqual(draw(0));
  expect(draw(42)).toMatchInlineSnapshot(`
    [
      880484,
      76707,
      7345,
      221389,
      303588,
      718158,
      825256,
      311457,
    ]
  `);
});

test("both ends are drawn, and all between about equally often", () => {
  const random = createRandom(1);
  const counts = new Map<number, number>();
  for (let i = 0; i < 60_000; i++) {
    const value = random.integer(5, 10);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([5, 6, 7, 8, 9, 10]);
  for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test("ranges beyond 32 bits, and ranges of one", () => {
  const random = createRandom(9);
  expect(random.integer(3, 3)).toBe(3);
  let highest = 0;
  for (let i = 0; i < 100; i++) {
    const value = random.integer(0, 2 ** 50);
    expect(Number.isSafeInteger(value)).toBe(true);
    highest = Math.max(highest, value);
  }
  expect(highest).toBeGreaterThan(2 ** 45);
  expect(() => random.integer(2, 1)).toThrow(/min <= max, got 2 and 1/);
});
