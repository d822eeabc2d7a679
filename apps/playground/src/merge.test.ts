import * as fc from "fast-check";
import { expect, test } from "vitest";
import { messageKey, type MessageId, type Observation } from "@raftarium/observer";
import { HEARTBEAT } from "./fixtures/heartbeat.ts";
import { OWN_STREAM, createMerge } from "./merge.ts";

const options = { windowUs: 50_000, waitUsMax: 150_000 };

function send(source: number, sequence: number, target: number, timeUs: number): Observation {
  const id: MessageId = { source, incarnation: 1, sequence };
  return {
    nodeId: source,
    incarnation: 1,
    sequence: 0,
    timeUs,
    body: { kind: "message-sent", id, target, message: HEARTBEAT },
  };
}

function receive(sent: Observation, timeUs: number): Observation {
  if (sent.body.kind !== "message-sent") throw new Error("expected a send");
  const { id, target, message } = sent.body;
  return {
    nodeId: target,
    incarnation: 1,
    sequence: 0,
    timeUs,
    body: { kind: "message-received", id, target, message, sentAtUs: sent.timeUs },
  };
}

function commit(nodeId: number, commitIndex: number, timeUs: number): Observation {
  return {
    nodeId,
    incarnation: 1,
    sequence: 0,
    timeUs,
    body: { kind: "commit-advanced", commitIndex },
  };
}

function kinds(shown: readonly Observation[]): string[] {
  return shown.map(({ nodeId, body }) => `${nodeId} ${body.kind}`);
}

test("observations are shown in order of time once the window has passed", () => {
  const merge = createMerge(options);
  merge.push(2, commit(2, 1, 1_000), 1_000);
  merge.push(1, commit(1, 1, 500), 1_500);
  expect(merge.take(50_400)).toEqual([]);
  expect(kinds(merge.take(50_500))).toEqual(["1 commit-advanced"]);
  expect(kinds(merge.take(51_000))).toEqual(["2 commit-advanced"]);
  expect(merge.size()).toBe(0);
});

test("a receive waits for its send, and what follows it in its stream waits with it", () => {
  const merge = createMerge(options);
  const sent = send(1, 1, 2, 1_000);
  merge.push(1, commit(1, 1, 900), 900);
  merge.push(2, receive(sent, 2_000), 2_000);
  merge.push(2, commit(2, 1, 3_000), 3_000);
  merge.push(3, commit(3, 1, 4_000), 4_000);
  expect(kinds(merge.take(100_000))).toEqual(["1 commit-advanced", "3 commit-advanced"]);
  expect(merge.size()).toBe(2);
  merge.push(1, sent, 110_000);
  expect(kinds(merge.take(110_000))).toEqual([
    "1 message-sent",
    "2 message-received",
    "2 commit-advanced",
  ]);
});

test("it waits in vain only so long, says so, and shows no send after its receive", () => {
  const merge = createMerge(options);
  const first = send(1, 1, 2, 1_000);
  const second = send(1, 2, 2, 1_100);
  merge.push(1, commit(1, 1, 900), 900);
  merge.push(2, receive(first, 2_000), 2_000);
  expect(kinds(merge.take(151_999))).toEqual(["1 commit-advanced"]);
  expect(kinds(merge.take(152_000))).toEqual(["1 gap", "2 message-received"]);

  // Silent now: the next receive does not wait, and no second gap is told.
  merge.push(2, receive(second, 160_000), 160_000);
  expect(kinds(merge.take(210_000))).toEqual(["2 message-received"]);

  merge.push(1, first, 300_000);
  merge.push(1, second, 300_000);
  merge.push(1, send(1, 3, 2, 1_200), 300_000);
  expect(kinds(merge.take(300_000))).toEqual([
    "1 messages-omitted",
    "1 messages-omitted",
    "1 message-sent",
  ]);
});

test("a sender that has told of later things will not tell of the send: nobody waits", () => {
  const merge = createMerge(options);
  merge.push(2, receive(send(1, 1, 2, 1_000), 2_000), 2_000);
  merge.push(1, commit(1, 1, 9_000), 9_000);
  expect(kinds(merge.take(60_000))).toEqual(["2 message-received", "1 commit-advanced"]);
});

test("nobody waits for a node that is gone or paused", () => {
  const merge = createMerge(options);
  merge.push(1, commit(1, 1, 500), 500);
  merge.setSilent(1, true);
  merge.push(2, receive(send(1, 1, 2, 1_000), 2_000), 2_000);
  expect(kinds(merge.take(52_000))).toEqual(["1 commit-advanced", "2 message-received"]);
});

test("our own observations take their place in time", () => {
  const merge = createMerge(options);
  merge.push(OWN_STREAM, { ...commit(0, 1, 1_000) }, 1_000);
  merge.push(1, commit(1, 1, 900), 1_200);
  expect(kinds(merge.take(60_000))).toEqual(["1 commit-advanced", "0 commit-advanced"]);
});

interface Arrival {
  readonly streamId: number;
  readonly arrivesUs: number;
  readonly observation: Observation;
}

/**
 * A history that could have happened: nodes send, messages arrive later, each node's stamps go
 * up, each stream brings its observations in order, late by whatever it is late at that moment.
 */
const histories = fc
  .array(
    fc.record({
      source: fc.integer({ min: 1, max: 4 }),
      target: fc.integer({ min: 1, max: 4 }),
      pauseUs: fc.integer({ min: 0, max: 20_000 }),
      flightUs: fc.integer({ min: 0, max: 80_000 }),
      lateUs: fc.integer({ min: 0, max: 100_000 }),
      received: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    const happenings: { timeUs: number; lateUs: number; observation: Observation }[] = [];
    const sequences = new Map<number, number>();
    let timeUs = 1_000;
    for (const { source, target, pauseUs, flightUs, lateUs, received } of steps) {
      timeUs += pauseUs + 1;
      const sequence = (sequences.get(source) ?? 0) + 1;
      sequences.set(source, sequence);
      const sent = send(source, sequence, target, timeUs);
      happenings.push({ timeUs, lateUs, observation: sent });
      if (!received) continue;
      const atUs = timeUs + flightUs + 1;
      happenings.push({ timeUs: atUs, lateUs, observation: receive(sent, atUs) });
    }
    const arrivals: Arrival[] = [];
    const arrivedUs = new Map<number, number>();
    const inTime = happenings.toSorted((left, right) => left.timeUs - right.timeUs);
    for (const { timeUs, lateUs, observation } of inTime) {
      const streamId = observation.nodeId;
      const arrivesUs = Math.max(timeUs + lateUs, arrivedUs.get(streamId) ?? 0);
      arrivedUs.set(streamId, arrivesUs);
      arrivals.push({ streamId, arrivesUs, observation });
    }
    return arrivals.toSorted((left, right) => left.arrivesUs - right.arrivesUs);
  });

function run(arrivals: readonly Arrival[]): Observation[] {
  const merge = createMerge(options);
  const shown: Observation[] = [];
  for (const { streamId, arrivesUs, observation } of arrivals) {
    merge.push(streamId, observation, arrivesUs);
    shown.push(...merge.take(arrivesUs));
  }
  shown.push(...merge.take(Number.MAX_SAFE_INTEGER));
  expect(merge.size()).toBe(0);
  return shown;
}

test("no receive precedes its send, nothing is lost, each stream keeps its order", () => {
  fc.assert(
    fc.property(histories, (arrivals) => {
      const shown = run(arrivals);
      const sends = new Set<string>();
      const told = new Set<string>();
      for (const { body } of shown) {
        if (body.kind === "message-sent") {
          expect(told).not.toContain(messageKey(body.id));
          sends.add(messageKey(body.id));
        } else if (body.kind === "message-received") told.add(messageKey(body.id));
      }
      // Everything that came in goes out once; a send told by its receive leaves its mark.
      const complete = shown.filter(({ body }) => body.kind !== "gap");
      expect(complete.length).toBe(arrivals.length);
      for (const streamId of [1, 2, 3, 4]) {
        const came = arrivals.filter((arrival) => arrival.streamId === streamId);
        const went = complete.filter(({ nodeId }) => nodeId === streamId);
        expect(went.map(({ timeUs }) => timeUs)).toEqual(
          came.map(({ observation }) => observation.timeUs),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test("while no stream is later than the wait, every send is shown before its receive", () => {
  fc.assert(
    fc.property(histories, (arrivals) => {
      const shown = run([
        // All have been heard of.
        ...[1, 2, 3, 4].map((nodeId) => ({
          streamId: nodeId,
          arrivesUs: 1,
          observation: commit(nodeId, 0, 1),
        })),
        ...arrivals,
      ]);
      const sends = new Set<string>();
      for (const { body } of shown) {
        expect(body.kind).not.toBe("gap");
        if (body.kind === "message-sent") sends.add(messageKey(body.id));
        if (body.kind === "message-received") expect(sends).toContain(messageKey(body.id));
      }
    }),
    { numRuns: 500 },
  );
});
