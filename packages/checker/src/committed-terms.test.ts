import { expect, test } from "vitest";
import { createCommittedTerms } from "./committed-terms.ts";

test("what was told is found again; holes are unknown", () => {
  const committed = createCommittedTerms(100);
  committed.set(1, 1, 1);
  committed.set(4, 2, 3);
  committed.set(4, 2, 3);
  expect([0, 1, 2, 4, 5].map((index) => committed.termAt(index))).toEqual([0, 1, 0, 2, 0]);
  expect(committed.committedInAt(4)).toBe(3);
});

test("what lies far behind is forgotten, and its indices with it", () => {
  const committed = createCommittedTerms(10_000);
  for (let index = 1; index <= 1_000_000; index += 1) committed.set(index, index, index);
  expect(committed.size()).toBeLessThan(20_000);
  expect(committed.termAt(1_000_000)).toBe(1_000_000);
  expect(committed.termAt(990_001)).toBe(990_001);
  expect(committed.termAt(1)).toBe(0);
  committed.set(1, 7, 7);
  expect(committed.termAt(1)).toBe(0);
});

test("a beginning far into a log costs nothing", () => {
  const committed = createCommittedTerms(1000);
  committed.set(2 ** 40, 5, 5);
  expect(committed.size()).toBe(1);
  expect(committed.termAt(2 ** 40)).toBe(5);
});
