/** Writes a bounded queue into one stream, as fast as the stream takes it. */
import type { Envelope } from "@raftarium/node";
import { encodeFrame } from "@raftarium/protocol";
import { viewAsBuffer } from "@raftarium/protocol/grpc";
import type { QueueLimits } from "./outbound-queue.ts";
import { OutboundQueue } from "./outbound-queue.ts";

/** The part of a grpc-js stream that a lane needs. */
export interface Sink {
  write(bytes: Buffer, written: () => void): boolean;
  on(event: "drain", listener: () => void): unknown;
  off(event: "drain", listener: () => void): unknown;
}

export interface LaneEvents {
  onSent(bytes: number): void;
  onDropped(envelope: Envelope, reason: "overflow" | "loss"): void;
}

/** Bytes handed to the stream that it has not written yet; beyond it, ours is the queue. */
const UNWRITTEN_BYTES_MAX = 256 * 1024;

export class Lane {
  readonly #events: LaneEvents;
  readonly #queue: OutboundQueue;
  readonly #onDrain = (): void => {
    this.#full = false;
    this.#pump();
  };
  #sink: Sink | null = null;
  #full = false;
  #unwrittenBytes = 0;
  #chunkUnwritten = false;
  /** A connection is being made: what is sent now may wait for it. */
  #waiting = false;

  constructor(limits: QueueLimits, events: LaneEvents) {
    this.#events = events;
    this.#queue = new OutboundQueue(limits, (envelope) => events.onDropped(envelope, "overflow"));
  }

  get queuedMessages(): number {
    return this.#queue.length;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  send(envelope: Envelope): void {
    if (this.#sink === null && !this.#waiting) {
      this.#events.onDropped(envelope, "loss");
      return;
    }
    this.#queue.push(envelope);
    this.#pump();
  }

  /** From now on messages wait (up to the limits) for `attach`. */
  wait(): void {
    this.#waiting = true;
  }

  attach(sink: Sink): void {
    this.#sink = sink;
    sink.on("drain", this.#onDrain);
    this.#pump();
  }

  /** The stream is gone. What was written may or may not have arrived; what waits is lost. */
  close(): void {
    this.#sink?.off("drain", this.#onDrain);
    this.#sink = null;
    this.#waiting = false;
    this.#full = false;
    this.#unwrittenBytes = 0;
    this.#chunkUnwritten = false;
    for (const envelope of this.#queue.clear()) this.#events.onDropped(envelope, "loss");
  }

  #pump(): void {
    const sink = this.#sink;
    if (sink === null) return;
    while (!this.#full && this.#unwrittenBytes < UNWRITTEN_BYTES_MAX) {
      const envelope = this.#queue.shift(!this.#chunkUnwritten);
      if (envelope === undefined) return;
      this.#write(sink, envelope);
    }
  }

  #write(sink: Sink, envelope: Envelope): void {
    const bytes = viewAsBuffer(encodeFrame({ kind: "envelope", envelope }));
    const isChunk = envelope.message.type === "install-snapshot";
    if (isChunk) this.#chunkUnwritten = true;
    this.#unwrittenBytes += bytes.length;
    this.#events.onSent(bytes.length);
    this.#full = !sink.write(bytes, () => {
      if (this.#sink !== sink) return;
      this.#unwrittenBytes -= bytes.length;
      if (isChunk) this.#chunkUnwritten = false;
      this.#pump();
    });
  }
}
