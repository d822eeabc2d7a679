import { create, toBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { EnvelopeSchema, FrameSchema } from "./gen/raftarium/raft/v1/raft_pb.ts";
import { envelope, integer, messages } from "./testing/arbitraries.ts";

test("every type of message has its place on the wire, and nothing else has", () => {
  const [message] = EnvelopeSchema.oneofs;
  const onTheWire = message?.fields.map((field) => field.name.replaceAll("_", "-"));
  expect(onTheWire?.toSorted()).toEqual(Object.keys(messages).toSorted());
});

describe("an envelope comes back from the wire as it went", () => {
  test.each(Object.entries(messages))("%s", (_type, message) => {
    fc.assert(
      fc.property(envelope(message), (value) => {
        const frame = { kind: "envelope", envelope: value } as const;
        expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
      }),
    );
  });
});

test("a hello comes back from the wire as it went", () => {
  const hello = fc.record({
    cluster: fc.string({ unit: "grapheme" }),
    source: integer,
    target: integer,
    incarnation: integer,
    version: fc.nat(),
    instance: integer,
  });
  fc.assert(
    fc.property(hello, (value) => {
      const frame = { kind: "hello", hello: value } as const;
      expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    }),
  );
});

test("payloads are views of the frame, not copies", () => {
  const data = Uint8Array.of(1, 2, 3);
  const entries = [{ index: 1, term: 1, kind: "command" as const, data }];
  const bytes = encodeFrame({
    kind: "envelope",
    envelope: {
      source: 1,
      target: 2,
      incarnation: 1,
      sequence: 1,
      sentAtUs: 0,
      message: {
        type: "append-entries",
        term: 1,
        prevLogIndex: 0,
        prevLogTerm: 0,
        entries,
        leaderCommit: 0,
        readRound: 0,
      },
    },
  });
  const read = decodeFrame(bytes);
  const message = read.kind === "envelope" ? read.envelope.message : null;
  const readData = message?.type === "append-entries" ? message.entries[0]?.data : null;
  expect(readData).toEqual(data);
  expect(readData?.buffer).toBe(bytes.buffer);
});

const wire = (content: MessageInitShape<typeof FrameSchema>["content"]): Uint8Array =>
  toBinary(FrameSchema, create(FrameSchema, content === undefined ? {} : { content }));
const decode = (bytes: Uint8Array) => (): unknown => decodeFrame(bytes);

describe("what means nothing is refused, with the name of the field", () => {
  test("bytes that are no message, whatever they are", () => {
    expect(decode(Uint8Array.of(0xff, 0xff))).toThrow(
      /cannot decode raftarium\.raft\.v1\.Frame: expected a message, got 2 bytes/,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeFrame(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
        }
      }),
    );
  });

  test("an envelope cut short anywhere", () => {
    fc.assert(
      fc.property(envelope(messages["append-entries"]), fc.nat(), (value, at) => {
        const bytes = encodeFrame({ kind: "envelope", envelope: value });
        expect(decode(bytes.subarray(0, at % bytes.length))).toThrow(CodecError);
      }),
    );
  });

  test("an empty frame, and an envelope without a message", () => {
    expect(decode(new Uint8Array())).toThrow(
      "cannot decode raftarium.raft.v1.Frame.content: expected one of hello, envelope, got nothing",
    );
    expect(decode(wire({ case: "envelope", value: { source: 1n } }))).toThrow(
      /Envelope\.message: expected one of request-vote, .*, got nothing/,
    );
  });

  test("a number beyond the safe integers", () => {
    const message = { case: "timeoutNow", value: { term: 2n ** 64n - 1n } } as const;
    expect(decode(wire({ case: "envelope", value: { message } }))).toThrow(
      "cannot decode raftarium.raft.v1.TimeoutNow.term: " +
        "expected at most 2^53 - 1, got 18446744073709551615",
    );
  });

  test("an entry of no kind", () => {
    const message = { case: "appendEntries" as const, value: { entries: [{ index: 1n }] } };
    expect(decode(wire({ case: "envelope", value: { message } }))).toThrow(
      /Entry\.kind: expected one of 1 \(command\), 2 \(no-op\), 3 \(configuration\), got 0/,
    );
  });

  test("a snapshot without its metadata", () => {
    const message = { case: "installSnapshot", value: { term: 1n } } as const;
    expect(decode(wire({ case: "envelope", value: { message } }))).toThrow(
      /InstallSnapshot\.snapshot: expected a value, got nothing/,
    );
  });
});
