/** What a node refuses by itself, before the core is asked. */
import { expect, test } from "vitest";
import type { NodeApi, ProposalOutcome } from "./api.ts";
import type { Ports, RaftNodeOptions } from "./options.ts";
import { startRaftNode } from "./raft-node.ts";

/** A node of a cluster with these voters, on a disk that may be full; `settle` runs what waits. */
function startNode(voters: readonly number[]) {
  const tasks: (() => void)[] = [];
  const defer = (task: () => void): void => void tasks.push(task);
  const settle = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };
  const disk = { writable: true };
  const hardState = { term: 0, votedFor: null, commitIndex: 0 };
  const ports = {
    storage: {
      recovered: { hardState, snapshot: null, entries: [] },
      persist: (_write: unknown, done: () => void) => defer(done),
      stats: () => ({ diskBytes: 0, syncCount: 0, lastSyncUs: 0, writable: disk.writable }),
    },
    transport: { send: () => undefined },
    machine: { apply: () => ({ result: null, changes: [] }) },
    scheduler: { nowUs: () => 0, defer },
  } as unknown as Ports<null>;
  const options: RaftNodeOptions = {
    incarnation: 1,
    snapshotEntries: 1000,
    snapshotBytes: 1_000_000,
    tickUs: 0,
    raft: {
      id: 1,
      initialConfiguration: { voters, votersOutgoing: [], learners: [], addresses: {} },
      random: { integer: (low) => low },
      electionTicksMin: 10,
      electionTicksMax: 20,
      heartbeatTicks: 2,
      preVote: false,
      checkQuorum: true,
      leaseReads: false,
      priority: 0,
      entriesPerAppendMax: 10,
      bytesPerAppendMax: 1000,
      inflightAppendsMax: 10,
      inflightBytesMax: 10_000,
      uncommittedBytesMax: 10_000,
      snapshotChunkBytes: 1000,
      trailingEntries: 0,
    },
  };
  const started: NodeApi<null>[] = [];
  startRaftNode(options, ports, (ready) => void started.push(ready));
  settle();
  const node = started[0]!;
  const told: string[] = [];
  const tell = ({ kind, ...rest }: ProposalOutcome<null>): void =>
    void told.push("reason" in rest ? rest.reason : kind);
  return {
    node,
    disk,
    settle,
    /** What becomes of a command, and of a change of the members. */
    outcomes: (): string[] => {
      told.length = 0;
      node.propose(new Uint8Array(1), tell);
      node.changeConfiguration({ kind: "add-learner", nodeId: 9, address: "" }, tell);
      settle();
      return [...told];
    },
  };
}

test("a leader with a full disk takes nothing, and again when there is space", () => {
  const { node, disk, settle, outcomes } = startNode([1]);
  node.campaign();
  settle();
  expect(node.status().role).toBe("leader");
  disk.writable = false;
  expect(outcomes()).toEqual(["disk-full", "disk-full"]);
  disk.writable = true;
  expect(outcomes()).toEqual(["applied", "applied"]);
});

test("a follower with a full disk says who may take it: its own disk is not asked for", () => {
  const { disk, outcomes } = startNode([1, 2, 3]);
  disk.writable = false;
  expect(outcomes()).toEqual(["not-leader", "not-leader"]);
});

test("a node that was stopped answers all the same", () => {
  const { node, outcomes } = startNode([1]);
  node.stop();
  expect(outcomes()).toEqual(["not-leader", "not-leader"]);
});
