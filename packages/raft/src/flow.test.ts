/** Flow control: probe, replicate, windows, limits (thesis 10.2; etcd's tracker). */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  bytes,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
} from "../test/driver.ts";
import type { Message, RaftOptions } from "./index.ts";

function leader(overrides: Partial<RaftOptions> = {}): Driver {
  const node = new Driver(optionsFor(1, overrides)).lead(2);
  node.acknowledge(2, 1);
  node.acknowledge(3, 1);
  node.sent();
  return node;
}

function refusal(rejectedIndex: number, hintIndex: number): Message {
  return {
    type: "append-entries-response",
    term: 1,
    success: false,
    matchIndex: 0,
    hintIndex,
    hintTerm: hintIndex === 0 ? 0 : 1,
    rejectedIndex,
    readRound: 0,
    heartbeat: false,
    priority: 0,
  };
}

function progressOf(node: Driver, nodeId: number) {
  return node.raft.status().progress.find((progress) => progress.nodeId === nodeId);
}

describe("probe and replicate", () => {
  test("an answer for less than was probed, from a slow disk, sends nothing again", () => {
    const start = recovered(1, logOf(1, 1, 1));
    const node = new Driver(optionsFor(1, { recovered: start })).lead(2);
    node.sent();
    node.acknowledge(3, 2);
    expect(progressOf(node, 3)).toMatchObject({ state: "probe", matchIndex: 2, nextIndex: 4 });
    expect(node.sentOf("append-entries", 3)).toEqual([]);
    node.acknowledge(3, 3);
    expect(progressOf(node, 3)?.state).toBe("replicate");
  });

  test("a connection to a stranger that broke is no news", () => {
    expect(leader().step({ kind: "unreachable", nodeId: 9 })).toEqual([]);
  });

  test("a new leader probes with one append, and streams once it is answered", () => {
    const node = new Driver(optionsFor(1)).lead(3);
    expect(progressOf(node, 2)?.state).toBe("probe");
    node.sent();
    node.propose("a");
    node.propose("b");
    expect(node.sentOf("append-entries", 2)).toEqual([]);
    node.acknowledge(2, 1);
    expect(progressOf(node, 2)?.state).toBe("replicate");
    expect(node.sentOf("append-entries", 2).map(({ entries }) => entries.length)).toEqual([2]);
    node.propose("c");
    node.propose("d");
    expect(node.sentOf("append-entries", 2).map(({ prevLogIndex }) => prevLogIndex)).toEqual([
      3, 4,
    ]);
  });

  test("a refusal sends it back to probe, and the entries again from where the logs meet", () => {
    const node = leader();
    node.propose("a");
    node.propose("b");
    node.sent();
    node.receive(2, refusal(2, 1));
    expect(progressOf(node, 2)?.state).toBe("probe");
    expect(node.sentOf("append-entries", 2)).toMatchObject([
      { prevLogIndex: 1, entries: [{ index: 2 }, { index: 3 }] },
    ]);
  });

  test("a refusal that was overtaken changes nothing", () => {
    const node = leader();
    node.propose("a");
    node.acknowledge(2, 2);
    node.receive(2, refusal(1, 0));
    expect(progressOf(node, 2)).toMatchObject({ state: "replicate", matchIndex: 2 });
  });

  test("in probe, only the refusal of the probe that is out moves it back", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(1, logOf(1, 1, 1, 1, 1)) })).lead(
      3,
    );
    const refuse = (rejectedIndex: number, hintIndex: number) =>
      node.receive(2, { ...refusal(rejectedIndex, hintIndex), term: 2 });
    refuse(5, 3);
    node.sent();
    refuse(5, 3); // The refusal of a heartbeat that was sent with the first probe.
    refuse(4, 0);
    expect(node.sentOf("append-entries", 2)).toEqual([]);
    expect(progressOf(node, 2)).toMatchObject({ state: "probe", nextIndex: 4 });
  });

  test("a refusal whose hint makes no sense still moves the probe back", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(1, logOf(1, 1, 1)) })).lead(3);
    node.receive(2, { ...refusal(3, 99), term: 2 });
    expect(progressOf(node, 2)).toMatchObject({ state: "probe", nextIndex: 3 });
  });

  test("who lost its disk and kept its id gets heartbeats, and nothing else", () => {
    const node = leader();
    node.propose("a");
    node.acknowledge(2, 2);
    node.step({ kind: "unreachable", nodeId: 2 });
    node.propose("b");
    node.receive(2, refusal(2, 0));
    node.sent();
    node.receive(2, refusal(2, 0));
    node.tick(2);
    expect(node.sentOf("append-entries", 2)).toMatchObject([{ prevLogIndex: 2, entries: [] }]);
    expect(progressOf(node, 2)).toMatchObject({ matchIndex: 2, nextIndex: 3 });
  });

  test("a lost connection sends it back to probe", () => {
    const node = leader();
    node.propose("a");
    node.step({ kind: "unreachable", nodeId: 2 });
    expect(progressOf(node, 2)).toMatchObject({ state: "probe", nextIndex: 2, inflightCount: 0 });
  });

  test("a lost append is discovered by the answer to the next heartbeat", () => {
    const node = leader();
    node.propose("lost");
    node.sent();
    node.tick(2);
    const [heartbeat] = node.sentOf("append-entries", 2);
    expect(heartbeat).toMatchObject({ prevLogIndex: 2, entries: [] });
    node.receive(2, refusal(2, 1));
    expect(node.sentOf("append-entries", 2)).toMatchObject([{ entries: [{ index: 2 }] }]);
  });

  test("a lost answer is made good by the answer to the next heartbeat", () => {
    const node = leader();
    node.propose("x");
    node.tick(2);
    node.acknowledge(2, 2);
    expect(progressOf(node, 2)).toMatchObject({ matchIndex: 2, inflightCount: 0 });
  });

  test("a lost probe is made good by the answer to the next heartbeat", () => {
    const node = new Driver(optionsFor(1)).lead(3);
    node.sent();
    node.tick(2);
    const [heartbeat] = node.sentOf("append-entries", 2);
    expect(heartbeat).toMatchObject({ prevLogIndex: 0, entries: [] });
    node.acknowledge(2, 0);
    expect(node.sentOf("append-entries", 2)).toMatchObject([{ entries: [{ index: 1 }] }]);
  });

  test("a peer that does not answer gets heartbeats and nothing else", () => {
    const node = leader();
    node.step({ kind: "unreachable", nodeId: 3 });
    node.sent();
    for (let i = 0; i < 50; i++) {
      node.propose("x".repeat(1000));
      node.acknowledge(2, node.raft.status().lastIndex);
      node.tick();
    }
    const withEntries = node.sentOf("append-entries", 3).filter((m) => m.entries.length > 0);
    expect(withEntries.length).toBeLessThanOrEqual(1);
    expect(node.raft.status().commitIndex).toBe(51);
  });
});

describe("limits", () => {
  test("an append holds at most entriesPerAppendMax entries", () => {
    const node = leader({ entriesPerAppendMax: 3 });
    node.propose("a", "b", "c", "d", "e", "f", "g");
    const sent = node.sentOf("append-entries", 2);
    expect(sent.map(({ entries }) => entries.length)).toEqual([3, 3, 1]);
  });

  test("an append holds at most bytesPerAppendMax bytes, but at least one entry", () => {
    const node = leader({ bytesPerAppendMax: 10 });
    node.propose("12345", "12345", "1", "a command of 21 bytes", "1");
    const sent = node.sentOf("append-entries", 2);
    expect(sent.map(({ entries }) => entries.length)).toEqual([2, 1, 1, 1]);
  });

  test("at most inflightAppendsMax appends are out; heartbeats go on", () => {
    const node = leader({ inflightAppendsMax: 2 });
    for (const text of ["a", "b", "c", "d"]) node.propose(text);
    expect(node.sentOf("append-entries", 2)).toHaveLength(2);
    expect(progressOf(node, 2)).toMatchObject({ inflightCount: 2, nextIndex: 4 });
    node.tick(2);
    expect(node.sentOf("append-entries", 2)).toMatchObject([{ entries: [], prevLogIndex: 3 }]);
    node.acknowledge(2, 2);
    expect(node.sentOf("append-entries", 2)).toMatchObject([
      { prevLogIndex: 3, entries: [{ index: 4 }, { index: 5 }] },
    ]);
  });

  test("a window that was lost whole is sent again", () => {
    const node = leader({ inflightAppendsMax: 2 });
    for (const text of ["a", "b", "c"]) node.propose(text);
    node.tick(2);
    node.sent();
    node.receive(2, refusal(3, 1));
    node.acknowledge(2, 4);
    expect(progressOf(node, 2)).toMatchObject({ matchIndex: 4, inflightCount: 0 });
  });

  test("a window that was lost while the log was compacted: a snapshot instead", () => {
    const node = leader({ inflightAppendsMax: 2 });
    for (const text of ["a", "b", "c"]) {
      node.propose(text);
      node.acknowledge(3, node.raft.status().lastIndex);
    }
    node.step({ kind: "snapshot-saved", index: 4 });
    const effects = node.acknowledge(2, 0); // A heartbeat's answer.
    expect(only(effects, "read-snapshot-chunk")).toMatchObject([{ to: 2, snapshotIndex: 4 }]);
  });

  test("at most about inflightBytesMax bytes are out", () => {
    const node = leader({ inflightBytesMax: 10 });
    for (const text of ["123456", "123456", "123456"]) node.propose(text);
    expect(node.sentOf("append-entries", 2)).toHaveLength(2);
    node.acknowledge(2, 2);
    expect(node.sentOf("append-entries", 2)).toHaveLength(1);
  });

  test("beyond uncommittedBytesMax proposals are refused, until some are committed", () => {
    const node = leader({ uncommittedBytesMax: 10 });
    node.propose("123456");
    const effects = node.propose("1234", "1");
    expect(only(effects, "proposal-accepted").map(({ id }) => id)).toEqual([1]);
    expect(only(effects, "proposal-refused")).toEqual([
      { kind: "proposal-refused", id: 2, reason: "overloaded", leaderId: 1 },
    ]);
    node.acknowledge(2, 2);
    expect(only(node.propose("1"), "proposal-accepted")).toHaveLength(1);
  });

  test("a command beyond the limit is taken while nothing else is uncommitted", () => {
    const node = leader({ uncommittedBytesMax: 10 });
    expect(only(node.propose("a command of 21 bytes"), "proposal-accepted")).toHaveLength(1);
  });

  test("what an earlier leader left uncommitted counts, too", () => {
    const node = new Driver(
      optionsFor(1, { uncommittedBytesMax: 8, recovered: recovered(1, logOf(1, 1)) }),
    ).lead(2);
    expect(only(node.propose("123"), "proposal-refused")).toHaveLength(1);
  });

  test("who does not lead refuses, and says who does", () => {
    const follower = new Driver(optionsFor(2));
    follower.receive(1, append(1, [0, 0]));
    expect(only(follower.propose("x"), "proposal-refused")).toEqual([
      { kind: "proposal-refused", id: 1, reason: "not-leader", leaderId: 1 },
    ]);
  });
});

describe("observations", () => {
  test("nothing is observed unless somebody looks", () => {
    const node = leader();
    node.propose("a");
    node.acknowledge(2, 2);
    expect(only(node.effects, "observe")).toEqual([]);
    node.raft.setObserving(true);
    const effects = [...node.propose("b"), ...node.acknowledge(2, 3)];
    expect(observations(effects, "log-appended")).toHaveLength(1);
    expect(observations(effects, "commit-advanced")).toEqual([
      { kind: "commit-advanced", commitIndex: 3 },
    ]);
    expect(observations(effects, "progress-changed").at(-1)).toMatchObject({
      peerId: 2,
      state: "replicate",
      matchIndex: 3,
    });
  });

  test("observing changes no decision", () => {
    const play = (observing: boolean) => {
      const node = leader({ observing });
      node.propose("a", "b");
      node.acknowledge(3, 3);
      node.tick(4);
      node.step({ kind: "read", id: 1 });
      return node.effects.filter(({ kind }) => kind !== "observe");
    };
    expect(play(true)).toEqual(play(false));
  });

  test("commands stay as they were given", () => {
    const node = leader();
    const data = bytes("abc");
    node.step({ kind: "propose", proposals: [{ id: 1, data }] });
    expect(node.raft.entries(2, 2)[0]?.data).toBe(data);
    expect(messages(node.effects, "append-entries").at(-1)?.entries[0]?.data).toBe(data);
  });
});
