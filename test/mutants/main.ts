/** `pnpm mutants`: see `options.ts` for what it takes. */
import { print, runCommand } from "../command.ts";
import { hunt } from "../explore/hunt.ts";
import { loadWindowedCore } from "../explore/window.ts";
import { loadMutant } from "./load.ts";
import { MUTANTS } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import { readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { askOracles, ORACLES } from "./oracles.ts";
import type { Limits, Verdicts } from "./oracles.ts";
import { runUnitTests } from "./unit-tests.ts";

const ORACLES_MS_MAX = 60_000;
const ANY_MS_MAX = 90_000;
const NONE = "–";
const NOT_TRIED = "";

await runCommand({ usage: USAGE, readOptions, run: main });

async function main(options: Options): Promise<number> {
  const { only, first, count, oracleSeeds, seedsMax } = options;
  const chosen = MUTANTS.filter(({ bug }) => bug.includes(only)).slice(
    first - 1,
    first - 1 + count,
  );
  if (chosen.length === 0) {
    throw new Error(
      `cannot find the bug: expected part of a sentence, got "${only}" from ${first}`,
    );
  }
  const limits = { oracleSeeds, seedsMax, oraclesMsMax: ORACLES_MS_MAX, anyMsMax: ANY_MS_MAX };
  const { tellEnd } = progressOf(chosen.length);
  const heads = ["Bug", "killed by seed", ...ORACLES];
  if (!options.simulationOnly) heads.push("`pnpm explore`: steps, promise", "own tests");
  print(row(heads));
  print(row(heads.map(() => "---")));
  let survivors = 0;
  for (const mutant of chosen) {
    const simulated = await simulation(mutant, limits);
    const cells = [mutant.bug, ...simulated.cells];
    let { isFound } = simulated;
    if (!options.simulationOnly) {
      const tested = tests(mutant);
      isFound ||= tested.isFound;
      cells.push(await search(mutant), tested.text);
    }
    if (!isFound) survivors += 1;
    print(row(cells));
    tellEnd(mutant, isFound);
  }
  print("");
  print(`${NONE}: in none of seeds 1 to ${oracleSeeds}, unless it says otherwise.`);
  const finders = options.simulationOnly
    ? "not by simulation"
    : "neither by simulation nor by tests";
  print(`${chosen.length} bugs, ${survivors} of them found ${finders}.`);
  return survivors === 0 ? 0 : 1;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** For people who wait: on stderr, so that stdout is the table alone. */
function progressOf(total: number): { tellEnd: (mutant: Mutant, isFound: boolean) => void } {
  const startMs = performance.now();
  let ended = 0;
  return {
    tellEnd({ bug }, isFound) {
      ended += 1;
      const spentSeconds = (performance.now() - startMs) / 1000;
      const toGo = Math.round((spentSeconds / ended) * (total - ended));
      const verdict = isFound ? "found" : "NOT FOUND";
      const time = ended === total ? "the last one" : `about ${toGo} s to go`;
      process.stderr.write(`${ended} of ${total}, ${time}: ${verdict}: ${bug}\n`);
    },
  };
}

interface Simulated {
  readonly isFound: boolean;
  /** Of the first seed that any oracle takes, then of each oracle. */
  readonly cells: readonly string[];
}

async function simulation(mutant: Mutant, limits: Limits): Promise<Simulated> {
  const { world } = mutant;
  if (world === null)
    return { isFound: false, cells: [NOT_TRIED, ...ORACLES.map(() => NOT_TRIED)] };
  using loaded = await loadMutant(mutant);
  const verdicts = askOracles(world, loaded.sabotage, limits);
  const seeds = [...verdicts.first.values()].map(({ seed }) => seed);
  const isFound = seeds.length > 0;
  const killedBy = isFound ? String(Math.min(...seeds)) : `none of ${verdicts.seeds}`;
  return { isFound, cells: [killedBy, ...oracleCells(verdicts, limits)] };
}

function oracleCells({ first, seedsToTheEnd }: Verdicts, { oracleSeeds }: Limits): string[] {
  return ORACLES.map((oracle) => {
    const accusation = first.get(oracle);
    if (accusation === undefined) {
      return seedsToTheEnd < oracleSeeds ? `${NONE} in ${seedsToTheEnd}` : NONE;
    }
    const { seed, invariant } = accusation;
    return oracle === "invariants" ? `${seed}: ${invariant}` : String(seed);
  });
}

async function search(mutant: Mutant): Promise<string> {
  if (mutant.packageName !== "raft") return NOT_TRIED;
  const { found, states } = hunt(await loadWindowedCore(mutant.patches));
  if (found === null || found.found === null)
    return `${NONE} in ${states.toLocaleString("en-US")} states`;
  const { path, violation } = found.found;
  return `${path.length}: ${violation.invariant}`;
}

function tests(mutant: Mutant): { readonly isFound: boolean; readonly text: string } {
  const { testCount, failed } = runUnitTests(mutant);
  const text = failed.length === 0 ? `none of ${testCount}` : `${failed.length} of ${testCount}`;
  return { isFound: failed.length > 0, text };
}
