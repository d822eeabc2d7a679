/**
 * The simulation is worth what it catches: the classic bugs, each put into a copy of the real
 * source, and a life in which it shows. `node test/mutants/main.ts` searches for such lives.
 */
import { simulate } from "@raftarium/simulator";
import { describe, expect, test } from "vitest";
import { loadMutant } from "../mutants/load.ts";
import { MUTANTS, nodeCountOf } from "../mutants/mutants.ts";

/** Seeds lose their meaning when the world changes a little: look around, too. */
const SEEDS_AROUND = 40;

describe("a bug in the production code is caught", () => {
  for (const mutant of MUTANTS) {
    const { bug, seed: known } = mutant;
    if (known === null) continue;
    test(bug, { timeout: 300_000 }, async () => {
      using loaded = await loadMutant(mutant);
      let killedBy = "";
      for (let seed = known; killedBy === "" && seed < known + SEEDS_AROUND; seed += 1) {
        const { sabotage } = loaded;
        const result = simulate({ seed, nodeCount: nodeCountOf(seed), seconds: 10, sabotage });
        killedBy = result.violation?.invariant ?? "";
      }
      expect(killedBy).not.toBe("");
    });
  }
});

test("a patch that does not fit any more says so", async () => {
  const [first] = MUTANTS;
  const patches = [{ file: "replication.ts", from: "no such line", to: "" }];
  await expect(loadMutant({ ...first!, patches })).rejects.toThrow(
    /expected replication.ts of raft to have this once, found it 0 times: no such line/,
  );
});
