/** What `pnpm explore` looks through, world by world: each in full. */
import { STILL } from "./bounds.ts";
import type { Bounds } from "./bounds.ts";

export interface World {
  readonly name: string;
  /** What can go wrong in it. */
  readonly about: string;
  readonly bounds: Bounds;
}

const ANY = Number.POSITIVE_INFINITY;

export const EVERYTHING: World = {
  name: "everything",
  about: "commands, crashes that lose writes, lost and doubled messages, late disks",
  bounds: {
    ...STILL,
    terms: 2,
    requests: 2,
    crashes: 1,
    drops: 2,
    duplicates: 1,
    heartbeats: 1,
    inFlight: 2,
    slowDisks: true,
  },
};

export const ELECTIONS: World = {
  name: "elections",
  about: "leaders that follow one another and leave entries behind (Figure 8)",
  bounds: { ...STILL, terms: 4, drops: ANY, inFlight: 2 },
};

export const READS: World = {
  name: "reads",
  about: "a read and a command while leaders come and go",
  bounds: { ...STILL, terms: 2, requests: 1, reads: 1, drops: ANY, inFlight: 2 },
};

export const WORLDS: readonly World[] = [EVERYTHING, ELECTIONS, READS];
