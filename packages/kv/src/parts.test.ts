/** The parts of the machine that a client can't see by itself. */
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { bytesOf, compareBytes, nameOf } from "./bytes.ts";
import { decodeCommand, encodeCommand, encodePut } from "./command.ts";
import { NameRanges, endNameOf } from "./key-range.ts";
import { createKv } from "./machine.ts";
import { decodeResult, encodeResult } from "./result.ts";
import type { KvMachine } from "./machine.ts";
import { commandArbitrary } from "./testing/arbitrary.ts";
import { plain } from "./testing/model.ts";
import { DEFAULT_LIMITS } from "./types.ts";
import { validate } from "./validate.ts";

vi.setConfig({ testTimeout: 60_000 });

const NO_END = new Uint8Array(1);

function compactNow(machine: KvMachine): void {
  const { revision } = machine.stats();
  machine.apply(encodeCommand({ kind: "compact", revision }), 1);
}

/** Applies what changes nothing, often enough for all that can be freed to be freed. */
function settle(machine: KvMachine): void {
  for (let count = 0; count < 200; count += 1) machine.apply(new Uint8Array(0), 1);
}

function keysOf(machine: KvMachine): string[] {
  const found = machine.range({ kind: "range", key: NO_END, rangeEnd: NO_END });
  if (!found.ok) throw new Error(found.message);
  return found.response.kvs.map(({ key }) => nameOf(key));
}

describe("memory", () => {
  test("what a restored machine holds is freed as on the one that wrote the snapshot", () => {
    fc.assert(
      fc.property(fc.array(commandArbitrary, { maxLength: 25 }), (commands) => {
        const machine = createKv();
        for (const command of commands) machine.apply(encodeCommand(command), 1);
        const restored = createKv();
        const restore = restored.restore();
        for (const piece of machine.snapshot()) restore.write(piece);
        restore.end();
        for (const each of [machine, restored]) {
          compactNow(each);
          settle(each);
        }
        expect(restored.stats()).toEqual(machine.stats());
        expect(machine.stats().versionCount).toBe(keysOf(machine).length);
      }),
      { numRuns: 300 },
    );
  });

  test("a snapshot that is abandoned before its first piece holds nothing back", () => {
    const machine = createKv();
    const abandoned = machine.snapshot();
    for (let count = 0; count < 10; count += 1) {
      machine.apply(encodePut(bytesOf("a"), bytesOf("1")), 1);
    }
    compactNow(machine);
    settle(machine);
    expect(machine.stats().versionCount).toBe(10);
    abandoned.return?.();
    settle(machine);
    expect(machine.stats().versionCount).toBe(1);
  });

  test("a snapshot that was drawn to its end holds nothing back", () => {
    const machine = createKv();
    machine.apply(encodePut(bytesOf("a"), bytesOf("1")), 1);
    const drawn = [...machine.snapshot()];
    expect(drawn.length).toBeGreaterThan(0);
    machine.apply(encodePut(bytesOf("a"), bytesOf("2")), 1);
    compactNow(machine);
    settle(machine);
    expect(machine.stats().versionCount).toBe(1);
  });

  test("a deletion that nobody can read any more is in no snapshot", () => {
    const held = createKv();
    const plain = createKv();
    const holding = held.snapshot();
    for (const machine of [held, plain]) {
      machine.apply(encodePut(bytesOf("a"), bytesOf("1")), 1);
      machine.apply(encodeCommand({ kind: "delete-range", key: bytesOf("a") }), 1);
      machine.apply(encodePut(bytesOf("b"), bytesOf("1")), 1);
      compactNow(machine);
      settle(machine);
    }
    expect(held.stats().versionCount).toBe(3);
    expect(plain.stats().versionCount).toBe(1);
    expect([...held.snapshot()]).toEqual([...plain.snapshot()]);
    holding.return?.();
  });

  test("thousands of keys come in order, all go, and come again", () => {
    const machine = createKv();
    const keys = Array.from({ length: 3000 }, (_, index) => String(index).padStart(5, "0"));
    for (let round = 0; round < 2; round += 1) {
      for (const key of keys) machine.apply(encodePut(bytesOf(key), bytesOf("v")), 1);
      expect(keysOf(machine)).toEqual(keys);
      const everything = { key: NO_END, rangeEnd: NO_END };
      machine.apply(encodeCommand({ kind: "delete-range", ...everything }), 1);
      expect(keysOf(machine)).toEqual([]);
      compactNow(machine);
      settle(machine);
      expect(machine.stats()).toMatchObject({ versionCount: 0, byteCount: 0 });
    }
  });
});

describe("names", () => {
  const bytesArbitrary = fc.uint8Array({ maxLength: 600, size: "max" });

  test("identify byte strings of any length, and sort as they do", () => {
    fc.assert(
      fc.property(bytesArbitrary, bytesArbitrary, (left, right) => {
        expect(nameOf(left).length).toBe(left.length);
        expect(nameOf(left) < nameOf(right)).toBe(compareBytes(left, right) < 0);
        expect(nameOf(left) === nameOf(right)).toBe(compareBytes(left, right) === 0);
      }),
    );
    const long = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
    expect(Buffer.from(nameOf(long), "latin1").equals(long)).toBe(true);
    expect(nameOf(long, 300, 900)).toBe(nameOf(long.slice(300, 900)));
  });

  test("a set of ranges has what any of its ranges has", () => {
    const name = fc.string({ maxLength: 2, unit: fc.constantFrom("a", "b", "c", "d") });
    const ranges = fc.array(fc.tuple(name, fc.option(name)), { maxLength: 6 });
    fc.assert(
      fc.property(ranges, ranges, fc.array(name), (first, second, names) => {
        const set = new NameRanges();
        const other = new NameRanges();
        for (const [start, end] of first) set.add(start, end);
        for (const [start, end] of second) other.add(start, end);
        for (const asked of names) set.has(asked);
        set.addAll(other);
        for (const asked of names) {
          const expected = [...first, ...second].some(
            ([start, end]) => asked >= start && (end === null || asked < end),
          );
          expect(set.has(asked)).toBe(expected);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("the end of a range", () => {
    expect(endNameOf("a", undefined)).toBe("a\0");
    expect(endNameOf("a", new Uint8Array(0))).toBe("a\0");
    expect(endNameOf("a", NO_END)).toBeNull();
    expect(endNameOf("a", bytesOf("b"))).toBe("b");
  });
});

describe("commands as bytes", () => {
  const put = encodePut(bytesOf("k"), bytesOf("v"));

  test.each([
    ["nothing", []],
    ["an operation that nobody knows", [9]],
    ["a flag that nobody knows", put.with(1, 8)],
    ["bytes after the end", [...put, 0]],
    ["a length beyond the end", put.with(2, 100)],
    ["a length that is not written in its shortest form", [1, 0, 0x81, 0, 107, 1, 118]],
    ["a length beyond all numbers", [1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255]],
    ["a range, which is no command", [5, 0, 1, 107, 0, 0, 0]],
    ["a compaction at a fraction", [4, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0]],
    ["a txn that counts more than there is", [3, 200, 1]],
    ["a txn inside of a thousand others", Array.from({ length: 3000 }, () => 3)],
  ])("%s is an error that shows what was found", (_title, bytes) => {
    const given = Uint8Array.from(bytes);
    const decoded = decodeCommand(given);
    expect(decoded).toMatchObject({ ok: false, code: "invalid-argument" });
    expect(createKv().apply(given, 1).result).toEqual(decoded);
    if (!("ok" in decoded)) throw new Error("expected a failure");
    expect(decoded.message).toContain(
      `of ${bytes.length} bytes: expected one made by this version's encoder, found`,
    );
  });

  test("what is small enough for the limit is a command that is", () => {
    fc.assert(
      fc.property(commandArbitrary, (command) => {
        const requestBytesMax = encodeCommand(command).length - 1;
        const refused = validate(command, { ...DEFAULT_LIMITS, requestBytesMax });
        if (command.kind !== "compact") expect(refused).not.toBeNull();
      }),
    );
  });

  test("nested a hundred deep is still a command", () => {
    let nested = Uint8Array.of(3, 0, 0, 0);
    for (let depth = 0; depth < 100; depth += 1) nested = Uint8Array.of(3, 0, 1, ...nested, 0);
    expect(decodeCommand(nested)).toMatchObject({ kind: "txn" });
  });
});

describe("results as bytes", () => {
  test("there and back, whatever was asked", () => {
    fc.assert(
      fc.property(fc.array(commandArbitrary, { minLength: 1, maxLength: 25 }), (commands) => {
        const machine = createKv();
        for (const command of commands) {
          const { result } = machine.apply(encodeCommand(command), 1);
          expect(plain(decodeResult(encodeResult(result)))).toEqual(plain(result));
        }
      }),
    );
  });

  test("bytes that are none give a failure, and never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const result = decodeResult(bytes);
        if (result.ok) expect(encodeResult(result)).toEqual(bytes);
      }),
    );
    expect(decodeResult(Uint8Array.of(9))).toMatchObject({ ok: false, code: "invalid-argument" });
  });
});
