/**
 * The simulation is worth what it catches: the classic bugs, each put into a copy of the real
 * source, in a world in which it shows soon.
 */
import { simulate } from "@raftarium/simulator";
import { describe, expect, test } from "vitest";
import { loadMutant } from "../mutants/load.ts";
import { MUTANTS } from "../mutants/mutants.ts";
import { askOracles, oracleOf, ORACLES } from "../mutants/oracles.ts";
import { nodeCountOf } from "../mutants/worlds.ts";

const SEEDS_MAX = 1000;
const CLEAN_SEEDS = 10;

describe("a bug in the production code is caught", () => {
  for (const mutant of MUTANTS) {
    const { bug, world } = mutant;
    if (world === null) continue;
    test(bug, { timeout: 300_000 }, async () => {
      using loaded = await loadMutant(mutant);
      let killedBy = "";
      for (let seed = 1; killedBy === "" && seed <= SEEDS_MAX; seed += 1) {
        const { sabotage } = loaded;
        const nodeCount = nodeCountOf(seed, world);
        const result = simulate({ seed, nodeCount, seconds: 6, sabotage, overrides: world });
        killedBy = result.violation?.invariant ?? "";
      }
      expect(killedBy).not.toBe("");
    });
  }
});

test("without a bug nothing is accused in any of these worlds", { timeout: 300_000 }, () => {
  const all = new Set(MUTANTS.flatMap(({ world }) => (world === null ? [] : [world])));
  for (const world of all) {
    for (let seed = 1; seed <= CLEAN_SEEDS; seed += 1) {
      const nodeCount = nodeCountOf(seed, world);
      const { violation } = simulate({ seed, nodeCount, seconds: 6, overrides: world });
      expect(violation).toBeNull();
    }
  }
});

test("each oracle is asked as if it were the only one", { timeout: 60_000 }, async () => {
  const mutant = MUTANTS.find(({ bug }) => bug.startsWith("a reply sets matchIndex"))!;
  const world = mutant.world!;
  using loaded = await loadMutant(mutant);
  const limits = { oracleSeeds: 20, seedsMax: 20, oraclesMsMax: 60_000, anyMsMax: 60_000 };
  const { first } = askOracles(world, loaded.sabotage, limits);
  expect([...first.keys()].toSorted()).toEqual([...ORACLES].toSorted());
  // A run that ends at the first broken promise does not come to what the second oracle sees.
  const { seed } = first.get("second oracle")!;
  const options = { seed, nodeCount: nodeCountOf(seed, world), seconds: 6, overrides: world };
  const stopped = simulate({ ...options, sabotage: loaded.sabotage });
  expect(stopped.violations.map(({ invariant }) => oracleOf(invariant))).toEqual(["invariants"]);
});

test("who goes on to the end runs the same where nothing is broken", { timeout: 60_000 }, () => {
  const options = { seed: 1, nodeCount: 5, seconds: 6 };
  const { traceHash, violations } = simulate({ ...options, toTheEnd: true });
  expect(violations).toEqual([]);
  expect(traceHash).toBe(simulate(options).traceHash);
});

test("a patch that does not fit any more says so", async () => {
  const [first] = MUTANTS;
  const patches = [{ file: "replication.ts", from: "no such line", to: "" }];
  await expect(loadMutant({ ...first!, patches })).rejects.toThrow(
    /expected replication.ts of raft to have this once, found it 0 times: no such line/,
  );
});
