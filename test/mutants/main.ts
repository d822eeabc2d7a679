/**
 * Seeds until each mutant is killed, and by which oracle:
 *
 *     node test/mutants/main.ts [seeds] [part of a bug's sentence] [own]
 *
 * With `own`, each mutant in the world in which it is known to show; otherwise in all worlds.
 *
 * Exit code 0 only if all are killed.
 */
import { simulate } from "@raftarium/simulator";
import { loadMutant } from "./load.ts";
import { MUTANTS, nodeCountOf } from "./mutants.ts";

const seedsMax = Number(process.argv[2] ?? "1000");
const isOwn = process.argv[4] === "own";
let survivors = 0;
process.stdout.write("seeds  oracle                  mutant\n");
const chosen = MUTANTS.filter(({ bug }) => bug.includes(process.argv[3] ?? ""));
for (const mutant of chosen) {
  using loaded = await loadMutant(mutant);
  let killedBy = "";
  let seed = 0;
  while (killedBy === "" && seed < seedsMax) {
    seed += 1;
    const { sabotage } = loaded;
    const overrides = isOwn ? (mutant.world ?? {}) : {};
    const { violation } = simulate({
      seed,
      nodeCount: nodeCountOf(seed),
      seconds: isOwn ? 6 : 10,
      sabotage,
      overrides,
    });
    killedBy = violation?.invariant ?? "";
  }
  if (killedBy === "") survivors += 1;
  const seeds = killedBy === "" ? "alive" : String(seed);
  process.stdout.write(`${seeds.padStart(5)}  ${killedBy.padEnd(22)}  ${mutant.bug}\n`);
}
process.stdout.write(`${chosen.length} mutants, ${survivors} survived ${seedsMax} seeds\n`);
process.exitCode = survivors === 0 ? 0 : 1;
