import { expect, test } from "vitest";
import {
  agoWords,
  bytesWords,
  clockWords,
  durationWords,
  stretchWords,
  syncWords,
} from "./format.ts";

test("a clock counts minutes, seconds and tenths, and never backwards from zero", () => {
  expect(clockWords(0)).toBe("00:00.0");
  expect(clockWords(84_850_000)).toBe("01:24.8");
  expect(clockWords(59_999_999)).toBe("00:59.9");
  expect(clockWords(6_000_000_000)).toBe("100:00.0");
  expect(clockWords(-5_000_000)).toBe("00:00.0");
});

test("durations have as many digits as they are worth", () => {
  expect([0.42, 41.3, 410, 9_999, 12_345].map(durationWords)).toEqual([
    "0.4 ms",
    "41 ms",
    "0.41 s",
    "10.00 s",
    "12.3 s",
  ]);
});

test("long ago is told roughly", () => {
  expect([0, 14_200_000, 99_000_000, 180_000_000, 7_200_000_000].map(agoWords)).toEqual([
    "0 s",
    "14 s",
    "99 s",
    "3 min",
    "2 h",
  ]);
});

test("bytes count in thousands", () => {
  expect([0, 999, 1_200, 41_000, 34_603_008, 5e12].map(bytesWords)).toEqual([
    "0 B",
    "999 B",
    "1.2 kB",
    "41 kB",
    "35 MB",
    "5 TB",
  ]);
});

test("a sync that never was has no cost", () => {
  expect([0, 442, 11_164].map(syncWords)).toEqual(["none yet", "0.4 ms", "11 ms"]);
});

test("a stretch of a log", () => {
  expect(stretchWords(1, 0)).toBe("empty");
  expect(stretchWords(4, 4)).toBe("4");
  expect(stretchWords(1, 9)).toBe("1 to 9");
});
