import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import {
  Health,
  LinkViewSchema,
  MessageKind,
  ObservationSchema,
  Role,
} from "./gen/raftarium/observer/v1/observer_pb.ts";
import { SetLinkRequestSchema } from "./gen/raftarium/playground/v1/playground_pb.ts";
import {
  healths,
  linkFromWire,
  linkToWire,
  messageKinds,
  nodeViewFromWire,
  nodeViewToWire,
  observationFromWire,
  observationToWire,
  roles,
} from "./observation.ts";
import { link, nodeView, observationKinds, observationOf } from "./testing/arbitraries.ts";

test("every kind of observation has its place on the wire, and nothing else has", () => {
  const [body] = ObservationSchema.oneofs;
  const onTheWire = body?.fields.map((field) => field.name.replaceAll("_", "-"));
  expect(onTheWire?.toSorted()).toEqual(observationKinds.toSorted());
});

describe("an observation comes back from the wire as it went", () => {
  test.each(observationKinds)("%s", (kind) => {
    fc.assert(
      fc.property(observationOf(kind), (observation) => {
        const bytes = toBinary(ObservationSchema, observationToWire(observation));
        const read = observationFromWire(fromBinary(ObservationSchema, bytes));
        expect(read).toEqual(observation);
      }),
      { numRuns: 50 },
    );
  });
});

test("what the mirror makes is what protobuf-es would have made", () => {
  fc.assert(
    fc.property(link, (value) => {
      const kinds = value.messageKinds.map((kind) => messageKinds.toWire(kind));
      const made = create(LinkViewSchema, {
        ...value,
        source: BigInt(value.source),
        target: BigInt(value.target),
        messageKinds: kinds,
      });
      expect(equals(LinkViewSchema, linkToWire(value), made)).toBe(true);
      expect(linkFromWire(made)).toEqual(value);
    }),
  );
});

test("a view of a node comes back as it went", () => {
  fc.assert(
    fc.property(nodeView, (view) => {
      expect(nodeViewFromWire(nodeViewToWire(view))).toEqual(view);
    }),
  );
});

test("a link to be set is read from the request", () => {
  const request = create(SetLinkRequestSchema, {
    source: 1n,
    target: 2n,
    delayMs: 40,
    messageKinds: [MessageKind.PRE_VOTE],
  });
  expect(linkFromWire(request)).toEqual({
    source: 1,
    target: 2,
    cut: false,
    delayMs: 40,
    jitterMs: 0,
    dropRate: 0,
    duplicateRate: 0,
    messageKinds: ["pre-vote"],
  });
});

test("roles and healths have words; UNSPECIFIED has none", () => {
  expect(roles.fromWire(Role.PRE_CANDIDATE)).toBe("pre-candidate");
  expect(roles.toWire("learner")).toBe(Role.LEARNER);
  expect(roles.fromWire(Role.UNSPECIFIED)).toBeNull();
  expect(healths.toWire("crashed")).toBe(Health.CRASHED);
  expect(healths.toWire(null)).toBe(Health.UNSPECIFIED);
  expect(() => roles.fromWire(99 as Role)).toThrow(
    "cannot decode raftarium.observer.v1.Role: expected one of 1 (follower), 2 (pre-candidate)",
  );
});

const decode = (init: MessageInitShape<typeof ObservationSchema>) => () =>
  observationFromWire(create(ObservationSchema, init));
const decodeRole = (role: number) =>
  decode({ body: { case: "roleChanged", value: { role: role as Role } } });

describe("what has no counterpart is refused, with the name of the field", () => {
  test("a number beyond the safe integers", () => {
    const far = decode({ nodeId: 2n ** 53n, body: { case: "gap", value: {} } });
    expect(far).toThrow(
      "cannot decode raftarium.observer.v1.Observation.node_id: " +
        "expected at most 2^53 - 1, got 9007199254740992",
    );
    expect(far).toThrow(CodecError);
  });

  test("no body", () => {
    expect(decode({})).toThrow(/Observation\.body: expected one of role-changed, .*, got nothing/);
  });

  test("an enum's zero value, and one that is not known", () => {
    expect(decodeRole(0)).toThrow(/RoleChanged\.role: expected one of 1 \(follower\), .*, got 0/);
    expect(decodeRole(77)).toThrow(/got 77/);
  });

  test("a message that is missing", () => {
    expect(decode({ body: { case: "progressChanged", value: {} } })).toThrow(
      /ProgressChanged\.progress: expected a value, got nothing/,
    );
  });

  test("on the way out: numbers, kinds and types that do not fit", () => {
    const stamp = { nodeId: 1, incarnation: 1, sequence: 1, timeUs: 0 };
    const encode =
      (body: object, overrides: object = {}) =>
      () =>
        observationToWire({ ...stamp, ...overrides, body } as never);
    expect(encode({ kind: "gap", droppedCount: -1 })).toThrow(
      /Gap\.dropped_count: expected a whole number from 0 to 2\^53 - 1, got -1/,
    );
    expect(encode({ kind: "gap", droppedCount: 1 }, { timeUs: 0.5 })).toThrow(/time_us/);
    expect(encode({ kind: "whisper" })).toThrow(/body: expected kind to be one of .*got whisper/);
    expect(encode({ kind: "gap" })).toThrow(/dropped_count: .*got undefined/);
    const health = { kind: "health-changed", health: "running", address: "", cause: "" };
    expect(encode({ ...health, lastWords: "", pid: 2 ** 32 })).toThrow(
      /pid: expected a whole number from 0 to 2\^32 - 1, got 4294967296/,
    );
    expect(encode({ ...health, pid: 1 })).toThrow(/last_words: expected a string, got undefined/);
    const configuration = { voters: [], votersOutgoing: [], learners: [], addresses: { a: "" } };
    const changed = { kind: "configuration-changed", configuration, index: 1, committed: true };
    expect(encode(changed)).toThrow(/addresses: expected keys of at most 2\^53 - 1, got a/);
  });
});
