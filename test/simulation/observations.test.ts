/** The invariants can be checked from outside, over nothing but what the nodes tell. */
import { createObservationChecker } from "@raftarium/checker";
import { simulate } from "@raftarium/simulator";
import type { Sabotage } from "@raftarium/simulator";
import { expect, test } from "vitest";
import { loadMutant } from "../mutants/load.ts";
import { MUTANTS } from "../mutants/mutants.ts";
import { nodeCountOf } from "../mutants/worlds.ts";

/** What an observer of the whole run says; the run itself ends at its own first violation. */
function watch(seed: number, sabotage: Sabotage = {}): readonly string[] {
  const checker = createObservationChecker();
  simulate({
    seed,
    nodeCount: nodeCountOf(seed, null),
    seconds: 6,
    sabotage,
    onObservation: (observation) => void checker.observe(observation),
  });
  return checker.violations.map(({ invariant, explanation }) => `${invariant}: ${explanation}`);
}

test("a good cluster is never accused", { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 25; seed += 1) expect(watch(seed)).toEqual([]);
});

test("a cluster that votes blindly is found out", { timeout: 120_000 }, async () => {
  const blind = MUTANTS.find(({ bug }) => bug.startsWith("votes are given without looking"))!;
  using loaded = await loadMutant(blind);
  const found: string[] = [];
  for (let seed = 1; seed <= 60 && found.length === 0; seed += 1) {
    found.push(...watch(seed, loaded.sabotage));
  }
  expect(found.join()).toMatch(/leader completeness|state-machine safety|log matching/);
});
