/**
 * Loss of power at every moment. A script of writes runs over a MemoryDisk; after each disk
 * operation the disk is copied, loses power in many ways (each unsynced sector and name there or
 * not), and is opened by the real code. What comes back must be exactly the state after some
 * prefix of the writes, and no shorter one than what was acknowledged.
 *
 * The order of events within one image is the one of the ALICE and CrashMonkey papers: all
 * subsets of what no sync covers, here the telling ones (nothing, everything, each single one
 * there or lost) and a number of random ones.
 */
import { describe, expect, test } from "vitest";

import type { OpenedStorage } from "./storage.ts";
import {
  beginScript,
  check,
  checkAfterwards,
  compact,
  persist,
  snapshot,
} from "./testing-model.ts";
import type { Script, Step } from "./testing-model.ts";
import { Chances, Rig, entries, entry, hard } from "./testing.ts";

/** Ways to lose power: a chooser for each. `choices` is about how many there are to make. */
function* waysToCrash(choices: number, randomCount: number, seed: number) {
  yield { name: "nothing unsynced is there", integer: (min: number) => min };
  if (choices === 0) return;
  yield { name: "everything is there", integer: (_: number, max: number) => max };
  for (let at = 0; at < Math.min(choices, 6); at += 1) {
    let seen = 0;
    yield { name: `only ${at} is there`, integer: () => Number(seen++ === at) };
    let counted = 0;
    yield { name: `only ${at} is lost`, integer: () => Number(counted++ !== at) };
  }
  for (let one = 0; one < randomCount; one += 1) {
    const chances = new Chances(seed * 1000 + one);
    yield { name: `chance ${one}`, integer: chances.integer.bind(chances) };
  }
}

interface Plan {
  readonly name: string;
  readonly steps: readonly Step[];
  /** How many steps are asked for before the disk may do anything. */
  readonly inFlight: number;
}

/** Runs the plan, and calls `moment` after every disk operation. */
function play(plan: Plan, moment: (rig: Rig, script: Script) => void): void {
  const script = beginScript({ hardState: hard(0, null), snapshot: null, entries: [] });
  const rig = new Rig();
  const opened: OpenedStorage[] = [];
  rig.begin((_, storage) => opened.push(storage!));
  while (opened.length === 0 && rig.step()) moment(rig, script);
  for (let at = 0; at < plan.steps.length; at += plan.inFlight) {
    for (const step of plan.steps.slice(at, at + plan.inFlight)) step(opened[0]!, script);
    moment(rig, script);
    for (const _tick of ["busy", "calm", "marked"]) {
      while (rig.step()) moment(rig, script);
      rig.tick();
    }
  }
}

const votes = [
  persist(hard(1, 3), []),
  persist(null, entries(1, 3, 1)),
  persist(hard(1, 3, 2), [], false),
  persist(hard(2, null), [entry(3, 2, 900)]),
  persist(hard(3, 1), []),
  persist(null, entries(4, 6, 3, 400)),
];
const growing = Array.from({ length: 14 }, (_, at) =>
  persist(
    at % 3 === 0 ? hard(at + 1, (at % 5) + 1) : null,
    [entry(at + 1, at + 1, 700)],
    at % 4 !== 1,
  ),
);

const large = Array.from({ length: 14 }, (_, at) => persist(null, [entry(at + 1, at + 1, 1700)]));

const plans: readonly Plan[] = [
  { name: "votes and replaced entries, one at a time", steps: votes, inFlight: 1 },
  { name: "votes and replaced entries, all at once", steps: votes, inFlight: 9 },
  { name: "many segments", steps: growing, inFlight: 2 },
  {
    name: "own snapshots and compaction",
    steps: [
      ...large,
      snapshot("local", 8, 8),
      compact(8),
      persist(hard(20, 2), [entry(15, 20, 600)]),
      snapshot("local", 12, 12, 2000),
      compact(12),
      persist(null, [entry(14, 21, 600), entry(15, 21, 300)]),
    ],
    inFlight: 3,
  },
  {
    name: "a leader's snapshot ahead of the log, then entries after it",
    steps: [
      persist(hard(2, 1), entries(1, 5, 2, 200)),
      snapshot("received", 30, 2),
      persist(null, entries(31, 33, 2, 500)),
      persist(hard(4, null), [entry(32, 4, 900)]),
      compact(30),
      snapshot("received", 60, 4),
      persist(null, entries(61, 61, 4)),
    ],
    inFlight: 2,
  },
  {
    name: "a leader's snapshot that contradicts the log, or agrees with it",
    steps: [
      persist(hard(2, 1), entries(1, 9, 2, 100)),
      snapshot("received", 4, 2),
      persist(null, entries(10, 10, 2)),
      snapshot("received", 8, 3),
      persist(hard(3, null), entries(9, 10, 3)),
    ],
    inFlight: 1,
  },
];

describe("power may fail at any moment", () => {
  for (const plan of plans) {
    test(
      plan.name,
      () => {
        let moments = 0;
        let images = 0;
        play(plan, (rig, script) => {
          moments += 1;
          const choices = rig.disk.pendingCount;
          for (const way of waysToCrash(choices, 4, moments)) {
            const image = new Rig(rig);
            image.disk.crash(way);
            images += 1;
            const label = `moment ${moments}, ${way.name}`;
            const before = images % 3 === 0 ? new Rig(image) : null;
            check(image, script, label);
            if (before !== null) checkAfterwards(before, label);
          }
        });
        expect(images).toBeGreaterThan(200);
      },
      60_000,
    );
  }

  test("and again while a node recovers from the first time", () => {
    let images = 0;
    play(plans[3]!, (rig, script) => {
      if (rig.disk.pendingCount === 0) return;
      const chances = new Chances(rig.completed);
      const first = new Rig(rig);
      first.disk.crash(chances);
      first.begin(() => undefined);
      for (let step = 0; first.step(); step += 1) {
        if (first.disk.pendingCount === 0 && step % 4 !== 0) continue;
        const second = new Rig(first);
        second.disk.crash(chances);
        images += 1;
        check(second, script, `operation ${rig.completed}, then ${step} of recovery`);
      }
    });
    expect(images).toBeGreaterThan(200);
  }, 60_000);

  test("kill -9 loses nothing that was written", () => {
    play(plans[3]!, (rig, script) => {
      const image = new Rig(rig);
      check(image, script, `operation ${rig.completed}`);
      checkAfterwards(new Rig(rig), `operation ${rig.completed}`);
    });
  });
});
