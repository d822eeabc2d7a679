/** Small worlds that between them show most bugs of a core within seconds. */
import type { createRaft } from "@raftarium/raft";
import { STILL } from "./bounds.ts";
import type { Bounds } from "./bounds.ts";
import { explore } from "./explore.ts";
import type { Explored } from "./explore.ts";

const ANY = Number.POSITIVE_INFINITY;
const STATES_MAX = 400_000;
/** The last resort. */
const STATES_MAX_LAST = 3_000_000;

const HUNTS: readonly Bounds[] = [
  { ...STILL, terms: 3, requests: 2, drops: ANY, duplicates: 1, inFlight: 3 },
  { ...STILL, terms: 2, reads: 2, drops: ANY, duplicates: 1, heartbeats: 1, inFlight: 2 },
  {
    ...STILL,
    terms: 2,
    requests: 1,
    crashes: 1,
    drops: 1,
    duplicates: 1,
    inFlight: 3,
    slowDisks: true,
  },
  { ...STILL, terms: 4, drops: ANY, inFlight: 2 },
  { ...STILL, terms: 2, reads: 2, drops: ANY, inFlight: 3 },
];

/** The first violation found, or null. `states`: looked at in all. */
export function hunt(create: typeof createRaft): { found: Explored | null; states: number } {
  let states = 0;
  for (const bounds of HUNTS) {
    const statesMax = bounds === HUNTS.at(-1) ? STATES_MAX_LAST : STATES_MAX;
    const explored = explore(create, bounds, { statesMax });
    states += explored.states;
    if (explored.found !== null) return { found: explored, states };
  }
  return { found: null, states };
}
