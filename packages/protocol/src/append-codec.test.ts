/** The codec by hand against the generated one: the same bytes, the same values, or no answer. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAppendFrame, encodeAppendFrame } from "./append-codec.ts";
import { encodeFrame, envelopeFromWire, envelopeToWire } from "./frame.ts";
import type { Envelope } from "./frame.ts";
import { FrameSchema } from "./gen/raftarium/raft/v1/raft_pb.ts";
import { envelope, messages } from "./testing/arbitraries.ts";
import { WireReader, WireWriter, varintSize } from "./wire.ts";

const usual = envelope(fc.oneof(messages["append-entries"], messages["append-entries-response"]));

const generated = (value: Envelope): Uint8Array =>
  toBinary(
    FrameSchema,
    create(FrameSchema, { content: { case: "envelope", value: envelopeToWire(value) } }),
  );

/** What the generated code makes of it; null if it refuses. */
function generatedReading(bytes: Uint8Array): Envelope | null {
  try {
    const { content } = fromBinary(FrameSchema, bytes);
    return content.case === "envelope" ? envelopeFromWire(content.value) : null;
  } catch {
    return null;
  }
}

test("writes the bytes that the generated code writes", () => {
  fc.assert(
    fc.property(usual, (value) => {
      expect(encodeAppendFrame(value)).toEqual(generated(value));
    }),
  );
});

test("reads what the generated code writes", () => {
  fc.assert(
    fc.property(usual, (value) => {
      expect(decodeAppendFrame(generated(value))).toEqual(value);
    }),
  );
});

test("of bytes that were damaged it reads what the generated code reads, or nothing", () => {
  let readCount = 0;
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(usual, damage, (value, places) => {
      const bytes = generated(value);
      for (const [at, byte] of places) bytes[at % bytes.length] = byte;
      const read = decodeAppendFrame(bytes);
      if (read === null) return;
      readCount += 1;
      expect(read).toEqual(generatedReading(bytes));
    }),
    { numRuns: 3000 },
  );
  expect(readCount).toBeGreaterThan(100);
});

describe("leaves to the generated code", () => {
  const others = Object.entries(messages).filter(([type]) => !type.startsWith("append-entries"));

  test.each(others)("%s", (_type, message) => {
    fc.assert(
      fc.property(envelope(message), (value) => {
        expect(encodeAppendFrame(value)).toBeNull();
        expect(decodeAppendFrame(generated(value))).toBeNull();
      }),
    );
  });

  test("what has no counterpart, which is refused with the field's name", () => {
    const bad = fc.constantFrom<unknown>(-1, 1.5, Number.NaN, 2 ** 53, "1", null, undefined);
    fc.assert(
      fc.property(usual, bad, fc.nat(), (value, wrong, at) => {
        const numbers = Object.keys(value).filter((name) => name !== "message");
        const name = numbers[at % numbers.length] ?? "source";
        const broken = { ...value, [name]: wrong } as unknown as Envelope;
        expect(encodeAppendFrame(broken)).toBeNull();
        const inside = Object.entries(value.message).filter(
          ([, found]) => found !== value.message.type,
        );
        const [field = "term"] = inside[at % inside.length] ?? [];
        const message = { ...value.message, [field]: wrong };
        expect(encodeAppendFrame({ ...value, message })).toBeNull();
        expect(() => encodeFrame({ kind: "envelope", envelope: broken })).toThrow(/Envelope\./);
      }),
    );
  });

  test("two messages in one envelope, of which only the last counts", () => {
    const of = (term: number): Envelope => ({
      source: 1,
      target: 2,
      incarnation: 1,
      sequence: 1,
      sentAtUs: 1,
      message: {
        type: "append-entries",
        term,
        prevLogIndex: 0,
        prevLogTerm: 0,
        entries: [],
        leaderCommit: 0,
        readRound: 0,
      },
    });
    const [first, second] = [generated(of(1)), generated(of(2))];
    const both = Uint8Array.of(0x12, first.length - 2 + 4, ...first.slice(2), ...second.slice(-4));
    expect(generatedReading(both)?.message.term).toBe(2);
    expect(decodeAppendFrame(both)).toBeNull();
  });
});

test("a varint takes as many bytes as were measured, and is read back", () => {
  for (let exponent = 0; exponent <= 53; exponent += 1) {
    for (const value of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
      if (value > Number.MAX_SAFE_INTEGER || value === 0) continue;
      const writer = new WireWriter(1 + varintSize(value));
      writer.number(8, value);
      const reader = new WireReader(writer.finish().subarray(1));
      expect(reader.varint()).toBe(value);
      expect(reader).toMatchObject({ ok: true, at: varintSize(value) });
    }
  }
});
