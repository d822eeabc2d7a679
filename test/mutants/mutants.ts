/**
 * The classic bugs of Raft implementations, each a small patch of the real source, applied to a
 * copy at test time. The simulator must kill every one; the shipped code never holds any.
 */
import type { Patch } from "./load.ts";
import { VARIANTS } from "./variants.ts";
import * as worlds from "./worlds.ts";
import type { World } from "./worlds.ts";

export interface Mutant {
  /** The bug as a sentence. */
  readonly bug: string;
  /** In which it shows soon; null: the simulation has nothing that it could spoil. */
  readonly world: World | null;
  readonly packageName: "raft" | "node" | "storage" | "kv";
  readonly patches: readonly Patch[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    bug: "a leader commits entries of earlier terms by counting replicas (section 5.4.2)",
    world: worlds.SHORT_TERMS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
    packageName: "raft",
    patches: [{ file: "election.ts", from: "!free || !upToDate", to: "!free" }],
  },
  {
    bug: "logs are compared by length only, not by last term",
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.CAMPAIGNS,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "term === core.term + 1 : term === core.term;",
        to: "term <= core.term + 1 : term <= core.term;",
      },
    ],
  },
  {
    bug: "a follower truncates on every append, conflict or not",
    world: worlds.ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "if ((log.term(index) ?? term) !== term) {",
        to: "if (index > core.commitIndex) {",
      },
    ],
  },
  {
    bug: "a follower keeps its own entry where the leader has another",
    world: worlds.ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "follower.ts",
        from: "if ((log.term(index) ?? term) !== term) {",
        to: "if (index > log.baseIndex && log.term(index) === null) {",
      },
    ],
  },
  {
    bug: "prevLogIndex is checked, prevLogTerm is not",
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.CAMPAIGNS,
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
    world: worlds.READS,
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
    world: worlds.READS,
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
    world: worlds.READS,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "progress.readRound = Math.max(progress.readRound, message.readRound);",
        to: "progress.readRound = core.reads.round;",
      },
      {
        file: "replication.ts",
        from: "message.readRound <= core.reads.round",
        to: "message.readRound >= 0",
      },
    ],
  },
  {
    bug: "reads that come while a round is out join it",
    world: worlds.LONG_ROUNDS,
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
    world: worlds.READS,
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
    world: worlds.SNAPSHOTS,
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
    world: worlds.SHORT_TERMS,
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
    world: worlds.REMOVALS,
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
    world: worlds.MEMBERS,
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
    world: worlds.MEMBERS,
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
    world: worlds.MEMBERS,
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
    world: worlds.BROKEN_CONNECTIONS,
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
    world: worlds.CAMPAIGNS,
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
    world: worlds.CLOCKS,
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
    world: worlds.TOGETHER,
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
    world: worlds.ELECTIONS,
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
    world: worlds.ELECTIONS,
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
    world: worlds.SNAPSHOTS,
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
    world: worlds.POWER,
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
    world: worlds.POWER,
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
    world: worlds.POWER,
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
    world: worlds.DISKS,
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
    world: worlds.BUSY,
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
    world: worlds.RETRIES,
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
    world: worlds.RETRIES_AFTER_SNAPSHOTS,
    packageName: "node",
    patches: [
      {
        file: "sessions/machine.ts",
        from: "          table = restored;",
        to: "          void restored;",
      },
    ],
  },
  ...VARIANTS,
];
