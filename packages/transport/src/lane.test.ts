import type { Envelope } from "@raftarium/node";
import { beforeEach, expect, test } from "vitest";
import { readFrame } from "./exchange.ts";
import type { Sink } from "./lane.ts";
import { Lane } from "./lane.ts";
import { append, envelope, snapshotChunk, vote } from "./testing/envelopes.ts";

/** A stream that takes what it is told to take, and is done with it when it is told. */
class FakeSink implements Sink {
  readonly written: number[] = [];
  readonly callbacks: (() => void)[] = [];
  full = false;
  #onDrain: (() => void) | null = null;

  write(bytes: Buffer, written: () => void): boolean {
    const frame = readFrame(bytes);
    if (typeof frame === "object" && frame.kind === "envelope") {
      this.written.push(frame.envelope.sequence);
    }
    this.callbacks.push(written);
    return !this.full;
  }

  on(_event: "drain", listener: () => void): void {
    this.#onDrain = listener;
  }

  off(_event: "drain", listener: () => void): void {
    if (this.#onDrain === listener) this.#onDrain = null;
  }

  drain(): void {
    this.full = false;
    this.#onDrain?.();
  }
}

let sink: FakeSink;
let lane: Lane;
let lost: Envelope[];

beforeEach(() => {
  sink = new FakeSink();
  lost = [];
  lane = new Lane(
    { messagesMax: 100, bytesMax: 10_000_000 },
    { onSent: () => undefined, onDropped: (dropped) => lost.push(dropped) },
  );
});

function send(...envelopes: Envelope[]): number[] {
  for (const one of envelopes) lane.send(one);
  return envelopes.map(({ sequence }) => sequence);
}

test("a stream that is full is not written to until it drains", () => {
  lane.attach(sink);
  sink.full = true;
  const [first = 0, second = 0, third = 0] = send(
    envelope(vote()),
    envelope(vote()),
    envelope(vote()),
  );
  expect(sink.written).toEqual([first]);
  expect(lane.queuedMessages).toBe(2);
  sink.drain();
  expect(sink.written).toEqual([first, second, third]);
});

test("a stream that has not written much yet is left alone, even if it would take more", () => {
  lane.attach(sink);
  const sequences = send(...Array.from({ length: 5 }, () => envelope(append([100_000]))));
  expect(sink.written).toEqual(sequences.slice(0, 3));
  sink.callbacks.shift()?.();
  expect(sink.written).toEqual(sequences.slice(0, 4));
});

test("one chunk at a time; other messages pass it", () => {
  lane.attach(sink);
  const [first = 0, second = 0, ballot = 0] = send(
    envelope(snapshotChunk(0, 1000)),
    envelope(snapshotChunk(1000, 1000)),
    envelope(vote()),
  );
  expect(sink.written).toEqual([first, ballot]);
  sink.callbacks[0]?.();
  expect(sink.written).toEqual([first, ballot, second]);
});

test("without a stream messages are lost, unless one is on its way", () => {
  send(envelope(vote()));
  expect(lost).toHaveLength(1);
  lane.wait();
  const [waiting = 0] = send(envelope(vote()));
  expect(lost).toHaveLength(1);
  lane.attach(sink);
  expect(sink.written).toEqual([waiting]);
});

test("what waits when the stream goes is lost, and the next stream starts afresh", () => {
  lane.attach(sink);
  send(...Array.from({ length: 4 }, () => envelope(append([100_000]))));
  sink.full = true;
  lane.close();
  expect(lost).toHaveLength(1);
  const late = sink.callbacks;
  const next = new FakeSink();
  lane.attach(next);
  for (const callback of late) callback();
  const sequences = send(...Array.from({ length: 4 }, () => envelope(append([100_000]))));
  expect(next.written).toEqual(sequences.slice(0, 3));
  sink.drain();
  expect(next.written).toEqual(sequences.slice(0, 3));
});
