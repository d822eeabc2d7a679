import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HistoryError, formatHistory, parseHistory } from "./history-lines.ts";
import type { Action, FaultBand, Operation } from "./history.ts";

const put = '{"client":1,"op":"put","key":"x","value":"1","call":10,"return":20,"outcome":"ok"}';

describe("what is understood", () => {
  test("each kind of operation", () => {
    const { history, lines, timesNote } = parseHistory(
      [
        put,
        '{"client":2,"op":"get","key":"x","value":null,"call":11,"return":21,"outcome":"ok"}\r',
        "",
        '{"client":3,"op":"delete","key":"x","call":12,"return":22,"outcome":"fail"}',
        '{"client":4,"op":"cas","key":"x","expected":null,"value":"2","swapped":false,"call":13,"return":13,"outcome":"ok"}',
        "",
      ].join("\n"),
    );
    expect(history).toEqual([
      action(1, { kind: "put", key: "x", value: "1" }, 10, 20),
      action(2, { kind: "get", key: "x", value: null }, 11, 21),
      { ...action(3, { kind: "delete", key: "x" }, 12, 22), outcome: "fail" },
      action(4, { kind: "cas", key: "x", expected: null, value: "2", swapped: false }, 13, 13),
    ]);
    expect(lines).toEqual([1, 2, 4, 5]);
    expect(timesNote).toBe("");
  });

  test("without a return the outcome is unknown, whatever is said", () => {
    for (const outcome of ['"ok"', '"unknown"', '"fail"']) {
      const line = `{"client":1,"op":"put","key":"x","value":"1","call":1,"outcome":${outcome}}`;
      expect(parseHistory(line).history).toMatchObject([{ return: null, outcome: "unknown" }]);
    }
    const bare =
      '{"client":1,"op":"cas","key":"x","expected":"1","value":"2","call":1,"return":null}';
    expect(parseHistory(bare).history).toMatchObject([
      { return: null, outcome: "unknown", action: { swapped: null } },
    ]);
  });

  test("what was told before nothing came is not believed: an unknown cas has no answer", () => {
    const line =
      '{"client":1,"op":"cas","key":"x","expected":"1","value":"2","swapped":true,"call":1,"return":2,"outcome":"unknown"}';
    expect(parseHistory(line).history).toMatchObject([{ action: { swapped: null } }]);
  });

  test("nothing at all, a byte order mark, fields that it does not know", () => {
    expect(parseHistory("").history).toEqual([]);
    expect(parseHistory(`\uFEFF${put.replace("{", '{"node":3,')}`).history).toHaveLength(1);
  });

  test("who got no answer may go on under the same name", () => {
    const open = '{"client":1,"op":"put","key":"x","value":"1","call":5,"outcome":"unknown"}';
    expect(parseHistory(`${open}\n${put}`).history).toHaveLength(2);
  });

  test("faults, between the operations", () => {
    const { history, lines, faults } = parseHistory(
      [
        '{"fault":"cut off","nodes":[1,2],"from":5,"until":15}',
        put.replace("{", '{"fault":"a field that is no matter",'),
        '{"fault":"killed","nodes":[3],"from":12}',
        '{"fault":"slow disks","from":1,"until":null}',
      ].join("\n"),
    );
    expect(history).toHaveLength(1);
    expect(lines).toEqual([2]);
    expect(faults).toEqual([
      { label: "cut off (nodes 1, 2)", from: 5, to: 15 },
      { label: "killed (node 3)", from: 12, to: null },
      { label: "slow disks", from: 1, to: null },
    ]);
  });

  test("one call may come at the very moment of the last return", () => {
    const next = put.replace('"call":10,"return":20', '"call":20,"return":30');
    expect(parseHistory(`${next}\n${put}`).history).toHaveLength(2);
  });
});

describe("times beyond 2^53", () => {
  const at = (client: number, call: bigint, end: bigint): string =>
    `{"client":${client},"op":"put","key":"x","value":"1","call":${call},"return":${end},"outcome":"ok"}`;

  test("are counted from the first, exactly", () => {
    const start = 1_795_449_600_000_000_001n;
    const { history, timesNote } = parseHistory(
      [at(1, start, start + 1n), at(2, start + 2n, start + 3n)].join("\n"),
    );
    expect(history).toMatchObject([
      { call: 0, return: 1 },
      { call: 2, return: 3 },
    ]);
    expect(timesNote).toBe("times are counted from the first, 1795449600000000001");
  });

  test("those of faults are counted from the same", () => {
    const start = 2n ** 62n;
    const fault = `{"fault":"cut","from":${start},"until":${start + 3n}}`;
    const { history, faults } = parseHistory([at(1, start + 1n, start + 2n), fault].join("\n"));
    expect(history).toMatchObject([{ call: 1, return: 2 }]);
    expect(faults).toEqual([{ label: "cut", from: 0, to: 3 }]);
  });

  test("keep their order even where they are too far apart", () => {
    const { history, timesNote } = parseHistory(
      [at(1, -5n, 2n ** 70n), at(2, 2n ** 70n + 1n, 2n ** 70n + 1n)].join("\n"),
    );
    expect(history).toMatchObject([
      { call: 0, return: 1 },
      { call: 2, return: 2 },
    ]);
    expect(timesNote).toContain("their places in the order");
  });
});

describe("what makes no sense is refused with its line and the reason", () => {
  const without = (field: RegExp): string => put.replace(field, "");
  const bad: readonly [string, string, RegExp][] = [
    ["no JSON", "client 1 put x", /expected one JSON object, got "client 1 put x"/],
    ["half a line", put.slice(0, 50), /expected one JSON object, got/],
    ["two objects", `${put} ${put}`, /expected one JSON object, got/],
    ["a list", "[1]", /expected one JSON object, got a list/],
    ["a number", "7", /expected one JSON object, got 7/],
    ["null", "null", /expected one JSON object, got null/],
    ["no client", without(/"client":1,/), /expected a field "client", got none/],
    ["no op", without(/"op":"put",/), /expected a field "op", got none/],
    ["no key", without(/"key":"x",/), /expected a field "key", got none/],
    ["no value", without(/"value":"1",/), /expected a field "value", got none/],
    ["no call", without(/"call":10,/), /expected a field "call", got none/],
    ["no outcome", without(/,"outcome":"ok"/), /expected a field "outcome", got none/],
    [
      "a client that is text",
      put.replace(":1,", ':"a",'),
      /"client" to be a whole number, got "a"/,
    ],
    ["a broken client", put.replace(":1,", ":1.5,"), /"client" to be a whole number, got 1.5/],
    ["an unknown op", put.replace('"put"', '"scan"'), /"op" to be put, get, .* got "scan"/],
    ["an op that is a number", put.replace('"put"', "3"), /"op" to be a string, got 3/],
    ["a key that is a number", put.replace('"x"', "3"), /"key" to be a string, got 3/],
    ["a put of null", put.replace('"1"', "null"), /"value" to be a string, got null/],
    ["a put of a number", put.replace('"1"', "1"), /"value" to be a string, got 1/],
    ["a time that is text", put.replace(":10,", ':"10",'), /"call" to be a whole number of/],
    ["half a nanosecond", put.replace(":10,", ":10.5,"), /"call" to be a whole number of .* 10.5/],
    ["a return that is text", put.replace(":20,", ':"20",'), /"return" to be a whole number of/],
    ["a return before the call", put.replace(":20,", ":9,"), /"return" at or after "call", got 9/],
    ["an unknown outcome", put.replace('"ok"', '"info"'), /ok, fail or unknown, got "info"/],
    [
      "a get that tells nothing",
      '{"client":1,"op":"get","key":"x","call":10,"return":20,"outcome":"ok"}',
      /expected a field "value", got none/,
    ],
    [
      "a cas that expects nothing in particular",
      '{"client":1,"op":"cas","key":"x","value":"1","swapped":true,"call":10,"return":20,"outcome":"ok"}',
      /expected a field "expected", got none/,
    ],
    [
      "a cas without its answer",
      '{"client":1,"op":"cas","key":"x","expected":"1","value":"2","call":10,"return":20,"outcome":"ok"}',
      /expected a field "swapped", got none/,
    ],
    [
      "an answer that is no answer",
      '{"client":1,"op":"cas","key":"x","expected":"1","value":"2","swapped":"yes","call":10,"return":20,"outcome":"ok"}',
      /"swapped" to be true or false, got "yes"/,
    ],
    ["a fault that is a number", '{"fault":3,"from":1}', /"fault" to be a string, got 3/],
    ["a fault at no time", '{"fault":"cut"}', /expected a field "from", got none/],
    ["a fault from a text", '{"fault":"cut","from":"1"}', /"from" to be a whole number of nano/],
    [
      "a fault that ends before it begins",
      '{"fault":"cut","from":5,"until":4}',
      /expected "until" at or after "from", got 4 before 5/,
    ],
    ["a fault of no list", '{"fault":"cut","nodes":1,"from":1}', /"nodes" to be a list of .*got 1/],
    [
      "a fault of a named node",
      '{"fault":"cut","nodes":[1,"two"],"from":1}',
      /"nodes" to be a list of whole numbers, got "two"/,
    ],
  ];
  const fine = put.replace('"client":1', '"client":9');

  test.each(bad)("%s", (_, line, reason) => {
    expect(() => parseHistory(`\n${fine}\n${line}\n`)).toThrow(HistoryError);
    expect(() => parseHistory(`\n${fine}\n${line}\n`)).toThrow(/^line 3: /);
    expect(() => parseHistory(`\n${fine}\n${line}\n`)).toThrow(reason);
  });
});

test("a client that does two things at a time is read as it stands", () => {
  const early = put.replace('"call":10,"return":20', '"call":4,"return":11');
  expect(parseHistory(`${put}\n${early}\n`).history).toHaveLength(2);
});

// --- there and back -----------------------------------------------------------------------

const text = fc.string({ unit: "binary", maxLength: 5 });
const value = fc.option(text, { nil: null });
const cells = fc.array(fc.record({ key: text, value }), { maxLength: 2 });
const anyAction: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key: text, value: text }),
  fc.record({ kind: fc.constant("get" as const), key: text, value }),
  fc.record({ kind: fc.constant("delete" as const), key: text }),
  fc.record({
    kind: fc.constant("cas" as const),
    key: text,
    expected: value,
    value: text,
    swapped: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("txn" as const),
    compare: cells,
    writes: cells,
    reads: cells,
    succeeded: fc.boolean(),
  }),
);

test("what is written is read back the same", () => {
  const operations = fc.array(fc.record({ action: anyAction, call: fc.nat(), length: fc.nat() }));
  fc.assert(
    fc.property(operations, (drawn) => {
      const history = drawn.map(({ action: what, call, length }, client) =>
        action(client, what, call, call + length),
      );
      const faults = drawn.map(({ call, length }, at): FaultBand => {
        return { label: `${at}`, from: call, to: at % 3 === 0 ? null : call + length };
      });
      const parsed = parseHistory(formatHistory(history, faults));
      expect([parsed.history, parsed.faults]).toEqual([history, faults]);
    }),
    { numRuns: 300 },
  );
});

function action(client: number, what: Action, call: number, end: number): Operation {
  return { client, action: what, call, return: end, outcome: "ok" };
}
