import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createObservationChecker } from "@raftarium/checker";
import type { Observation, ObservationBody } from "@raftarium/observer";
import { HEARTBEAT } from "./fixtures/heartbeat.ts";
import { createFeed, type Feed } from "./feed.ts";
import { watch } from "./watch.ts";

let feed: Feed;
let nowUs = 0;

beforeEach(() => {
  vi.useFakeTimers();
  nowUs = 1_000_000;
  feed = createFeed({ nowUs: () => nowUs });
});

afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

function settle(): void {
  for (let round = 0; round < 20; round += 1) {
    nowUs += 20_000;
    vi.advanceTimersByTime(20);
  }
}

function tell(nodeId: number, sequence: number, body: ObservationBody): void {
  const observation: Observation = { nodeId, incarnation: 1, sequence, timeUs: nowUs, body };
  feed.receive(nodeId, [observation]);
}

const leads: ObservationBody = {
  kind: "role-changed",
  role: "leader",
  term: 3,
  leaderId: null,
  votedFor: null,
  reason: "",
};

test("a broken promise is told to everybody, once, in a sentence", () => {
  const checker = createObservationChecker();
  watch(feed, {
    observe: (observation) =>
      observation.body.kind === "role-changed"
        ? [
            {
              invariant: "election safety",
              explanation: `node ${observation.nodeId} must not lead`,
              nodeIds: [],
            },
          ]
        : checker.observe(observation),
  });
  tell(1, 1, leads);
  tell(1, 2, leads);
  tell(2, 1, leads);
  settle();
  expect(feed.view().violations).toMatchObject([
    { invariant: "election safety", explanation: "node 1 must not lead" },
    { invariant: "election safety", explanation: "node 2 must not lead" },
  ]);
});

test("what the merge could not wait for is no reason to look away", () => {
  const seen: string[] = [];
  watch(feed, {
    observe({ body }) {
      seen.push(body.kind);
      return [];
    },
  });
  tell(1, 1, leads);
  const id = { source: 1, incarnation: 1, sequence: 9 };
  tell(2, 1, {
    kind: "message-received",
    id,
    target: 2,
    sentAtUs: nowUs,
    message: HEARTBEAT,
  });
  settle();
  expect(seen).toEqual(["role-changed", "message-received"]);
  tell(1, 2, { kind: "gap", droppedCount: 4 });
  settle();
  expect(seen.at(-1)).toBe("gap");
});
