/**
 * Whole clusters, calm but for the links that a test cuts: who leads, and who is left in peace
 * (paper 5.6 and 6; thesis 4.2 and 9.6). See test/cluster.ts.
 */
import { describe, expect, test } from "vitest";
import { Cluster } from "../test/cluster.ts";
import type { NodeId } from "./index.ts";

function cluster(voterCount: number, seed = 1): Cluster {
  return new Cluster({ seed, voterCount });
}

function rounds(nodes: Cluster, count: number): void {
  for (let i = 0; i < count; i++) nodes.calm();
}

function leaderAfter(nodes: Cluster, count: number): NodeId {
  rounds(nodes, count);
  const { leader } = nodes;
  if (leader === undefined) throw new Error("nobody leads");
  return leader.id;
}

function status(nodes: Cluster, id: NodeId) {
  return nodes.nodes.get(id)!.raft.status();
}

/** A command is committed by the leader of the moment. */
function expectProgress(nodes: Cluster): void {
  const before = nodes.leader!.raft.status().commitIndex;
  nodes.propose("progress");
  rounds(nodes, 5);
  expect(nodes.leader!.raft.status().commitIndex).toBeGreaterThan(before);
}

describe("elections in a calm cluster", () => {
  for (const size of [1, 2, 3, 5, 7]) {
    test(`${size} nodes elect one leader, and keep it`, () => {
      for (let seed = 1; seed <= 10; seed++) {
        const nodes = cluster(size, seed);
        const leader = leaderAfter(nodes, 100);
        const { term } = status(nodes, leader);
        rounds(nodes, 200);
        expect(nodes.leader?.id).toBe(leader);
        for (const id of nodes.nodes.keys()) {
          expect(status(nodes, id)).toMatchObject({ term, leaderId: leader });
        }
        expectProgress(nodes);
      }
    });
  }

  // All tick in step here, so two may time out at once and split the vote.
  test("a crashed leader is replaced within three election timeouts, and follows when back", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const nodes = cluster(3, seed);
      const old = leaderAfter(nodes, 100);
      nodes.crash(old);
      const next = leaderAfter(nodes, 3 * 19 + 3);
      expect(next).not.toBe(old);
      expectProgress(nodes);
      nodes.restart(old);
      rounds(nodes, 30);
      expect(status(nodes, old)).toMatchObject({ role: "follower", leaderId: next });
    }
  });

  test("a minority elects nobody", () => {
    const nodes = cluster(5);
    leaderAfter(nodes, 60);
    for (const id of [1, 2, 3]) nodes.crash(id);
    rounds(nodes, 100);
    expect(nodes.leader).toBeUndefined();
  });
});

describe("links that are cut", () => {
  test("a leader that is cut off steps down; what it could not commit is replaced", () => {
    const nodes = cluster(3);
    const old = leaderAfter(nodes, 60);
    const others = [1, 2, 3].filter((id) => id !== old) as [NodeId, NodeId];
    nodes.connectOnly(others);
    nodes.propose("lost");
    const lostAt = status(nodes, old).lastIndex;
    rounds(nodes, 80);
    expect(status(nodes, old).role).not.toBe("leader");
    expect(others).toContain(nodes.leader?.id);
    nodes.propose("kept");
    rounds(nodes, 5);
    nodes.healLinks();
    rounds(nodes, 30);
    expect(status(nodes, old).commitIndex).toBeGreaterThanOrEqual(lostAt);
    expect(status(nodes, old).commitIndex).toBe(nodes.leader!.raft.status().commitIndex);
  });

  test("§9.6 a node that was cut off for long comes back without an election", () => {
    const nodes = cluster(3);
    const leader = leaderAfter(nodes, 60);
    const away = leader === 1 ? 2 : 1;
    const rest = [1, 2, 3].filter((id) => id !== away) as [NodeId, NodeId];
    nodes.connectOnly(rest);
    rounds(nodes, 300);
    const { term } = status(nodes, leader);
    nodes.healLinks();
    rounds(nodes, 40);
    expect(status(nodes, leader)).toMatchObject({ role: "leader", term });
    expect(status(nodes, away)).toMatchObject({ role: "follower", term, leaderId: leader });
  });

  test("who is heard but does not hear disturbs nobody", () => {
    const nodes = cluster(3);
    const leader = leaderAfter(nodes, 60);
    const deaf = leader === 1 ? 2 : 1;
    const other = 6 - leader - deaf;
    nodes.cutLink(leader, deaf);
    nodes.cutLink(other, deaf);
    const { term } = status(nodes, leader);
    rounds(nodes, 200);
    expect(status(nodes, leader)).toMatchObject({ role: "leader", term });
    expectProgress(nodes);
  });

  test("a leader that is heard but does not hear steps down, and another leads", () => {
    const nodes = cluster(3);
    const deaf = leaderAfter(nodes, 60);
    for (const id of [1, 2, 3]) if (id !== deaf) nodes.cutLink(id, deaf);
    expect(leaderAfter(nodes, 80)).not.toBe(deaf);
    expectProgress(nodes);
  });

  test("five nodes, two of them at a thread: the leader stays (Howard and Abraham, 2020)", () => {
    // 1, 2 and 3 hear each other; 4 only 2; 5 only 3. With plain Raft 4 and 5 depose every leader
    // they can't hear; PreVote and check-quorum together leave a leader in peace.
    const nodes = cluster(5);
    leaderAfter(nodes, 60);
    nodes.connectOnly([1, 2], [2, 3], [1, 3], [2, 4], [3, 5]);
    const leader = leaderAfter(nodes, 200);
    const { term } = status(nodes, leader);
    rounds(nodes, 400);
    expect(status(nodes, leader)).toMatchObject({ role: "leader", term });
    expectProgress(nodes);
  });

  test("a ring, in which nobody hears everybody, still has a leader that commits", () => {
    const nodes = cluster(5);
    nodes.connectOnly([1, 2], [2, 3], [3, 4], [4, 5], [5, 1]);
    leaderAfter(nodes, 300);
    expectProgress(nodes);
  });

  test("a bridge between two halves: safe, and somebody leads", () => {
    const nodes = cluster(5);
    leaderAfter(nodes, 60);
    nodes.connectOnly([1, 2], [1, 3], [2, 3], [3, 4], [3, 5], [4, 5]);
    leaderAfter(nodes, 300);
    expectProgress(nodes);
  });
});

describe("thesis, chapter 4: a cluster of one grows to five and shrinks to three", () => {
  test("step by step, with a client that writes all the while", () => {
    const nodes = cluster(1);
    leaderAfter(nodes, 30);
    const settled = () => nodes.leader!.raft.status().configuration;
    for (let id = 2; id <= 5; id++) {
      nodes.addNode(id);
      nodes.changeConfiguration({ kind: "add-learner", nodeId: id, address: `node ${id}` });
      rounds(nodes, 20);
      nodes.changeConfiguration({ kind: "promote", nodeId: id });
      expectProgress(nodes);
    }
    expect(settled().voters).toEqual([1, 2, 3, 4, 5]);
    for (const id of [1, 2]) {
      nodes.changeConfiguration({ kind: "remove", nodeId: id });
      rounds(nodes, 40);
      expectProgress(nodes);
    }
    expect(settled()).toMatchObject({ voters: [3, 4, 5], votersOutgoing: [], learners: [] });
    const { term } = nodes.leader!.raft.status();
    rounds(nodes, 200); // The removed nodes run on, and disturb nobody.
    expect(nodes.leader!.raft.status().term).toBe(term);
    expect(status(nodes, 1).role).toBe("learner");
  });

  test("all at once, by joint consensus", () => {
    const nodes = cluster(3);
    leaderAfter(nodes, 60);
    for (const id of [4, 5, 6]) nodes.addNode(id);
    nodes.changeConfiguration({ kind: "replace", voters: [4, 5, 6], learners: [], addresses: {} });
    rounds(nodes, 60);
    expect([4, 5, 6]).toContain(nodes.leader?.id);
    expect(nodes.leader!.raft.status().configuration).toMatchObject({
      voters: [4, 5, 6],
      votersOutgoing: [],
    });
    for (const id of [1, 2, 3]) nodes.crash(id);
    expectProgress(nodes);
  });

  test("a removed node that never heard of it disturbs nobody", () => {
    const nodes = cluster(4);
    const leader = leaderAfter(nodes, 60);
    const gone = leader === 4 ? 3 : 4;
    const rest = [1, 2, 3, 4].filter((id) => id !== gone);
    nodes.connectOnly(...rest.flatMap((a) => rest.map((b) => [a, b] as const)));
    nodes.changeConfiguration({ kind: "remove", nodeId: gone });
    rounds(nodes, 40);
    nodes.healLinks();
    const { term } = status(nodes, leader);
    rounds(nodes, 200);
    expect(status(nodes, leader)).toMatchObject({ role: "leader", term });
    expect(status(nodes, gone).configuration.voters).toContain(gone);
  });
});
