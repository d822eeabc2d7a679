/**
 * The classic bugs of Raft implementations, each a small patch of the real source, applied to a
 * copy at test time. The simulator must kill every one; the shipped code never holds any.
 */
import type { FaultKind, FaultPlan, Swarm } from "@raftarium/simulator";
import type { Patch } from "./load.ts";

export interface Mutant {
  /** The bug as a sentence. */
  readonly bug: string;
  /** A world in which it shows soon; null: it is left to `main.ts`, which looks in all worlds. */
  readonly world: Partial<Swarm> | null;
  readonly packageName: "raft" | "node" | "storage" | "kv";
  readonly patches: readonly Patch[];
}

const MS = 1000;

function faults(
  intervalMs: number,
  durationMs: number,
  ...kinds: readonly FaultKind[]
): readonly FaultPlan[] {
  const [intervalUs, durationUs] = [intervalMs * MS, durationMs * MS];
  return kinds.map((kind) => ({ kind, intervalUs, durationUs }));
}

const BUSY: Partial<Swarm> = {
  clientCount: 6,
  keyCount: 2,
  thinkUs: 5 * MS,
  restUs: 0,
  retryRate: 0,
  priorities: false,
  valueBytesMax: 8,
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

/** Leaders come and go, and leave behind what nobody else has. */
const ELECTIONS: Partial<Swarm> = {
  ...BUSY,
  requestTimeoutUs: 400 * MS,
  entriesPerAppendMax: 2,
  faults: faults(500, 700, "isolate leader", "partition", "campaign", "transfer", "crash leader"),
};

/** Who led goes on answering, not knowing that others have gone on. */
const READS: Partial<Swarm> = {
  ...BUSY,
  keyCount: 1,
  network: LATE,
  requestTimeoutUs: 400 * MS,
  faults: faults(500, 500, "isolate leader", "pause leader", "slow link", "transfer"),
};

/** The log is gone soon, so whoever was away needs a snapshot. */
const SNAPSHOTS: Partial<Swarm> = {
  ...BUSY,
  network: LATE,
  requestTimeoutUs: 5000 * MS,
  snapshotEntries: 8,
  trailingEntries: 0,
  historyRevisionsMax: 40,
  snapshotChunkBytes: 64 * 1024,
  faults: faults(500, 700, "isolate leader", "partition", "slow link"),
};

/** Processes and their power come and go, and disks are slow. */
const DISKS: Partial<Swarm> = {
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
const POWER: Partial<Swarm> = {
  ...BUSY,
  syncUsMin: MS,
  syncJitterUs: MS,
  snapshotEntries: 8,
  trailingEntries: 0,
  segmentBytes: 4096,
  faults: faults(700, 60, "crash", "crash all", "crash leader"),
};

/** The cluster that a seed is run with. */
export function nodeCountOf(seed: number): number {
  return seed % 2 === 0 ? 3 : 5;
}

export const MUTANTS: readonly Mutant[] = [
  {
    bug: "a leader commits entries of earlier terms by counting replicas (section 5.4.2)",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "index > core.commitIndex && core.log.term(index) === core.term",
        to: "index > core.commitIndex",
      },
    ],
  },
  {
    bug: "a vote is not on disk before it is given",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "persistence.ts",
        from: "hardState: goesAlong ? core.hardStateGiven : null,",
        to: "hardState: goesAlong ? { ...core.hardStateGiven, votedFor: null } : null,",
      },
    ],
  },
  {
    bug: "a new term is not written to disk",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "core.ts",
        from: "this.term !== this.hardStateGiven.term || ",
        to: "",
      },
    ],
  },
  {
    bug: "promises are sent before what they rest on is on disk",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "persistence.ts",
        from: "core.withheld[0]!.ticket <= core.persistedTicket",
        to: "core.withheld[0]!.ticket <= core.lastTicket",
      },
    ],
  },
  {
    bug: "votes are given without looking at the candidate's log",
    world: ELECTIONS,
    packageName: "raft",
    patches: [{ file: "election.ts", from: "!free || !upToDate", to: "!free" }],
  },
  {
    bug: "logs are compared by length only, not by last term",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "message.lastLogTerm > lastTerm ||",
        to: "message.lastLogIndex > lastIndex ||",
      },
    ],
  },
  {
    bug: "a node votes for two candidates in one term",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "core.votedFor === from ||",
        to: "core.leaderId === null ||",
      },
    ],
  },
  {
    bug: "votes of an earlier election are counted",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "if (message.term !== termExpected && !refusedBefore) return;",
        to: "if (message.term > termExpected && !refusedBefore) return;",
      },
    ],
  },
  {
    bug: "a follower truncates on every append, conflict or not",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "if (index > log.baseIndex && log.term(index) !== term) {",
        to: "if (index > core.commitIndex) {",
      },
    ],
  },
  {
    bug: "a follower keeps its own entry where the leader has another",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "if (index > log.baseIndex && log.term(index) !== term) {",
        to: "if (index > log.baseIndex && log.term(index) === null) {",
      },
    ],
  },
  {
    bug: "prevLogIndex is checked, prevLogTerm is not",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "log.term(prevLogIndex) === prevLogTerm;",
        to: "log.term(prevLogIndex) !== null;",
      },
    ],
  },
  {
    bug: "a follower commits beyond the last entry that the leader has shown it",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "Math.min(core.commitIndex, prevLogIndex + entries.length)",
        to: "core.commitIndex",
      },
      {
        file: "follower.ts",
        from: "Math.min(message.leaderCommit, lastNewIndex)",
        to: "Math.min(message.leaderCommit, log.lastIndex)",
      },
    ],
  },
  {
    bug: "a follower acknowledges its whole log, not what the append covers",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "{ matchIndex: lastNewIndex }",
        to: "{ matchIndex: log.lastIndex }",
      },
    ],
  },
  {
    bug: "nextIndex backs up one entry too few",
    world: ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "progress.becomeProbe(meeting + 1);",
        to: "progress.becomeProbe(meeting + 2);",
      },
    ],
  },
  {
    bug: "a leader takes no notice of a later term in a reply",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "raft.ts",
        from: '  if (core.transfer?.targetId === from) transfer.end(core, "done");',
        to: '  if (core.role === "leader" && message.type.endsWith("-response")) return false;',
      },
    ],
  },
  {
    bug: "a leader answers reads without asking anybody",
    world: READS,
    packageName: "raft",
    patches: [
      {
        file: "reads.ts",
        from: "if (confirmedRound(core) < reads.roundAsked) return;",
        to: "if (confirmedRound(core) < 0) return;",
      },
    ],
  },
  {
    bug: "a leader answers reads before it has committed an entry of its own term",
    world: READS,
    packageName: "raft",
    patches: [
      {
        file: "reads.ts",
        from: "return core.commitIndex >= core.termStartIndex;",
        to: "return core.commitIndex >= 0;",
      },
    ],
  },
  {
    bug: "any answer confirms the read round that is out, late ones too",
    world: READS,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "    progress.readRound = message.readRound;",
        to: "    progress.readRound = core.reads.round;",
      },
      {
        file: "replication.ts",
        from: "message.readRound > progress.readRound && message.readRound <= core.reads.round",
        to: "message.readRound >= 0",
      },
    ],
  },
  {
    bug: "reads that come while a round is out join it",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "reads.ts",
        from: "if (reads.waiting.length > 0 && reads.asked.length === 0) startRound(core);",
        to:
          "if (reads.asked.length > 0) reads.asked.push(...reads.waiting.splice(0)); " +
          "else if (reads.waiting.length > 0) startRound(core);",
      },
    ],
  },
  {
    bug: "a read does not wait for the state machine",
    world: READS,
    packageName: "raft",
    patches: [
      {
        file: "reads.ts",
        from: "reads.confirmed = reads.confirmed.filter((read) => read.index > core.appliedIndex);",
        to: "reads.confirmed = [];",
      },
      {
        file: "reads.ts",
        from: "    if (index <= core.appliedIndex) core.effects.push(",
        to: "    core.effects.push(",
      },
    ],
  },
  {
    bug: "a snapshot older than what is committed is installed",
    world: SNAPSHOTS,
    packageName: "raft",
    patches: [
      {
        file: "snapshots.ts",
        from: "if (index <= core.commitIndex || core.log.term(index) === term) {",
        to: "if (index < 0) {",
      },
    ],
  },
  {
    bug: "a leader that hears no majority goes on leading",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "if (silentTicks < electionTicksMax) return;",
        to: "if (silentTicks >= 0) return;",
      },
    ],
  },
  {
    bug: "a change of the configuration is taken before this term has a committed entry",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "membership.ts",
        from: "    core.commitIndex >= core.termStartIndex &&\n    core.configurationIndex",
        to: "    core.configurationIndex",
      },
    ],
  },
  {
    bug: "a change of the configuration is taken while another is under way",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "membership.ts",
        from: "    core.configurationIndex <= core.commitIndex &&\n    !isJoint(core.configuration);",
        to: "    core.configurationIndex >= 0;",
      },
    ],
  },
  {
    bug: "a joint configuration decides by a majority of all its voters together",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "quorum.ts",
        from: "  return Math.min(incoming, majorityValue(votersOutgoing, valueOf));",
        to: "  return majorityValue(votersOf(configuration), valueOf);",
      },
    ],
  },
  {
    bug: "learners count in majorities",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "quorum.ts",
        from: "  const incoming = majorityValue(voters, valueOf);",
        to: "  const incoming = majorityValue([...voters, ...configuration.learners], valueOf);",
      },
    ],
  },
  {
    bug: "matchIndex goes back when answers come in another order",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "progress.ts",
        from: "    if (index <= this.matchIndex) return false;\n    this.matchIndex = index;",
        to: "    if (index === this.matchIndex) return false;\n    this.matchIndex = index;",
      },
    ],
  },
  {
    bug: "a candidate takes no notice of the leader of its term",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "raft.ts",
        from: "  if (core.leaderId !== null && core.leaderId !== from) return false;",
        to: '  if (core.role === "candidate") return false;',
      },
    ],
  },
  {
    bug: "any message puts the election off",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "raft.ts",
        from: "  if (from === core.id) return;",
        to: "  core.resetElectionTimer();",
      },
    ],
  },
  {
    bug: "election timeouts are all the same",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "core.ts",
        from: "random.integer(electionTicksMin, electionTicksMax)",
        to: "random.integer(electionTicksMin, electionTicksMin + 0 * electionTicksMax)",
      },
    ],
  },
  {
    bug: "a vote needs a log that is longer, not as long",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "message.lastLogIndex >= lastIndex",
        to: "message.lastLogIndex > lastIndex",
      },
    ],
  },
  {
    bug: "an answer is matched by index only: another client's command is acknowledged",
    world: ELECTIONS,
    packageName: "node",
    patches: [
      {
        file: "pending-proposals.ts",
        from: "if (pending.term === entry.term) {",
        to: "if (pending.term > 0) {",
      },
    ],
  },
  {
    bug: "a proposal that lost its place in the log is called failed before that is certain",
    world: SNAPSHOTS,
    packageName: "node",
    patches: [
      {
        file: "pending-proposals.ts",
        from: 'takeThrough(index)) {\n      done({ kind: "unknown", leaderId: null });',
        to: 'takeThrough(index)) {\n      done({ kind: "superseded", leaderId: null });',
      },
    ],
  },
  {
    bug: "the log is called durable without a sync",
    world: POWER,
    packageName: "storage",
    patches: [
      {
        file: "log-writer.ts",
        from: "if (!sync && !isFirst) {",
        to: "if (!isFirst) {",
      },
    ],
  },
  {
    bug: "a snapshot takes the place of the log before its bytes are synced",
    world: POWER,
    packageName: "storage",
    patches: [
      {
        file: "snapshot-writer.ts",
        from: "if (!chunk.done && this.#unsyncedBytes < BYTES_PER_SYNC) {",
        to: "if (this.#unsyncedBytes < BYTES_PER_SYNC) {",
      },
    ],
  },
  {
    bug: "a snapshot's new name is not synced before the log is cut",
    world: POWER,
    packageName: "storage",
    patches: [
      {
        file: "snapshot-store.ts",
        from: "() => disk.syncDirectory(current));",
        to: "() => disk.list((error) => current(error)));",
      },
    ],
  },
  {
    bug: "what a killed process left in the page cache is taken for durable",
    world: DISKS,
    packageName: "storage",
    patches: [
      {
        file: "open.ts",
        from: 'const sync = (): void => file.sync(this.#space.guard("sync", info.path, next));',
        to: "const sync = next;",
      },
    ],
  },
  {
    bug: "the first transactions succeed whatever their compares say",
    world: BUSY,
    packageName: "kv",
    patches: [
      {
        file: "write.ts",
        from: "this.#decisions[this.#decided] === true;",
        to: "this.#decisions[this.#decided] === true || this.#store.revision < 10;",
      },
    ],
  },
  {
    bug: "a retry is executed again",
    world: null,
    packageName: "node",
    patches: [
      {
        file: "sessions/machine.ts",
        from: "        return { result: codec.decode(remembered.answer), changes: NO_CHANGES };",
        to: "        return machine.apply(command, index);",
      },
    ],
  },
  {
    bug: "a snapshot brings no sessions along: a retry is executed again after it",
    world: null,
    packageName: "node",
    patches: [
      {
        file: "sessions/machine.ts",
        from: "          table = restored;",
        to: "          void restored;",
      },
    ],
  },
];
