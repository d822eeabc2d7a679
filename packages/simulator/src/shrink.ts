/** Makes a failing run smaller while it still breaks the same promise. */
import type { InjectedFault } from "./faults.ts";
import { simulate } from "./simulation.ts";
import type { SimulationOptions, SimulationResult } from "./simulation.ts";
import type { Swarm } from "./swarm.ts";

export interface Shrunk {
  /** Run these, and it fails. */
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
  /** Faults that the whole run had before it failed. */
  readonly faultsBefore: number;
  /** What else it fails without, each in a few words. */
  readonly needless: readonly string[];
  /** None of the faults that are left can be left out; false: there was no time to try that. */
  readonly isSmallest: boolean;
  /** Runs that it took. */
  readonly runCount: number;
}

export interface ShrinkProgress {
  readonly runCount: number;
  /** Faults that are left. */
  readonly faults: number;
}

const RUNS_MAX = 400;
/** Fewer nodes are another story. */
const NODES_MIN = 3;
/** No client of a run gets so far. */
const NEVER = 1_000_000;

interface Simplification {
  readonly name: string;
  /** null: it is as simple as that already. */
  readonly of: (swarm: Swarm) => Partial<Swarm> | null;
}

/** What makes a story longer without, mostly, being needed for its point. */
const SIMPLIFICATIONS: readonly Simplification[] = [
  {
    name: "messages that come twice",
    of: ({ network }) =>
      network.duplicateRate === 0 ? null : { network: { ...network, duplicateRate: 0 } },
  },
  {
    name: "messages lost by chance",
    of: ({ network }) => (network.dropRate === 0 ? null : { network: { ...network, dropRate: 0 } }),
  },
  {
    name: "messages that overtake each other",
    of: ({ network }) => (network.reorder ? { network: { ...network, reorder: false } } : null),
  },
  {
    name: "messages of different speed",
    of: ({ network }) => (network.jitterUs === 0 ? null : { network: { ...network, jitterUs: 0 } }),
  },
  {
    name: "syncs of different speed",
    of: ({ syncJitterUs }) => (syncJitterUs === 0 ? null : { syncJitterUs: 0 }),
  },
  {
    name: "snapshots",
    of: ({ snapshotEntries }) => (snapshotEntries < NEVER ? { snapshotEntries: NEVER } : null),
  },
  {
    name: "revisions that are forgotten",
    of: ({ historyRevisionsMax }) =>
      historyRevisionsMax < NEVER ? { historyRevisionsMax: NEVER } : null,
  },
  {
    name: "more than one client",
    of: ({ clientCount }) => (clientCount > 1 ? { clientCount: 1 } : null),
  },
  {
    name: "more than two clients",
    of: ({ clientCount }) => (clientCount > 2 ? { clientCount: 2 } : null),
  },
  { name: "more than one key", of: ({ keyCount }) => (keyCount > 1 ? { keyCount: 1 } : null) },
  {
    name: "long values",
    of: ({ valueBytesMax }) => (valueBytesMax > 8 ? { valueBytesMax: 8 } : null),
  },
  {
    name: "clients in a hurry",
    of: ({ thinkUs }) => ({ thinkUs: thinkUs * 10 }),
  },
  {
    name: "clients in a hurry",
    of: ({ thinkUs }) => ({ thinkUs: thinkUs * 3 }),
  },
];

/**
 * Leaves out faults, in ever smaller pieces, and then chance and load, as long as the run breaks
 * the same promise. null: the run breaks none.
 *
 * @param report told before each run.
 */
export function shrink(
  options: SimulationOptions,
  report?: (progress: ShrinkProgress) => void,
): Shrunk | null {
  const first = simulate(options);
  if (first.violation === null) return null;
  const { invariant } = first.violation;
  const before = beforeEnd(first);
  let best: SimulationOptions = { ...options, schedule: before };
  let result = first;
  let runCount = 1;
  const needless: string[] = [];

  function attempt(change: Partial<SimulationOptions>): boolean {
    if (runCount >= RUNS_MAX) return false;
    report?.({ runCount, faults: best.schedule?.length ?? 0 });
    runCount += 1;
    const smaller = { ...best, ...change };
    const found = simulate(smaller);
    if (found.violation?.invariant !== invariant) return false;
    best = smaller;
    result = found;
    return true;
  }

  function end(isSmallest: boolean): Shrunk {
    const faultsBefore = before.length;
    return { options: best, result, faultsBefore, needless, isSmallest, runCount };
  }

  // The schedule says what the plan drew; should it not do the same, there is nothing to shrink.
  if (!attempt({})) {
    best = options;
    return end(false);
  }
  if (best.nodeCount > NODES_MIN && attempt({ nodeCount: NODES_MIN }))
    needless.push("more than three nodes");
  shrinkSchedule(best.schedule ?? [], (schedule) => attempt({ schedule }));
  for (const { name, of } of SIMPLIFICATIONS) {
    const change = of(result.swarm);
    if (change === null || !attempt({ overrides: { ...best.overrides, ...change } })) continue;
    if (!needless.includes(name)) needless.push(name);
  }
  shrinkSchedule(best.schedule ?? [], (schedule) => attempt({ schedule }));
  return end(runCount < RUNS_MAX);
}

function beforeEnd({ schedule, simulatedUs }: SimulationResult): readonly InjectedFault[] {
  return schedule.filter(({ atUs }) => atUs <= simulatedUs);
}

/** Leaves out pieces of the schedule: halves, then quarters, down to single faults. */
function shrinkSchedule(
  schedule: readonly InjectedFault[],
  stillFails: (schedule: readonly InjectedFault[]) => boolean,
): void {
  let kept = schedule;
  let size = Math.ceil(kept.length / 2);
  while (size >= 1) {
    let removedAny = false;
    for (let start = 0; start < kept.length;) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (stillFails(rest)) {
        kept = rest;
        removedAny = true;
      } else start += size;
    }
    if (size === 1 && !removedAny) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
}
