/** `pnpm mutants`: see `options.ts` for what it takes. */
import { simulate } from "@raftarium/simulator";
import type { Sabotage } from "@raftarium/simulator";
import { print, runCommand } from "../command.ts";
import { hunt } from "../explore/hunt.ts";
import { loadWindowedCore } from "../explore/window.ts";
import { loadMutant } from "./load.ts";
import { MUTANTS } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import { readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { runUnitTests } from "./unit-tests.ts";
import { nodeCountOf } from "./worlds.ts";
import type { World } from "./worlds.ts";

/** After the first seed that kills, so many more are run, for what else they find. */
const SEEDS_MORE = 20;
/** No mutant is worth more: a hopeless one would take an hour. */
const SIMULATION_MS_MAX = 40_000;

await runCommand({ usage: USAGE, readOptions, run: main });

async function main({ only, first, count, seedsMax }: Options): Promise<number> {
  const chosen = MUTANTS.filter(({ bug }) => bug.includes(only)).slice(
    first - 1,
    first - 1 + count,
  );
  if (chosen.length === 0) {
    throw new Error(
      `cannot find the bug: expected part of a sentence, got "${only}" from ${first}`,
    );
  }
  print("| Bug | Simulation: seed, broken promise | Search: steps, broken promise | Own tests |");
  print("| --- | --- | --- | --- |");
  let survivors = 0;
  for (const mutant of chosen) {
    const simulated = await simulation(mutant, seedsMax);
    const searched = await search(mutant);
    const tested = tests(mutant);
    if (!simulated.isFound && !tested.isFound) survivors += 1;
    print(`| ${mutant.bug} | ${simulated.text} | ${searched} | ${tested.text} |`);
  }
  print("");
  print(`${chosen.length} bugs, ${survivors} of them found neither by simulation nor by tests.`);
  return survivors === 0 ? 0 : 1;
}

interface Finding {
  readonly isFound: boolean;
  readonly text: string;
}

/** For each broken promise the first seed that shows it. */
async function simulation(mutant: Mutant, seedsMax: number): Promise<Finding> {
  const { world } = mutant;
  if (world === null) return { isFound: false, text: "–" };
  using loaded = await loadMutant(mutant);
  const startMs = performance.now();
  const firstSeeds = new Map<string, number>();
  let seedEnd = seedsMax;
  let seed = 0;
  while (seed < seedEnd && performance.now() - startMs < SIMULATION_MS_MAX) {
    seed += 1;
    const invariant = brokenBy(world, loaded.sabotage, seed);
    if (invariant !== null && !firstSeeds.has(invariant)) {
      if (firstSeeds.size === 0) seedEnd = Math.min(seedsMax, seed + SEEDS_MORE);
      firstSeeds.set(invariant, seed);
    }
  }
  if (firstSeeds.size === 0) return { isFound: false, text: `none in ${seed} seeds` };
  const text = [...firstSeeds].map(([invariant, at]) => `${at}: ${invariant}`).join(", ");
  return { isFound: true, text };
}

function brokenBy(world: World, sabotage: Sabotage, seed: number): string | null {
  const nodeCount = nodeCountOf(seed, world);
  const options = { seed, nodeCount, seconds: 6, sabotage, overrides: world };
  return simulate(options).violation?.invariant ?? null;
}

async function search(mutant: Mutant): Promise<string> {
  if (mutant.packageName !== "raft") return "–";
  const { found, states } = hunt(await loadWindowedCore(mutant.patches));
  if (found === null || found.found === null)
    return `none in ${states.toLocaleString("en-US")} states`;
  const { path, violation } = found.found;
  return `${path.length}: ${violation.invariant}`;
}

function tests(mutant: Mutant): Finding {
  const { testCount, failed } = runUnitTests(mutant);
  const text = failed.length === 0 ? `none of ${testCount}` : `${failed.length} of ${testCount}`;
  return { isFound: failed.length > 0, text };
}
