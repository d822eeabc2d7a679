/** Snapshots (section 7): what comes late, twice or from nowhere changes nothing. */
import { describe, expect, test } from "vitest";
import { Driver, messages, observations, only, optionsFor, recovered } from "../test/driver.ts";
import { voters } from "../test/driver.ts";
import type { Effect, Message, RaftOptions, SnapshotMetadata } from "./index.ts";

const SNAPSHOT: SnapshotMetadata = {
  index: 5,
  term: 1,
  configuration: voters(1, 2, 3),
  configurationIndex: 0,
};

/** Leads term 2 with a log that begins after its snapshot; 2 has everything. */
function leader(overrides: Partial<RaftOptions> = {}): Driver {
  const log = recovered(1, [], { snapshot: SNAPSHOT });
  const node = new Driver(optionsFor(1, { recovered: log, ...overrides })).lead(2);
  node.acknowledge(2, 6);
  return node;
}

/** Node 3 has nothing of what the leader thought. */
function refusal(rejectedIndex = 5): Message {
  return {
    type: "append-entries-response",
    term: 2,
    success: false,
    matchIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
    rejectedIndex,
    readRound: 0,
    heartbeat: false,
    priority: 0,
  };
}

const reads = (effects: readonly Effect[]) => only(effects, "read-snapshot-chunk");
const chunk = { kind: "snapshot-chunk", to: 3, snapshotIndex: 5, offset: 0 } as const;
const data = new Uint8Array(4);
const answer = (nextOffset: number, done = false, snapshotIndex = 5): Message => ({
  type: "install-snapshot-response",
  term: 2,
  snapshotIndex,
  nextOffset,
  done,
});

describe("the leader's side", () => {
  test("for a peer that does not answer nothing is read; its answer starts it", () => {
    const node = leader({ electionTicksMin: 4, electionTicksMax: 1000 });
    // Its refusal was lost long ago: it is thought to be where the log begins.
    for (let tick = 0; tick < 20; tick++) {
      node.acknowledge(2, 6);
      node.tick();
    }
    node.step({ kind: "applied", index: 6 });
    node.step({ kind: "snapshot-saved", index: 6 });
    expect(reads(node.propose("a"))).toEqual([]);
    expect(reads(node.tick(4))).toEqual([]);
    expect(reads(node.receive(3, refusal()))).toMatchObject([
      { to: 3, snapshotIndex: 6, offset: 0, bytesMax: 4 },
    ]);
  });

  test("nor for one that fell silent, and whose connection broke; its answer starts it", () => {
    const node = leader();
    node.acknowledge(3, 6);
    for (let tick = 0; tick < 10; tick++) {
      node.acknowledge(2, 6);
      node.tick();
    }
    node.propose("a", "b");
    node.acknowledge(2, 8);
    node.step({ kind: "snapshot-saved", index: 8 });
    expect(node.raft.status().firstIndex).toBe(9);
    expect(reads(node.step({ kind: "unreachable", nodeId: 3 }))).toEqual([]);
    expect(reads(node.tick(2))).toEqual([]);
    expect(reads(node.acknowledge(3, 6))).toMatchObject([{ to: 3, snapshotIndex: 8 }]);
  });

  test("a chunk that was not asked for is not sent", () => {
    const node = leader();
    expect(reads(node.receive(3, refusal()))).toHaveLength(1);
    const strange = [
      { ...chunk, to: 9 },
      { ...chunk, to: 2 },
      { ...chunk, offset: 4 },
      { ...chunk, snapshotIndex: 4 },
    ];
    for (const input of strange) expect(node.step({ ...input, data, done: false })).toEqual([]);
    expect(messages(node.step({ ...chunk, data, done: false }), "install-snapshot")).toHaveLength(
      1,
    );
    // The same once more: it waits for the peer now.
    expect(node.step({ ...chunk, data, done: false })).toEqual([]);
  });

  test("an answer about another snapshot, or from nobody, asks for nothing", () => {
    const node = leader();
    node.receive(3, refusal());
    node.step({ ...chunk, data, done: false });
    expect(reads(node.receive(3, answer(4, false, 4)))).toEqual([]);
    expect(reads(node.receive(9, answer(4)))).toEqual([]);
    expect(reads(node.receive(2, answer(4)))).toEqual([]);
    expect(reads(node.receive(3, answer(4)))).toMatchObject([{ offset: 4 }]);
    // While storage reads, an answer that was doubled or overtaken asks for nothing.
    expect(reads(node.receive(3, answer(4)))).toEqual([]);
    expect(reads(node.receive(3, answer(0)))).toEqual([]);
  });

  test("what was on its way before it began does not interrupt it", () => {
    const node = leader();
    node.receive(3, refusal());
    node.step({ ...chunk, data, done: false });
    node.receive(3, answer(4));
    const state = () => node.raft.status().progress.find(({ nodeId }) => nodeId === 3)?.state;
    expect(reads(node.receive(3, refusal()))).toEqual([]);
    expect(reads(node.acknowledge(3, 0))).toEqual([]);
    expect(state()).toBe("snapshot");
    // But the log reaches where it ends, after all.
    node.acknowledge(3, 5);
    expect(state()).toBe("replicate");
  });

  test("who has it all gets what follows, from there on", () => {
    const node = leader({ observing: true });
    node.receive(3, refusal());
    const sent = node.step({ ...chunk, data, done: true });
    expect(observations(sent, "snapshot-transfer")).toEqual([
      {
        kind: "snapshot-transfer",
        direction: "sending",
        peerId: 3,
        snapshotIndex: 5,
        offset: 4,
        done: false,
      },
    ]);
    const effects = node.receive(3, answer(4, true));
    expect(observations(effects, "snapshot-transfer")).toMatchObject([
      { direction: "sending", peerId: 3, snapshotIndex: 5, offset: 4, done: true },
    ]);
    const peer = node.raft.status().progress.find(({ nodeId }) => nodeId === 3);
    expect(peer).toMatchObject({ state: "probe", matchIndex: 5, nextIndex: 6 });
    expect(messages(effects, "append-entries")).toMatchObject([{ prevLogIndex: 5 }]);
  });
});

describe("the follower's side", () => {
  const install = (offset: number, done: boolean, snapshot = SNAPSHOT): Message => ({
    type: "install-snapshot",
    term: 2,
    snapshot,
    offset,
    data,
    done,
  });

  test("what is committed here already is answered with done, and nothing is written", () => {
    const log = recovered(2, [], { snapshot: SNAPSHOT });
    const node = new Driver(optionsFor(2, { recovered: log }));
    const effects = node.receive(1, install(0, true));
    expect(only(effects, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(effects, "install-snapshot-response")).toMatchObject([
      { snapshotIndex: 5, done: true },
    ]);
    expect(node.raft.status().commitIndex).toBe(5);
  });

  test("a chunk from the middle is asked for from the beginning", () => {
    const node = new Driver(optionsFor(2, { observing: true }));
    const effects = node.receive(1, install(4, false));
    expect(only(effects, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(effects, "install-snapshot-response")).toMatchObject([
      { nextOffset: 0, done: false },
    ]);
    const told = observations(node.receive(1, install(0, false)), "snapshot-transfer");
    expect(told).toMatchObject([{ direction: "receiving", peerId: 1, offset: 4, done: false }]);
  });

  test("a late chunk of another snapshot does not disturb the one that comes in", () => {
    const node = new Driver(optionsFor(2));
    const newer = { ...SNAPSHOT, index: 9 };
    node.receive(1, install(0, false, newer));
    const late = node.receive(1, install(4, false));
    expect(messages(late, "install-snapshot-response")).toMatchObject([
      { snapshotIndex: 5, nextOffset: 0, done: false },
    ]);
    const next = node.receive(1, install(4, false, newer));
    expect(only(next, "persist-snapshot-chunk")).toMatchObject([{ offset: 4 }]);
  });
});
