import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, Operation, Outcome, Value } from "../history.ts";
import { isExplainable } from "../testing/brute-force.ts";
import { checkLinearizable } from "./check.ts";

const ok = (client: number, call: number, end: number, action: Action): Operation => ({
  client,
  call,
  return: end,
  outcome: "ok",
  action,
});
const open = (client: number, call: number, action: Action): Operation => ({
  client,
  call,
  return: null,
  outcome: "unknown",
  action,
});
const put = (value: string, key = "x"): Action => ({ kind: "put", key, value });
const get = (value: Value, key = "x"): Action => ({ kind: "get", key, value });
const gone = (key = "x"): Action => ({ kind: "delete", key });
const cas = (expected: Value, value: string, swapped: boolean | null, key = "x"): Action => ({
  kind: "cas",
  key,
  expected,
  value,
  swapped,
});

describe("what is linearizable", () => {
  test("nothing at all, and reads of nothing", () => {
    expect(checkLinearizable([]).verdict).toBe("ok");
    expect(checkLinearizable([ok(1, 0, 1, get(null))]).verdict).toBe("ok");
  });

  test("a read beside a write may see either value", () => {
    for (const seen of [null, "1"]) {
      const history = [ok(1, 0, 10, put("1")), ok(2, 5, 6, get(seen))];
      expect(checkLinearizable(history).verdict).toBe("ok");
    }
  });

  test("intervals are closed: what ends when another begins is concurrent with it", () => {
    const history = [ok(1, 0, 10, put("1")), ok(2, 10, 20, get(null))];
    expect(checkLinearizable(history).verdict).toBe("ok");
  });

  test("a write without an answer may take effect long after, or never", () => {
    const late = [open(1, 0, put("1")), ok(2, 10, 11, get(null)), ok(2, 100, 101, get("1"))];
    expect(checkLinearizable(late).verdict).toBe("ok");
    const never = [open(1, 0, put("1")), ok(2, 10, 11, get(null)), ok(2, 100, 101, get(null))];
    expect(checkLinearizable(never).verdict).toBe("ok");
  });

  test("an unanswered cas may have swapped or not, and a refused one needs another value", () => {
    const history = [
      ok(1, 0, 1, put("1")),
      open(2, 2, cas("1", "2", null)),
      ok(3, 10, 11, cas("1", "3", false)),
      ok(3, 12, 13, get("2")),
    ];
    expect(checkLinearizable(history).verdict).toBe("ok");
  });

  test("a failed write never was", () => {
    const failed: Operation = { ...ok(1, 0, 1, put("1")), outcome: "fail" };
    expect(checkLinearizable([failed, ok(2, 2, 3, get(null))]).verdict).toBe("ok");
    expect(checkLinearizable([failed, ok(2, 2, 3, get("1"))]).verdict).toBe("illegal");
  });
});

describe("what is not, and why", () => {
  const illegal: readonly [string, readonly Operation[], RegExp, number][] = [
    [
      "a value that nobody wrote",
      [ok(1, 0, 1, put("1")), ok(2, 2, 3, get("2"))],
      /x = "2" was seen, but nobody ever wrote it: client 2 read x = "2" \(from 2 to 3\)/,
      1,
    ],
    [
      "a value from the future",
      [ok(2, 0, 1, get("1")), ok(1, 2, 3, put("1"))],
      /seen before anybody began to write it/,
      2,
    ],
    [
      "a stale read",
      [ok(1, 0, 1, put("1")), ok(1, 2, 3, put("2")), ok(2, 4, 5, get("1"))],
      /x = "1" was seen although it had been overwritten before/,
      3,
    ],
    [
      "a stale read of what a swap wrote, which itself needs the write before it",
      [
        ok(1, 0, 1, put("1")),
        ok(2, 2, 3, cas("1", "2", true)),
        ok(1, 4, 5, put("3")),
        ok(3, 6, 7, get("2")),
      ],
      /x = "2" was seen although it had been overwritten before/,
      4,
    ],
    [
      "two readers that disagree about the order",
      [
        ok(1, 0, 10, put("1")),
        ok(2, 0, 10, put("2")),
        ok(3, 11, 12, get("1")),
        ok(4, 13, 14, get("2")),
        ok(3, 15, 16, get("1")),
      ],
      /no order of these explains/,
      4,
    ],
    [
      "a lost write of a key that nobody deletes",
      [ok(1, 0, 1, put("1")), ok(2, 2, 3, get(null))],
      /x was seen to be absent although it had been written before: client 1 put/,
      2,
    ],
    [
      "a lost delete",
      [ok(1, 0, 1, put("1")), ok(1, 2, 3, gone()), ok(2, 4, 5, get("1"))],
      /x = "1" was seen although it had been overwritten before|no order of these/,
      3,
    ],
    [
      "two swaps of one value",
      [ok(1, 0, 1, put("1")), ok(2, 2, 9, cas("1", "2", true)), ok(3, 2, 9, cas("1", "3", true))],
      /no order of these explains/,
      3,
    ],
  ];
  for (const [title, history, explanation, windowSize] of illegal) {
    test(title, () => {
      const noise = [1, 2, 3].flatMap((at) => [
        ok(9, at * 10, at * 10 + 1, put(`n${at}`, "y")),
        ok(9, at * 10 + 2, at * 10 + 3, get(`n${at}`, "y")),
      ]);
      const result = checkLinearizable([...noise, ...history]);
      expect(result.verdict).toBe("illegal");
      expect(result.explanation).toMatch(explanation);
      expect(result.window).toHaveLength(windowSize);
    });
  }

  test("a txn that saw half of another", () => {
    const both: Action = {
      kind: "txn",
      compare: [],
      writes: [
        { key: "x", value: "1" },
        { key: "y", value: "1" },
      ],
      reads: [],
      succeeded: true,
    };
    const look: Action = {
      kind: "txn",
      compare: [],
      writes: [],
      reads: [
        { key: "x", value: "1" },
        { key: "y", value: null },
      ],
      succeeded: true,
    };
    expect(checkLinearizable([ok(1, 0, 10, both), ok(2, 0, 10, look)]).verdict).toBe("illegal");
  });

  test("giving up is never a pass", () => {
    const history: Operation[] = [];
    for (let at = 0; at < 20; at += 1) {
      history.push(ok(at, at, 100, put(`${at}`)), ok(100 + at, 0, 100, get(`${at}`)));
    }
    expect(checkLinearizable(history).verdict).toBe("ok");
    const result = checkLinearizable(history, { budget: 5 });
    expect(result.verdict).toBe("unknown");
    expect(result.explanation).toContain("given up");
  });
});

// --- against brute force ------------------------------------------------------------------

const anyKey = fc.constantFrom("x", "y");
const anyValue = fc.constantFrom<Value>(null, "1", "2", "3", "4");
const anyCells = fc.uniqueArray(fc.record({ key: anyKey, value: anyValue }), {
  maxLength: 2,
  selector: ({ key }) => key,
});
const anyWritten = fc.constantFrom("1", "2", "3", "4");
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key: anyKey, value: anyWritten }),
  fc.record({ kind: fc.constant("get" as const), key: anyKey, value: anyValue }),
  fc.record({ kind: fc.constant("get" as const), key: anyKey, value: anyValue }),
  fc.record({ kind: fc.constant("delete" as const), key: anyKey }),
  fc.record({
    kind: fc.constant("cas" as const),
    key: anyKey,
    expected: anyValue,
    value: anyWritten,
    swapped: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("txn" as const),
    compare: anyCells,
    writes: anyCells,
    reads: anyCells,
    succeeded: fc.boolean(),
  }),
);
const anyOutcome = fc.constantFrom<Outcome>("ok", "ok", "ok", "ok", "unknown", "fail");
const anyHistory: fc.Arbitrary<readonly Operation[]> = fc
  .array(
    fc.record({
      action: anyAction,
      outcome: anyOutcome,
      call: fc.integer({ min: 0, max: 12 }),
      length: fc.integer({ min: 0, max: 8 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((drawn) =>
    drawn.map(({ action, outcome, call, length }, client) => ({
      client,
      action,
      outcome,
      call,
      return: outcome === "unknown" ? null : call + length,
    })),
  );

test("agrees with brute force on small histories", { timeout: 120_000 }, () => {
  let legal = 0;
  let total = 0;
  fc.assert(
    fc.property(anyHistory, (history) => {
      const expected = isExplainable(history) ? "ok" : "illegal";
      const result = checkLinearizable(history);
      total += 1;
      if (expected === "ok") legal += 1;
      expect(result.verdict).toBe(expected);
      if (expected === "ok") return;
      // The window is a proof of its own, and nothing in it is idle.
      expect(isExplainable(result.window)).toBe(false);
    }),
    { numRuns: 5000, seed: 7 },
  );
  expect(legal).toBeGreaterThan(total / 10);
  expect(legal).toBeLessThan((total * 9) / 10);
});
