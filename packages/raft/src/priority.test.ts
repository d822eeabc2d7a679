/** Priorities: where an operator wants the leader, carried out by transfer (thesis, section 3.10). */
import { describe, expect, test } from "vitest";
import { Cluster } from "../test/cluster.ts";
import { Driver, messages, optionsFor, voters } from "../test/driver.ts";
import type { RaftOptions } from "./types.ts";

/** Ten times the longest election timeout of these tests. */
const calmTicks = 190;

function leader(overrides: Partial<RaftOptions> = {}): Driver {
  const node = new Driver(optionsFor(1, { priority: 1, ...overrides })).lead(2, 3);
  node.acknowledge(2, 1);
  node.acknowledge(3, 1);
  return node;
}

/** Peers answer at each tick, with these priorities. */
function calm(node: Driver, ticks: number, priorities: Record<number, number>): void {
  for (let tick = 0; tick < ticks; tick++) {
    for (const [nodeId, priority] of Object.entries(priorities)) {
      node.acknowledge(Number(nodeId), node.raft.status().lastIndex, 0, priority);
    }
    node.tick();
  }
}

describe("priority", () => {
  test("after a calm while the leader hands over to the highest above its own", () => {
    const node = leader();
    calm(node, calmTicks - 1, { 2: 2, 3: 3 });
    expect(node.sentOf("timeout-now")).toEqual([]);
    calm(node, 2, { 2: 2, 3: 3 });
    expect(node.raft.status().transferTargetId).toBe(3);
    expect(node.sentOf("timeout-now").length).toBeGreaterThan(0);
  });

  test("an equal or a lower one changes nothing", () => {
    const node = leader();
    calm(node, 3 * calmTicks, { 2: 1, 3: 0 });
    expect(node.sentOf("timeout-now")).toEqual([]);
  });

  test("nor does a learner, however high", () => {
    const node = leader({
      initialConfiguration: { ...voters(1, 2, 3), learners: [4] },
    });
    calm(node, 2 * calmTicks, { 2: 0, 3: 0, 4: 9 });
    expect(node.raft.status().progress.find(({ nodeId }) => nodeId === 4)?.priority).toBe(9);
    expect(node.sentOf("timeout-now")).toEqual([]);
  });

  test("who has not caught up must wait: proposals are not refused for its sake", () => {
    const node = leader({ entriesPerAppendMax: 2 });
    node.propose("a", "b", "c", "d");
    for (let tick = 0; tick < 2 * calmTicks; tick++) {
      node.acknowledge(2, 5);
      node.acknowledge(3, 1, 0, 5);
      node.tick();
    }
    expect(node.raft.status().transferTargetId).toBeNull();
    calm(node, 2, { 2: 0, 3: 5 });
    expect(node.raft.status().transferTargetId).toBe(3);
  });

  test("nor is a silent one waited for", () => {
    const node = leader();
    node.acknowledge(3, 1, 0, 5);
    calm(node, 2 * calmTicks, { 2: 0 });
    expect(node.sentOf("timeout-now")).toEqual([]);
  });

  test("a handing over that failed is tried again after the same while, not at once", () => {
    const node = leader({ observing: true });
    calm(node, calmTicks + 2, { 2: 0, 3: 5 });
    expect(node.raft.status().transferTargetId).toBe(3);
    // It never campaigns: after an election timeout the leader takes proposals again.
    calm(node, 20, { 2: 0, 3: 5 });
    expect(node.raft.status().transferTargetId).toBeNull();
    node.sent();
    calm(node, calmTicks - 25, { 2: 0, 3: 5 });
    expect(node.sentOf("timeout-now")).toEqual([]);
    calm(node, 25, { 2: 0, 3: 5 });
    expect(node.sentOf("timeout-now").length).toBeGreaterThan(0);
  });

  test("every answer tells it, and nothing else follows from it", () => {
    const node = new Driver(optionsFor(2, { priority: 7 }));
    const effects = node.receive(1, {
      type: "append-entries",
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries: [],
      leaderCommit: 0,
      readRound: 0,
    });
    expect(messages(effects, "append-entries-response")).toMatchObject([{ priority: 7 }]);
  });

  test("a cluster returns to the leader that it should have, and stays with it", () => {
    const nodes = new Cluster({
      seed: 7,
      voterCount: 3,
      overridesOf: (id) => ({ priority: id === 2 ? 1 : 0 }),
    });
    const rounds = (count: number): void => {
      for (let i = 0; i < count; i++) nodes.calm();
    };
    rounds(300);
    expect(nodes.leader?.id).toBe(2);
    const { term } = nodes.leader!.raft.status();
    rounds(600);
    expect(nodes.leader?.raft.status()).toMatchObject({ id: 2, term });
    nodes.crash(2);
    rounds(100);
    expect([1, 3]).toContain(nodes.leader?.id);
    nodes.restart(2);
    rounds(300);
    expect(nodes.leader?.id).toBe(2);
  });
});
