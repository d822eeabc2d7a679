/** Why a role changes is told in words: the playground shows them, people debug by them. */
import { describe, expect, test } from "vitest";
import { append, Driver, observations, optionsFor, requestVote, vote } from "../test/driver.ts";
import { voters } from "../test/driver.ts";
import type { Effect, RaftOptions } from "./index.ts";
import { encodeConfiguration } from "./index.ts";

const watched = (id: number, overrides: Partial<RaftOptions> = {}): Driver =>
  new Driver(optionsFor(id, { observing: true, ...overrides }));

const reasons = (effects: readonly Effect[]): string[] =>
  observations(effects, "role-changed").map(({ role, reason }) => `${role}: ${reason}`);

const configuration = (index: number, ...ids: number[]) => ({
  index,
  term: 1,
  kind: "configuration" as const,
  data: encodeConfiguration(voters(...ids)),
});

describe("why somebody campaigns", () => {
  test.each([
    [false, "candidate"],
    [true, "pre-candidate"],
  ])("silence; then, that nothing was decided (pre-vote: %s)", (preVote, role) => {
    const node = watched(1, { preVote });
    const { electionTimeoutTicks } = node.raft.status();
    expect(reasons(node.timeOut())).toEqual([
      `${role}: heard no leader for ${electionTimeoutTicks} ticks`,
    ]);
    expect(reasons(node.timeOut())).toEqual([
      `${role}: the election before was not decided in time`,
    ]);
  });

  test("it was told to", () => {
    const effects = watched(1).step({ kind: "campaign" });
    expect(reasons(effects)).toEqual(["candidate: was told to campaign"]);
  });

  test("its leader handed over", () => {
    const effects = watched(2).receive(1, { type: "timeout-now", term: 1 });
    expect(reasons(effects)).toEqual([
      "follower: heard of term 1 from 1",
      "candidate: the leader handed over to it",
    ]);
  });

  test("a pre-vote went well", () => {
    const node = watched(1, { preVote: true });
    node.step({ kind: "campaign" });
    const effects = node.receive(2, vote(1, true, true));
    expect(reasons(effects)).toEqual(["candidate: a majority would vote for it"]);
  });

  test("it is alone, and needs nobody", () => {
    const node = watched(1, { preVote: true, initialConfiguration: voters(1) });
    expect(reasons(node.step({ kind: "campaign" }))).toEqual([
      "pre-candidate: was told to campaign",
      "candidate: no other vote is needed",
      "leader: won with the votes of itself",
    ]);
  });
});

describe("why somebody leads", () => {
  test("who voted for it, in order", () => {
    const node = watched(2, { initialConfiguration: voters(1, 2, 3, 4, 5) });
    node.step({ kind: "campaign" });
    node.receive(4, vote(1, true));
    expect(reasons(node.receive(1, vote(1, true)))).toEqual([
      "leader: won with the votes of 1, itself and 4",
    ]);
  });
});

describe("why somebody follows", () => {
  test("it gave its vote", () => {
    expect(reasons(watched(2).receive(1, requestVote(1, [0, 0])))).toEqual([
      "follower: heard of term 1 from 1",
      "follower: voted for 1",
    ]);
  });

  test("its leader is known now, of a later term or of this one", () => {
    const node = watched(2);
    expect(reasons(node.receive(1, append(1, [0, 0])))).toEqual(["follower: 1 leads term 1"]);
    expect(reasons(node.receive(1, append(1, [0, 0])))).toEqual([]);
    node.step({ kind: "campaign" });
    expect(reasons(node.receive(3, append(2, [0, 0])))).toEqual(["follower: 3 leads term 2"]);
  });

  test("a snapshot makes its leader known, too", () => {
    const configuration = voters(1, 2, 3);
    const effects = watched(2).receive(1, {
      type: "install-snapshot",
      term: 4,
      snapshot: { index: 5, term: 3, configuration, configurationIndex: 0 },
      offset: 0,
      data: new Uint8Array(1),
      done: false,
    });
    expect(reasons(effects)).toEqual(["follower: 1 leads term 4"]);
  });

  test("a majority is against it", () => {
    const node = watched(1);
    node.step({ kind: "campaign" });
    node.receive(2, vote(1, false));
    expect(reasons(node.receive(3, vote(1, false)))).toEqual([
      "follower: a majority refused its vote",
    ]);
  });

  test("a majority is silent", () => {
    const node = watched(1, { checkQuorum: true }).lead(2);
    expect(reasons(node.tick(19))).toEqual(["follower: heard no majority for 19 ticks"]);
  });

  test("its own change removed it", () => {
    const node = watched(1).lead(2, 3);
    node.acknowledge(2, 1);
    node.step({ kind: "change-configuration", id: 1, change: { kind: "remove", nodeId: 1 } });
    node.acknowledge(2, 2);
    expect(reasons(node.acknowledge(3, 2))).toEqual([
      "learner: the configuration without it is committed",
    ]);
  });
});

describe("a learner", () => {
  test("becomes one, and a voter again", () => {
    const node = watched(3);
    node.receive(1, append(1, [0, 0]));
    const removed = node.receive(1, append(1, [0, 0], [configuration(1, 1, 2)]));
    expect(reasons(removed)).toEqual(["learner: is not a voter any more"]);
    const added = node.receive(1, append(1, [1, 1], [configuration(2, 1, 2, 3)]));
    expect(reasons(added)).toEqual(["follower: became a voter"]);
  });

  test("that hears no leader says so, once for each election timeout, and waits on", () => {
    const node = watched(4);
    node.receive(1, append(1, [0, 0]));
    const { electionTimeoutTicks } = node.raft.status();
    expect(reasons(node.timeOut())).toEqual([
      `learner: heard no leader for ${electionTimeoutTicks} ticks`,
    ]);
    expect(node.raft.status().electionElapsedTicks).toBe(0);
    expect(reasons(node.timeOut())).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "learner", term: 1 });
  });
});
