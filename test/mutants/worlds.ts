/** Worlds in which bugs show soon: each has much of what its bugs need, and little else. */
import type { FaultKind, FaultPlan, Swarm } from "@raftarium/simulator";

export type World = Partial<Swarm>;

const MS = 1000;

function faults(
  intervalMs: number,
  durationMs: number,
  ...kinds: readonly FaultKind[]
): readonly FaultPlan[] {
  const [intervalUs, durationUs] = [intervalMs * MS, durationMs * MS];
  return kinds.map((kind) => ({ kind, intervalUs, durationUs }));
}

export const BUSY: World = {
  clientCount: 6,
  keyCount: 2,
  thinkUs: 5 * MS,
  restUs: 0,
  retryRate: 0,
  priorities: false,
  valueBytesMax: 8,
};

/** Logs grow by little more than what each leader begins with. */
const QUIET: World = {
  clientCount: 1,
  keyCount: 1,
  thinkUs: 150 * MS,
  burstOperations: 1,
  restUs: 1000 * MS,
  retryRate: 0,
  priorities: false,
  valueBytesMax: 8,
  tickUs: 25 * MS,
  electionTicksMin: 12,
  electionTicksMax: 24,
  heartbeatTicks: 2,
  trailingEntries: 100,
  snapshotEntries: 100_000,
};

/** Messages come late, twice, and in any order, even from beyond a cut. */
const LATE: Swarm["network"] = {
  delayUsMin: 500,
  jitterUs: 40 * MS,
  dropRate: 0,
  duplicateRate: 0.2,
  reorder: true,
  cutsStopFlying: false,
};

/** A round trip takes a good part of a term. */
const SLOW: Swarm["network"] = {
  delayUsMin: 40 * MS,
  jitterUs: 20 * MS,
  dropRate: 0,
  duplicateRate: 0,
  reorder: false,
  cutsStopFlying: true,
};

/** Leaders come and go, and leave behind what nobody else has. */
export const ELECTIONS: World = {
  ...BUSY,
  requestTimeoutUs: 400 * MS,
  entriesPerAppendMax: 2,
  faults: faults(500, 700, "isolate leader", "partition", "campaign", "transfer", "crash leader"),
};

/** No leader leads for more than a round trip or two, and each entry travels alone: Figure 8. */
export const SHORT_TERMS: World = {
  ...QUIET,
  entriesPerAppendMax: 1,
  network: SLOW,
  faults: faults(150, 500, "isolate leader"),
};

/** Election upon election, so that votes outlive what they were given for. */
export const CAMPAIGNS: World = {
  ...QUIET,
  network: { ...LATE, delayUsMin: 5 * MS, jitterUs: 60 * MS, duplicateRate: 0 },
  faults: faults(40, 100, "campaign", "isolate leader"),
};

/** The same, and every message may come twice. */
export const DOUBLES: World = {
  ...CAMPAIGNS,
  network: { ...LATE, delayUsMin: 5 * MS },
};

/** All begin again at once, and hear of each other late: only chance can part them. */
export const TOGETHER: World = {
  ...QUIET,
  network: { ...SLOW, delayUsMin: 30 * MS, jitterUs: 0 },
  syncUsMin: 200,
  syncJitterUs: 0,
  tickUs: 50 * MS,
  electionTicksMin: 6,
  electionTicksMax: 12,
  heartbeatTicks: 1,
  faults: faults(1200, 2000, "crash all"),
};

/** The clocks of some run twice as fast as those of others. */
export const CLOCKS: World = {
  ...QUIET,
  faults: [
    ...faults(300, 4000, "clock rate"),
    ...faults(500, 600, "isolate leader", "crash leader"),
  ],
};

/** Who led goes on answering, not knowing that others have gone on. */
export const READS: World = {
  ...BUSY,
  keyCount: 1,
  network: LATE,
  requestTimeoutUs: 400 * MS,
  faults: faults(500, 500, "isolate leader", "pause leader", "slow link", "transfer"),
};

/** Reads come while others wait for an answer, and leaders change while they wait. */
export const LONG_ROUNDS: World = {
  ...BUSY,
  keyCount: 1,
  network: { ...LATE, delayUsMin: 20 * MS, jitterUs: 60 * MS, duplicateRate: 0 },
  requestTimeoutUs: 1500 * MS,
  faults: faults(150, 500, "transfer", "campaign"),
};

/** The log is gone soon, so whoever was away needs a snapshot. */
export const SNAPSHOTS: World = {
  ...BUSY,
  network: LATE,
  requestTimeoutUs: 5000 * MS,
  snapshotEntries: 8,
  trailingEntries: 0,
  historyRevisionsMax: 40,
  snapshotChunkBytes: 64 * 1024,
  faults: faults(500, 700, "isolate leader", "partition", "slow link"),
};

/** Nobody knows what became of a write, and sends it again under its number. */
export const RETRIES: World = {
  ...BUSY,
  keyCount: 1,
  leaseReads: false,
  sessions: true,
  retryRate: 1,
  requestTimeoutUs: 100 * MS,
  faults: faults(600, 500, "crash leader", "isolate leader"),
};

/** The same, and what is sent again may meet a node that began from a snapshot. */
export const RETRIES_AFTER_SNAPSHOTS: World = {
  ...RETRIES,
  snapshotEntries: 8,
  trailingEntries: 0,
};

/** Answers come out of order, and connections break. */
export const BROKEN_CONNECTIONS: World = {
  ...BUSY,
  network: { ...LATE, delayUsMin: MS },
  faults: faults(200, 100, "crash"),
};

/** The same, and what the other side of a broken connection lacks is in a snapshot by then. */
export const BROKEN_SNAPSHOTS: World = {
  ...SNAPSHOTS,
  network: { ...LATE, delayUsMin: MS },
  faults: faults(200, 100, "crash"),
};

/** Members come and go all the time, while messages are late and leaders are cut off. */
export const MEMBERS: World = {
  ...BUSY,
  requestTimeoutUs: 400 * MS,
  faults: faults(
    400,
    600,
    "add member",
    "remove member",
    "swap members",
    "isolate leader",
    "partition",
    "slow link",
  ),
};

/**
 * Several remove members and do not know of each other, under leaders of short terms: of four, two
 * majorities of three need have nobody in common (Ongaro, raft-dev, 2015).
 */
export const REMOVALS: World = {
  ...QUIET,
  nodeCount: 4,
  operators: 3,
  network: { ...LATE, delayUsMin: 40 * MS, duplicateRate: 0 },
  faults: [
    ...faults(200, 500, "isolate leader"),
    ...faults(50, 100, "remove member"),
    ...faults(300, 300, "partition"),
  ],
};

/** Processes and their power come and go, and disks are slow. */
export const DISKS: World = {
  ...BUSY,
  syncUsMin: 5 * MS,
  syncJitterUs: 5 * MS,
  snapshotEntries: 8,
  trailingEntries: 0,
  segmentBytes: 4096,
  snapshotChunkBytes: 16 * 1024,
  faults: faults(150, 80, "crash", "crash all", "crash leader"),
};

/** Now and then the power fails, of one or of all; between that, disks have time to work. */
export const POWER: World = {
  ...BUSY,
  syncUsMin: MS,
  syncJitterUs: MS,
  snapshotEntries: 8,
  trailingEntries: 0,
  segmentBytes: 4096,
  faults: faults(700, 60, "crash", "crash all", "crash leader"),
};

/** The cluster that a seed is run with. */
export function nodeCountOf(seed: number, world: World | null): number {
  return world?.nodeCount ?? (seed % 2 === 0 ? 3 : 5);
}
