import { afterEach, expect, test } from "vitest";
import { EMPTY_VIEW, createFold, type Observation } from "@raftarium/observer";
import { HEARTBEAT } from "./fixtures/heartbeat.ts";
import { createFeed, type Batch, type Feed } from "./feed.ts";

const nowUs = () => Number(process.hrtime.bigint() / 1_000n);
let feed: Feed | undefined;

afterEach(() => {
  feed?.close();
});

function health(target: Feed, nodeId: number): void {
  target.tell(nodeId, 1, {
    kind: "health-changed",
    health: "running",
    pid: 4000 + nodeId,
    address: `127.0.0.1:${7100 + nodeId}`,
    cause: "",
    lastWords: "",
  });
}

function elected(nodeId: number): Observation {
  return {
    nodeId,
    incarnation: 1,
    sequence: 1,
    timeUs: nowUs(),
    body: {
      kind: "role-changed",
      role: "leader",
      term: 7,
      leaderId: nodeId,
      votedFor: nodeId,
      reason: "won",
    },
  };
}

function commits(nodeId: number, from: number, to: number): Observation[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => ({
    nodeId,
    incarnation: 1,
    sequence: from + offset,
    timeUs: nowUs(),
    body: { kind: "commit-advanced", commitIndex: from + offset },
  }));
}

function observationsIn(read: IteratorResult<Batch, void>): readonly Observation[] {
  return read.value?.observations ?? [];
}

async function shown(target: Feed, condition: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    target.onChange(() => {
      if (condition()) resolve();
    });
  });
}

test("a reader that comes late gets the present state first, then what happens", async () => {
  feed = createFeed({ nowUs });
  const view = () => (feed as Feed).view();
  feed.tell(0, 1, { kind: "speed-changed", speed: 0.05, frozen: true });
  const cut = { cut: true, delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0 };
  feed.tell(0, 1, {
    kind: "links-changed",
    links: [{ source: 1, target: 2, ...cut, messageKinds: [] }],
  });
  health(feed, 1);
  feed.receive(1, [
    elected(1),
    ...commits(1, 2, 9),
    {
      nodeId: 1,
      incarnation: 1,
      sequence: 10,
      timeUs: nowUs(),
      body: {
        kind: "message-arriving",
        id: { source: 2, incarnation: 1, sequence: 5 },
        target: 1,
        sentAtUs: nowUs() - 1_000,
        dueAtUs: 0,
        message: HEARTBEAT,
      },
    },
  ]);
  await shown(feed, () => view().messages.size === 1);

  const ending = new AbortController();
  const fold = createFold(EMPTY_VIEW);
  let batches = 0;
  for await (const { observations } of feed.subscribe(ending.signal)) {
    for (const observation of observations) fold.apply(observation);
    batches += 1;
    if (batches === 1) {
      expect(fold.snapshot()).toMatchObject({ speed: 0.05, frozen: true, lostCount: 0 });
      expect(fold.snapshot().links).toEqual(view().links);
      expect(fold.snapshot().messages).toEqual(view().messages);
      expect(fold.snapshot().nodes[0]).toMatchObject({
        health: "running",
        pid: 4001,
        role: "leader",
        term: 7,
        commitIndex: 9,
      });
      feed.receive(1, commits(1, 11, 11));
    } else if (fold.snapshot().nodes[0]?.commitIndex === 11) ending.abort();
  }
  // Its own sequence was carried on: nothing seems to be missing.
  expect(fold.snapshot().lostCount).toBe(0);
});

test("a slow reader loses, is told how many, and gets the present state again", async () => {
  feed = createFeed({ nowUs, backlogMax: 100 });
  const view = () => (feed as Feed).view();
  health(feed, 1);
  const ending = new AbortController();
  const reader = feed.subscribe(ending.signal)[Symbol.asyncIterator]();
  await reader.next();

  feed.receive(1, [elected(1), ...commits(1, 2, 500)]);
  await shown(feed, () => view().nodes[0]?.commitIndex === 500);
  const late = await reader.next();
  const batch = observationsIn(late);
  expect(batch[0]).toMatchObject({ nodeId: 0, body: { kind: "gap", droppedCount: 501 } });
  const fold = createFold(EMPTY_VIEW);
  for (const observation of batch) fold.apply(observation);
  expect(fold.snapshot().nodes[0]?.commitIndex).toBe(500);

  // It keeps up again: nothing more is lost.
  feed.receive(1, commits(1, 501, 501));
  const next = await reader.next();
  expect(observationsIn(next)).toHaveLength(1);
  ending.abort();
  expect(await reader.next()).toMatchObject({ done: true });
});

test("a reader that leaves while it waits is let go", async () => {
  feed = createFeed({ nowUs });
  const ending = new AbortController();
  const reader = feed.subscribe(ending.signal)[Symbol.asyncIterator]();
  await reader.next();
  const waiting = reader.next();
  ending.abort();
  expect(await waiting).toMatchObject({ done: true });
});

test("what is recorded is bounded, and still leads to the present without a loss", async () => {
  feed = createFeed({ nowUs, recordedMax: 4_000 });
  const view = () => (feed as Feed).view();
  health(feed, 1);
  feed.receive(1, [elected(1), ...commits(1, 2, 9_999)]);
  await shown(feed, () => view().nodes[0]?.commitIndex === 9_999);
  const recorded = feed.recorded();
  expect(recorded.length).toBeLessThan(5_000);
  const fold = createFold(EMPTY_VIEW);
  for (const observation of recorded) fold.apply(observation);
  expect(fold.snapshot().lostCount).toBe(0);
  expect(fold.snapshot().nodes[0]).toMatchObject({ health: "running", term: 7, pid: 4001 });
  expect(fold.snapshot().nodes[0]?.commitIndex).toBe(9_999);
});

test("what was recorded before a reader, and what it reads, are all that was recorded", async () => {
  feed = createFeed({ nowUs, recordedMax: 4_000 });
  const view = () => (feed as Feed).view();
  const violation = { invariant: "election safety", explanation: "two lead term 2" };
  feed.tell(0, 1, { kind: "invariant-violated", ...violation });
  health(feed, 1);
  feed.receive(1, [elected(1), ...commits(1, 2, 6_000)]);
  await shown(feed, () => view().nodes[0]?.commitIndex === 6_000);

  const ending = new AbortController();
  const reader = feed.subscribe(ending.signal)[Symbol.asyncIterator]();
  const { place } = (await reader.next()).value as Batch;
  const since: Observation[] = [];
  for (let index = 6_001; index <= 6_010; index += 1) {
    feed.receive(1, commits(1, index, index));
    since.push(...observationsIn(await reader.next()));
  }
  ending.abort();

  expect(place?.recordedCount).toBe(6_002);
  expect(feed.recordedCount()).toBe(6_012);
  const before = feed.recorded(place?.recordedCount);
  expect([...before, ...since]).toEqual(feed.recorded());
  const fold = createFold(EMPTY_VIEW);
  for (const observation of [...before, ...since]) fold.apply(observation);
  expect(fold.snapshot().nodes[0]).toMatchObject({ commitIndex: 6_010, lostCount: 0 });
  // Let go long ago, and not forgotten.
  expect(fold.snapshot().violations).toMatchObject([violation]);
  expect(feed.recorded(5)).toEqual([]);
});
