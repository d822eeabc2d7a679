/** The rules at their very edges: one step to either side, and something else is right. */
import { describe, expect, test } from "vitest";
import { append, command, Driver, logOf, messages } from "../test/driver.ts";
import { nothingRecovered, observations, only, optionsFor, recovered } from "../test/driver.ts";
import { vote, voters } from "../test/driver.ts";
import { createRaft, decodeConfiguration, encodeConfiguration } from "./index.ts";
import type { Configuration, Entry, RaftOptions, SnapshotMetadata } from "./index.ts";
import {
  configurationAt,
  forgetConfigurations,
  recoveredConfigurations,
} from "./configurations.ts";
import { Core } from "./core.ts";
import { becomeFollower, takeVoteResponse } from "./election.ts";
import { Log } from "./log.ts";
import { beforeHeartbeat } from "./reads.ts";
import { broadcastHeartbeat } from "./replication.ts";
import { Progress } from "./progress.ts";
import type { SnapshotTransfer } from "./progress.ts";

const snapshotAt = (index: number, term: number): SnapshotMetadata => ({
  index,
  term,
  configuration: voters(1, 2, 3),
  configurationIndex: 0,
});

describe("options: each is refused by its name, just below what it may be", () => {
  const hardState = nothingRecovered.hardState;
  const mistakes: [Partial<RaftOptions>, string][] = [
    [{ incarnation: 0 }, "incarnation: expected a whole number from 1 up, got 0"],
    [{ electionTicksMax: 9 }, "electionTicksMax: expected a whole number from 10 up, got 9"],
    [{ entriesPerAppendMax: 0 }, "entriesPerAppendMax: expected a whole number from 1 up, got 0"],
    [{ bytesPerAppendMax: 0 }, "bytesPerAppendMax: expected a whole number from 1 up, got 0"],
    [{ inflightBytesMax: 0 }, "inflightBytesMax: expected a whole number from 1 up, got 0"],
    [{ uncommittedBytesMax: 0 }, "uncommittedBytesMax: expected a whole number from 1 up, got 0"],
    [{ snapshotChunkBytes: 0 }, "snapshotChunkBytes: expected a whole number from 1 up, got 0"],
    [{ trailingEntries: -1 }, "trailingEntries: expected a whole number from 0 up, got -1"],
    [{ priority: -1 }, "priority: expected a whole number from 0 up, got -1"],
    [{ leaseReads: true }, "leaseReads: expected off while checkQuorum is off: .*, got on"],
    [
      { initialConfiguration: { ...voters(1, 2), learners: [2, 3] } },
      "initialConfiguration: .*, got voters 1, 2; learners 2, 3",
    ],
    [
      { recovered: { ...nothingRecovered, hardState: { ...hardState, commitIndex: -1 } } },
      "recovered.hardState.commitIndex: expected a whole number from 0 up, got -1",
    ],
    [
      { recovered: { ...nothingRecovered, hardState: { ...hardState, votedFor: 0 } } },
      "recovered.hardState.votedFor: expected a whole number from 1 up, got 0",
    ],
  ];
  for (const [mistake, text] of mistakes) {
    test(text, () => {
      const refused = () => createRaft(optionsFor(1, mistake));
      expect(refused).toThrow(new RegExp(`^cannot create the core: ${text}$`));
    });
  }

  test("what is just enough is taken", () => {
    const enough: Partial<RaftOptions>[] = [
      { heartbeatTicks: 5, electionTicksMin: 10, electionTicksMax: 10 },
      { entriesPerAppendMax: 1, bytesPerAppendMax: 1, inflightAppendsMax: 1, inflightBytesMax: 1 },
      { uncommittedBytesMax: 1, snapshotChunkBytes: 1, trailingEntries: 0, priority: 0 },
      { leaseReads: true, checkQuorum: true },
      { recovered: recovered(4, [], { snapshot: snapshotAt(5, 4) }) },
      { recovered: recovered(1, [], { votedFor: 1 }) },
    ];
    for (const options of enough) {
      expect(() => createRaft(optionsFor(1, options))).not.toThrow();
    }
  });
});

describe("the log keeps to what is there", () => {
  test("a batch may fill its bytes to the last, and always has one entry", () => {
    const log = new Log(0, 0, [command(1, 1, "abc"), command(2, 1, "de"), command(3, 1, "f")]);
    expect(log.batch(1, 9, 5).length).toBe(2);
    expect(log.batch(1, 9, 4).length).toBe(1);
    expect(log.batch(1, 9, 1).length).toBe(1);
    expect(log.batch(1, 1, 99).length).toBe(1);
  });

  test("what is compacted is neither truncated nor compacted again", () => {
    const log = new Log(3, 1, [command(4, 1), command(5, 2)]);
    expect(() => log.truncateFrom(3)).toThrow("truncation of a compacted entry");
    expect(() => log.compactThrough(3)).toThrow("compaction outside the log");
    expect(() => log.compactThrough(6)).toThrow("compaction outside the log");
    log.compactThrough(5);
    expect([log.baseIndex, log.baseTerm, log.lastIndex]).toEqual([5, 2, 5]);
    log.append(command(6, 2));
    log.truncateFrom(6);
    expect(log.lastIndex).toBe(5);
  });

  test("a write is done when its ticket is, and is news only once", () => {
    const log = new Log(0, 0, []);
    log.append(command(1, 1));
    expect(log.takeUnstable(3).length).toBe(1);
    expect(log.takeUnstable(4)).toEqual([]);
    log.append(command(2, 1));
    log.takeUnstable(5);
    expect([log.persisted(2), log.durableIndex]).toEqual([false, 0]);
    expect([log.persisted(3), log.durableIndex]).toEqual([true, 1]);
    expect([log.persisted(4), log.durableIndex]).toEqual([false, 1]);
    expect([log.persisted(5), log.durableIndex]).toEqual([true, 2]);
  });
});

describe("a broken invariant ends the core", () => {
  const coreWith = (overrides: Partial<RaftOptions>): Core => {
    const options = optionsFor(1, overrides);
    return new Core(options, recoveredConfigurations(options));
  };

  const granted = { type: "request-vote-response", preVote: false, voteGranted: true } as const;

  test("the commit index never falls, stays, or passes the log", () => {
    const core = coreWith({ recovered: recovered(1, logOf(1, 1, 1), { commitIndex: 2 }) });
    for (const index of [1, 2, 4]) {
      expect(() => core.commitTo(index)).toThrow("commitIndex out of bounds");
    }
    core.commitTo(3);
    expect(core.commitIndex).toBe(3);
  });

  test("a leader commits no more bytes than it has uncommitted", () => {
    const core = coreWith({ recovered: recovered(1, [command(1, 1, "abc")]) });
    core.role = "leader";
    core.uncommittedBytes = 2;
    expect(() => core.commitTo(1)).toThrow("more bytes committed than were uncommitted");
  });

  test("no term falls, and nobody leads who voted for another", () => {
    const core = coreWith({ recovered: recovered(3, [], { votedFor: 2 }) });
    expect(() => becomeFollower(core, 2, null, "")).toThrow("terms never fall");
    core.role = "candidate";
    core.votes.set(2, true);
    expect(() => takeVoteResponse(core, 3, { ...granted, term: 3 })).toThrow(
      "a leader voted for itself",
    );
  });

  test("no append starts beyond the log, or at what the peer is known to have", () => {
    const core = coreWith({ recovered: recovered(1, logOf(1, 1)) });
    core.role = "leader";
    const peer = new Progress(3, 0, core.options);
    core.peers.set(2, peer);
    for (const [matchIndex, nextIndex] of [
      [1, 1],
      [2, 1],
      [0, 4],
    ] as const) {
      Object.assign(peer, { matchIndex, nextIndex });
      expect(() => broadcastHeartbeat(core)).toThrow("nextIndex out of bounds");
    }
    Object.assign(peer, { matchIndex: 2, nextIndex: 3 });
    expect(() => broadcastHeartbeat(core)).not.toThrow();
  });

  test("a configuration on disk that is none is not guessed", () => {
    const data = new Uint8Array([9]);
    const entries: Entry[] = [{ index: 1, term: 1, kind: "configuration", data }];
    expect(() => coreWith({ recovered: recovered(1, entries) })).toThrow(
      "a malformed configuration in the log",
    );
  });

  test("it says what it is", () => {
    const core = coreWith({});
    const named = expect.objectContaining({ name: "AssertionError" }) as Error;
    expect(() => core.commitTo(1)).toThrow(named);
  });

  test("of rounds that nobody answers only those are kept on which a lease may rest", () => {
    const core = coreWith({ leaseReads: true, checkQuorum: true });
    for (; core.now < 1000; core.now++) beforeHeartbeat(core);
    expect(core.reads.roundTicks.length).toBeLessThanOrEqual(core.options.electionTicksMin + 1);
  });

  test("of configurations only those in the log, and the last before it, are kept", () => {
    const core = coreWith({});
    core.configurations = [0, 3, 5].map((configurationIndex) => ({
      configuration: voters(1, 2, 3),
      configurationIndex,
    }));
    forgetConfigurations(core, 4);
    expect(core.configurations.map((at) => at.configurationIndex)).toEqual([3, 5]);
    expect(configurationAt(core, 4).configurationIndex).toBe(3);
    expect(() => configurationAt(core, 2)).toThrow(
      "the configuration of a compacted index was asked for",
    );
  });
});

describe("appends (section 5.3)", () => {
  test("the hint goes back a whole term, not an entry", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(3, logOf(1, 1, 1, 3, 3, 3)) }));
    const [answer] = messages(node.receive(1, append(3, [6, 1])), "append-entries-response");
    expect(answer).toMatchObject({
      success: false,
      hintIndex: 3,
      hintTerm: 1,
      rejectedIndex: 6,
      matchIndex: 0,
    });
  });

  test("nor further back than what is committed", () => {
    const log = recovered(3, logOf(1, 3, 3, 3), { commitIndex: 2 });
    const node = new Driver(optionsFor(2, { recovered: log }));
    const [answer] = messages(node.receive(1, append(3, [4, 2])), "append-entries-response");
    expect(answer).toMatchObject({ success: false, hintIndex: 2, hintTerm: 3 });
  });

  test("where the snapshot ends, the terms must agree", () => {
    const snapshot = snapshotAt(5, 2);
    const node = new Driver(optionsFor(2, { recovered: recovered(3, [], { snapshot }) }));
    const answersTo = (term: number) =>
      messages(node.receive(1, append(3, [5, term], [command(6, 3)])), "append-entries-response");
    expect(answersTo(1)).toMatchObject([{ success: false }]);
    expect(answersTo(2)).toMatchObject([{ success: true, matchIndex: 6 }]);
  });

  test("an answer says whether it was a heartbeat that it answers", () => {
    const node = new Driver(optionsFor(2));
    const heartbeats = (entries: ReturnType<typeof logOf>) =>
      messages(node.receive(1, append(1, [0, 0], entries)), "append-entries-response").map(
        ({ heartbeat }) => heartbeat,
      );
    expect([...heartbeats(logOf(1)), ...heartbeats([])]).toEqual([false, true]);
  });

  test("bytes are counted right in a log that was compacted", () => {
    const log = new Log(3, 1, [command(4, 1, "ab"), command(5, 1, "cde")]);
    expect([log.byteCount(4, 4), log.byteCount(5, 5), log.byteCount(4, 5)]).toEqual([2, 3, 5]);
    expect(log.byteCount(6, 5)).toBe(0);
  });
});

describe("membership (section 6)", () => {
  const leader = (overrides: Partial<RaftOptions> = {}): Driver => {
    const node = new Driver(optionsFor(1, overrides)).lead(2, 3);
    node.acknowledge(2, 1);
    node.acknowledge(3, 1);
    return node;
  };
  const latest = (node: Driver): Configuration | null => {
    const { lastIndex } = node.raft.status();
    return decodeConfiguration(node.raft.entries(lastIndex, lastIndex)[0]!.data);
  };

  test("who leaves hands over to the voter with the longest log", () => {
    for (const [longest, other] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const node = leader();
      node.step({ kind: "change-configuration", id: 1, change: { kind: "remove", nodeId: 1 } });
      node.propose("a");
      node.acknowledge(longest, 3);
      node.sent();
      node.acknowledge(other, 2);
      const told = node.sent().filter(({ message }) => message.type === "timeout-now");
      expect(told.map(({ to }) => to)).toEqual([longest]);
      expect(node.raft.status().role).not.toBe("leader");
    }
  });

  test("where nobody has an address, a change gives nobody one", () => {
    const node = leader();
    node.step({ kind: "change-configuration", id: 1, change: { kind: "remove", nodeId: 3 } });
    expect(latest(node)).toEqual(voters(1, 2));
  });

  test("those who stay keep their addresses; those who are new bring theirs", () => {
    const node = leader({
      initialConfiguration: { ...voters(1, 2, 3), addresses: { 1: "a", 2: "b", 3: "c" } },
    });
    const addresses = { 4: "d" };
    const change = { kind: "replace", voters: [1, 2, 4], learners: [], addresses } as const;
    node.step({ kind: "change-configuration", id: 1, change });
    expect(latest(node)?.addresses).toEqual({ 1: "a", 2: "b", 3: "c", 4: "d" });
  });

  test("a predecessor's joint configuration is left in a new term's own time", () => {
    const joint = { ...voters(1, 2, 3), votersOutgoing: [1, 2, 4] };
    const data = encodeConfiguration(joint);
    const log: Entry[] = [{ index: 1, term: 1, kind: "configuration", data }];
    const node = new Driver(optionsFor(1, { recovered: recovered(1, log, { commitIndex: 1 }) }));
    node.lead(2, 3);
    expect(node.raft.status()).toMatchObject({ lastIndex: 2, commitIndex: 1 });
    node.acknowledge(2, 2);
    expect(node.raft.status()).toMatchObject({ lastIndex: 3, commitIndex: 2 });
    expect(latest(node)).toEqual(voters(1, 2, 3));
  });

  test("no node is in a list twice, in the outgoing one either", () => {
    const twice = { ...voters(1), votersOutgoing: [2, 2] };
    expect(decodeConfiguration(encodeConfiguration(twice))).toBeNull();
    const once = { ...voters(1), votersOutgoing: [1, 2] };
    expect(decodeConfiguration(encodeConfiguration(once))).toEqual(once);
  });

  test("a number that just needs a second byte gets one, and nothing may follow the last", () => {
    for (const nodeId of [127, 128, 129, 16_383, 16_384]) {
      const bytes = encodeConfiguration(voters(1, nodeId));
      expect(decodeConfiguration(bytes)).toEqual(voters(1, nodeId));
      // Half a number.
      expect(decodeConfiguration(Uint8Array.from([...bytes, 0x80]))).toBeNull();
    }
  });
});

describe("leadership transfer (thesis 3.10)", () => {
  test("who does not lead takes no notice of the wish, then or later", () => {
    const node = new Driver(optionsFor(1));
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(node.raft.status().transferTargetId).toBeNull();
    node.lead(2);
    expect(only(node.propose("a"), "proposal-accepted")).toHaveLength(1);
  });

  test("a priority does not take the place of what was asked for", () => {
    const node = new Driver(optionsFor(1)).lead(2, 3);
    const calmTicks = 10 * 19;
    for (let tick = 0; tick < calmTicks - 4; tick++) {
      node.acknowledge(3, 1, 0, 5);
      node.tick();
    }
    node.step({ kind: "transfer-leadership", to: 2 });
    for (let tick = 0; tick < 10; tick++) {
      node.acknowledge(3, 1, 0, 5);
      node.tick();
    }
    expect(node.raft.status().transferTargetId).toBe(2);
  });

  test("the status knows the snapshot, the votes and the target", () => {
    const snapshot = snapshotAt(5, 2);
    const node = new Driver(optionsFor(1, { recovered: recovered(3, [], { snapshot }) }));
    expect(node.raft.status()).toMatchObject({
      snapshotIndex: 5,
      snapshotTerm: 2,
      firstIndex: 6,
      transferTargetId: null,
    });
  });
});

describe("a peer's window", () => {
  const progressOf = (overrides: Partial<RaftOptions> = {}): Progress => {
    const progress = new Progress(1, 0, optionsFor(1, overrides));
    progress.becomeReplicate();
    return progress;
  };

  function transferOf(index: number): SnapshotTransfer {
    return { metadata: snapshotAt(index, 1), offset: 0, waitingFor: "chunk", sinceTick: 0 };
  }

  test("is full at so many bytes, not beyond them", () => {
    const progress = progressOf({ inflightBytesMax: 10 });
    progress.sent(1, 9);
    expect(progress.ready).toBe(true);
    progress.sent(2, 1);
    expect(progress.ready).toBe(false);
  });

  test("opens for what is acknowledged, and for that only", () => {
    const progress = progressOf({ inflightAppendsMax: 2 });
    progress.sent(3, 1);
    progress.sent(5, 1);
    expect(progress.acknowledged(4)).toBe(true);
    expect([progress.inflightCount, progress.matchIndex, progress.nextIndex]).toEqual([1, 4, 6]);
    expect(progress.acknowledged(4)).toBe(false);
    expect(progress.acknowledged(9)).toBe(true);
    expect([progress.inflightCount, progress.matchIndex, progress.nextIndex]).toEqual([0, 9, 10]);
  });

  test("is empty after every change of state", () => {
    for (const change of [
      (progress: Progress) => progress.becomeProbe(1),
      (progress: Progress) => progress.becomeReplicate(),
      (progress: Progress) => progress.becomeSnapshot(transferOf(5)),
    ]) {
      const progress = progressOf();
      progress.sent(3, 10);
      change(progress);
      expect([progress.inflightCount, progress.inflightBytesTotal]).toEqual([0, 0]);
      // Nothing of a snapshot stays behind, either.
      progress.becomeSnapshot(transferOf(5));
      progress.becomeReplicate();
      expect(progress.snapshot).toBeNull();
    }
  });

  test("an acknowledgement of what was not sent yet moves on what is sent next", () => {
    const progress = progressOf();
    progress.sent(5, 1);
    progress.acknowledged(6);
    expect([progress.matchIndex, progress.nextIndex]).toEqual([6, 7]);
  });

  test("a peer is active for less than an election timeout after it was heard", () => {
    const progress = new Progress(1, 5, optionsFor(1));
    expect([14, 15].map((tick) => progress.isActive(tick))).toEqual([true, false]);
    expect(progress.inflightCount).toBe(0);
  });

  test("a peer is near that lacks so many entries, and no more", () => {
    const progress = progressOf();
    progress.acknowledged(4);
    expect([progress.isWithin(3, 7), progress.isWithin(3, 8)]).toEqual([true, false]);
    progress.becomeProbe(5);
    expect(progress.isWithin(3, 4)).toBe(false);
  });
});

describe("persist before promise (Figure 2)", () => {
  test("a write of entries alone carries no term and vote", () => {
    const node = new Driver(optionsFor(1, { initialConfiguration: voters(1, 2, 3) }), false);
    node.lead(2);
    node.persist();
    const [persist] = only(node.propose("a"), "persist");
    expect(persist).toMatchObject({ hardState: null, entries: [{ index: 2 }], sync: true });
  });

  test("the commit index goes along with the next write", () => {
    const node = new Driver(optionsFor(1), false);
    node.lead(2);
    node.persist();
    expect(only(node.acknowledge(2, 1), "persist")).toEqual([]);
    const [persist] = only(node.propose("a"), "persist");
    expect(persist?.hardState).toEqual({ term: 1, votedFor: 1, commitIndex: 1 });
    const [next] = only(node.propose("b"), "persist");
    expect(next?.hardState).toBeNull();
  });

  test("a write is completed once, and none that was not asked for", () => {
    const node = new Driver(optionsFor(1), false);
    node.step({ kind: "campaign" });
    expect(() => node.step({ kind: "persisted", ticket: 2 })).toThrow(
      "persisted out of order: expected a ticket from 1 to 1, got 2",
    );
    const other = new Driver(optionsFor(1), false);
    other.step({ kind: "campaign" });
    other.persist();
    expect(() => other.step({ kind: "persisted", ticket: 1 })).toThrow(
      "persisted out of order: expected a ticket from 2 to 1, got 1",
    );
  });

  test("a vote that became durable in a later term is still a vote of its own term", () => {
    const node = new Driver(optionsFor(2), false);
    const request = { lastLogIndex: 0, lastLogTerm: 0, preVote: false, leadershipTransfer: false };
    node.receive(1, { type: "request-vote", term: 1, ...request });
    node.receive(3, append(2, [0, 0]));
    const [answer] = messages(node.persist(), "request-vote-response");
    expect(answer).toEqual(vote(1, true));
  });

  test("what an older term's append promised is not sent any more", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, append(1, [0, 0], logOf(1)));
    node.receive(3, append(2, [0, 0]));
    const answers = messages(node.persist(), "append-entries-response");
    expect(answers.map(({ term }) => term)).toEqual([2]);
  });

  test("observers hear of what became durable, and of nothing twice", () => {
    const node = new Driver(optionsFor(2, { observing: true }), false);
    node.receive(1, append(1, [0, 0], logOf(1, 1)));
    const told = observations(node.persist(), "durable-advanced");
    expect(told).toEqual([{ kind: "durable-advanced", durableIndex: 2 }]);
    node.receive(1, append(2, [2, 1]));
    expect(observations(node.persist(), "durable-advanced")).toEqual([]);
  });
});
