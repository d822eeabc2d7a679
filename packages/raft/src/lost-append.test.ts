import { expect, test } from "vitest";
import { createRandom } from "../test/random.ts";
import { createRaft } from "./index.ts";
import type { AppendEntriesResponse, Effect, Input } from "./index.ts";

/** Takes a write, a command or a snapshot as done at once. */
function createLeader(): (input: Input) => Effect[] {
  const raft = createRaft({
    id: 1,
    incarnation: 1,
    initialConfiguration: { voters: [1, 2, 3], votersOutgoing: [], learners: [], addresses: {} },
    recovered: {
      hardState: { term: 0, votedFor: null, commitIndex: 0 },
      snapshot: null,
      entries: [],
    },
    random: createRandom(1),
    electionTicksMin: 10,
    electionTicksMax: 20,
    heartbeatTicks: 1,
    preVote: false,
    checkQuorum: true,
    leaseReads: false,
    priority: 0,
    entriesPerAppendMax: 10,
    bytesPerAppendMax: 1000,
    inflightAppendsMax: 1,
    inflightBytesMax: 1000,
    uncommittedBytesMax: 1000,
    snapshotChunkBytes: 1000,
    trailingEntries: 0,
    observing: false,
  });
  const step = (input: Input): Effect[] => {
    const decided = raft.step(input);
    const effects = [...decided];
    for (const effect of decided) {
      if (effect.kind === "persist") {
        effects.push(...step({ kind: "persisted", ticket: effect.ticket }));
      } else if (effect.kind === "apply") {
        effects.push(...step({ kind: "applied", index: effect.entries.at(-1)!.index }));
      }
    }
    return effects;
  };
  step({ kind: "campaign" });
  const vote = {
    type: "request-vote-response",
    term: 1,
    preVote: false,
    voteGranted: true,
  } as const;
  step({ kind: "message", from: 2, message: vote });
  return step;
}

function acknowledged(matchIndex: number): AppendEntriesResponse {
  return {
    type: "append-entries-response",
    term: 1,
    success: true,
    matchIndex,
    hintIndex: 0,
    hintTerm: 0,
    rejectedIndex: 0,
    readRound: 0,
    heartbeat: false,
    priority: 0,
  };
}

test("§7 a peer whose append was lost gets the snapshot that has replaced the entries", () => {
  const step = createLeader();
  // Both have the no-op at index 1; then the window of one append to node 3 is used up and lost.
  step({ kind: "message", from: 2, message: acknowledged(1) });
  step({ kind: "message", from: 3, message: acknowledged(1) });
  for (let id = 1; id <= 3; id += 1) {
    step({ kind: "propose", proposals: [{ id, data: new Uint8Array(1) }] });
    step({ kind: "message", from: 2, message: acknowledged(1 + id) });
  }
  step({ kind: "snapshot-saved", index: 4 });
  // Its answer to the next heartbeat shows that it is alive and has nothing after index 1.
  step({ kind: "tick" });
  const effects = step({ kind: "message", from: 3, message: acknowledged(0) });
  expect(effects.filter(({ kind }) => kind === "read-snapshot-chunk")).toMatchObject([
    { to: 3, snapshotIndex: 4, offset: 0 },
  ]);
});
