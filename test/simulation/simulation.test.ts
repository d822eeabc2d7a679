import { readFileSync } from "node:fs";
import { checkLinearizable } from "@raftarium/checker";
import { explain, FAULT_KINDS, simulate } from "@raftarium/simulator";
import type { SimulationResult } from "@raftarium/simulator";
import { describe, expect, test } from "vitest";

const SECONDS = 10;

/** Fails with the story of the seed, so that the report alone is enough to begin with. */
function expectGood(result: SimulationResult, nodeCount: number, seconds: number): void {
  if (result.violation === null) return;
  const { seed } = result;
  throw new Error(
    `seed ${seed} violates ${result.violation.invariant}; replay: ` +
      `pnpm simulate --seed ${seed} --nodes ${nodeCount} --seconds ${seconds} --explain\n` +
      explain({ seed, nodeCount, seconds, linesMax: 40 }),
  );
}

describe("the production code in a virtual world", () => {
  test("keeps every promise in a hundred lives of ten seconds", { timeout: 300_000 }, () => {
    const kinds = new Set<string>();
    let committed = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const nodeCount = seed % 2 === 0 ? 3 : 5;
      const result = simulate({ seed, nodeCount, seconds: SECONDS });
      expectGood(result, nodeCount, SECONDS);
      for (const [kind] of result.faults) kinds.add(kind);
      committed += result.committedCount;
      if (seed % 5 === 0) expect(checkLinearizable(result.history).verdict).toBe("ok");
    }
    // It is no proof if nothing happened.
    expect([...kinds]).toEqual(expect.arrayContaining([...FAULT_KINDS]));
    expect([...kinds]).toContain("refused: too much is uncommitted");
    expect(committed).toBeGreaterThan(4000);
  });

  test("gives one seed one life: the trace is the same, watched or not", () => {
    for (const seed of [3, 2 ** 40, -5]) {
      const options = { seed, nodeCount: 5, seconds: 5 };
      const first = simulate(options);
      let observations = 0;
      const watched = simulate({
        ...options,
        onObservation() {
          observations += 1;
        },
      });
      expect(watched.traceHash).toBe(first.traceHash);
      expect(watched.eventCount).toBe(first.eventCount);
      expect(watched.history).toEqual(first.history);
      expect(observations).toBeGreaterThan(100);
      expect(simulate({ ...options, seed: seed + 1 }).traceHash).not.toBe(first.traceHash);
    }
  });
});

describe("seeds that once failed", () => {
  const lines = readFileSync(new URL("seeds.txt", import.meta.url), "utf8").split("\n");
  for (const line of lines) {
    const [, seed, nodes, seconds, reason] = /^(-?\d+) (\d+) (\d+) (.+)$/.exec(line) ?? [];
    if (reason === undefined) continue;
    test(`${seed}: ${reason}`, () => {
      const nodeCount = Number(nodes);
      const result = simulate({ seed: Number(seed), nodeCount, seconds: Number(seconds) });
      expectGood(result, nodeCount, Number(seconds));
    });
  }
});
