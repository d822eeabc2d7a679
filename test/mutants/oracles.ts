/** What in the simulation can find a bug, and the first seed at which each does, by itself. */
import type { Violation } from "@raftarium/checker";
import { simulate } from "@raftarium/simulator";
import type { Sabotage } from "@raftarium/simulator";
import { nodeCountOf } from "./worlds.ts";
import type { World } from "./worlds.ts";

const SIMULATED_SECONDS = 6;

/** Heads of columns. The invariants are whatever the others are not. */
export const ORACLES = [
  "assertions of the code",
  "invariants",
  "second oracle",
  "search for an order",
  "progress, one state",
] as const;
export type Oracle = (typeof ORACLES)[number];

export interface Accusation {
  readonly seed: number;
  /** The promise that was broken. */
  readonly invariant: string;
}

export interface Verdicts {
  /** The first of each; who is missing accused nobody. */
  readonly first: ReadonlyMap<Oracle, Accusation>;
  /** Runs that every oracle saw to their end, from seed 1 on. */
  readonly seedsToTheEnd: number;
  /** Runs in all. */
  readonly seeds: number;
}

export interface Limits {
  /** For each oracle. */
  readonly oracleSeeds: number;
  /** For any of them. */
  readonly seedsMax: number;
  /** No bug is worth more: a hopeless one would take an hour. */
  readonly oraclesMsMax: number;
  readonly anyMsMax: number;
}

/**
 * Runs seeds whose runs go on after a broken promise, so that each oracle is asked as if it were
 * the only one, until all have accused. Then, if none has, seeds until any does.
 */
export function askOracles(world: World, sabotage: Sabotage, limits: Limits): Verdicts {
  const first = new Map<Oracle, Accusation>();
  const startMs = performance.now();
  const passedMs = (): number => performance.now() - startMs;
  let seed = 0;
  const run = (toTheEnd: boolean): void => {
    seed += 1;
    const options = { seed, nodeCount: nodeCountOf(seed, world), seconds: SIMULATED_SECONDS };
    const { violations } = simulate({ ...options, sabotage, overrides: world, toTheEnd });
    for (const { invariant } of violations) {
      const oracle = oracleOf(invariant);
      if (!first.has(oracle)) first.set(oracle, { seed, invariant });
    }
  };
  while (
    seed < limits.oracleSeeds &&
    first.size < ORACLES.length &&
    passedMs() < limits.oraclesMsMax
  ) {
    run(true);
  }
  const seedsToTheEnd = seed;
  while (first.size === 0 && seed < limits.seedsMax && passedMs() < limits.anyMsMax) run(false);
  return { first, seedsToTheEnd, seeds: seed };
}

export function oracleOf(invariant: Violation["invariant"]): Oracle {
  switch (invariant) {
    case "no crash of its own":
      return "assertions of the code";
    case "client answers":
      return "second oracle";
    case "linearizability":
      return "search for an order";
    case "progress":
    case "convergence":
      return "progress, one state";
    default:
      return "invariants";
  }
}
