/** Linearizable reads (thesis 6.4). Numbers in brackets are those of classic bugs. */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
  voters,
} from "../test/driver.ts";
import type { Message, RaftOptions } from "./index.ts";

function leader(overrides: Partial<RaftOptions> = {}): Driver {
  const node = new Driver(optionsFor(1, overrides)).lead(2);
  node.acknowledge(2, 1);
  node.acknowledge(3, 1);
  node.sent();
  return node;
}

function read(node: Driver, id: number) {
  return node.step({ kind: "read", id });
}

function ready(node: Driver): number[] {
  return only(node.effects, "read-ready").map(({ id }) => id);
}

function response(requestId: number, index: number, term = 1): Message {
  return { type: "read-index-response", term, requestId, index };
}

describe("thesis §6.4 reads on the leader", () => {
  test("[18] a read is answered only after a majority confirmed the leader", () => {
    const node = leader({ observing: true });
    const effects = read(node, 7);
    expect(ready(node)).toEqual([]);
    expect(messages(effects, "append-entries").map(({ readRound }) => readRound)).toEqual([1, 1]);
    const confirmed = node.acknowledge(2, 1, 1);
    expect(ready(node)).toEqual([7]);
    expect(observations(confirmed, "read-confirmed")).toEqual([
      { kind: "read-confirmed", index: 1, readCount: 1, acknowledgedBy: [2] },
    ]);
  });

  test("[20] an answer to an earlier round confirms nothing", () => {
    const node = leader();
    read(node, 1);
    node.acknowledge(2, 1, 1);
    read(node, 2);
    node.acknowledge(2, 1, 1);
    node.acknowledge(3, 1, 1);
    node.acknowledge(3, 1, 0);
    expect(ready(node)).toEqual([1]);
    node.acknowledge(3, 1, 2);
    expect(ready(node)).toEqual([1, 2]);
  });

  test("[20] the caller's id is no token: the same id twice needs two rounds", () => {
    const node = leader();
    read(node, 5);
    node.acknowledge(2, 1, 1);
    read(node, 5);
    node.acknowledge(2, 1, 1);
    expect(ready(node)).toEqual([5]);
  });

  test("an answer to a round that was never begun confirms nothing", () => {
    const node = leader();
    node.acknowledge(2, 1, 99);
    read(node, 1);
    expect(ready(node)).toEqual([]);
  });

  test("reads that come while a round is out share the next one", () => {
    const node = leader();
    read(node, 1);
    expect(messages([...read(node, 2), ...read(node, 3)], "append-entries")).toEqual([]);
    const effects = node.acknowledge(2, 1, 1);
    expect(ready(node)).toEqual([1]);
    expect(messages(effects, "append-entries").map(({ readRound }) => readRound)).toEqual([2, 2]);
    node.acknowledge(3, 1, 2);
    expect(ready(node)).toEqual([1, 2, 3]);
  });

  test("a round that was lost is repeated by the heartbeat", () => {
    const node = leader();
    read(node, 1);
    read(node, 2);
    node.sent();
    node.tick(2);
    expect(node.sentOf("append-entries", 2)[0]?.readRound).toBe(1);
    node.acknowledge(2, 1, 1);
    expect(ready(node)).toEqual([1]);
    node.acknowledge(2, 1, 2);
    expect(ready(node)).toEqual([1, 2]);
  });

  test("reads that keep coming do not hold up a round that takes longer than a heartbeat", () => {
    const node = leader();
    const rounds: number[] = [];
    for (let tick = 0; tick < 60; tick++) {
      read(node, tick);
      node.tick();
      rounds.push(node.sentOf("append-entries", 2).at(-1)?.readRound ?? rounds.at(-1) ?? 0);
      // An answer takes three ticks, and heartbeats go out every two.
      node.acknowledge(2, 1, rounds[tick - 3] ?? 0);
    }
    expect(ready(node).length).toBeGreaterThan(50);
  });

  test("who asked is told when leadership is lost: a follower by an answer, a client by refusal", () => {
    const node = leader();
    node.receive(2, { type: "read-index", term: 1, requestId: 77 });
    read(node, 5);
    const effects = node.receive(3, append(2, [0, 0]));
    expect(only(effects, "read-refused").map(({ id }) => id)).toEqual([5]);
    expect(messages(effects, "read-index-response")).toMatchObject([{ requestId: 77, index: 0 }]);
  });

  test("a slow state machine is waited for, however long", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, append(1, [0, 0], logOf(1)));
    node.persist();
    read(node, 3);
    node.receive(1, append(1, [1, 1], [], { leaderCommit: 1 }));
    const { requestId } = node.sentOf("read-index").at(-1)!;
    node.receive(1, response(requestId, 1));
    expect(only(node.tick(100), "read-refused")).toEqual([]);
    expect(ready(node)).toEqual([]);
    node.step({ kind: "applied", index: 1 });
    expect(ready(node)).toEqual([3]);
  });

  test("[19] no read before an entry of the leader's own term is committed", () => {
    const node = new Driver(
      optionsFor(1, { recovered: recovered(3, logOf(1, 3), { commitIndex: 1 }) }),
    ).lead(2);
    read(node, 1);
    node.acknowledge(2, 2, 1);
    node.acknowledge(3, 2, 1);
    expect(ready(node)).toEqual([]);
    node.acknowledge(2, 3, 0);
    node.acknowledge(2, 3, 1);
    expect(ready(node)).toEqual([1]);
  });

  test("a read waits until the state machine has applied what was committed before it", () => {
    const node = leader();
    node.auto = false;
    node.propose("x");
    node.acknowledge(2, 2);
    node.acknowledge(3, 2);
    read(node, 1);
    node.acknowledge(2, 2, 1);
    expect(ready(node)).toEqual([]);
    const effects = node.step({ kind: "applied", index: 2 });
    expect(only(effects, "read-ready")).toEqual([{ kind: "read-ready", id: 1, index: 2 }]);
  });

  test("of two reads, each waits for its own index", () => {
    const node = leader();
    node.auto = false;
    read(node, 1);
    node.acknowledge(2, 1, 1);
    node.propose("x");
    node.acknowledge(2, 2);
    node.acknowledge(3, 2);
    read(node, 2);
    node.acknowledge(2, 2, 2);
    read(node, 3);
    expect(ready(node)).toEqual([1]);
    node.step({ kind: "applied", index: 2 });
    node.propose("y");
    node.acknowledge(2, 3, 3);
    node.acknowledge(3, 3);
    expect(ready(node)).toEqual([1, 2, 3]);
    const follower = new Driver(optionsFor(2), false);
    follower.receive(1, append(1, [0, 0], logOf(1, 1), { leaderCommit: 2 }));
    for (const [id, index] of [
      [4, 1],
      [5, 2],
    ] as const) {
      const [question] = messages(read(follower, id), "read-index");
      follower.receive(1, response(question!.requestId, index));
    }
    follower.step({ kind: "applied", index: 1 });
    expect(ready(follower)).toEqual([4]);
    follower.step({ kind: "applied", index: 2 });
    expect(ready(follower)).toEqual([4, 5]);
  });

  test("a single node is its own majority", () => {
    const node = new Driver(optionsFor(1, { initialConfiguration: voters(1) })).lead();
    read(node, 1);
    expect(ready(node)).toEqual([1]);
  });

  test("a learner's answer does not count", () => {
    const configuration = { ...voters(1, 2, 3), learners: [4, 5] };
    const node = leader({ initialConfiguration: configuration });
    read(node, 1);
    node.acknowledge(4, 1, 1);
    node.acknowledge(5, 1, 1);
    expect(ready(node)).toEqual([]);
  });

  test("in a joint configuration both halves must confirm", () => {
    const node = leader();
    node.step({
      kind: "change-configuration",
      id: 1,
      change: { kind: "replace", voters: [1, 4, 5], learners: [], addresses: {} },
    });
    read(node, 1);
    node.acknowledge(2, 1, 1);
    node.acknowledge(3, 1, 1);
    expect(ready(node)).toEqual([]);
    node.acknowledge(5, 1, 1);
    expect(ready(node)).toEqual([1]);
  });

  test("when leadership is lost, reads that are not confirmed are refused", () => {
    const node = leader();
    read(node, 1);
    read(node, 2);
    const effects = node.receive(3, append(5, [1, 1]));
    expect(only(effects, "read-refused")).toEqual([
      { kind: "read-refused", id: 1, reason: "leader-changed", leaderId: 3 },
      { kind: "read-refused", id: 2, reason: "leader-changed", leaderId: 3 },
    ]);
    node.acknowledge(2, 1, 1);
    expect(ready(node)).toEqual([]);
  });
});

describe("thesis §6.4 reads on followers", () => {
  function follower(): Driver {
    const node = new Driver(optionsFor(2));
    node.receive(1, append(1, [0, 0], logOf(1, 1), { leaderCommit: 1 }));
    node.sent();
    return node;
  }

  test("the leader gives the index; the follower waits until it has applied that", () => {
    const node = follower();
    const effects = read(node, 9);
    const [question] = messages(effects, "read-index");
    node.receive(1, response(question!.requestId, 2));
    expect(ready(node)).toEqual([]);
    node.receive(1, append(1, [2, 1], [], { leaderCommit: 2 }));
    expect(ready(node)).toEqual([9]);
  });

  test("[20] every question has an id of its own, and only its answer counts", () => {
    const node = follower();
    const [first] = messages(read(node, 1), "read-index");
    node.tick(9);
    node.receive(1, append(1, [2, 1])); // The leader is alive; the question was lost.
    const [second] = messages(node.tick(1), "read-index");
    expect(second!.requestId).not.toBe(first!.requestId);
    read(node, 2); // Waits for a question of its own.
    node.receive(1, response(first!.requestId, 1));
    expect(ready(node)).toEqual([]);
    node.receive(1, response(second!.requestId, 1));
    expect(ready(node)).toEqual([1]);
  });

  test("[20] an answer to a question of an earlier life, in the same term, counts for nothing", () => {
    const [asked] = messages(read(follower(), 1), "read-index");
    // It restarts; its leader goes on, commits more, and the old answer is still on its way.
    const options = { incarnation: 2, recovered: recovered(1, logOf(1, 1), { commitIndex: 1 }) };
    const node = new Driver(optionsFor(2, options));
    node.receive(1, append(1, [2, 1]));
    const [again] = messages(read(node, 1), "read-index");
    expect(again).toBeDefined();
    expect(Number.isSafeInteger(again!.requestId)).toBe(true);
    node.receive(1, response(asked!.requestId, 1));
    expect(ready(node)).toEqual([]);
    node.receive(1, response(again!.requestId, 2));
    expect(ready(node)).toEqual([]); // Not applied yet.
    node.receive(1, append(1, [2, 1], [], { leaderCommit: 2 }));
    expect(ready(node)).toEqual([1]);
  });

  test("reads that nobody answers are refused in the end", () => {
    const node = follower();
    read(node, 1);
    for (let i = 0; i < 60; i++) {
      node.receive(1, append(1, [2, 1]));
      node.tick();
    }
    expect(only(node.effects, "read-refused")).toEqual([
      { kind: "read-refused", id: 1, reason: "no-leader", leaderId: 1 },
    ]);
  });

  test("so are reads whose index never arrives here", () => {
    const node = follower();
    const [question] = messages(read(node, 1), "read-index");
    node.receive(1, response(question!.requestId, 50));
    for (let i = 0; i < 60; i++) {
      node.receive(1, append(1, [2, 1]));
      node.tick();
    }
    expect(only(node.effects, "read-refused")).toMatchObject([{ id: 1, reason: "no-leader" }]);
  });

  test("without a leader a read is refused at once", () => {
    const node = new Driver(optionsFor(2));
    expect(read(node, 1)).toEqual([
      { kind: "read-refused", id: 1, reason: "no-leader", leaderId: null },
    ]);
  });

  test("a change of leader refuses what was asked; a late answer means nothing", () => {
    const node = follower();
    const [question] = messages(read(node, 1), "read-index");
    const effects = node.receive(3, append(2, [2, 1]));
    expect(only(effects, "read-refused")).toMatchObject([{ id: 1, reason: "leader-changed" }]);
    node.receive(1, response(question!.requestId, 1, 1));
    node.receive(3, response(question!.requestId, 1, 2));
    expect(ready(node)).toEqual([]);
  });

  test("nor does one to a question before this node campaigned, in the same term", () => {
    const node = new Driver(optionsFor(2, { preVote: true }));
    node.receive(1, append(1, [0, 0], logOf(1, 1), { leaderCommit: 2 }));
    const [question] = messages(read(node, 1), "read-index");
    node.timeOut();
    expect(node.raft.status()).toMatchObject({ role: "pre-candidate", term: 1 });
    node.receive(1, append(1, [2, 1]));
    const [again] = messages(read(node, 2), "read-index");
    node.receive(1, response(question!.requestId, 1));
    expect(ready(node)).toEqual([]);
    node.receive(1, response(again!.requestId, 2));
    expect(ready(node)).toEqual([2]);
  });

  test("only the leader's answer counts", () => {
    const node = follower();
    const [question] = messages(read(node, 1), "read-index");
    node.receive(3, response(question!.requestId, 1));
    expect(ready(node)).toEqual([]);
    node.receive(1, response(question!.requestId, 1));
    expect(ready(node)).toEqual([1]);
  });

  test("a read waits for its index two of the longest election timeouts, not a tick more", () => {
    const node = follower();
    const [question] = messages(read(node, 1), "read-index");
    node.receive(1, response(question!.requestId, 50));
    const refused = Array.from({ length: 40 }, () => {
      node.receive(1, append(1, [2, 1]));
      return only(node.tick(), "read-refused").length;
    });
    expect(refused.indexOf(1)).toBe(2 * 19 - 1);
  });

  test("a leader of a later term refuses, and shows its term", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(4, []) })).lead(2);
    const refused = node.receive(3, { type: "read-index", term: 2, requestId: 4 });
    expect(messages(refused, "read-index-response")).toEqual([
      { type: "read-index-response", term: 5, requestId: 4, index: 0 },
    ]);
  });

  test("the leader answers a follower after a round, like its own clients", () => {
    const node = leader();
    const asked = node.receive(3, { type: "read-index", term: 1, requestId: 12 });
    expect(messages(asked, "read-index-response")).toEqual([]);
    const effects = node.acknowledge(2, 1, 1);
    expect(only(effects, "send")).toMatchObject([
      { to: 3, message: { type: "read-index-response", requestId: 12, index: 1 } },
    ]);
  });

  test("who does not lead refuses, and the asker tells its client", () => {
    const stranger = new Driver(optionsFor(3));
    stranger.receive(2, append(1, [0, 0]));
    const refused = stranger.receive(1, { type: "read-index", term: 1, requestId: 4 });
    expect(messages(refused, "read-index-response")).toMatchObject([{ requestId: 4, index: 0 }]);
    const node = follower();
    const [question] = messages(read(node, 1), "read-index");
    node.receive(1, response(question!.requestId, 0));
    expect(only(node.effects, "read-refused")).toMatchObject([{ id: 1, reason: "not-leader" }]);
  });
});

describe("thesis §6.4.1 lease reads", () => {
  const lease = { leaseReads: true, checkQuorum: true };

  /** A leader whose heartbeat of just now a majority has answered. */
  function withLease(): Driver {
    const node = leader(lease);
    node.tick(2);
    const [heartbeat] = node.sentOf("append-entries", 2);
    node.acknowledge(2, 1, heartbeat!.readRound);
    return node;
  }

  test("while the lease holds, a read needs no round", () => {
    const node = withLease();
    for (const id of [1, 2]) {
      expect(read(node, id)).toEqual([{ kind: "read-ready", id, index: 1 }]);
    }
    node.raft.setObserving(true);
    expect(observations(read(node, 3), "read-confirmed")).toEqual([
      { kind: "read-confirmed", index: 1, readCount: 1, acknowledgedBy: [] },
    ]);
  });

  test("it ends before the shortest election timeout after the heartbeat was sent", () => {
    const node = withLease();
    node.tick(8);
    read(node, 1);
    expect(ready(node)).toEqual([1]);
    node.tick(1);
    read(node, 2);
    expect(ready(node)).toEqual([1]);
  });

  test("it counts from the sending of what was answered, not from the answer", () => {
    const node = leader(lease);
    node.tick(2);
    const [heartbeat] = node.sentOf("append-entries", 2);
    node.tick(9);
    node.acknowledge(2, 1, heartbeat!.readRound);
    read(node, 1);
    expect(ready(node)).toEqual([]);
  });

  test("handing leadership over ends it for the rest of the term", () => {
    const node = withLease();
    node.step({ kind: "transfer-leadership", to: 2 });
    read(node, 1);
    node.tick(30); // The transfer is given up; TimeoutNow may be under way still.
    expect(ready(node)).toEqual([]);
  });

  test("a voter that restarted votes for nobody while an old lease could still run", () => {
    const node = new Driver(optionsFor(2, lease));
    const request: Message = {
      type: "request-vote",
      term: 5,
      preVote: false,
      lastLogIndex: 9,
      lastLogTerm: 4,
      leadershipTransfer: false,
    };
    expect(node.receive(3, request)).toEqual([]);
    node.tick(10);
    expect(messages(node.receive(3, request), "request-vote-response")).toMatchObject([
      { voteGranted: true },
    ]);
  });

  test("a new leader holds none before anybody answered it", () => {
    const node = new Driver(optionsFor(1, { leaseReads: true, checkQuorum: true })).lead(2);
    node.acknowledge(2, 1);
    read(node, 1);
    expect(ready(node)).toEqual([]);
  });

  test("a single node needs none", () => {
    const alone = { leaseReads: true, checkQuorum: true, initialConfiguration: voters(1) };
    const node = new Driver(optionsFor(1, alone)).lead();
    for (let id = 1; id <= 3; id++) {
      read(node, id);
      node.tick(7);
    }
    expect(ready(node)).toEqual([1, 2, 3]);
  });

  test("it is off unless asked for", () => {
    const node = leader({ checkQuorum: true });
    node.tick(2);
    node.acknowledge(2, 1, 0);
    read(node, 1);
    expect(ready(node)).toEqual([]);
  });
});
