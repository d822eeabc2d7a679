/**
 * The parameters of one run, drawn from its seed. Each seed turns each kind of fault on or off and
 * sets its strength (swarm testing: Groce et al., ISSTA 2012): runs that differ in kind find more
 * than runs that are all equally mixed.
 */
import type { Chance } from "./chance.ts";
import type { NetworkSettings } from "./network.ts";

export type FaultKind =
  | "crash"
  | "crash leader"
  | "crash all"
  | "pause"
  | "pause leader"
  | "partition"
  | "isolate leader"
  | "ring"
  | "bridge"
  | "one-way cut"
  | "slow link"
  | "slow disk"
  | "failing disk"
  | "full disk"
  | "clock rate"
  | "clock jump"
  | "partial cut"
  | "bit rot"
  | "snapshot interrupted"
  | "add member"
  | "remove member"
  | "swap members"
  | "transfer"
  | "campaign";

export const FAULT_KINDS: readonly FaultKind[] = [
  "crash",
  "crash leader",
  "crash all",
  "pause",
  "pause leader",
  "partition",
  "isolate leader",
  "ring",
  "bridge",
  "one-way cut",
  "slow link",
  "slow disk",
  "failing disk",
  "full disk",
  "clock rate",
  "clock jump",
  "partial cut",
  "bit rot",
  "snapshot interrupted",
  "add member",
  "remove member",
  "swap members",
  "transfer",
  "campaign",
];

const STORM_KINDS: readonly FaultKind[] = [
  "crash leader",
  "isolate leader",
  "pause leader",
  "one-way cut",
  "slow link",
  "transfer",
  "campaign",
];

export interface FaultPlan {
  readonly kind: FaultKind;
  /** Mean time between two faults of this kind. */
  readonly intervalUs: number;
  /** Mean time that one lasts. */
  readonly durationUs: number;
}

export interface Swarm {
  readonly nodeCount: number;
  readonly tickUs: number;
  readonly electionTicksMin: number;
  readonly electionTicksMax: number;
  readonly heartbeatTicks: number;
  /** Leadership is handed to a voter of a higher priority. */
  readonly priorities: boolean;
  readonly entriesPerAppendMax: number;
  readonly bytesPerAppendMax: number;
  readonly inflightAppendsMax: number;
  readonly snapshotChunkBytes: number;
  readonly trailingEntries: number;
  readonly snapshotEntries: number;
  /** Revisions that the key-value machine keeps; it asks to compact what is older. */
  readonly historyRevisionsMax: number;
  readonly network: NetworkSettings;
  readonly syncUsMin: number;
  /** Mean of the long-tailed part of a sync. */
  readonly syncJitterUs: number;
  readonly segmentBytes: number;
  readonly faults: readonly FaultPlan[];
  /** So many wishes for other members may wait at once; who has them do not know of each other. */
  readonly operators: number;
  readonly clientCount: number;
  readonly keyCount: number;
  /** Mean pause of a client between two operations of a burst. */
  readonly thinkUs: number;
  /** Operations of a client in a row, and its mean rest afterwards. */
  readonly burstOperations: number;
  readonly restUs: number;
  /** Of the requests whose outcome stays unknown, so many are sent again. */
  readonly retryRate: number;
  readonly requestTimeoutUs: number;
  readonly valueBytesMax: number;
  /** Leaders answer reads by their lease; only right where clocks tick at nearly the same rate. */
  readonly leaseReads: boolean;
  /** Clients number their writes, and may send one again under its number: it must count once. */
  readonly sessions: boolean;
  /** Beyond it a leader refuses proposals until some are committed. */
  readonly uncommittedBytesMax: number;
}

/** What a lease cannot bear: a clock that is not like the others, or that a pause held up. */
const LEASE_BREAKERS: ReadonlySet<FaultKind> = new Set([
  "pause",
  "pause leader",
  "clock rate",
  "clock jump",
]);

const MS = 1000;

export function drawSwarm(chance: Chance, nodeCount: number): Swarm {
  const calm = chance.happens(0.1);
  const tickUs = chance.pick([10, 25, 25, 50]) * MS;
  const electionTicksMin = Math.ceil((300 * MS) / tickUs);
  const valueBytesMax = chance.pick([8, 8, 8, 8, 8, 8, 8, 80, 80, 1000]);
  const snapshotEntries = chance.pick([8, 40, 200, 100_000]);
  // A state that grows and a snapshot every few entries: that costs the square of the time.
  const historyRevisionsMax = chance.pick([4, 40, 40, snapshotEntries < 200 ? 400 : 10_000]);
  // A snapshot must get through in time: a round trip for each chunk.
  const isSmall = valueBytesMax <= 8 && historyRevisionsMax <= 40;
  const swarm = {
    nodeCount,
    tickUs,
    electionTicksMin,
    electionTicksMax: electionTicksMin * 2,
    priorities: chance.happens(0.2),
    heartbeatTicks: Math.max(1, Math.floor((50 * MS) / tickUs)),
    entriesPerAppendMax: chance.pick([1, 2, 16, 256]),
    bytesPerAppendMax: chance.pick([256, 4096, 1 << 20]),
    inflightAppendsMax: chance.pick([2, 16, 64]),
    snapshotChunkBytes: chance.pick(isSmall ? [64, 700, 64 * 1024] : [16 * 1024, 64 * 1024]),
    trailingEntries: chance.pick([0, 1, 10, 100]),
    snapshotEntries,
    historyRevisionsMax,
    network: drawNetwork(chance, calm),
    syncUsMin: chance.pick([20, 200, 2 * MS, 10 * MS]),
    syncJitterUs: chance.pick([0, 200, 5 * MS, 20 * MS]),
    segmentBytes: chance.pick([4 * 1024, 8 * 1024, 32 * 1024]),
    faults: calm ? [] : drawFaults(chance),
    operators: 1,
    clientCount: chance.integer(1, 6),
    keyCount: chance.integer(1, 4),
    thinkUs: chance.pick([5, 40, 150]) * MS,
    burstOperations: chance.pick([1, 5, 20]),
    restUs: chance.pick([200, 1000, 2000, 4000]) * MS,
    retryRate: chance.pick([0, 0.5, 1]),
    requestTimeoutUs: chance.pick([100, 400, 1500, 5000]) * MS,
    valueBytesMax,
  };
  const leaseReads = chance.happens(0.25);
  const sessions = chance.happens(0.4);
  const faults = leaseReads ? swarm.faults.filter(keepsLeases) : swarm.faults;
  const uncommittedBytesMax = chance.pick([200, 2000, 1 << 22, 1 << 22]);
  return { ...swarm, faults, leaseReads, sessions, uncommittedBytesMax };
}

/** What is given takes the place of what was drawn, and with it goes what would not be fair to it. */
export function withOverrides(swarm: Swarm, overrides: Partial<Swarm>): Swarm {
  const changed = { ...swarm, ...overrides };
  const leaseReads =
    overrides.leaseReads ?? (changed.leaseReads && changed.faults.every(keepsLeases));
  // Who says how often clients try again says what their tries are worth, too.
  const sessions = overrides.sessions ?? (overrides.retryRate === undefined && changed.sessions);
  return { ...changed, leaseReads, sessions };
}

function keepsLeases({ kind }: FaultPlan): boolean {
  return !LEASE_BREAKERS.has(kind);
}

function drawNetwork(chance: Chance, calm: boolean): NetworkSettings {
  return {
    delayUsMin: chance.integer(50, chance.pick([500, 5 * MS])),
    // Up to where messages outlive elections.
    jitterUs: chance.pick([0, 200, 2 * MS, 10 * MS, 60 * MS]),
    dropRate: calm ? 0 : chance.pick([0, 0, 0.001, 0.02, 0.1, 0.3]),
    duplicateRate: calm ? 0 : chance.pick([0, 0, 0.01, 0.1, 0.5]),
    reorder: !calm && chance.happens(0.5),
    cutsStopFlying: chance.happens(0.5),
  };
}

/** Now and then a storm around the leaders: elections on top of elections, and late messages. */
function drawFaults(chance: Chance): readonly FaultPlan[] {
  if (!chance.happens(0.2)) return FAULT_KINDS.flatMap((kind) => drawFault(chance, kind));
  return STORM_KINDS.filter(() => chance.happens(0.7)).map((kind) => ({
    kind,
    intervalUs: chance.integer(150, 800) * MS,
    durationUs: chance.integer(50, 600) * MS,
  }));
}

function drawFault(chance: Chance, kind: FaultKind): FaultPlan[] {
  if (!chance.happens(0.4)) return [];
  const intervalUs = chance.integer(200, chance.pick([600, 4000])) * MS;
  const durationUs = chance.integer(50, chance.pick([400, 1500, 3000])) * MS;
  return [{ kind, intervalUs, durationUs }];
}
