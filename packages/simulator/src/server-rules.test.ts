import { createInvariantChecker } from "@raftarium/checker";
import type { Effect, Input, Message, Raft, Role } from "@raftarium/raft";
import { beforeEach, describe, expect, test } from "vitest";
import { createServerRules } from "./server-rules.ts";
import type { ServerRules } from "./server-rules.ts";

/** As much of a core as the rules look at. */
const core = { term: 3, role: "follower" as Role };
let rules: ServerRules;
let checker: ReturnType<typeof createInvariantChecker>;

beforeEach(() => {
  Object.assign(core, { term: 3, role: "follower" });
  checker = createInvariantChecker({ voters: [1, 2, 3], durability: false });
  rules = createServerRules(1, { status: () => core } as unknown as Raft, checker);
});

const append = (term: number, prevLogIndex = 4): Message => ({
  type: "append-entries",
  term,
  prevLogIndex,
  prevLogTerm: 1,
  entries: [],
  leaderCommit: 0,
  readRound: 0,
});

const answer = (term: number, success: boolean, matchIndex: number): Message => ({
  type: "append-entries-response",
  term,
  success,
  matchIndex,
  hintIndex: 0,
  hintTerm: 0,
  rejectedIndex: 0,
  readRound: 0,
  heartbeat: false,
  priority: 0,
});

const from2 = (message: Message): Input => ({ kind: "message", from: 2, message });
const to2 = (message: Message): Effect => ({ kind: "send", to: 2, message });
const TICK: Input = { kind: "tick" };

function explanations(): readonly string[] {
  return checker.violations.map(({ invariant, explanation }) => `${invariant}: ${explanation}`);
}

describe("a later term is entered", () => {
  test("in a response: a leader that goes on in its own is told of", () => {
    core.role = "leader";
    rules.stepped(from2(answer(5, false, 0)), []);
    expect(explanations()).toEqual([
      "rules of Figure 2: node 1 heard of term 5 in an append-entries-response from 2, " +
        "and is in term 3",
    ]);
  });

  test("who is in that term after the step has entered it", () => {
    core.term = 5;
    rules.stepped(from2(answer(5, false, 0)), []);
    expect(explanations()).toEqual([]);
  });

  test("not for a vote: whoever hears a leader hears no candidate", () => {
    const message: Message = {
      type: "request-vote",
      term: 9,
      preVote: false,
      lastLogIndex: 0,
      lastLogTerm: 0,
      leadershipTransfer: false,
    };
    rules.stepped(from2(message), []);
    expect(explanations()).toEqual([]);
  });
});

describe("who hears the leader of its term follows it", () => {
  test("a candidate does not", () => {
    core.role = "candidate";
    rules.stepped(from2(append(3)), []);
    expect(explanations()).toEqual([
      "rules of Figure 2: node 1 heard the leader of term 3, 2, and is a candidate",
    ]);
  });

  test("once: later it may stand for election in the same term's wake", () => {
    rules.stepped(from2(append(3)), []);
    core.role = "pre-candidate";
    rules.stepped(TICK, []);
    rules.stepped(from2(append(2)), []);
    expect(explanations()).toEqual([]);
  });
});

describe("matchIndex never falls", () => {
  beforeEach(() => {
    core.role = "leader";
    rules.stepped(from2(answer(3, true, 7)), []);
  });

  test("nothing is sent that the peer has acknowledged", () => {
    rules.stepped(TICK, [to2(append(3, 6))]);
    expect(explanations()).toEqual([
      "rules of Figure 2: node 1 sends 2 what follows index 6, " +
        "though 2 has acknowledged everything up to 7",
    ]);
  });

  test("an answer that was overtaken changes nothing", () => {
    rules.stepped(from2(answer(3, true, 5)), [to2(append(3, 7))]);
    expect(explanations()).toEqual([]);
  });

  test("in another term it begins anew", () => {
    const hardState = { term: 4, votedFor: 1, commitIndex: 0 };
    core.term = 4;
    const persist: Effect = { kind: "persist", ticket: 1, hardState, entries: [], sync: true };
    rules.stepped(TICK, [persist, to2(append(4, 2))]);
    expect(explanations()).toEqual([]);
  });
});
