import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { decodeAnswer } from "./answer.ts";
import { decodeCommand, decodeRange, encodeCommand, encodePut, encodeRange } from "./command.ts";
import { createKv } from "./machine.ts";
import type { KvMachine } from "./machine.ts";
import { commandArbitrary, keyArbitrary, rangeArbitrary } from "./testing/arbitrary.ts";
import { Model, plain, textOfBytes } from "./testing/model.ts";
import { validate } from "./validate.ts";

// Thousands of runs each: seconds on a machine that is busy with other things.
vi.setConfig({ testTimeout: 60_000 });

const stepsArbitrary = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ command: commandArbitrary }) },
    { weight: 3, arbitrary: fc.record({ range: rangeArbitrary }) },
    { weight: 1, arbitrary: fc.constant({ restored: true as const }) },
  ),
  { minLength: 1, maxLength: 40 },
);

function copyOf(machine: KvMachine, cut: number): KvMachine {
  const copy = createKv();
  const restore = copy.restore();
  for (const piece of machine.snapshot()) {
    for (let at = 0; at < piece.length; at += cut) restore.write(piece.subarray(at, at + cut));
  }
  restore.end();
  return copy;
}

function bytesOfSnapshot(machine: KvMachine): Buffer {
  return Buffer.concat([...machine.snapshot()]);
}

test("does what the naive model does, before and after being restored from its snapshot", () => {
  let compared = 0;
  fc.assert(
    fc.property(stepsArbitrary, (steps) => {
      const model = new Model();
      let machine = createKv();
      for (const step of steps) {
        if ("restored" in step) {
          machine = copyOf(machine, 3);
        } else if ("range" in step) {
          const expected = model.range(step.range);
          expect(plain(machine.range(step.range))).toEqual(expected);
          const answer = machine.query(encodeRange(step.range));
          expect(plain(decodeAnswer(answer))).toEqual(expected);
          compared += 1;
        } else {
          const refused = validate(step.command);
          const { result, changes } = machine.apply(encodeCommand(step.command), 1);
          if (refused !== null) {
            expect(result).toEqual(refused);
            continue;
          }
          const before = model.newest;
          expect(plain(result)).toEqual(model.apply(step.command));
          compared += 1;
          // The changes, in their order, lead from the state before to the state after.
          const state = new Map([...before].map(([key, { value }]) => [key, value]));
          for (const { key, value } of changes) {
            if (value === null) state.delete(textOfBytes(key));
            else state.set(textOfBytes(key), textOfBytes(value));
          }
          const after = new Map([...model.newest].map(([key, { value }]) => [key, value]));
          expect(state).toEqual(after);
        }
      }
      expect(machine.stats().revision).toBe(model.revision);
      expect(machine.stats().compactedRevision).toBe(model.compacted);
    }),
    { numRuns: 2000 },
  );
  expect(compared).toBeGreaterThan(5000);
});

test("machines with the same commands write the same snapshot, whatever they still hold", () => {
  fc.assert(
    fc.property(fc.array(commandArbitrary, { maxLength: 30 }), (commands) => {
      const straight = createKv();
      const held = createKv();
      const holding = held.snapshot();
      let restored = createKv();
      for (const command of commands) {
        const bytes = encodeCommand(command);
        for (const machine of [straight, held, restored]) machine.apply(bytes, 1);
        restored = copyOf(restored, 1000);
      }
      const expected = bytesOfSnapshot(straight);
      expect(bytesOfSnapshot(held).equals(expected)).toBe(true);
      expect(bytesOfSnapshot(restored).equals(expected)).toBe(true);
      holding.return?.();
      expect(bytesOfSnapshot(held).equals(expected)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("a snapshot is of the moment of the call, whatever is applied while it is drawn", () => {
  fc.assert(
    fc.property(
      fc.array(commandArbitrary, { maxLength: 30 }),
      fc.array(commandArbitrary, { maxLength: 60 }),
      (before, during) => {
        const machine = createKv();
        // Enough for several pieces.
        for (let key = 0; key < 40; key += 1) {
          machine.apply(encodePut(Uint8Array.of(97, key), new Uint8Array(8000)), 1);
        }
        for (const command of before) machine.apply(encodeCommand(command), 1);
        const expected = bytesOfSnapshot(machine);
        const drawn: Uint8Array[] = [];
        const pieces = machine.snapshot();
        const waiting = [...during];
        for (const piece of pieces) {
          drawn.push(piece);
          for (const command of waiting.splice(0, 12)) machine.apply(encodeCommand(command), 1);
        }
        expect(Buffer.concat(drawn).equals(expected)).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

test("commands and questions survive their encoding", () => {
  fc.assert(
    fc.property(commandArbitrary, (command) => {
      // What is left out and what is false mean the same.
      const once = decodeCommand(encodeCommand(command));
      if ("ok" in once) throw new Error(once.message);
      expect(decodeCommand(encodeCommand(once))).toEqual(once);
      expect(once).toMatchObject(plainObject(command));
    }),
  );
  fc.assert(
    fc.property(rangeArbitrary, (request) => {
      expect(decodeRange(encodeRange(request))).toEqual(request);
    }),
  );
});

function plainObject(command: object): object {
  const { lease: _lease, ...rest } = command as { lease?: bigint };
  return rest;
}

test("bytes that are no command give an error result, and change nothing", () => {
  const damage = fc.record({
    command: commandArbitrary,
    at: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    cut: fc.boolean(),
  });
  let unreadable = 0;
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), damage), (given) => {
      let bytes: Uint8Array;
      if (given instanceof Uint8Array) bytes = given;
      else {
        bytes = encodeCommand(given.command);
        const at = given.at % bytes.length;
        if (given.cut) bytes = bytes.subarray(0, at);
        else bytes[at] = given.byte;
      }
      const machine = createKv();
      machine.describe(bytes);
      machine.query(bytes);
      decodeAnswer(bytes);
      const { result } = machine.apply(bytes, 1);
      if (!result.ok) {
        unreadable += 1;
        expect(machine.stats().revision).toBe(1);
      }
    }),
    { numRuns: 3000 },
  );
  expect(unreadable).toBeGreaterThan(1000);
});

test("bytes that are no snapshot are refused, and the state stays as it was", () => {
  const machine = createKv();
  machine.apply(encodePut(Uint8Array.of(97), Uint8Array.of(1)), 1);
  machine.apply(encodePut(Uint8Array.of(98), Uint8Array.of(2)), 1);
  const whole = bytesOfSnapshot(machine);
  for (let length = 0; length < whole.length; length += 1) {
    const other = createKv();
    const restore = other.restore();
    restore.write(whole.subarray(0, length));
    expect(() => restore.end()).toThrow(/cannot restore the key-value state: expected/);
    expect(other.stats().revision).toBe(1);
  }
  const longer = createKv().restore();
  expect(() => {
    longer.write(Buffer.concat([whole, Uint8Array.of(1)]));
    longer.end();
  }).toThrow(/expected nothing after the end/);
});

test("finds keys in order among thousands, as they come and go", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3000 })), {
        minLength: 2000,
        maxLength: 4000,
        size: "max",
      }),
      (changes) => {
        const machine = createKv({ historyRevisionsMax: 10 });
        const present = new Set<number>();
        const keyOf = (number: number): Uint8Array => Uint8Array.of(107, number >> 8, number & 255);
        for (const [add, number] of changes) {
          if (add) present.add(number);
          else present.delete(number);
          const key = keyOf(number);
          const command = add ? encodePut(key, key) : encodeCommand({ kind: "delete-range", key });
          machine.apply(command, 1);
          const compaction = machine.maintenance();
          if (compaction !== null) machine.apply(compaction, 1);
        }
        const found = machine.range({
          kind: "range",
          key: Uint8Array.of(0),
          rangeEnd: Uint8Array.of(0),
        });
        if (!found.ok) throw new Error(found.message);
        expect(found.response.kvs.map(({ key }) => [...key])).toEqual(
          [...present].toSorted((left, right) => left - right).map((number) => [...keyOf(number)]),
        );
      },
    ),
    { numRuns: 8 },
  );
});

test("keys are told apart by all of their bytes", () => {
  fc.assert(
    fc.property(fc.uniqueArray(keyArbitrary, { selector: textOfBytes }), (keys) => {
      const machine = createKv();
      for (const key of keys) machine.apply(encodePut(key, key), 1);
      for (const key of keys) {
        const found = machine.range({ kind: "range", key });
        expect(found).toMatchObject({ response: { kvs: [{ value: key, version: 1 }] } });
      }
    }),
  );
});
