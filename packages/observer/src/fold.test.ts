import { describe, expect, test } from "vitest";
import {
  BLANK_SUMMARY,
  MESSAGE_AFTERLIFE_US,
  MESSAGES_IN_VIEW_MAX,
  committedIndex,
  createFold,
  createRecording,
  fold,
  leaderOf,
  linkKey,
  nodeById,
  type ClusterView,
  type MessageSummary,
  type NodeView,
  type Observation,
  type ObservationBody,
} from "./index.ts";

/** Stamps each node's observations with the next sequence; time moves by a millisecond. */
function teller() {
  const sequences = new Map<string, number>();
  let timeUs = 0;
  return (nodeId: number, body: ObservationBody, incarnation = 1, atUs = -1): Observation => {
    const key = `${nodeId}.${incarnation}`;
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    timeUs = atUs >= 0 ? atUs : timeUs + 1000;
    return { nodeId, incarnation, sequence, timeUs, body };
  };
}

function viewOf(observations: readonly Observation[]): ClusterView {
  const folding = createFold();
  for (const observation of observations) folding.apply(observation);
  return folding.snapshot();
}

const heartbeat: MessageSummary = { ...BLANK_SUMMARY, term: 1 };

function entries(from: number, to: number, term: number) {
  return Array.from({ length: to - from + 1 }, (_, at) => ({
    index: from + at,
    term,
    kind: "command" as const,
    description: `k${from + at}=v`,
  }));
}

function baseView(nodeId: number): NodeView {
  return {
    nodeId,
    incarnation: 1,
    role: "follower",
    term: 1,
    votedFor: null,
    leaderId: null,
    commitIndex: 0,
    appliedIndex: 0,
    durableIndex: 0,
    lastIndex: 0,
    firstIndex: 1,
    snapshotIndex: 0,
    snapshotTerm: 0,
    votesGranted: [],
    votesRejected: [],
    timer: null,
    entries: [],
    rows: [],
    progress: [],
    configuration: { voters: [1, 2, 3], votersOutgoing: [], learners: [], addresses: {} },
    diskBytes: 0,
    lastSyncUs: 0,
  };
}

const row = (key: string, value: string | null) => ({ key, value });

describe("a node", () => {
  test("follows its log through append, truncate and compact", () => {
    const tell = teller();
    const node = nodeById(
      viewOf([
        tell(1, { kind: "log-appended", entries: entries(1, 9, 1) }),
        tell(1, {
          kind: "durable-advanced",
          durableIndex: 9,
          lastSyncUs: 190,
          diskBytes: 4096,
        }),
        tell(1, { kind: "log-truncated", fromIndex: 7 }),
        tell(1, { kind: "log-appended", entries: entries(7, 8, 2) }),
        tell(1, { kind: "log-compacted", throughIndex: 3, snapshotIndex: 4, snapshotTerm: 1 }),
      ]),
      1,
    );
    expect(node?.entries.map((entry) => `${entry.index}/${entry.term}`)).toEqual([
      "4/1",
      "5/1",
      "6/1",
      "7/2",
      "8/2",
    ]);
    expect(node).toMatchObject({ firstIndex: 4, lastIndex: 8, durableIndex: 6, snapshotIndex: 4 });
  });

  test("an append that overwrites takes back what was durable there", () => {
    const tell = teller();
    const node = nodeById(
      viewOf([
        tell(1, { kind: "log-appended", entries: entries(1, 5, 1) }),
        tell(1, { kind: "durable-advanced", durableIndex: 5, lastSyncUs: 1, diskBytes: 1 }),
        tell(1, { kind: "log-appended", entries: entries(4, 4, 2) }),
      ]),
      1,
    );
    expect(node).toMatchObject({ lastIndex: 4, durableIndex: 3 });
    expect(node?.entries.at(-1)).toMatchObject({ index: 4, term: 2 });
  });

  test("keeps only the newest entries", () => {
    const tell = teller();
    const node = nodeById(
      viewOf([tell(1, { kind: "log-appended", entries: entries(1, 500, 1) })]),
      1,
    );
    expect(node?.entries.length).toBe(200);
    expect(node?.entries.at(-1)?.index).toBe(500);
  });

  test("keeps its rows sorted, and forgets deleted ones", () => {
    const tell = teller();
    const node = nodeById(
      viewOf([
        tell(1, { kind: "applied", appliedIndex: 2, rows: [row("b", "1"), row("a", "2")] }),
        tell(1, { kind: "applied", appliedIndex: 4, rows: [row("b", "3"), row("c", "4")] }),
        tell(1, { kind: "applied", appliedIndex: 6, rows: [row("a", null), row("zz", null)] }),
      ]),
      1,
    );
    expect(node?.rows).toEqual([row("b", "3"), row("c", "4")]);
    expect(node?.appliedIndex).toBe(6);
  });

  test("a crash keeps what was last known, and the next process starts as a follower", () => {
    const tell = teller();
    const folding = createFold();
    const health = { pid: 42, address: "127.0.0.1:7101", cause: "", lastWords: "" };
    folding.apply(tell(1, { kind: "health-changed", health: "running", ...health }));
    folding.apply(
      tell(1, {
        kind: "role-changed",
        role: "leader",
        term: 3,
        leaderId: 1,
        votedFor: 1,
        reason: "won",
      }),
    );
    expect(leaderOf(folding.snapshot())?.nodeId).toBe(1);
    folding.apply(
      tell(1, { kind: "health-changed", health: "crashed", ...health, cause: "SIGKILL" }),
    );
    expect(leaderOf(folding.snapshot())).toBeUndefined();
    expect(nodeById(folding.snapshot(), 1)).toMatchObject({
      role: "leader",
      term: 3,
      health: "crashed",
      cause: "SIGKILL",
    });
    folding.apply(tell(1, { kind: "health-changed", health: "running", ...health, pid: 43 }, 2));
    expect(nodeById(folding.snapshot(), 1)).toMatchObject({
      role: "follower",
      term: 3,
      known: false,
      incarnation: 2,
    });
    // A late word of the dead process changes nothing.
    folding.apply(tell(1, { kind: "commit-advanced", commitIndex: 99 }, 1));
    expect(committedIndex(folding.snapshot())).toBe(0);
  });

  test("a full view supersedes, and holes and gaps are counted", () => {
    const tell = teller();
    const folding = createFold();
    folding.apply(tell(2, { kind: "node-view", view: baseView(2) }));
    tell(2, { kind: "commit-advanced", commitIndex: 1 });
    tell(2, { kind: "commit-advanced", commitIndex: 2 });
    folding.apply(tell(2, { kind: "commit-advanced", commitIndex: 3 }));
    expect(folding.snapshot().lostCount).toBe(2);
    folding.apply(tell(2, { kind: "gap", droppedCount: 31 }));
    folding.apply(tell(2, { kind: "node-view", view: { ...baseView(2), commitIndex: 40 } }));
    expect(folding.snapshot().lostCount).toBe(33);
    expect(nodeById(folding.snapshot(), 2)).toMatchObject({ commitIndex: 40, lostCount: 33 });
  });
});

describe("a message", () => {
  const id = { source: 1, incarnation: 1, sequence: 7 };

  test("flies from its sending to its due time, and stays a while after its end", () => {
    const tell = teller();
    const folding = createFold();
    folding.apply(tell(1, { kind: "message-sent", id, target: 2, message: heartbeat }, 1, 1000));
    const flight = () => folding.snapshot().messages.get("1.1.7");
    expect(flight()).toMatchObject({ sentAtUs: 1000, dueAtUs: null, held: false, end: null });
    folding.apply(
      tell(
        2,
        {
          kind: "message-arriving",
          id,
          target: 2,
          sentAtUs: 990,
          dueAtUs: 9000,
          message: heartbeat,
        },
        1,
        1200,
      ),
    );
    expect(flight()).toMatchObject({ sentAtUs: 990, dueAtUs: 9000 });
    folding.apply(
      tell(
        2,
        { kind: "message-received", id, target: 2, sentAtUs: 990, message: heartbeat },
        1,
        9001,
      ),
    );
    expect(flight()).toMatchObject({ end: "received", endedAtUs: 9001 });
    expect(folding.snapshot().receivedCount).toBe(1);
    folding.apply(
      tell(3, { kind: "commit-advanced", commitIndex: 1 }, 1, 9001 + MESSAGE_AFTERLIFE_US),
    );
    expect(flight()).toBeUndefined();
  });

  test("is known by its receiver alone, when its sender could not tell", () => {
    const tell = teller();
    const view = viewOf([
      tell(2, {
        kind: "message-dropped",
        id,
        target: 2,
        sentAtUs: 5,
        reason: "cut",
        message: heartbeat,
      }),
    ]);
    expect(view.messages.get("1.1.7")).toMatchObject({
      source: 1,
      end: "dropped",
      dropReason: "cut",
    });
    expect(view.droppedCount).toBe(1);
  });

  test("in the gate of a process that is killed is lost; on the wire it flies on", () => {
    const tell = teller();
    const onWire = { ...id, sequence: 8 };
    const view = viewOf([
      tell(1, { kind: "message-sent", id: onWire, target: 2, message: heartbeat }),
      tell(2, {
        kind: "message-arriving",
        id,
        target: 2,
        sentAtUs: 1,
        dueAtUs: 0,
        message: heartbeat,
      }),
      tell(2, {
        kind: "health-changed",
        health: "crashed",
        pid: 0,
        address: "",
        cause: "SIGKILL",
        lastWords: "",
      }),
    ]);
    expect(view.messages.get("1.1.7")).toMatchObject({ end: "lost", held: false });
    expect(view.messages.get("1.1.8")).toMatchObject({ end: null });
  });

  test("nothing queues without bound", () => {
    const tell = teller();
    const folding = createFold();
    for (let sequence = 1; sequence <= MESSAGES_IN_VIEW_MAX + 500; sequence += 1) {
      const body = { kind: "message-sent", id: { ...id, sequence }, target: 2 } as const;
      folding.apply(tell(1, { ...body, message: heartbeat }, 1, 1000));
    }
    expect(folding.snapshot().messages.size).toBe(MESSAGES_IN_VIEW_MAX);
    expect(folding.snapshot().messages.has("1.1.1")).toBe(false);
    folding.apply(tell(2, { kind: "commit-advanced", commitIndex: 1 }, 1, 60_000_000));
    expect(folding.snapshot().messages.size).toBe(0);
  });
});

test("the cluster: links, speed, requests", () => {
  const tell = teller();
  const fault = { delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0, messageKinds: [] };
  const view = viewOf([
    tell(0, { kind: "links-changed", links: [{ source: 1, target: 2, cut: true, ...fault }] }),
    tell(0, { kind: "speed-changed", speed: 0.05, frozen: true }),
    tell(2, { kind: "request-started", requestId: "r", description: "put a = 1", write: true }),
    tell(2, { kind: "request-forwarded", requestId: "r", leaderId: 3 }),
    tell(3, { kind: "request-proposed", requestId: "r", index: 5, term: 2 }),
    tell(2, {
      kind: "request-finished",
      requestId: "r",
      outcome: "unknown",
      detail: "the leader went away",
      durationUs: 1500,
    }),
  ]);
  expect(view.links.get(linkKey(1, 2))?.cut).toBe(true);
  expect(view).toMatchObject({ speed: 0.05, frozen: true });
  expect(view.requests.get("r")).toMatchObject({
    nodeId: 2,
    forwardedTo: 3,
    index: 5,
    outcome: "unknown",
    finishedAtUs: 6000,
  });
});

test("what is wrong with a node's disk and clock outlives its process", () => {
  const tell = teller();
  const disk = { delayMs: 20, fail: false, full: true };
  const view = viewOf([
    tell(1, { kind: "node-view", view: baseView(1) }),
    { ...tell(1, { kind: "disk-changed", disk }), sequence: 0 },
    { ...tell(1, { kind: "clock-changed", rate: 1.5 }), sequence: 0 },
    tell(1, { kind: "node-view", view: { ...baseView(1), incarnation: 2 } }, 2),
  ]);
  expect(nodeById(view, 1)).toMatchObject({ disk, clockRate: 1.5, incarnation: 2 });
  expect(view.lostCount).toBe(0);
});

test("a learner shows no election timer: it may not campaign", () => {
  const tell = teller();
  const folding = createFold();
  const timer = { atUs: 1, elapsedTicks: 0, timeoutTicks: 40, tickUs: 10_000 };
  const shown = () => nodeById(folding.snapshot(), 1)?.timer;
  const turn = (role: "learner" | "follower") =>
    folding.apply(
      tell(1, { kind: "role-changed", role, term: 1, leaderId: 2, votedFor: null, reason: "" }),
    );
  folding.apply(tell(1, { kind: "timer-changed", timer }));
  turn("learner");
  expect(shown()).toBeNull();
  folding.apply(tell(1, { kind: "timer-changed", timer }));
  expect(shown()).toBeNull();
  turn("follower");
  folding.apply(tell(1, { kind: "timer-changed", timer }));
  expect(shown()).toEqual(timer);
});

test("once a removal is committed, the leader's progress has nobody who is out", () => {
  const tell = teller();
  const folding = createFold();
  for (const peerId of [2, 3]) {
    const progress = { peerId, matchIndex: 1, nextIndex: 2, inflightCount: 0 };
    folding.apply(
      tell(1, { kind: "progress-changed", progress: { ...progress, state: "replicate" } }),
    );
  }
  const configuration = { voters: [1, 2], votersOutgoing: [], learners: [], addresses: {} };
  const change = { kind: "configuration-changed", configuration, index: 2 } as const;
  const peers = () => nodeById(folding.snapshot(), 1)?.progress.map(({ peerId }) => peerId);
  folding.apply(tell(1, { ...change, committed: false }));
  expect(peers()).toEqual([2, 3]);
  folding.apply(tell(1, { ...change, committed: true }));
  expect(peers()).toEqual([2]);
});

test("a snapshot never changes, and shares what did not change", () => {
  const tell = teller();
  const folding = createFold();
  folding.apply(tell(1, { kind: "commit-advanced", commitIndex: 1 }));
  folding.apply(tell(2, { kind: "commit-advanced", commitIndex: 1 }));
  const before = folding.snapshot();
  folding.apply(tell(1, { kind: "commit-advanced", commitIndex: 2 }));
  const after = folding.snapshot();
  expect(nodeById(before, 1)?.commitIndex).toBe(1);
  expect(nodeById(after, 1)?.commitIndex).toBe(2);
  expect(nodeById(after, 2)).toBe(nodeById(before, 2));
  expect(after.messages).toBe(before.messages);
  expect(folding.snapshot()).toBe(after);
  expect(fold(before, tell(2, { kind: "commit-advanced", commitIndex: 7 })).nodes[1]).toMatchObject(
    { commitIndex: 7 },
  );
  expect(nodeById(before, 2)?.commitIndex).toBe(1);
});

describe("a recording", () => {
  test("shows any moment again, from its keyframes", () => {
    const tell = teller();
    const recording = createRecording({ keyframeEvery: 10, observationsMax: 1000 });
    const expected: ClusterView[] = [];
    for (let index = 1; index <= 95; index += 1) {
      recording.append(tell(1 + (index % 3), { kind: "commit-advanced", commitIndex: index }));
      expected.push(recording.view());
    }
    for (const view of expected) {
      expect(recording.viewAt(view.timeUs).nodes).toEqual(view.nodes);
    }
    const { start, observations } = recording.kept();
    expect([start.version, observations.length]).toEqual([0, 95]);
    expect(recording.viewAt(0).nodes).toEqual([]);
  });

  test("is bounded, and says where it begins", () => {
    const tell = teller();
    const recording = createRecording({ keyframeEvery: 10, observationsMax: 50 });
    for (let index = 1; index <= 1000; index += 1) {
      recording.append(tell(1, { kind: "commit-advanced", commitIndex: index }));
    }
    expect(recording.size()).toBeLessThanOrEqual(50);
    expect(recording.firstUs()).toBeGreaterThan(900_000);
    expect(recording.viewAt(1).nodes[0]?.commitIndex).toBeGreaterThan(900);
    expect(recording.lastUs()).toBe(1_000_000);
  });

  test("what is kept leads to the present from the view it begins with, stamps crossing or not", () => {
    const tell = teller();
    const recording = createRecording({ keyframeEvery: 10, observationsMax: 50 });
    for (let index = 1; index <= 95; index += 1) {
      // What node 2 told comes late, with the stamps of when it happened.
      const atUs = (index - (index % 2) * 3) * 1000;
      recording.append(
        tell(1 + (index % 2), { kind: "commit-advanced", commitIndex: index }, 1, atUs),
      );
    }
    const { start, observations } = recording.kept();
    expect(observations).toHaveLength(recording.size());
    const folding = createFold(start);
    for (const observation of observations) folding.apply(observation);
    expect(folding.snapshot()).toEqual(recording.view());
  });
});

describe("entries of which only the terms are told", () => {
  test("lengthen the log, and the view goes on with those that are told after them", () => {
    const tell = teller();
    const observations = [
      tell(1, { kind: "log-appended", entries: entries(1, 10, 1) }),
      tell(1, {
        kind: "entries-omitted",
        runs: [
          { firstIndex: 11, count: 400, term: 1 },
          { firstIndex: 411, count: 90, term: 2 },
        ],
      }),
      tell(1, { kind: "log-appended", entries: entries(501, 700, 2) }),
    ];
    expect(viewOf(observations.slice(0, 2)).nodes[0]).toMatchObject({
      lastIndex: 500,
      entries: [],
    });
    const node = nodeById(viewOf(observations), 1);
    expect(node?.lastIndex).toBe(700);
    expect(node?.entries).toEqual(entries(501, 700, 2));
  });

  test("are not on disk yet, wherever they begin", () => {
    const tell = teller();
    const view = viewOf([
      tell(1, { kind: "log-appended", entries: entries(1, 10, 1) }),
      tell(1, { kind: "durable-advanced", durableIndex: 10, lastSyncUs: 1, diskBytes: 1 }),
      tell(1, { kind: "entries-omitted", runs: [{ firstIndex: 8, count: 3, term: 2 }] }),
    ]);
    expect(view.nodes[0]?.durableIndex).toBe(7);
  });
});

test("requests that were only counted are counted, and leave no hole", () => {
  const tell = teller();
  const view = viewOf([
    tell(1, { kind: "commit-advanced", commitIndex: 1 }),
    tell(1, { kind: "requests-omitted", count: 30 }),
    tell(2, { kind: "requests-omitted", count: 12 }),
    tell(1, { kind: "commit-advanced", commitIndex: 2 }),
  ]);
  expect(view.omittedRequestCount).toBe(42);
  expect(view.lostCount).toBe(0);
});
