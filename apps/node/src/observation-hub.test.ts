import type { Observation, ObservationBody } from "@raftarium/observer";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ObservationHub, type ObservationSink } from "./observation-hub.ts";

/** A node that only talks. */
class FakeNode {
  #observer: ((observation: Observation) => void) | null = null;
  #sequence = 0;

  setObserver(observer: ((observation: Observation) => void) | null): void {
    this.#observer = observer;
  }

  observe(body: ObservationBody): void {
    this.#sequence += 1;
    const stamp = { nodeId: 1, incarnation: 1, sequence: this.#sequence, timeUs: this.#sequence };
    this.#observer?.({ ...stamp, body });
  }

  // Only that it is the node's view matters here.
  view(): never {
    return { nodeId: 1 } as never;
  }

  get observed(): boolean {
    return this.#observer !== null;
  }
}

class Reader implements ObservationSink {
  readonly received: Observation[] = [];
  accepting = true;

  write(observations: readonly Observation[]): boolean {
    this.received.push(...observations);
    return this.accepting;
  }

  get kinds(): string[] {
    return this.received.map(({ body }) => body.kind);
  }
}

const committed = (commitIndex: number): ObservationBody => ({
  kind: "commit-advanced",
  commitIndex,
});
const truncated = (fromIndex: number): ObservationBody => ({ kind: "log-truncated", fromIndex });
const sent = (sequence: number): ObservationBody => ({
  kind: "message-sent",
  id: { source: 1, incarnation: 1, sequence },
  target: 2,
  message: {
    kind: "heartbeat",
    reply: false,
    term: 1,
    success: false,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entryCount: 0,
    leaderCommit: 0,
    matchIndex: 0,
    readRound: 0,
    offset: 0,
    bytes: 8,
  },
});

let node: FakeNode;
let hub: ObservationHub;

beforeEach(() => {
  vi.useFakeTimers();
  node = new FakeNode();
  hub = new ObservationHub(node);
});

afterEach(() => {
  hub.close();
  vi.useRealTimers();
});

test("the node is observed only while somebody reads", () => {
  expect(node.observed).toBe(false);
  const subscription = hub.subscribe(new Reader());
  expect(node.observed).toBe(true);
  subscription.close();
  expect(node.observed).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test("a reader gets a full view first, then what follows, together", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  node.observe(truncated(3));
  expect(reader.received).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(reader.kinds).toEqual(["node-view", "log-truncated"]);
});

test("numbers that only grow are told once a batch, the last one", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  for (let index = 1; index <= 5; index += 1) node.observe(committed(index));
  vi.advanceTimersByTime(10);
  expect(reader.kinds).toEqual(["node-view", "commit-advanced"]);
  expect(reader.received.at(-1)?.body).toEqual(committed(5));
});

test("what is told once a batch comes after what it speaks of", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  const appended = (index: number): ObservationBody => ({
    kind: "log-appended",
    entries: [{ index, term: 1, kind: "command", description: "" }],
  });
  for (const index of [1, 2]) {
    node.observe(appended(index));
    node.observe(committed(index));
  }
  vi.advanceTimersByTime(10);
  expect(reader.kinds).toEqual(["node-view", "log-appended", "log-appended", "commit-advanced"]);
  expect(reader.received.at(-1)?.body).toEqual(committed(2));
});

test("a slow reader gets the number of what it lost, then a fresh view", () => {
  const reader = new Reader();
  const subscription = hub.subscribe(reader);
  reader.accepting = false;
  vi.advanceTimersByTime(10);
  for (let index = 1; index <= 5000; index += 1) node.observe(truncated(index));
  vi.advanceTimersByTime(1000);
  expect(reader.kinds).toEqual(["node-view"]);
  reader.accepting = true;
  subscription.ready();
  vi.advanceTimersByTime(10);
  expect(reader.kinds).toEqual(["node-view", "gap", "node-view"]);
  expect(reader.received[1]?.body).toEqual({ kind: "gap", droppedCount: 5000 });
});

test("messages beyond what anybody can see are counted, not told", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  for (let sequence = 1; sequence <= 1000; sequence += 1) node.observe(sent(sequence));
  vi.advanceTimersByTime(110);
  const told = reader.kinds.filter((kind) => kind === "message-sent").length;
  const omitted = reader.received.find(({ body }) => body.kind === "messages-omitted");
  expect(told).toBeLessThan(1000);
  expect(omitted?.body).toEqual({
    kind: "messages-omitted",
    count: 1000 - told,
    bytes: 8 * (1000 - told),
  });
});

test("what was folded together or only counted leaves no hole in a reader's numbers", () => {
  for (let index = 1; index <= 10; index += 1) node.observe(committed(index));
  const reader = new Reader();
  hub.subscribe(reader);
  for (let index = 1; index <= 1000; index += 1) {
    node.observe(committed(index));
    node.observe(sent(index));
  }
  vi.advanceTimersByTime(110);
  const [first = 0, ...rest] = reader.received.map(({ sequence }) => sequence);
  expect(first).toBeGreaterThan(10);
  expect(rest).toEqual(rest.map((_, at) => first + 1 + at));
});
