import type { Storage } from "@raftarium/node";
import { expect, test } from "vitest";
import { describeFault } from "./faults.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulation.ts";
import type { SimulationOptions } from "./simulation.ts";

/** A storage that calls writes durable before they are. */
function hasty(storage: Storage, soon: (task: () => void) => void): Storage {
  return {
    recovered: storage.recovered,
    persist(write, done) {
      storage.persist(write, () => undefined);
      soon(done);
    },
    writeSnapshotChunk: (chunk, done) => storage.writeSnapshotChunk(chunk, done),
    readSnapshotChunk: (index, offset, bytesMax, done) =>
      storage.readSnapshotChunk(index, offset, bytesMax, done),
    compact: (throughIndex) => storage.compact(throughIndex),
    stats: () => storage.stats(),
    close: (done) => storage.close(done),
  };
}

test(
  "the faults that were injected, given as a schedule, make the same life",
  { timeout: 120_000 },
  () => {
    let faults = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const options: SimulationOptions = { seed, nodeCount: 5, seconds: 4 };
      const drawn = simulate(options);
      // Some seeds are calm.
      if (drawn.schedule.length === 0) continue;
      faults += drawn.schedule.length;
      const replayed = simulate({ ...options, schedule: drawn.schedule });
      expect(replayed.traceHash).toBe(drawn.traceHash);
      const none = simulate({ ...options, schedule: [] });
      expect(none.traceHash).not.toBe(drawn.traceHash);
      expect(none.violation).toBeNull();
    }
    expect(faults).toBeGreaterThan(20);
  },
);

test("a failure is shrunk to the faults that it needs", { timeout: 120_000 }, () => {
  const options: SimulationOptions = {
    seed: 1,
    nodeCount: 5,
    seconds: 4,
    sabotage: { wrapStorage: hasty },
  };
  let failing = options;
  while (simulate(failing).violation === null) failing = { ...failing, seed: failing.seed + 1 };
  const before = simulate(failing);
  const shrunk = shrink(failing)!;
  expect(shrunk.result.violation?.invariant).toBe(before.violation?.invariant);
  expect(simulate(shrunk.options).violation).toEqual(shrunk.result.violation);
  const schedule = shrunk.options.schedule!;
  expect(schedule.length, schedule.map(describeFault).join()).toBeLessThan(6);
  expect(before.schedule.length).toBeGreaterThan(schedule.length);
  for (const needed of schedule) {
    const rest = schedule.filter((fault) => fault !== needed);
    const without = simulate({ ...shrunk.options, schedule: rest });
    expect(without.violation?.invariant, describeFault(needed)).not.toBe(
      before.violation?.invariant,
    );
  }
});

test("what fails nowhere can't be shrunk", { timeout: 60_000 }, () => {
  expect(shrink({ seed: 1, nodeCount: 3, seconds: 2 })).toBeNull();
});
