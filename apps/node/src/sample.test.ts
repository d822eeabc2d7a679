import { expect, test } from "vitest";
import { Sample } from "./sample.ts";

/** The numbers that are told of those from 1 to `count`. */
function told(sample: Sample, count: number): number[] {
  const numbers: number[] = [];
  for (let number = 1; number <= count; number += 1) {
    if (sample.admits(number)) numbers.push(number);
  }
  return numbers;
}

test("all are told while nothing is chosen", () => {
  const sample = new Sample(4);
  sample.begin(false);
  expect(told(sample, 1000)).toHaveLength(1000);
  expect(sample.seen).toBe(1000);
});

test("about as many as wanted are told, from the whole window", () => {
  const sample = new Sample(4);
  sample.begin(true);
  told(sample, 1000);
  sample.begin(true);
  expect(told(sample, 1000)).toEqual([256, 512, 768]);
});

test("never more than twice as many as wanted, however many come unforeseen", () => {
  const sample = new Sample(4);
  sample.begin(true);
  expect(told(sample, 1000)).toHaveLength(8);
});

test("who chooses from more chooses among what others choose from fewer", () => {
  const [few, many] = [new Sample(16), new Sample(16)];
  few.begin(true);
  many.begin(true);
  told(few, 100);
  told(many, 900);
  few.begin(true);
  many.begin(true);
  const chosen = told(few, 200);
  expect(told(many, 200).every((number) => chosen.includes(number))).toBe(true);
});
