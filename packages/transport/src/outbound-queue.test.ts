import type { Envelope } from "@raftarium/node";
import { beforeEach, expect, test } from "vitest";
import { OutboundQueue } from "./outbound-queue.ts";
import { append, envelope, heartbeat, snapshotChunk, vote } from "./testing/envelopes.ts";

let dropped: Envelope[];
beforeEach(() => {
  dropped = [];
});

function queueOf(messagesMax: number, bytesMax = 1e9): OutboundQueue {
  return new OutboundQueue({ messagesMax, bytesMax }, (lost) => dropped.push(lost));
}

function drain(queue: OutboundQueue): Envelope[] {
  const all: Envelope[] = [];
  for (let next = queue.shift(true); next !== undefined; next = queue.shift(true)) all.push(next);
  return all;
}

test("first in, first out", () => {
  const queue = queueOf(10);
  const sent = [envelope(vote()), envelope(append([3])), envelope(heartbeat())];
  for (const one of sent) queue.push(one);
  expect(queue.length).toBe(3);
  expect(drain(queue)).toEqual(sent);
  expect(queue.bytes).toBe(0);
  expect(dropped).toEqual([]);
});

test("a heartbeat takes the place of one that waits", () => {
  const queue = queueOf(10);
  const [old, between, fresh] = [envelope(heartbeat()), envelope(vote()), envelope(heartbeat())];
  for (const one of [old, between, fresh]) queue.push(one);
  expect(dropped).toEqual([old]);
  expect(drain(queue)).toEqual([between, fresh]);
});

test("when there are too many, the oldest append goes first, votes last", () => {
  const queue = queueOf(2);
  const [ballot, first, second] = [envelope(vote()), envelope(append([1])), envelope(append([1]))];
  for (const one of [ballot, first, second]) queue.push(one);
  expect(dropped).toEqual([first]);
  const late = [envelope(vote()), envelope(vote())];
  for (const one of late) queue.push(one);
  expect(dropped).toEqual([first, second, ballot]);
  expect(drain(queue)).toEqual(late);
});

test("when there are too many bytes, as many go as are needed", () => {
  const queue = queueOf(100, 3000);
  const sent = Array.from({ length: 10 }, () => envelope(append([900])));
  for (const one of sent) queue.push(one);
  expect(queue.bytes).toBeLessThanOrEqual(3000);
  expect(dropped).toEqual(sent.slice(0, 7));
  expect(drain(queue)).toEqual(sent.slice(7));
  expect(queue.bytes).toBe(0);
});

test("snapshot chunks let everything else go first, but are not starved", () => {
  const queue = queueOf(100);
  const chunk = envelope(snapshotChunk(0, 10));
  queue.push(chunk);
  for (let count = 0; count < 20; count += 1) queue.push(envelope(vote()));
  const order = drain(queue);
  expect(order).toHaveLength(21);
  expect(order.indexOf(chunk)).toBe(8);
});

test("no chunk while the last one is being written", () => {
  const queue = queueOf(100);
  queue.push(envelope(snapshotChunk(0, 10)));
  expect(queue.shift(false)).toBeUndefined();
  expect(queue.shift(true)).toBeDefined();
});
