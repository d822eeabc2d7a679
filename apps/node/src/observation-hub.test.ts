import { BLANK_SUMMARY, type Observation, type ObservationBody } from "@raftarium/observer";
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

  gathering = false;
  gathered = 0;

  gather(on: boolean): void {
    this.gathering = on;
  }

  tellGathered(): number {
    const { gathered } = this;
    this.gathered = 0;
    return gathered;
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
  message: { ...BLANK_SUMMARY, term: 1, bytes: 8 },
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
  vi.advanceTimersByTime(250);
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

const appended = (index: number): ObservationBody => ({
  kind: "log-appended",
  entries: [{ index, term: 1, kind: "command", description: "" }],
});

test("a node of which there is more to tell than can be seen gathers, until there is less", () => {
  hub.subscribe(new Reader());
  for (let index = 1; index <= 30; index += 1) node.observe(appended(index));
  expect(node.gathering).toBe(false);
  for (let index = 31; index <= 60; index += 1) node.observe(appended(index));
  expect(node.gathering).toBe(true);
  node.gathered = 1000;
  vi.advanceTimersByTime(250);
  expect(node.gathering).toBe(true);
  // It told of a thousand in this window, of none in the next.
  vi.advanceTimersByTime(250);
  expect(node.gathering).toBe(false);
});

test("at a pace that can be followed nothing is left out", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  for (let sequence = 1; sequence <= 2000; sequence += 1) {
    node.observe(sent(sequence));
    expect(hub.tellsOfRequest(false)).toBe(true);
    vi.advanceTimersByTime(2);
  }
  vi.advanceTimersByTime(200);
  expect(reader.kinds.filter((kind) => kind === "message-sent")).toHaveLength(2000);
  expect(reader.kinds.filter((kind) => kind.endsWith("omitted"))).toEqual([]);
});

test("of too many requests some are told of, and the others counted", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  let told = 0;
  for (let count = 0; count < 5000; count += 1) {
    if (count % 100 === 0) vi.advanceTimersByTime(10);
    if (hub.tellsOfRequest(false)) {
      told += 1;
      node.observe({ kind: "request-proposed", requestId: `1.1.${count}`, index: count, term: 1 });
    }
  }
  vi.advanceTimersByTime(250);
  expect(told).toBeGreaterThan(5);
  expect(told).toBeLessThan(300);
  let omitted = 0;
  for (const { body } of reader.received) {
    if (body.kind === "requests-omitted") omitted += body.count;
  }
  expect(told + omitted).toBe(5000);
  expect(hub.tellsOfRequest(true)).toBe(true);
});

test("a busy node says with every batch that it left out messages: nobody waits for them", () => {
  const reader = new Reader();
  hub.subscribe(reader);
  for (let sequence = 1; sequence <= 1000; sequence += 1) node.observe(sent(sequence));
  for (let batch = 0; batch < 4; batch += 1) {
    const before = reader.received.length;
    for (let sequence = 1; sequence < 8; sequence += 1) node.observe(sent(2048 + sequence));
    vi.advanceTimersByTime(80);
    const kinds = reader.received.slice(before).map(({ body }) => body.kind);
    expect(kinds).toContain("messages-omitted");
  }
});

test("nobody watches: no request is told of, and none is counted", () => {
  expect(hub.tellsOfRequest(false)).toBe(false);
  const reader = new Reader();
  hub.subscribe(reader);
  vi.advanceTimersByTime(500);
  expect(reader.kinds).toEqual(["node-view"]);
});
