/** What waits to be written to one peer, bounded, with snapshots beside everything else. */
import type { Envelope } from "@raftarium/node";
import { messageKindOf } from "@raftarium/observer";

export interface QueueLimits {
  /** Envelopes that wait at most, for each direction of each peer. */
  readonly messagesMax: number;
  /** Their payload bytes at most. */
  readonly bytesMax: number;
}

/** What an envelope takes beside its payload, roughly. */
const OVERHEAD_BYTES = 64;
/** After so many other messages a waiting snapshot chunk has its turn. */
const URGENT_PER_CHUNK = 8;

/**
 * Two lines: snapshot chunks, and everything else, which goes first but does not starve them.
 *
 * When full, the oldest append goes (its follower asks again), then the oldest chunk, then the
 * oldest of the rest. A heartbeat takes the place of one that waits: only the newest says anything.
 */
export class OutboundQueue {
  readonly #limits: QueueLimits;
  readonly #onOverflow: (envelope: Envelope) => void;
  readonly #urgent: Envelope[] = [];
  readonly #chunks: Envelope[] = [];
  #bytes = 0;
  #urgentSinceChunk = 0;

  constructor(limits: QueueLimits, onOverflow: (envelope: Envelope) => void) {
    this.#limits = limits;
    this.#onOverflow = onOverflow;
  }

  get length(): number {
    return this.#urgent.length + this.#chunks.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(envelope: Envelope): void {
    const kind = messageKindOf(envelope.message);
    if (kind === "heartbeat" && this.#urgent.length > 0) {
      const at = this.#urgent.findIndex(({ message }) => messageKindOf(message) === "heartbeat");
      if (at >= 0) this.#overflow(this.#urgent, at);
    }
    (envelope.message.type === "install-snapshot" ? this.#chunks : this.#urgent).push(envelope);
    this.#bytes += sizeOf(envelope);
    while (this.length > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax) {
      this.#dropOne();
    }
  }

  /** The next to write. `chunkAllowed` false: the last chunk is still on its way out. */
  shift(chunkAllowed: boolean): Envelope | undefined {
    const chunkTurn = this.#urgent.length === 0 || this.#urgentSinceChunk >= URGENT_PER_CHUNK;
    const fromChunks = chunkAllowed && chunkTurn && this.#chunks.length > 0;
    const next = fromChunks ? this.#chunks.shift() : this.#urgent.shift();
    if (next === undefined) return undefined;
    this.#bytes -= sizeOf(next);
    this.#urgentSinceChunk = fromChunks ? 0 : this.#urgentSinceChunk + 1;
    return next;
  }

  /** Empties it and returns what was there. */
  clear(): Envelope[] {
    this.#bytes = 0;
    return [...this.#urgent.splice(0), ...this.#chunks.splice(0)];
  }

  #dropOne(): void {
    const append = this.#urgent.findIndex(({ message }) => message.type === "append-entries");
    if (append >= 0) this.#overflow(this.#urgent, append);
    else this.#overflow(this.#chunks.length > 0 ? this.#chunks : this.#urgent, 0);
  }

  #overflow(line: Envelope[], at: number): void {
    for (const envelope of line.splice(at, 1)) {
      this.#bytes -= sizeOf(envelope);
      this.#onOverflow(envelope);
    }
  }
}

/** Payload and a little more. */
export function sizeOf({ message }: Envelope): number {
  switch (message.type) {
    case "append-entries":
      return message.entries.reduce((sum, { data }) => sum + data.length + 16, OVERHEAD_BYTES);
    case "install-snapshot":
      return OVERHEAD_BYTES + message.data.length;
    case "request-vote":
    case "request-vote-response":
    case "append-entries-response":
    case "install-snapshot-response":
    case "timeout-now":
    case "read-index":
    case "read-index-response":
      return OVERHEAD_BYTES;
  }
}
