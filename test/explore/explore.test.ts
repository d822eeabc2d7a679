/**
 * Every state within bounds, with the real core; and the proof that a broken core would not get
 * through. `pnpm explore` goes further.
 */
import type { Raft } from "@raftarium/raft";
import { describe, expect, test } from "vitest";
import { MUTANTS } from "../mutants/mutants.ts";
import { STILL } from "./bounds.ts";
import type { Bounds } from "./bounds.ts";
import { EMPTY_DISK } from "./disk.ts";
import { IDLE } from "./encode.ts";
import { explore } from "./explore.ts";
import { hunt } from "./hunt.ts";
import { optionsOf } from "./nodes.ts";
import { readOptions } from "./options.ts";
import { loadWindowedCore } from "./window.ts";
import type { WindowedRaft } from "./window.ts";
import { ELECTIONS, EVERYTHING } from "./worlds.ts";

const ALL = Number.POSITIVE_INFINITY;
const TIMEOUT_MS = 300_000;

const create = await loadWindowedCore();

describe("nothing breaks in any state within the bounds", () => {
  test("a million states of elections, and there are no more", { timeout: TIMEOUT_MS }, () => {
    const { bounds } = ELECTIONS;
    const { story, isExhausted, states } = explore(create, bounds, { statesMax: ALL });
    expect(story).toEqual([]);
    expect(isExhausted).toBe(true);
    expect(states).toBeGreaterThan(1_000_000);
  });

  test("everything that may happen, but one message lost at most", { timeout: TIMEOUT_MS }, () => {
    const bounds: Bounds = { ...EVERYTHING.bounds, drops: 1 };
    const { story, isExhausted, states } = explore(create, bounds, { statesMax: ALL });
    expect(story).toEqual([]);
    expect(isExhausted).toBe(true);
    expect(states).toBeGreaterThan(400_000);
  });

  test("with reads, as far as half a million states go", { timeout: TIMEOUT_MS }, () => {
    const bounds: Bounds = { ...STILL, terms: 2, requests: 1, reads: 1, heartbeats: 1 };
    expect(explore(create, bounds, { statesMax: 500_000 }).story).toEqual([]);
  });

  test("with pre-votes, as far as half a million states go", { timeout: TIMEOUT_MS }, () => {
    const bounds: Bounds = { ...STILL, terms: 3, requests: 1, drops: ALL, inFlight: 3 };
    expect(explore(create, bounds, { statesMax: 500_000, preVote: true }).story).toEqual([]);
  });
});

/** What a broken promise looks like from the outside, and how far away it is. */
const KILLED: readonly (readonly [bug: string, invariant: string])[] = [
  ["commits entries of earlier terms", "leader completeness"],
  ["a vote is not on disk", "persist before promise"],
  ["a new term is not written", "persist before promise"],
  ["promises are sent before", "persist before promise"],
  ["without looking at the candidate's log", "leader completeness"],
  ["votes for two candidates", "election safety"],
  ["votes of an earlier election", "election safety"],
  ["truncates on every append", "committed is durable"],
  ["keeps its own entry", "committed is durable"],
  ["prevLogTerm is not", "log matching"],
  ["commits beyond the last entry", "state-machine safety"],
  ["acknowledges its whole log", "committed is durable"],
  ["reads without asking anybody", "linearizability"],
  ["reads before it has committed", "linearizability"],
];

describe("a bug in the core is found", () => {
  test.each(KILLED)("%s: %s", { timeout: TIMEOUT_MS }, async (bug, invariant) => {
    const mutant = MUTANTS.find((candidate) => candidate.bug.includes(bug))!;
    const { found } = hunt(await loadWindowedCore(mutant.patches));
    expect(found?.found?.violation.invariant).toBe(invariant);
  });

  test("and the story of Figure 8 is told from its start to its end", async () => {
    const mutant = MUTANTS.find(({ bug }) => bug.includes("earlier terms by counting replicas"))!;
    const broken = await loadWindowedCore(mutant.patches);
    const { story } = explore(broken, ELECTIONS.bounds, { statesMax: ALL });
    const text = story.join("\n");
    expect(story[0]).toMatch(/^ {3}1 {2}node 1 times out$/);
    expect(text).toContain("leader of term 1");
    expect(text).toMatch(/commits up to index 1[^]*leader of term 4/);
    expect(text).toMatch(
      /leader completeness: node \d leads term 4 without 1- at index 1, which is committed since/,
    );
  });
});

/** A core of three that leads term 1 and is asked to read. */
function leaderWithRead(): Raft {
  const settings = { preVote: false, entriesPerAppendMax: 1, inflightAppendsMax: 1 };
  const raft = create(optionsOf(1, EMPTY_DISK, settings));
  raft.step({ kind: "campaign" });
  raft.step({ kind: "persisted", ticket: 1 });
  const vote = { type: "request-vote-response", preVote: false, voteGranted: true } as const;
  raft.step({ kind: "message", from: 2, message: { ...vote, term: 1 } });
  raft.step({ kind: "read", id: 1 });
  return raft;
}

describe("the search itself", () => {
  const small: readonly Bounds[] = [
    { ...STILL, terms: 2, drops: 1, duplicates: 1, inFlight: 2 },
    { ...STILL, terms: 1, requests: 1, crashes: 1, inFlight: 2, slowDisks: true },
    { ...STILL, terms: 1, reads: 1, heartbeats: 1, inFlight: 3 },
  ];

  test.each(small)("symmetry leaves out only what is the same: %o", (bounds) => {
    const folded = explore(create, bounds, { statesMax: ALL });
    const unfolded = explore(create, bounds, { statesMax: ALL, symmetry: false });
    expect(unfolded.isExhausted).toBe(true);
    expect(unfolded.namedStates).toBe(unfolded.states);
    expect(folded.namedStates).toBe(unfolded.states);
    expect(folded.depth).toBe(unfolded.depth);
    expect(folded.states).toBeLessThan(unfolded.states / 5);
  });

  test("every field of the core that it leaves out is there", () => {
    const found = new Set<string>();
    const walk = (value: unknown): void => {
      if (value instanceof Map) for (const cell of value.values()) walk(cell);
      else if (typeof value === "object" && value !== null) {
        for (const [name, field] of Object.entries(value)) {
          found.add(name);
          if (name !== "options") walk(field);
        }
      }
    };
    walk((leaderWithRead() as WindowedRaft).core);
    expect([...IDLE].filter((name) => !found.has(name))).toEqual([]);
  });

  test("says so when it did not get to the end", () => {
    const { isExhausted, waiting, states } = explore(create, small[0]!, { statesMax: 100 });
    expect(isExhausted).toBe(false);
    expect(waiting).toBeGreaterThan(0);
    expect(states).toBeGreaterThanOrEqual(100);
  });

  test("more may happen, more states there are", () => {
    const [bounds] = small;
    const count = (more: Partial<Bounds>): number =>
      explore(create, { ...bounds!, ...more }, { statesMax: 200_000 }).states;
    const states = count({});
    expect(count({ drops: 2 })).toBeGreaterThan(states);
    expect(count({ crashes: 1 })).toBeGreaterThan(states);
    expect(count({ requests: 1 })).toBeGreaterThan(states);
    expect(count({ heartbeats: 1 })).toBeGreaterThan(states);
    expect(count({ inFlight: 3 })).toBeGreaterThan(states);
  });
});

describe("options", () => {
  test("take bounds of one's own", () => {
    const { worlds } = readOptions(["--terms", "2", "--drops", "any", "--slow-disks"]);
    expect(worlds.map(({ bounds }) => bounds)).toEqual([
      { ...STILL, terms: 2, drops: ALL, slowDisks: true },
    ]);
  });

  test("name a world, or all", () => {
    expect(readOptions([]).worlds.length).toBeGreaterThan(2);
    expect(readOptions(["--world", "reads"]).worlds.map(({ name }) => name)).toEqual(["reads"]);
  });

  test.each([
    [["--terms", "none"], /--terms: expected a whole number from 1 to 20, got "none"/],
    [["--crashes", "any"], /--crashes: expected a whole number from 0 to 31, got "any"/],
    [["--world", "moon"], /expected one of everything, elections, reads/],
    [["--world", "reads", "--terms", "2"], /choose one/],
  ])("%o is refused in words", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
