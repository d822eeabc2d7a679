/** `pnpm explore`: see `options.ts` for what it takes. */
import { print, runCommand } from "../command.ts";
import { MUTANTS } from "../mutants/mutants.ts";
import type { Mutant } from "../mutants/mutants.ts";
import { describeBounds } from "./bounds.ts";
import { explore } from "./explore.ts";
import type { Explored } from "./explore.ts";
import { readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { loadWindowedCore } from "./window.ts";
import { WORLDS } from "./worlds.ts";
import type { World } from "./worlds.ts";

await runCommand({ usage: USAGE, readOptions, run: main });

async function main(options: Options): Promise<number> {
  if (options.list) {
    for (const { name, about, bounds } of WORLDS) {
      print(`${name.padEnd(12)}${about}\n${" ".repeat(12)}${describeBounds(bounds)}`);
    }
    return 0;
  }
  const mutant = options.mutant === null ? null : mutantOf(options.mutant);
  if (mutant !== null && !options.json) print(`the core has a bug: ${mutant.bug}\n`);
  const create = await loadWindowedCore(mutant?.patches ?? []);
  let violations = 0;
  for (const world of options.worlds) {
    const startMs = performance.now();
    const isTerminal = process.stderr.isTTY && !options.json;
    const result = explore(create, world.bounds, {
      statesMax: options.statesMax,
      preVote: options.preVote,
      report: ({ states, depth, waiting }) => {
        if (!isTerminal) return;
        process.stderr.write(
          `\r${grouped(states)} states, depth ${depth}, ${grouped(waiting)} to go  `,
        );
      },
    });
    if (isTerminal) process.stderr.write("\r\u001B[K");
    const seconds = (performance.now() - startMs) / 1000;
    if (options.json) printJson(world, result, seconds);
    else printResult(world, result, seconds);
    if (result.found !== null) violations += 1;
  }
  return violations === 0 ? 0 : 1;
}

function mutantOf(text: string): Mutant {
  const found = MUTANTS.filter((mutant) => mutant.bug.includes(text));
  const [mutant] = found.filter(({ packageName }) => packageName === "raft");
  if (mutant !== undefined) return mutant;
  throw new Error(`cannot find the mutant: expected a bug of the core, got "${text}"`);
}

function printResult({ name, about, bounds }: World, result: Explored, seconds: number): void {
  const { states, namedStates, depth, steps, waiting, isExhausted, found, story } = result;
  const rate = Math.round(states / Math.max(seconds, 0.001));
  print(`${name}: ${about}`);
  print(`  ${describeBounds(bounds)}`);
  print(
    `  ${grouped(states)} states (${grouped(namedStates)} with the nodes' names), ` +
      `${grouped(steps)} steps, depth ${depth}; ${seconds.toFixed(1)} s, ${grouped(rate)} states/s`,
  );
  if (found !== null) {
    print(`  VIOLATION of ${found.violation.invariant}, ${found.path.length} steps from the start`);
    print("");
    for (const line of story) print(line);
  } else if (isExhausted) {
    print(`  no violation: that was all of it (${collisionChance(states)})`);
  } else {
    print(`  no violation so far: ${grouped(waiting)} states were not looked at further`);
  }
  print("");
}

function printJson(world: World, result: Explored, seconds: number): void {
  const { found, story, ...figures } = result;
  const violation = found?.violation ?? null;
  // JSON knows no infinity.
  const bounds = Object.fromEntries(
    Object.entries(world.bounds).map(([name, bound]) => [name, bound === Infinity ? "any" : bound]),
  );
  print(JSON.stringify({ world: world.name, bounds, ...figures, seconds, violation, story }));
}

/** Two states with one fingerprint of 64 bits would be taken for one. */
function collisionChance(states: number): string {
  const chance = (states * (states - 1)) / 2 / 2 ** 64;
  return `unless two states share a fingerprint: odds of about ${chance.toExponential(0)}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
