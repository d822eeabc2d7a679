import { expect, test } from "vitest";
import type { Operation } from "../history.ts";
import { lanesOf } from "./lanes.ts";

const put = (client: number, call: number, end: number | null): Operation => ({
  client,
  action: { kind: "put", key: "x", value: "1" },
  call,
  return: end,
  outcome: end === null ? "unknown" : "ok",
});

test("one after the other shares a lane, what overlaps has one of its own", () => {
  const { of, counts } = lanesOf([put(1, 10, 20), put(1, 15, 30), put(1, 20, 25), put(2, 12, 40)]);
  expect(of).toEqual([0, 1, 0, 0]);
  expect([...counts]).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

test("by time of call, in whatever order they are told", () => {
  expect(lanesOf([put(1, 15, 30), put(1, 10, 20)]).of).toEqual([1, 0]);
});

test("what never got an answer keeps its lane", () => {
  expect(lanesOf([put(1, 10, null), put(1, 50, 60), put(1, 70, 80)]).of).toEqual([0, 1, 1]);
});

test("moments that coincide don't lie on each other", () => {
  expect(lanesOf([put(1, 10, 10), put(1, 10, 10), put(1, 10, 20)]).of).toEqual([0, 1, 2]);
});

test("a hundred at a time don't make the row endless: the first lane to end is taken", () => {
  const many = Array.from({ length: 100 }, (_, at) => put(1, at, 1000 - at));
  const { of, counts } = lanesOf(many);
  expect(counts.get(1)).toBe(12);
  expect(of.slice(0, 14)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11]);
});
