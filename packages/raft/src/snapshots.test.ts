/** Log compaction and InstallSnapshot (paper, section 7; thesis, chapter 5). */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  bytes,
  command,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
  requestVote,
  voters,
} from "../test/driver.ts";
import { encodeConfiguration } from "./index.ts";
import type { Entry, InstallSnapshot, Message, RaftOptions, SnapshotMetadata } from "./index.ts";

const data = bytes("0123456789");

function metadata(index: number, term: number, rest: Partial<SnapshotMetadata> = {}) {
  return { index, term, configuration: voters(1, 2, 3), configurationIndex: 0, ...rest };
}

function chunk(snapshot: SnapshotMetadata, offset: number, end: number, term = 5): InstallSnapshot {
  return {
    type: "install-snapshot",
    term,
    snapshot,
    offset,
    data: data.slice(offset, end),
    done: end >= data.length,
  };
}

function installed(snapshotIndex: number, nextOffset: number, done = false, term = 6): Message {
  return { type: "install-snapshot-response", term, snapshotIndex, nextOffset, done };
}

describe("§7 compaction", () => {
  test("a snapshot of the state machine lets the log before it go, but for the trail", () => {
    const node = new Driver(
      optionsFor(1, {
        recovered: recovered(1, logOf(1, 1, 1, 1, 1), { commitIndex: 5 }),
        trailingEntries: 2,
        observing: true,
      }),
    );
    node.tick();
    expect(node.raft.snapshotMetadata(4)).toEqual(metadata(4, 1));
    const effects = node.step({ kind: "snapshot-saved", index: 4 });
    expect(only(effects, "compact")).toEqual([{ kind: "compact", throughIndex: 2 }]);
    expect(observations(effects, "log-compacted")).toEqual([
      { kind: "log-compacted", throughIndex: 2, snapshotIndex: 4, snapshotTerm: 1 },
    ]);
    expect(node.raft.status()).toMatchObject({ firstIndex: 3, snapshotIndex: 4, lastIndex: 5 });
    expect(node.raft.entries(0, 9).map(({ index }) => index)).toEqual([3, 4, 5]);
  });

  test("a follower that is catching up keeps the entries that it needs, within a bound", () => {
    const node = new Driver(optionsFor(1, { trailingEntries: 2 })).lead(3);
    for (let i = 0; i < 8; i++) {
      node.propose("x");
      node.acknowledge(3, node.raft.status().lastIndex);
    }
    node.acknowledge(2, 3);
    node.step({ kind: "snapshot-saved", index: 9 });
    expect(node.raft.status().firstIndex).toBe(4);
    for (let i = 0; i < 20; i++) {
      node.propose("x");
      node.acknowledge(3, node.raft.status().lastIndex);
    }
    node.step({ kind: "snapshot-saved", index: 29 });
    expect(node.raft.status().firstIndex).toBe(29 - 8 * 2 + 1);
    node.tick(12); // Now it is silent: nothing is kept for it.
    node.acknowledge(3, 29);
    node.propose("x");
    node.acknowledge(3, 30);
    node.step({ kind: "snapshot-saved", index: 30 });
    expect(node.raft.status().firstIndex).toBe(29);
  });

  test("[23] nothing of the log goes before the snapshot that stands for it is durable", () => {
    const log = recovered(1, logOf(1, 1, 1, 1, 1), { commitIndex: 5 });
    const node = new Driver(optionsFor(1, { recovered: log }), false);
    node.tick();
    node.step({ kind: "applied", index: 5 });
    // Its own: taken, but not yet reported saved.
    expect(node.raft.snapshotMetadata(5)).toEqual(metadata(5, 1));
    node.tick(30);
    node.persist();
    expect(only(node.effects, "compact")).toEqual([]);
    expect(node.raft.status()).toMatchObject({ firstIndex: 1, snapshotIndex: 0 });
    expect(only(node.step({ kind: "snapshot-saved", index: 5 }), "compact")).toEqual([
      { kind: "compact", throughIndex: 5 },
    ]);
    // A leader's: the last chunk replaces the log on disk, and the answer waits for that write.
    const snapshot = metadata(9, 4);
    node.receive(2, chunk(snapshot, 0, 5));
    node.persist();
    const effects = node.receive(2, chunk(snapshot, 5, 10));
    expect(only(effects, "compact")).toEqual([]);
    expect(only(effects, "persist-snapshot-chunk")).toMatchObject([{ offset: 5, done: true }]);
    expect(messages(effects, "install-snapshot-response")).toEqual([]);
    expect(messages(node.persist(), "install-snapshot-response")).toMatchObject([{ done: true }]);
  });

  test("an older snapshot changes nothing; one of what is not applied is a mistake", () => {
    const node = new Driver(
      optionsFor(1, { recovered: recovered(1, logOf(1, 1, 1), { commitIndex: 2 }) }),
    );
    node.tick();
    node.step({ kind: "snapshot-saved", index: 2 });
    expect(node.step({ kind: "snapshot-saved", index: 1 })).toEqual([]);
    expect(node.raft.snapshotMetadata(3)).toBeNull();
    expect(() => node.step({ kind: "snapshot-saved", index: 3 })).toThrow(/not applied/);
  });

  test("a log that starts at a snapshot is checked, extended and voted by like any other", () => {
    const start = recovered(3, [command(6, 3)], { snapshot: metadata(5, 2) });
    const node = new Driver(optionsFor(2, { recovered: start }));
    expect(node.raft.status()).toMatchObject({
      commitIndex: 5,
      appliedIndex: 5,
      firstIndex: 6,
      lastIndex: 6,
      lastTerm: 3,
    });
    const accepted = node.receive(1, append(3, [5, 2], [command(6, 3), command(7, 3)]));
    expect(messages(accepted, "append-entries-response")[0]).toMatchObject({ matchIndex: 7 });
    // Entries below the snapshot are committed, so they match without being there.
    const older = node.receive(1, append(3, [3, 1], [command(4, 2), command(5, 2), command(6, 3)]));
    expect(messages(older, "append-entries-response")[0]).toMatchObject({ matchIndex: 6 });
    const behind = node.receive(3, requestVote(4, [5, 3]));
    expect(messages(behind, "request-vote-response")[0]?.voteGranted).toBe(false);
  });

  test("with an empty log behind the snapshot, its last index and term are the log's", () => {
    const start = recovered(3, [], { snapshot: metadata(5, 2) });
    const node = new Driver(optionsFor(2, { recovered: start }));
    const refused = node.receive(3, requestVote(4, [4, 2]));
    expect(messages(refused, "request-vote-response")[0]?.voteGranted).toBe(false);
    const granted = node.receive(3, requestVote(5, [5, 2]));
    expect(messages(granted, "request-vote-response")[0]?.voteGranted).toBe(true);
  });
});

describe("§7 InstallSnapshot: the leader", () => {
  function leader(overrides: Partial<RaftOptions> = {}): Driver {
    const start = recovered(5, [command(11, 5)], { snapshot: metadata(10, 4) });
    const node = new Driver(optionsFor(1, { recovered: start, ...overrides })).lead(3);
    node.acknowledge(3, 12);
    node.sent();
    return node;
  }

  function refusal(): Message {
    return {
      type: "append-entries-response",
      term: 6,
      success: false,
      matchIndex: 0,
      hintIndex: 2,
      hintTerm: 1,
      rejectedIndex: 11,
      readRound: 0,
      heartbeat: false,
      priority: 0,
    };
  }

  function answerRead(node: Driver, offset: number) {
    return node.step({
      kind: "snapshot-chunk",
      to: 2,
      snapshotIndex: 10,
      offset,
      data: data.slice(offset, offset + 4),
      done: offset + 4 >= data.length,
    });
  }

  test("a follower that needs compacted entries gets the snapshot, chunk by chunk", () => {
    const node = leader({ observing: true });
    const asked = only(node.receive(2, refusal()), "read-snapshot-chunk");
    expect(asked).toEqual([
      { kind: "read-snapshot-chunk", to: 2, snapshotIndex: 10, offset: 0, bytesMax: 4 },
    ]);
    expect(node.raft.status().progress[0]?.state).toBe("snapshot");
    const first = messages(answerRead(node, 0), "install-snapshot");
    expect(first).toMatchObject([
      { term: 6, snapshot: { index: 10, term: 4 }, offset: 0, done: false },
    ]);
    const next = only(node.receive(2, installed(10, 4)), "read-snapshot-chunk");
    expect(next).toMatchObject([{ offset: 4 }]);
    answerRead(node, 4);
    node.receive(2, installed(10, 8));
    expect(messages(answerRead(node, 8), "install-snapshot")).toMatchObject([{ done: true }]);
    node.sent();
    node.receive(2, installed(10, 10, true));
    expect(node.sentOf("append-entries", 2)).toMatchObject([
      { prevLogIndex: 10, prevLogTerm: 4, entries: [{ index: 11 }, { index: 12 }] },
    ]);
    const phases = observations(node.effects, "snapshot-transfer").map(({ offset, done }) => [
      offset,
      done,
    ]);
    expect(phases).toEqual([
      [4, false],
      [8, false],
      [10, false],
      [10, true],
    ]);
  });

  test("one chunk at a time: a repeated answer asks for nothing twice", () => {
    const node = leader();
    node.receive(2, refusal());
    answerRead(node, 0);
    node.receive(2, installed(10, 4));
    expect(node.receive(2, installed(10, 4))).toEqual([]);
    answerRead(node, 4);
    expect(node.receive(2, installed(10, 4))).toEqual([]);
  });

  test("heartbeats go on meanwhile, and claim nothing about the follower's log", () => {
    const node = leader();
    node.receive(2, refusal());
    node.sent();
    node.tick(2);
    expect(node.sentOf("append-entries", 2)).toMatchObject([
      { prevLogIndex: 0, prevLogTerm: 0, entries: [], leaderCommit: 0 },
    ]);
  });

  test("a chunk that was lost is sent again, as long as the follower answers heartbeats", () => {
    const node = leader();
    node.receive(2, refusal());
    answerRead(node, 0);
    node.tick(8);
    node.acknowledge(2, 0);
    const effects = node.tick(2);
    expect(only(effects, "read-snapshot-chunk")).toMatchObject([{ offset: 0 }]);
    expect(only(node.tick(40), "read-snapshot-chunk").length).toBeLessThanOrEqual(1);
  });

  test("a follower that restarted in between is served from the beginning", () => {
    const node = leader();
    node.receive(2, refusal());
    answerRead(node, 0);
    node.receive(2, installed(10, 4));
    answerRead(node, 4);
    const effects = node.receive(2, installed(10, 0));
    expect(only(effects, "read-snapshot-chunk")).toMatchObject([{ offset: 0 }]);
  });

  test("a snapshot that is gone gives way to the newer one", () => {
    const node = leader();
    node.receive(2, refusal());
    node.step({ kind: "snapshot-saved", index: 12 });
    node.step({
      kind: "snapshot-chunk",
      to: 2,
      snapshotIndex: 10,
      offset: 0,
      data: null,
      done: false,
    });
    const effects = node.acknowledge(2, 0);
    expect(only(effects, "read-snapshot-chunk")).toMatchObject([{ snapshotIndex: 12, offset: 0 }]);
  });

  test("nothing is read for a follower that is silent; it is served when it answers", () => {
    const node = leader();
    node.tick(30);
    node.step({ kind: "unreachable", nodeId: 2 });
    expect(only(node.effects, "read-snapshot-chunk")).toEqual([]);
    node.receive(2, refusal());
    expect(only(node.effects, "read-snapshot-chunk")).toHaveLength(1);
  });

  test("an acknowledgement that reaches the log again ends the transfer", () => {
    const node = leader();
    node.receive(2, refusal());
    node.acknowledge(2, 11);
    expect(node.raft.status().progress[0]).toMatchObject({ state: "replicate", matchIndex: 11 });
  });

  test("a snapshot of a later term in the answer deposes the leader", () => {
    const node = leader();
    node.receive(2, installed(10, 0, false, 9));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 9 });
  });
});

describe("§7 InstallSnapshot: the follower", () => {
  test("chunks are written in order; the answer follows when they are durable", () => {
    const node = new Driver(optionsFor(2), false);
    const first = node.receive(1, chunk(metadata(10, 4), 0, 4));
    expect(only(first, "send")).toEqual([]);
    // Term and vote first: no snapshot is durable of a term that is not.
    expect(first.map(({ kind }) => kind).slice(0, 2)).toEqual([
      "persist",
      "persist-snapshot-chunk",
    ]);
    expect(messages(node.persist(), "install-snapshot-response")).toEqual([
      installed(10, 4, false, 5),
    ]);
  });

  test("with the last chunk it takes the place of the log, and of the configuration", () => {
    const uncommitted: Entry = {
      index: 3,
      term: 2,
      kind: "configuration",
      data: encodeConfiguration(voters(2, 7)),
    };
    const start = recovered(2, [...logOf(1, 1), uncommitted], { commitIndex: 1 });
    const node = new Driver(optionsFor(2, { recovered: start }), false);
    expect(node.raft.status().configuration.voters).toEqual([2, 7]);
    const snapshot = metadata(10, 4, { configuration: voters(1, 2, 3, 4), configurationIndex: 8 });
    node.receive(1, chunk(snapshot, 0, 5));
    const effects = node.receive(1, chunk(snapshot, 5, 10));
    expect(only(effects, "configuration")).toMatchObject([{ index: 8 }]);
    expect(node.raft.status()).toMatchObject({
      commitIndex: 10,
      lastIndex: 10,
      lastTerm: 4,
      firstIndex: 11,
      snapshotIndex: 10,
      durableIndex: 0,
      configurationIndex: 8,
    });
    const done = node.persist();
    expect(only(done, "restore")).toEqual([{ kind: "restore", snapshot }]);
    expect(messages(done, "install-snapshot-response").at(-1)).toMatchObject({ done: true });
    expect(node.raft.status().durableIndex).toBe(10);
  });

  test("the state machine is restored before any entry after the snapshot is applied", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, chunk(metadata(10, 4), 0, 10));
    const early = node.receive(1, append(5, [10, 4], [command(11, 5)], { leaderCommit: 11 }));
    expect(only(early, "apply")).toEqual([]);
    // The first write to complete is that of the term, not of the snapshot.
    expect(only(node.persistOne(), "restore")).toEqual([]);
    const kinds = node
      .persist()
      .map(({ kind }) => kind)
      .filter((kind) => kind === "restore" || kind === "apply");
    expect(kinds).toEqual(["restore", "apply"]);
  });

  test("who is installing a snapshot does not campaign", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, chunk(metadata(10, 4), 0, 10));
    expect(messages(node.tick(60), "request-vote")).toEqual([]);
    expect(node.step({ kind: "campaign" })).toEqual([]);
  });

  test("[24] a snapshot older than what is committed rewinds nothing", () => {
    const node = new Driver(
      optionsFor(2, { recovered: recovered(5, logOf(1, 1, 1), { commitIndex: 3 }) }),
    );
    const effects = node.receive(1, chunk(metadata(2, 1), 0, 4));
    expect(only(effects, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(effects, "install-snapshot-response")).toMatchObject([
      { snapshotIndex: 2, done: true },
    ]);
    expect(node.raft.status()).toMatchObject({ commitIndex: 3, lastIndex: 3 });
    const behind = recovered(5, [command(6, 3)], { snapshot: metadata(5, 2) });
    const further = new Driver(optionsFor(2, { recovered: behind }));
    const older = further.receive(1, chunk(metadata(3, 1), 0, 10));
    expect(only(older, "persist-snapshot-chunk")).toEqual([]);
    expect(further.raft.status()).toMatchObject({ commitIndex: 5, lastIndex: 6 });
  });

  test("[24] a snapshot of what the log holds only advances the commit index", () => {
    const node = new Driver(
      optionsFor(2, { recovered: recovered(5, logOf(1, 1, 1, 1), { commitIndex: 1 }) }),
    );
    const effects = node.receive(1, chunk(metadata(3, 1), 0, 4));
    expect(only(effects, "persist-snapshot-chunk")).toEqual([]);
    expect(node.raft.status()).toMatchObject({ commitIndex: 3, lastIndex: 4, firstIndex: 1 });
  });

  test("a chunk that is repeated, or overtook another, is not written", () => {
    const node = new Driver(optionsFor(2));
    node.receive(1, chunk(metadata(10, 4), 0, 4));
    const repeated = node.receive(1, chunk(metadata(10, 4), 0, 4));
    expect(only(repeated, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(repeated, "install-snapshot-response")).toMatchObject([{ nextOffset: 4 }]);
    const ahead = node.receive(1, chunk(metadata(10, 4), 8, 10));
    expect(only(ahead, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(ahead, "install-snapshot-response")).toMatchObject([{ nextOffset: 4 }]);
  });

  test("the middle of a snapshot whose beginning is not here is asked for anew", () => {
    const node = new Driver(optionsFor(2));
    const effects = node.receive(1, chunk(metadata(10, 4), 4, 8));
    expect(messages(effects, "install-snapshot-response")).toMatchObject([
      { nextOffset: 0, done: false },
    ]);
  });

  test("another leader starts over: its bytes may be cut otherwise", () => {
    const node = new Driver(optionsFor(2));
    node.receive(1, chunk(metadata(10, 4), 0, 4));
    const middle = node.receive(3, chunk(metadata(10, 4), 4, 8, 6));
    expect(messages(middle, "install-snapshot-response")).toMatchObject([{ nextOffset: 0 }]);
    const start = node.receive(3, chunk(metadata(10, 4), 0, 4, 6));
    expect(only(start, "persist-snapshot-chunk")).toMatchObject([{ offset: 0 }]);
  });

  test("a snapshot of an earlier leader is refused with the later term", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(7, []) }));
    const effects = node.receive(1, chunk(metadata(10, 4), 0, 4));
    expect(only(effects, "persist-snapshot-chunk")).toEqual([]);
    expect(messages(effects, "install-snapshot-response")).toMatchObject([
      { term: 7, nextOffset: 0, done: false },
    ]);
  });

  test("a snapshot keeps the leader's authority: the election timer is reset", () => {
    const node = new Driver(optionsFor(2));
    node.tick(7);
    node.receive(1, chunk(metadata(10, 4), 0, 4));
    expect(node.raft.status()).toMatchObject({ leaderId: 1, electionElapsedTicks: 0 });
  });
});
