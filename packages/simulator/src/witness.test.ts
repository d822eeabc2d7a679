import type { Action, Operation, Outcome } from "@raftarium/checker";
import { checkLinearizable } from "@raftarium/checker";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isWitness, type Placed } from "./witness.ts";

function placed(
  place: number | null,
  action: Action,
  [call, end]: readonly [number, number | null],
  outcome: Outcome = "ok",
): Placed {
  return { operation: { client: 1, action, call, return: end, outcome }, place };
}

const put = (value: string): Action => ({ kind: "put", key: "x", value });
const get = (value: string | null): Action => ({ kind: "get", key: "x", value });

test("an order that explains what was seen, in time", () => {
  expect(
    isWitness([
      placed(2, put("b"), [5, 9]),
      placed(1, put("a"), [1, 4]),
      placed(1.5, get("a"), [2, 6]),
      placed(2.5, get("b"), [6, 7]),
    ]),
  ).toBe(true);
});

test("no order: a value of another time, or a moment that was over", () => {
  expect(isWitness([placed(1, put("a"), [1, 4]), placed(1.5, get("b"), [2, 6])])).toBe(false);
  // The read ended before the write that it comes after was called.
  expect(isWitness([placed(1, put("a"), [5, 6]), placed(1.5, get("a"), [2, 4])])).toBe(false);
});

test("who was answered must have happened, and who failed must not", () => {
  expect(isWitness([placed(null, put("a"), [1, 4])])).toBe(false);
  expect(isWitness([placed(1, put("a"), [1, 4], "fail")])).toBe(false);
  expect(isWitness([placed(null, put("a"), [1, 4], "fail")])).toBe(true);
  expect(isWitness([placed(null, put("a"), [1, null], "unknown")])).toBe(true);
});

const value = fc.constantFrom("1", "2");
const key = fc.constantFrom("x", "y");
const seen = fc.option(value);
const pair = fc.record({ key, value: seen });
const action = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value }),
  fc.record({ kind: fc.constant("get" as const), key, value: seen }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({
    kind: fc.constant("cas" as const),
    key,
    expected: seen,
    value,
    swapped: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("txn" as const),
    compare: fc.array(pair, { maxLength: 1 }),
    writes: fc.uniqueArray(pair, { maxLength: 2, selector: (each) => each.key }),
    reads: fc.uniqueArray(pair, { maxLength: 1, selector: (each) => each.key }),
    succeeded: fc.boolean(),
  }),
);
const operation = fc
  .record({
    action,
    call: fc.nat(12),
    length: fc.nat(12),
    outcome: fc.constantFrom<Outcome>("ok", "ok", "ok", "unknown", "fail"),
  })
  .map(({ action: done, call, length, outcome }): Operation => ({
    client: 1,
    action: done,
    call,
    return: outcome === "unknown" ? null : call + length,
    outcome,
  }));

test("what it proves the search finds, too", () => {
  let proven = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(operation, fc.nat(9)), { maxLength: 5 }), (drawn) => {
      const order = drawn.map(([each, at]): Placed => {
        const happens = each.outcome === "ok" || (each.outcome === "unknown" && at < 5);
        return { operation: each, place: happens ? at : null };
      });
      if (!isWitness(order)) return;
      proven += 1;
      expect(checkLinearizable(order.map((each) => each.operation)).verdict).toBe("ok");
    }),
    { numRuns: 20_000 },
  );
  expect(proven).toBeGreaterThan(1000);
});
