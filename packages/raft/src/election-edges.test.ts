/** Elections: who may campaign, whose answer counts, and what is left when one is over. */
import { describe, expect, test } from "vitest";
import { append, Driver, messages, observations, optionsFor, recovered } from "../test/driver.ts";
import { logOf, requestVote, vote, voters } from "../test/driver.ts";
import type { Message, RaftOptions } from "./index.ts";

const nodeWith = (id: number, overrides: Partial<RaftOptions> = {}): Driver =>
  new Driver(optionsFor(id, overrides));

const answersTo = (node: Driver, request: Message, from: number) =>
  messages(node.receive(from, request), "request-vote-response").map(
    ({ voteGranted }) => voteGranted,
  );

const timeoutNow = (term: number): Message => ({ type: "timeout-now", term });

describe("who campaigns", () => {
  test("a leader that is told to campaign, or to take over, goes on leading", () => {
    const node = nodeWith(1).lead(2);
    expect(node.step({ kind: "campaign" })).toEqual([]);
    expect(node.receive(2, timeoutNow(1))).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "leader", term: 1 });
  });

  test("a learner does not, whoever tells it to", () => {
    const node = nodeWith(4);
    node.step({ kind: "campaign" });
    node.receive(1, timeoutNow(0));
    expect(node.raft.status()).toMatchObject({ role: "learner", term: 0 });
  });

  test("only who was told by the leader asks the voters to forget their loyalty", () => {
    const node = nodeWith(1, { preVote: true });
    const last = { lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false };
    expect(messages(node.step({ kind: "campaign" }), "request-vote")[0]).toEqual({
      type: "request-vote",
      term: 1,
      preVote: true,
      ...last,
    });
    expect(messages(node.receive(2, vote(1, true, true)), "request-vote")[0]).toEqual({
      type: "request-vote",
      term: 1,
      preVote: false,
      ...last,
    });
    const [request] = messages(nodeWith(2).receive(1, timeoutNow(1)), "request-vote");
    expect(request).toMatchObject({ term: 2, preVote: false, leadershipTransfer: true });
  });
});

describe("whom a node hears", () => {
  test("not itself, whoever pretends to be it", () => {
    const node = nodeWith(1).lead(2);
    expect(node.receive(1, append(1, [0, 0]))).toEqual([]);
    expect(node.receive(1, vote(9, false))).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "leader", term: 1 });
  });

  test("any later term, even with a vote that it did not ask for; not that of a pre-vote", () => {
    const node = nodeWith(1);
    node.receive(2, vote(8, true, true));
    expect(node.raft.status().term).toBe(0);
    node.receive(2, vote(8, true));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 8 });
  });
});

describe("who gets a vote", () => {
  test("a loyal voter refuses a pre-vote as such, in its own term", () => {
    const node = nodeWith(3, { checkQuorum: true });
    node.receive(1, append(1, [0, 0]));
    const refused = node.receive(2, requestVote(2, [0, 0], { preVote: true }));
    expect(messages(refused, "request-vote-response")).toEqual([vote(1, false, true)]);
  });

  test("nobody whose term has a leader already", () => {
    const node = nodeWith(3);
    node.receive(1, append(1, [0, 0]));
    expect(answersTo(node, requestVote(1, [0, 0]), 2)).toEqual([false]);
    expect(node.raft.status().votedFor).toBeNull();
  });

  test("nobody a pre-vote for a term in which another has the vote; for the next, yes", () => {
    const node = nodeWith(3);
    node.receive(1, requestVote(1, [0, 0]));
    const preVote = (term: number) => requestVote(term, [0, 0], { preVote: true });
    expect(answersTo(node, preVote(1), 2)).toEqual([false]);
    expect(answersTo(node, preVote(1), 1)).toEqual([true]);
    expect(answersTo(node, preVote(2), 2)).toEqual([true]);
  });
});

describe("whose answer counts", () => {
  test("[8] not a refusal of an earlier candidacy", () => {
    const node = nodeWith(1);
    node.step({ kind: "campaign" });
    node.step({ kind: "campaign" });
    node.receive(2, vote(1, false));
    node.receive(3, vote(1, false));
    expect(node.raft.status()).toMatchObject({ role: "candidate", term: 2, votesRejected: [] });
  });

  test("[8] not a pre-vote that was granted for an earlier term", () => {
    const node = nodeWith(1, { preVote: true, recovered: recovered(3, logOf(1)) });
    node.step({ kind: "campaign" });
    node.receive(2, vote(3, true, true));
    expect(node.raft.status()).toMatchObject({ role: "pre-candidate", votesGranted: [1] });
    node.receive(2, vote(4, true, true));
    expect(node.raft.status()).toMatchObject({ role: "candidate", term: 4 });
  });

  test("a pre-vote that is refused counts, also from who is in an earlier term", () => {
    const node = nodeWith(1, { preVote: true, recovered: recovered(3, logOf(1)) });
    node.step({ kind: "campaign" });
    node.receive(2, vote(3, false, true));
    node.receive(3, vote(2, false, true));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 3 });
  });
});

describe("what is left", () => {
  const later = vote(9, false);

  test("the election timer of who follows or learns runs on in a later term", () => {
    for (const id of [2, 4]) {
      const node = nodeWith(id);
      node.tick(3);
      node.receive(1, later);
      expect(node.raft.status()).toMatchObject({ term: 9, electionElapsedTicks: 3 });
    }
  });

  test("who campaigned or led gets a whole one", () => {
    const candidate = nodeWith(1);
    candidate.step({ kind: "campaign" });
    candidate.tick(3);
    const leader = nodeWith(1, { observing: true }).lead(2);
    leader.tick(3);
    for (const node of [candidate, leader]) {
      node.receive(2, later);
      expect(node.raft.status()).toMatchObject({ role: "follower", electionElapsedTicks: 0 });
    }
    const effects = nodeWith(1, { observing: true }).lead(2).receive(2, later);
    expect(observations(effects, "election-timer-reset")).toHaveLength(1);
  });

  test("no votes, no peers, no transfer that goes on", () => {
    const node = nodeWith(1, { observing: true }).lead(2);
    expect(node.raft.status().progress.map(({ nodeId }) => nodeId)).toEqual([2, 3]);
    node.step({ kind: "transfer-leadership", to: 2 });
    const effects = node.receive(3, later);
    expect(observations(effects, "transfer-changed")).toEqual([
      { kind: "transfer-changed", targetId: 2, phase: "aborted" },
    ]);
    expect(node.raft.status()).toMatchObject({
      votesGranted: [],
      votesRejected: [],
      progress: [],
      transferTargetId: null,
    });
  });

  test("a new leader begins with an entry of its own, and says so", () => {
    const node = nodeWith(1, { observing: true, initialConfiguration: voters(1, 2) });
    node.step({ kind: "campaign" });
    const effects = node.receive(2, vote(1, true));
    const entries = node.raft.entries(1, 1);
    expect(observations(effects, "log-appended")).toEqual([{ kind: "log-appended", entries }]);
    expect(entries).toMatchObject([{ index: 1, term: 1, kind: "no-op" }]);
  });
});
