/** Makes a failing run smaller while it still breaks the same promise. */
import type { InjectedFault } from "./faults.ts";
import { simulate } from "./simulation.ts";
import type { SimulationOptions, SimulationResult } from "./simulation.ts";
import type { Swarm } from "./swarm.ts";

export interface Shrunk {
  /** Run these, and it fails. */
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
  /** Runs that it took. */
  readonly runCount: number;
}

const RUNS_MAX = 400;

/** What makes a story longer without, mostly, being needed for its point. */
const SIMPLER: readonly ((swarm: Swarm) => Partial<Swarm>)[] = [
  ({ network }) => ({ network: { ...network, duplicateRate: 0 } }),
  ({ network }) => ({ network: { ...network, dropRate: 0 } }),
  ({ network }) => ({ network: { ...network, reorder: false } }),
  ({ network }) => ({ network: { ...network, jitterUs: 0 } }),
  () => ({ syncJitterUs: 0 }),
  () => ({ snapshotEntries: 1_000_000 }),
  () => ({ historyRevisionsMax: 1_000_000 }),
  () => ({ clientCount: 1 }),
  () => ({ clientCount: 2 }),
  () => ({ keyCount: 1 }),
  () => ({ valueBytesMax: 8 }),
  ({ thinkUs }) => ({ thinkUs: thinkUs * 10 }),
  ({ thinkUs }) => ({ thinkUs: thinkUs * 3 }),
];

/**
 * Leaves out faults, in ever smaller pieces, and then chance and load, as long as the run breaks
 * the same promise. null: the run breaks none.
 */
export function shrink(options: SimulationOptions): Shrunk | null {
  const first = simulate(options);
  if (first.violation === null) return null;
  const { invariant } = first.violation;
  let best: SimulationOptions = { ...options, schedule: beforeEnd(first) };
  let result = first;
  let runCount = 1;

  function attempt(change: Partial<SimulationOptions>): boolean {
    if (runCount >= RUNS_MAX) return false;
    runCount += 1;
    const smaller = { ...best, ...change };
    const found = simulate(smaller);
    if (found.violation?.invariant !== invariant) return false;
    best = smaller;
    result = found;
    return true;
  }

  // The schedule says what the plan drew; should it not do the same, there is nothing to shrink.
  if (!attempt({})) return { options, result: first, runCount };
  shrinkSchedule(best.schedule ?? [], (schedule) => attempt({ schedule }));
  for (const simpler of SIMPLER) {
    attempt({ overrides: { ...best.overrides, ...simpler(result.swarm) } });
  }
  shrinkSchedule(best.schedule ?? [], (schedule) => attempt({ schedule }));
  return { options: best, result, runCount };
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
