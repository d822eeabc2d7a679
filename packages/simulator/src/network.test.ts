import type { Envelope } from "@raftarium/node";
import { expect, test } from "vitest";
import { createChance } from "./chance.ts";
import { createFaultCounts } from "./fault-counts.ts";
import { createNetwork } from "./network.ts";
import type { NetworkSettings } from "./network.ts";
import { createTimeline } from "./timeline.ts";

const CALM: NetworkSettings = {
  delayUsMin: 100,
  jitterUs: 1000,
  dropRate: 0,
  duplicateRate: 0,
  reorder: false,
  cutsStopFlying: true,
};

function createWorld(settings: NetworkSettings) {
  const timeline = createTimeline();
  const counts = createFaultCounts();
  const arrived: number[] = [];
  const network = createNetwork(4, settings, {
    timeline,
    chance: createChance(1),
    counts,
    deliver: (envelope) => arrived.push(envelope.sequence),
  });
  const send = (sequence: number, source = 1, target = 2): void => {
    const message = { type: "timeout-now", term: 1 } as const;
    const envelope: Envelope = {
      source,
      target,
      incarnation: 1,
      sequence,
      sentAtUs: timeline.nowUs(),
      message,
    };
    network.send(envelope);
  };
  const run = (untilUs: number): void => {
    while (timeline.step(untilUs));
  };
  return { network, send, run, arrived, counts };
}

const SEQUENCES = Array.from({ length: 200 }, (_, at) => at + 1);

test("a link keeps its order unless it is told to reorder", () => {
  const calm = createWorld(CALM);
  for (const sequence of SEQUENCES) calm.send(sequence);
  calm.run(1_000_000);
  expect(calm.arrived).toEqual(SEQUENCES);
  const wild = createWorld({ ...CALM, reorder: true });
  for (const sequence of SEQUENCES) wild.send(sequence);
  wild.run(1_000_000);
  expect(wild.arrived).not.toEqual(SEQUENCES);
  expect(wild.arrived.toSorted((left, right) => left - right)).toEqual(SEQUENCES);
});

test("a cut stops one direction, and what flies when it begins", () => {
  const { network, send, run, arrived } = createWorld(CALM);
  send(1);
  network.cut(1, 2);
  send(2);
  send(3, 2, 1);
  run(1_000_000);
  expect(arrived).toEqual([3]);
  network.mend(1, 2);
  send(4);
  run(2_000_000);
  expect(arrived).toEqual([3, 4]);
});

test("a cut may spare what flies when it begins", () => {
  const { network, send, run, arrived } = createWorld({ ...CALM, cutsStopFlying: false });
  send(1);
  network.cut(1, 2);
  send(2);
  run(1_000_000);
  expect(arrived).toEqual([1]);
});

test("overlapping cuts need a mending each; healing mends all and keeps quiet", () => {
  const { network, send, run, arrived } = createWorld({ ...CALM, dropRate: 1 });
  network.cut(1, 2);
  network.cut(1, 2);
  network.mend(1, 2);
  send(1);
  network.heal([1, 2]);
  send(2);
  send(3, 1, 3);
  run(1_000_000);
  expect(arrived).toEqual([2]);
});

test("loss and duplication happen as often as asked, and are counted", () => {
  const { send, run, arrived, counts } = createWorld({
    ...CALM,
    dropRate: 0.25,
    duplicateRate: 0.5,
  });
  for (const sequence of SEQUENCES) send(sequence);
  run(1_000_000);
  const kinds = Object.fromEntries(counts.entries());
  expect(kinds["message dropped"]).toBeGreaterThan(25);
  expect(kinds["message dropped"]).toBeLessThan(75);
  expect(new Set(arrived).size).toBe(200 - kinds["message dropped"]!);
  expect(arrived.length).toBe(new Set(arrived).size + kinds["message duplicated"]!);
});
