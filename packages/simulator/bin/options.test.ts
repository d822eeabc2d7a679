import { expect, test } from "vitest";
import { nodeCountOf, readOptions } from "./options.ts";

test("without options a hundred seeds of ten seconds; with a seed just that one", () => {
  expect(readOptions([])).toMatchObject({ firstSeed: 1, seedCount: 100, seconds: 10 });
  expect(readOptions(["--seed", "42"])).toMatchObject({ firstSeed: 42, seedCount: 1 });
  expect(readOptions(["--seed", "42", "--seeds", "7"])).toMatchObject({ seedCount: 7 });
});

test("a seed may be negative, however it is written", () => {
  expect(readOptions(["--seed", "-5"]).firstSeed).toBe(-5);
  expect(readOptions(["--seed=-5"]).firstSeed).toBe(-5);
  expect(nodeCountOf(null, -5)).toBe(nodeCountOf(null, 5));
});

test.each([
  [["--seed", "abc"], "cannot read --seed: expected a whole number"],
  [["--seeds", "0"], "cannot read --seeds: expected a whole number from 1"],
  [["--seconds", "-1"], "cannot read --seconds: expected a number from 0 to 86400, got -1"],
  [["--seconds", "x"], "cannot read --seconds"],
  [["--nodes", "10"], "cannot read --nodes: expected a whole number from 1 to 9, got 10"],
  [["--jobs", "0"], "cannot read --jobs"],
  [["--seed", `${Number.MAX_SAFE_INTEGER}`, "--seeds", "2"], "expected safe integers"],
  [["--sedes", "3"], "--sedes"],
])("%j is refused in words", (args, words) => {
  expect(() => readOptions(args)).toThrow(words);
});
