import { beforeEach, describe, expect, test } from "vitest";
import { createInvariantChecker } from "./invariants.ts";
import type { EntryFact, InvariantChecker } from "./invariants.ts";

/** Entries of the terms given, from index 1 on; the content follows from index and term. */
function entriesOf(...terms: number[]): EntryFact[] {
  return terms.map((term, at) => {
    const index = at + 1;
    return { index, term, isCommand: true, fingerprint: index * 1000 + term };
  });
}

let checker: InvariantChecker;

function start(nodeId: number, terms: readonly number[], term = Math.max(0, ...terms)): void {
  const entries = entriesOf(...terms);
  checker.nodeStarted(nodeId, { term, votedFor: null, snapshotIndex: 0, snapshotTerm: 0, entries });
}

function append(nodeId: number, index: number, term: number, content = index * 1000 + term): void {
  checker.entryAppended(nodeId, index, term, content, true);
}

/** The invariants violated so far. */
function broken(): readonly string[] {
  return checker.violations.map(({ invariant }) => invariant);
}

beforeEach(() => {
  checker = createInvariantChecker({ voters: [1, 2, 3], durability: true });
});

describe("figure 3 of the paper", () => {
  test("election safety: one leader a term, one vote a term", () => {
    checker.leads(1, 4);
    checker.leads(1, 4);
    checker.leads(2, 5);
    expect(broken()).toEqual([]);
    checker.leads(3, 4);
    expect(checker.violations[0]).toMatchObject({
      invariant: "election safety",
      explanation: "nodes 1 and 3 both lead term 4",
      nodeIds: [1, 3],
    });
    checker.hardStateChanged(2, 6, 1);
    checker.hardStateChanged(2, 6, 3);
    expect(broken()).toEqual(["election safety", "election safety"]);
  });

  test("leader append-only", () => {
    start(1, [1, 1]);
    checker.hardStateChanged(1, 2, 1);
    checker.leads(1, 2);
    append(1, 3, 2);
    expect(broken()).toEqual([]);
    append(1, 2, 2);
    expect(broken()).toContain("leader append-only");
  });

  test("log matching: one content and one past for each index and term", () => {
    start(1, [1, 1, 2]);
    start(2, [1, 1, 2]);
    start(3, [1]);
    append(3, 2, 3);
    expect(broken()).toEqual([]);
    append(3, 3, 2);
    expect(broken()).toEqual(["log matching"]);
  });

  test("log matching: one content", () => {
    start(1, [1, 1]);
    start(2, [1]);
    append(2, 2, 1, 77);
    expect(broken()).toEqual(["log matching"]);
  });

  test("log matching: no holes", () => {
    start(1, [1]);
    append(1, 3, 1);
    expect(broken()).toEqual(["log matching"]);
  });

  test("leader completeness, also for what turns out to be committed later", () => {
    start(1, [1, 1]);
    start(2, [1, 1]);
    start(3, [1]);
    checker.hardStateChanged(3, 2, 3);
    checker.leads(3, 2);
    expect(broken()).toEqual([]);
    checker.committed(1, 2);
    expect(broken()).toEqual(["leader completeness"]);
    checker.hardStateChanged(3, 3, 3);
    checker.leads(3, 3);
    expect(broken()).toEqual(["leader completeness", "leader completeness"]);
  });

  test("state-machine safety: the same command at the same index, none left out", () => {
    start(1, [1, 1]);
    start(2, [1, 1]);
    checker.committed(1, 2);
    checker.applied(1, 1, 1001);
    checker.applied(1, 2, 2001);
    checker.applied(2, 1, 1001);
    expect(broken()).toEqual([]);
    checker.applied(2, 2, 9999);
    expect(broken()).toEqual(["state-machine safety"]);
    start(3, [1, 1]);
    checker.applied(3, 2, 2001);
    expect(broken()).toEqual(["state-machine safety", "state-machine safety"]);
  });
});

describe("disks", () => {
  test("what is committed is on a majority's disks", () => {
    start(1, [1]);
    start(2, [1]);
    start(3, [1]);
    append(1, 2, 1);
    append(2, 2, 1);
    checker.logDurable(1, 2);
    checker.committed(1, 2);
    expect(broken()).toEqual(["committed is durable"]);
    expect(checker.violations[0]!.explanation).toBe(
      "node 1 commits index 2, and of the voters 1, 2, 3 only 1 have the committed entry of " +
        "term 1 on stable storage",
    );
  });

  test("a joint configuration needs a majority of each half", () => {
    for (const nodeId of [1, 2, 3, 4]) start(nodeId, [1]);
    for (const nodeId of [1, 2, 3]) {
      append(nodeId, 2, 1);
      checker.logDurable(nodeId, 2);
    }
    checker.configurationChanged(1, [1, 2, 3], [3, 4, 5]);
    checker.committed(1, 2);
    expect(broken()).toEqual(["committed is durable"]);
  });

  test("who slept may cut what a quorum has without it; a quorum may not lose it", () => {
    for (const nodeId of [1, 2, 3]) start(nodeId, [1, 1]);
    checker.committed(1, 2);
    checker.logTruncated(3, 2);
    expect(broken()).toEqual([]);
    checker.logTruncated(2, 2);
    expect(broken()).toEqual(["committed is durable"]);
  });

  test("nothing is promised before it is on disk", () => {
    start(2, [1]);
    checker.hardStateChanged(2, 3, 1);
    append(2, 2, 3);
    checker.hardStateDurable(2, 3, 1);
    checker.logDurable(2, 2);
    checker.voteSent(2, 3, 1);
    checker.acknowledgementSent(2, 3, 2);
    expect(broken()).toEqual([]);
    checker.hardStateChanged(2, 4, 3);
    checker.voteSent(2, 4, 3);
    append(2, 3, 3);
    checker.acknowledgementSent(2, 3, 3);
    expect(broken()).toEqual(["persist before promise", "persist before promise"]);
  });

  test("a restart finds what was called durable, and may find more", () => {
    start(1, [1, 1]);
    checker.hardStateDurable(1, 2, 3);
    start(1, [1, 1, 2], 2);
    expect(broken()).toEqual(["recovery"]);
    expect(checker.violations[0]!.explanation).toContain("term 2 and vote null");
    start(1, [1], 2);
    expect(checker.violations[1]!.explanation).toBe(
      "node 1 restarted without index 2, but its storage had called the entry of term 1 there " +
        "durable",
    );
  });
});

test("nothing goes back: terms, commit index, applied index", () => {
  start(1, [1, 1, 1]);
  checker.hardStateChanged(1, 5, null);
  checker.logDurable(1, 3);
  start(2, [1, 1, 1]);
  checker.committed(1, 3);
  checker.applied(1, 1, 1001);
  expect(broken()).toEqual([]);
  checker.hardStateChanged(1, 4, null);
  checker.committed(1, 2);
  checker.applied(1, 1, 1001);
  checker.restored(1, 0);
  expect(broken()).toEqual(["monotonic", "monotonic", "monotonic", "monotonic"]);
});
