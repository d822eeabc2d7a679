/** Streams by hand: what breaks a promise is told, and what merely can't be known is not. */
import { describe, expect, test } from "vitest";
import type { EntryView, NodeView, Observation, ObservationBody } from "@raftarium/observer";
import { createObservationChecker } from "./observation-checks.ts";

function entry(index: number, term: number, description = `k${index}=t${term}`): EntryView {
  return { index, term, kind: "command", description };
}

function view(nodeId: number, part: Partial<NodeView> = {}): ObservationBody {
  const entries = part.entries ?? [];
  return {
    kind: "node-view",
    view: {
      nodeId,
      incarnation: 1,
      role: "follower",
      term: 1,
      votedFor: null,
      leaderId: null,
      commitIndex: 0,
      appliedIndex: 0,
      durableIndex: 0,
      lastIndex: entries.at(-1)?.index ?? 0,
      firstIndex: 1,
      snapshotIndex: 0,
      snapshotTerm: 0,
      votesGranted: [],
      votesRejected: [],
      timer: null,
      entries,
      rows: [],
      progress: [],
      configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [], addresses: {} },
      diskBytes: 0,
      lastSyncUs: 0,
      ...part,
    },
  };
}

function role(
  wanted: "leader" | "follower",
  term: number,
  votedFor: number | null = null,
): ObservationBody {
  return { kind: "role-changed", role: wanted, term, leaderId: null, votedFor, reason: "" };
}

const appended = (...entries: EntryView[]): ObservationBody => ({ kind: "log-appended", entries });
const committed = (commitIndex: number): ObservationBody => ({
  kind: "commit-advanced",
  commitIndex,
});
const truncated = (fromIndex: number): ObservationBody => ({ kind: "log-truncated", fromIndex });
const gap: ObservationBody = { kind: "gap", droppedCount: 3 };

/** One line: who, what, and in which incarnation (1). */
type Line = readonly [nodeId: number, body: ObservationBody, incarnation?: number];

/** The invariants that the stream shows to be broken. */
function broken(...lines: readonly Line[]): readonly string[] {
  const checker = createObservationChecker();
  const found: string[] = [];
  for (const [at, [nodeId, body, incarnation = 1]] of lines.entries()) {
    const observation: Observation = { nodeId, incarnation, sequence: at + 1, timeUs: at, body };
    for (const { invariant } of checker.observe(observation)) found.push(invariant);
  }
  expect(checker.violations.map(({ invariant }) => invariant)).toEqual(found);
  return found;
}

const views: readonly Line[] = [1, 2, 3].map((nodeId) => [nodeId, view(nodeId)] as const);

describe("a broken promise is told", () => {
  test("two leaders of one term", () => {
    expect(broken(...views, [1, role("leader", 4, 1)], [2, role("leader", 4, 2)])).toEqual([
      "election safety",
    ]);
  });

  test("two leaders of one term, one of them known by its view alone", () => {
    expect(
      broken([1, view(1, { role: "leader", term: 4 })], [2, view(2, { role: "leader", term: 4 })]),
    ).toEqual(["election safety"]);
  });

  test("two votes in one term", () => {
    expect(broken(...views, [1, role("follower", 4, 2)], [1, role("follower", 4, 3)])).toEqual([
      "election safety",
    ]);
  });

  test("different entries at one index and term", () => {
    expect(
      broken(...views, [1, appended(entry(1, 1, "a=1"))], [2, appended(entry(1, 1, "a=2"))]),
    ).toEqual(["log matching"]);
  });

  test("the same entry after different ones", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1), entry(2, 3))],
        [2, appended(entry(1, 2), entry(2, 3))],
      ),
    ).toEqual(["log matching"]);
  });

  test("different entries committed at one index", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1))],
        [1, committed(1)],
        [2, appended(entry(1, 2))],
        [2, committed(1)],
      ),
    ).toEqual(["state-machine safety"]);
  });

  test("a committed entry that is cut off", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1), entry(2, 1))],
        [1, committed(1)],
        [1, truncated(1)],
      ),
    ).toEqual(["state-machine safety"]);
  });

  test("a leader that lacks a committed entry", () => {
    expect(
      broken(...views, [1, appended(entry(1, 1))], [1, committed(1)], [2, role("leader", 2, 2)]),
    ).toEqual(["leader completeness"]);
  });

  test("a leader that cuts its own log", () => {
    expect(
      broken(...views, [1, role("leader", 2, 1)], [1, appended(entry(1, 2))], [1, truncated(1)]),
    ).toEqual(["leader append-only"]);
  });

  test("a commit index that goes back", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1), entry(2, 1))],
        [1, committed(2)],
        [1, committed(1)],
      ),
    ).toEqual(["monotonic"]);
  });

  test("a commit of what is not in the log", () => {
    expect(broken(...views, [1, committed(3)])).toEqual(["state-machine safety"]);
  });
});

describe("what cannot be known is no alarm", () => {
  test("an ordinary change of leaders, with an entry that is lost before it was committed", () => {
    expect(
      broken(
        ...views,
        [1, role("leader", 1, 1)],
        [1, appended(entry(1, 1), entry(2, 1))],
        [2, appended(entry(1, 1))],
        [1, committed(1)],
        [2, role("leader", 2, 2)],
        [2, appended(entry(2, 2))],
        [1, role("follower", 2)],
        [1, truncated(2)],
        [1, appended(entry(2, 2))],
        [2, committed(2)],
        [1, committed(2)],
      ),
    ).toEqual([]);
  });

  test("a process that has forgotten what was only in its memory", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1), entry(2, 1))],
        [1, committed(2)],
        [1, view(1, { incarnation: 2, entries: [entry(1, 1)] }), 2],
        [1, committed(1), 2],
      ),
    ).toEqual([]);
  });

  test("after a gap nothing is judged before the next full view", () => {
    expect(
      broken(
        ...views,
        [1, appended(entry(1, 1))],
        [1, gap],
        [1, committed(9)],
        [1, appended(entry(12, 3))],
        [1, truncated(4)],
        [1, view(1, { term: 3, commitIndex: 9, entries: [entry(9, 1), entry(10, 3)] })],
        [1, committed(10)],
      ),
    ).toEqual([]);
  });

  test("... and then it is judged again", () => {
    expect(
      broken(
        ...views,
        [1, gap],
        [1, view(1, { term: 3 })],
        [1, role("leader", 4, 1)],
        [2, role("leader", 4, 2)],
      ),
    ).toEqual(["election safety"]);
  });

  test("a node that is unknown, and one whose process ended", () => {
    const ended: ObservationBody = {
      kind: "health-changed",
      health: "crashed",
      pid: 0,
      address: "",
      cause: "SIGKILL",
      lastWords: "",
    };
    expect(broken([7, committed(3)], [7, appended(entry(9, 2))])).toEqual([]);
    expect(broken(...views, [1, ended], [1, committed(3)])).toEqual([]);
  });

  test("a long append of which only the end is told", () => {
    const end = Array.from({ length: 200 }, (_, at) => entry(801 + at, 1));
    expect(
      broken(
        ...views,
        [1, appended(...end)],
        [1, committed(700)],
        [1, committed(1000)],
        [2, appended(...end)],
      ),
    ).toEqual([]);
  });

  test("a log that a leader's snapshot replaced", () => {
    expect(
      broken(
        ...views,
        [1, role("leader", 2, 1)],
        [1, appended(...Array.from({ length: 50 }, (_, at) => entry(at + 1, 2)))],
        [1, committed(50)],
        [2, appended(entry(1, 1))],
        [
          2,
          {
            kind: "snapshot-transfer",
            direction: "receiving",
            peerId: 1,
            snapshotIndex: 40,
            offset: 10,
            done: true,
          },
        ],
        [2, committed(40)],
        [2, appended(entry(41, 2))],
        [2, committed(41)],
      ),
    ).toEqual([]);
  });

  test("a beginning far into the log", () => {
    const far = 2 ** 33;
    expect(
      broken(
        [1, view(1, { commitIndex: far, entries: [entry(far, 5)], firstIndex: far })],
        [1, appended(entry(far + 1, 5))],
        [1, committed(far + 1)],
        [2, view(2, { commitIndex: 3, entries: [entry(3, 1)], firstIndex: 3 })],
        [2, committed(3)],
      ),
    ).toEqual([]);
  });
});

test("an explanation names the nodes, the term and the index", () => {
  const checker = createObservationChecker();
  const tell = (nodeId: number, body: ObservationBody) =>
    checker.observe({ nodeId, incarnation: 1, sequence: 1, timeUs: 1, body });
  tell(1, view(1, { role: "leader", term: 4 }));
  tell(2, view(2));
  expect(tell(2, role("leader", 4, 2))).toMatchObject([
    { explanation: "nodes 1 and 2 both lead term 4", nodeIds: [1, 2] },
  ]);
});

describe("entries of which only the terms are told", () => {
  const omitted = (firstIndex: number, count: number, term: number): ObservationBody => ({
    kind: "entries-omitted",
    runs: [{ firstIndex, count, term }],
  });

  test("are as good as any to commit", () => {
    expect(
      broken(...views, [1, omitted(1, 50, 1)], [1, appended(entry(51, 1))], [1, committed(51)]),
    ).toEqual([]);
  });

  test("say nothing against what others tell of the same entries", () => {
    expect(
      broken(
        ...views,
        [1, omitted(1, 3, 1)],
        [2, appended(entry(1, 1), entry(2, 1), entry(3, 1))],
        [3, omitted(1, 3, 1)],
      ),
    ).toEqual([]);
  });

  test("but what those tell must agree", () => {
    expect(
      broken(
        ...views,
        [1, omitted(1, 1, 1)],
        [2, appended(entry(1, 1, "a=1"))],
        [3, appended(entry(1, 1, "a=2"))],
      ),
    ).toEqual(["log matching"]);
  });

  test("may not follow another term than elsewhere", () => {
    const line: ObservationBody = {
      kind: "entries-omitted",
      runs: [
        { firstIndex: 1, count: 4, term: 1 },
        { firstIndex: 5, count: 1, term: 3 },
      ],
    };
    const other: ObservationBody = {
      kind: "entries-omitted",
      runs: [
        { firstIndex: 1, count: 3, term: 1 },
        { firstIndex: 4, count: 1, term: 2 },
        { firstIndex: 5, count: 1, term: 3 },
      ],
    };
    expect(broken(...views, [1, line], [2, other])).toEqual(["log matching"]);
  });

  test("may not differ from what is committed", () => {
    expect(
      broken(
        ...views,
        [1, omitted(1, 9, 1)],
        [1, committed(9)],
        [2, omitted(1, 9, 2)],
        [2, committed(9)],
      ),
    ).toEqual(["state-machine safety"]);
  });
});
