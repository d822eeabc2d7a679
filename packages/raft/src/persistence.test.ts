/** Figure 2: "updated on stable storage before responding to RPCs"; thesis 10.2.1. */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  command,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
  requestVote,
  vote,
  voters,
} from "../test/driver.ts";

describe("persist before promise", () => {
  test("[2] a vote leaves only when it is durable", () => {
    const node = new Driver(optionsFor(1), false);
    const effects = node.receive(2, requestVote(4, [0, 0]));
    expect(only(effects, "persist")).toMatchObject([
      { hardState: { term: 4, votedFor: 2 }, entries: [], sync: true },
    ]);
    expect(only(effects, "send")).toEqual([]);
    expect(messages(node.persist(), "request-vote-response")).toMatchObject([
      { term: 4, voteGranted: true },
    ]);
  });

  test("[2] a vote in a term that was entered before is a write of its own", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(4, logOf(4)) }), false);
    const effects = node.receive(2, requestVote(4, [1, 4]));
    expect(only(effects, "persist")).toMatchObject([{ hardState: { term: 4, votedFor: 2 } }]);
    expect(only(effects, "send")).toEqual([]);
    const again = node.receive(2, requestVote(4, [1, 4]));
    expect(only(again, "persist")).toEqual([]);
    expect(messages(node.persist(), "request-vote-response")).toHaveLength(2);
  });

  test("a snapshot that is on disk before its term's hard state: no vote was given in that term", () => {
    const configuration = voters(1, 2, 3);
    const snapshot = { index: 5, term: 4, configuration, configurationIndex: 0 };
    const last = recovered(3, [], { votedFor: 3, snapshot });
    const node = new Driver(optionsFor(1, { recovered: last }), false);
    expect(node.raft.status()).toMatchObject({ term: 4, votedFor: null, lastIndex: 5 });
    expect(messages(node.receive(3, requestVote(3, [9, 3])), "request-vote-response")).toEqual([]);
    node.persist();
    const effects = node.receive(2, requestVote(4, [5, 4]));
    expect(only(effects, "persist")).toMatchObject([{ hardState: { term: 4, votedFor: 2 } }]);
    expect(only(effects, "send")).toEqual([]);
    expect(messages(node.persist(), "request-vote-response")).toMatchObject([
      { term: 4, voteGranted: true },
    ]);
  });

  test("[3] but a vote in the very term of the snapshot is kept", () => {
    const configuration = voters(1, 2, 3);
    const snapshot = { index: 5, term: 4, configuration, configurationIndex: 0 };
    const last = recovered(4, [], { votedFor: 3, snapshot });
    const node = new Driver(optionsFor(1, { recovered: last }));
    expect(node.raft.status()).toMatchObject({ term: 4, votedFor: 3 });
  });

  test("[2] a candidate asks for votes when its own is durable, and counts it then", () => {
    const node = new Driver(optionsFor(1), false);
    expect(only(node.timeOut(), "send")).toEqual([]);
    expect(node.raft.status().votesGranted).toEqual([]);
    expect(messages(node.persist(), "request-vote")).toHaveLength(2);
    expect(node.raft.status().votesGranted).toEqual([1]);
  });

  test("a single node leads only when its vote is durable", () => {
    const node = new Driver(optionsFor(1, { initialConfiguration: voters(1) }), false);
    node.timeOut();
    expect(node.raft.status().role).toBe("candidate");
    node.persistOne();
    expect(node.raft.status()).toMatchObject({ role: "leader", commitIndex: 0 });
    node.persistOne();
    expect(node.raft.status().commitIndex).toBe(1);
  });

  test("[4] entries are acknowledged only when they are durable", () => {
    const node = new Driver(optionsFor(2), false);
    const effects = node.receive(1, append(1, [0, 0], logOf(1, 1)));
    expect(only(effects, "send")).toEqual([]);
    expect(only(effects, "persist")).toMatchObject([
      { hardState: { term: 1 }, entries: [{ index: 1 }, { index: 2 }] },
    ]);
    expect(messages(node.persist(), "append-entries-response")).toMatchObject([
      { success: true, matchIndex: 2 },
    ]);
  });

  test("[4] an append that brings nothing new still waits for what it acknowledges", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, append(1, [0, 0], logOf(1, 1)));
    const again = node.receive(1, append(1, [0, 0], logOf(1, 1)));
    expect(again).toEqual([]);
    expect(messages(node.persist(), "append-entries-response")).toHaveLength(2);
  });

  test("a refusal, which shows the term, waits for the term", () => {
    const node = new Driver(optionsFor(2), false);
    const effects = node.receive(1, append(3, [5, 2]));
    expect(only(effects, "send")).toEqual([]);
    expect(messages(node.persist(), "append-entries-response")).toMatchObject([
      { term: 3, success: false },
    ]);
  });

  test("a heartbeat is answered at once, for what is durable: a slow disk is not a dead node", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(1, logOf(1, 1)) }), false);
    node.receive(1, append(1, [2, 1], [command(3, 1)]));
    const effects = node.receive(1, append(1, [3, 1], [], { readRound: 4 }));
    expect(messages(effects, "append-entries-response")).toMatchObject([
      { success: true, matchIndex: 2, readRound: 4 },
    ]);
  });

  test("but not before the term is durable", () => {
    const node = new Driver(optionsFor(2), false);
    expect(messages(node.receive(1, append(1, [0, 0])), "append-entries-response")).toEqual([]);
    expect(messages(node.persist(), "append-entries-response")).toHaveLength(1);
  });

  test("where nothing needs a write, the answer goes at once", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(1, logOf(1)) }), false);
    const effects = node.receive(1, append(1, [1, 1]));
    expect(messages(effects, "append-entries-response")).toMatchObject([{ matchIndex: 1 }]);
  });

  test("thesis §10.2.1 the leader sends before its own write, but counts itself after", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.acknowledge(2, 1);
    node.auto = false;
    const effects = node.propose("x");
    expect(messages(effects, "append-entries").map(({ entries }) => entries.length)).toEqual([1]);
    expect(node.raft.status().durableIndex).toBe(1);
    const three = new Driver(optionsFor(1, { initialConfiguration: voters(1, 2) })).lead(2);
    three.auto = false;
    three.propose("x");
    three.acknowledge(2, 2);
    expect(three.raft.status().commitIndex).toBe(1);
    three.persist();
    expect(three.raft.status().commitIndex).toBe(2);
  });

  test("thesis §10.2.1 a majority of others may commit before the leader's own disk", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.auto = false;
    node.propose("x");
    node.acknowledge(2, 2);
    node.acknowledge(3, 2);
    expect(node.raft.status()).toMatchObject({ commitIndex: 2, durableIndex: 1 });
  });

  test("writes complete in order; several at once may be reported", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, append(1, [0, 0], logOf(1)));
    node.receive(1, append(1, [1, 1], [command(2, 1)]));
    const effects = node.step({ kind: "persisted", ticket: 2 });
    expect(messages(effects, "append-entries-response").map((m) => m.matchIndex)).toEqual([1, 2]);
    expect(() => node.step({ kind: "persisted", ticket: 1 })).toThrow(/persisted out of order/);
    const other = new Driver(optionsFor(2), false);
    expect(() => other.step({ kind: "persisted", ticket: 9 })).toThrow(/persisted out of order/);
  });
});

describe("steps", () => {
  test("after a broken invariant there is no next step", () => {
    const node = new Driver(optionsFor(1));
    expect(() => node.step({ kind: "applied", index: 5 })).toThrow(/more than was handed out/);
    expect(() => node.tick()).toThrow(/after one that failed/);
  });
});

describe("writes that are overtaken", () => {
  test("A-B-A: an entry is durable when the last write that touched it is", () => {
    const node = new Driver(optionsFor(2, { observing: true }), false);
    node.receive(1, append(1, [0, 0], logOf(1, 1, 1))); // A: ticket 1
    node.receive(3, append(2, [1, 1], [command(2, 2)])); // B: ticket 2 replaces 2 and 3
    // Ticket 3: the entries of A again, from a leader that has them.
    node.receive(1, append(3, [1, 1], [command(2, 1), command(3, 1)]));
    expect(node.terms).toEqual([1, 1, 1]);
    node.persistOne();
    expect(node.raft.status().durableIndex).toBe(1);
    node.persistOne();
    expect(node.raft.status().durableIndex).toBe(1);
    const effects = node.persistOne();
    expect(node.raft.status().durableIndex).toBe(3);
    expect(observations(effects, "durable-advanced")).toEqual([
      { kind: "durable-advanced", durableIndex: 3 },
    ]);
  });

  test("an acknowledgement whose term has passed is dropped: its entries may be gone", () => {
    const node = new Driver(optionsFor(2), false);
    node.receive(1, append(1, [0, 0], logOf(1, 1)));
    node.receive(3, append(2, [0, 0], [command(1, 2)]));
    const sent = messages(node.persist(), "append-entries-response");
    expect(sent).toMatchObject([{ term: 2, matchIndex: 1 }]);
  });

  test("a candidacy whose term has passed asks for no votes", () => {
    const node = new Driver(optionsFor(1), false);
    node.timeOut();
    node.receive(2, append(5, [0, 0]));
    expect(messages(node.persist(), "request-vote")).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "follower", votesGranted: [] });
  });

  test("a second candidacy does not count the vote of the first", () => {
    const node = new Driver(optionsFor(1), false);
    node.timeOut();
    node.timeOut();
    node.persistOne();
    expect(node.raft.status().votesGranted).toEqual([]);
    node.receive(2, vote(2, true));
    expect(node.raft.status().role).toBe("candidate");
    node.persistOne();
    expect(node.raft.status()).toMatchObject({ role: "leader", term: 2 });
  });

  test("a leader that was replaced does not count its unwritten entries as the new leader's", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.auto = false;
    node.propose("lost");
    node.receive(3, append(2, [1, 1], [command(2, 2)]));
    node.persistOne();
    expect(node.raft.status().durableIndex).toBe(1);
    node.persist();
    expect(node.raft.status().durableIndex).toBe(2);
  });
});
