/** What a core tells those who watch it: each thing once, when it happens, and nothing else. */
import { describe, expect, test } from "vitest";
import { append, command, Driver, logOf, observations, optionsFor } from "../test/driver.ts";
import { recovered, requestVote, vote, voters } from "../test/driver.ts";
import { encodeConfiguration } from "./index.ts";
import type { Configuration, Entry, RaftOptions } from "./index.ts";

function watched(id: number, overrides: Partial<RaftOptions> = {}): Driver {
  return new Driver(optionsFor(id, { observing: true, ...overrides }));
}

function configurationEntry(index: number, term: number, configuration: Configuration): Entry {
  return { index, term, kind: "configuration", data: encodeConfiguration(configuration) };
}

describe("the log", () => {
  test("what was appended is told, and nothing is truncated for it", () => {
    const node = watched(2);
    const entries = logOf(1, 1);
    const effects = node.receive(1, append(1, [0, 0], entries));
    expect(observations(effects, "log-appended")).toEqual([{ kind: "log-appended", entries }]);
    expect(observations(effects, "log-truncated")).toEqual([]);
  });

  test("of an append that overlaps only what is new is told", () => {
    const node = watched(2, { recovered: recovered(1, logOf(1)) });
    const entries = logOf(1, 1, 1);
    const told = observations(node.receive(1, append(1, [0, 0], entries)), "log-appended");
    expect(told).toEqual([{ kind: "log-appended", entries: entries.slice(1) }]);
  });

  test("of an append that brings nothing new nothing is told", () => {
    const node = watched(2, { recovered: recovered(1, logOf(1, 1)) });
    const effects = node.receive(1, append(1, [0, 0], logOf(1, 1)));
    expect(observations(effects, "log-appended")).toEqual([]);
  });

  test("what is overwritten is told before what takes its place", () => {
    const node = watched(2, { recovered: recovered(1, logOf(1, 1, 1)) });
    const effects = node.receive(3, append(2, [1, 1], [command(2, 2)]));
    const kinds = effects.flatMap((effect) =>
      effect.kind === "observe" && effect.observation.kind.startsWith("log-")
        ? [effect.observation]
        : [],
    );
    expect(kinds).toEqual([
      { kind: "log-truncated", fromIndex: 2 },
      { kind: "log-appended", entries: [command(2, 2)] },
    ]);
  });
});

describe("proposals", () => {
  test("those of one step are told at once; those that are refused are not in the log", () => {
    const leader = watched(1).lead(2, 3);
    const told = observations(leader.propose("a", "b"), "log-appended");
    expect(told).toEqual([{ kind: "log-appended", entries: leader.raft.entries(2, 3) }]);
    expect(observations(watched(2).propose("a"), "log-appended")).toEqual([]);
  });
});

describe("elections", () => {
  test("a timer that is set says how long it runs", () => {
    const node = watched(1);
    const effects = node.timeOut();
    const { electionTimeoutTicks } = node.raft.status();
    expect(observations(effects, "election-timer-reset")).toEqual([
      { kind: "election-timer-reset", elapsedTicks: 0, timeoutTicks: electionTimeoutTicks },
    ]);
    expect(electionTimeoutTicks).toBeGreaterThanOrEqual(10);
  });

  test("the votes are told as they come, for and against", () => {
    const node = watched(1, { initialConfiguration: voters(1, 2, 3, 4, 5) });
    node.step({ kind: "campaign" });
    node.receive(2, vote(1, true));
    const effects = node.receive(3, vote(1, false));
    expect(observations(effects, "votes-changed")).toEqual([
      { kind: "votes-changed", term: 1, preVote: false, granted: [1, 2], rejected: [3] },
    ]);
    const { votesGranted, votesRejected } = node.raft.status();
    expect([votesGranted, votesRejected]).toEqual([[1, 2], [3]]);
  });

  test("a pre-vote is told for the term that it asks about", () => {
    const node = watched(1, { preVote: true });
    const effects = node.step({ kind: "campaign" });
    expect(observations(effects, "votes-changed")).toEqual([
      { kind: "votes-changed", term: 1, preVote: true, granted: [1], rejected: [] },
    ]);
  });

  test("a vote that was given is told; a pre-vote promises nothing, and is not", () => {
    const node = watched(2);
    const asked = node.receive(1, requestVote(1, [0, 0], { preVote: true }));
    expect(observations(asked, "role-changed")).toEqual([]);
    const given = node.receive(1, requestVote(1, [0, 0]));
    expect(observations(given, "role-changed").at(-1)).toMatchObject({ term: 1, votedFor: 1 });
  });
});

describe("the configuration", () => {
  const old = voters(1, 2, 3);
  const next = voters(1, 2, 3, 4);

  test("is told when it comes into force, when it is committed, and when it is lost again", () => {
    const node = watched(2);
    const told = (effects: ReturnType<Driver["step"]>) =>
      observations(effects, "configuration-changed").map(({ configuration, index, committed }) => ({
        voters: configuration.voters,
        index,
        committed,
      }));
    const first = [configurationEntry(1, 1, old)];
    expect(told(node.receive(1, append(1, [0, 0], first, { leaderCommit: 1 })))).toEqual([
      { voters: [1, 2, 3], index: 1, committed: false },
      { voters: [1, 2, 3], index: 1, committed: true },
    ]);
    const second = [configurationEntry(2, 1, next)];
    expect(told(node.receive(1, append(1, [1, 1], second, { leaderCommit: 1 })))).toEqual([
      { voters: [1, 2, 3, 4], index: 2, committed: false },
    ]);
    // The one before is in force again, and known to be committed.
    expect(told(node.receive(3, append(2, [1, 1], [command(2, 2)])))).toEqual([
      { voters: [1, 2, 3], index: 1, committed: false },
      { voters: [1, 2, 3], index: 1, committed: true },
    ]);
  });

  test("a leader's own change is told as what it is: an entry of its log", () => {
    const node = watched(1).lead(2, 3);
    node.acknowledge(2, 1);
    const change = { kind: "add-learner", nodeId: 4, address: "d" } as const;
    const effects = node.step({ kind: "change-configuration", id: 1, change });
    expect(observations(effects, "log-appended")).toEqual([
      { kind: "log-appended", entries: node.raft.entries(2, 2) },
    ]);
    expect(node.raft.entries(2, 2)[0]?.kind).toBe("configuration");
  });

  test("who is a voter no more is a learner, and who becomes one follows", () => {
    const node = watched(3);
    const without = configurationEntry(1, 1, voters(1, 2));
    const removed = node.receive(1, append(1, [0, 0], [without]));
    expect(observations(removed, "role-changed").map(({ role }) => role)).toEqual([
      "follower",
      "learner",
    ]);
    expect(node.raft.status().role).toBe("learner");
    const added = node.receive(1, append(1, [1, 1], [configurationEntry(2, 1, old)]));
    expect(observations(added, "role-changed").map(({ role }) => role)).toEqual(["follower"]);
    expect(node.raft.status().role).toBe("follower");
  });

  test("whose role stays is not told of it", () => {
    const node = watched(3);
    node.receive(1, append(1, [0, 0]));
    const effects = node.receive(1, append(1, [0, 0], [configurationEntry(1, 1, next)]));
    expect(observations(effects, "role-changed")).toEqual([]);
  });

  test("a truncation that leaves it in force says nothing of it", () => {
    const node = watched(2, { recovered: recovered(1, logOf(1, 1, 1)) });
    const effects = node.receive(3, append(2, [1, 1], [command(2, 2)]));
    expect(effects.filter(({ kind }) => kind === "configuration")).toEqual([]);
    expect(observations(effects, "configuration-changed")).toEqual([]);
  });

  test("only a leader has peers, whatever the configuration", () => {
    const node = watched(2);
    node.receive(1, append(1, [0, 0], [configurationEntry(1, 1, next)]));
    expect(node.raft.status().progress).toEqual([]);
  });
});
