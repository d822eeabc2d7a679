/** Variants of the classic bugs: the same mistake made in another place, or in another way. */
import type { Mutant } from "./mutants.ts";
import * as worlds from "./worlds.ts";

export const VARIANTS: readonly Mutant[] = [
  {
    bug: "votes are counted, not voters: a vote that comes twice counts twice",
    world: worlds.DOUBLES,
    packageName: "raft",
    patches: [
      {
        file: "election.ts",
        from: "  if (core.votes.has(from)) return;",
        to:
          "  if (core.votes.has(from)) {\n" +
          "    if (from === core.id) return;\n" +
          "    from = core.configuration.voters.find((voter) => !core.votes.has(voter)) ?? from;\n" +
          "  }",
      },
    ],
  },
  {
    bug: "a reply sets matchIndex to where the leader's log is by now",
    world: worlds.ELECTIONS,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "progress.acknowledged(message.matchIndex);",
        to: "progress.acknowledged(core.log.lastIndex);",
      },
    ],
  },
  {
    bug: "the fast back-up looks for one term too early",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "replication.ts",
        from: "lastIndexWithTermAtMost(hintIndex, message.hintTerm);",
        to: "lastIndexWithTermAtMost(hintIndex, Math.max(0, message.hintTerm - 1));",
      },
    ],
  },
  {
    bug: "a leader follows who else sends appends of its term",
    world: null,
    packageName: "raft",
    patches: [
      {
        file: "raft.ts",
        from: "  if (core.leaderId !== null && core.leaderId !== from) return false;",
        to:
          '  if (core.role !== "leader" && core.leaderId !== null && core.leaderId !== from) ' +
          "return false;",
      },
    ],
  },
  {
    bug: "a follower's log goes on one entry after what the snapshot has",
    world: worlds.SNAPSHOTS,
    packageName: "raft",
    patches: [
      {
        file: "snapshots.ts",
        from: "core.log.resetTo(index, term, ticket);",
        to: "core.log.resetTo(index + 1, term, ticket);",
      },
    ],
  },
  {
    bug: "a snapshot is given the term of the entry before its last",
    world: worlds.SNAPSHOTS,
    packageName: "raft",
    patches: [
      {
        file: "raft.ts",
        from: "const term = core.log.term(index)!;",
        to: "const term = core.log.term(Math.max(index - 1, core.log.baseIndex))!;",
      },
    ],
  },
  {
    bug: "a snapshot takes the place of the whole log, though that goes on beyond it",
    world: worlds.BROKEN_SNAPSHOTS,
    packageName: "raft",
    patches: [
      {
        file: "snapshots.ts",
        from: "if (index <= core.commitIndex || core.log.term(index) === term) {",
        to: "if (index <= core.commitIndex) {",
      },
    ],
  },
  {
    bug: "a leader that is removed counts itself until that is committed",
    world: worlds.MEMBERS,
    packageName: "raft",
    patches: [
      {
        file: "core.ts",
        from: "    return quorumValue(this.configuration, (nodeId) =>\n      nodeId === this.id",
        to:
          "    const { voters } = this.configuration;\n" +
          "    const all = voters.includes(this.id) ? voters : [...voters, this.id];\n" +
          "    return quorumValue({ ...this.configuration, voters: all }, (nodeId) =>\n" +
          "      nodeId === this.id",
      },
    ],
  },
];
