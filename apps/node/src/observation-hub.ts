/**
 * Hands a node's observations to whoever listens, without ever slowing the node: what is too much
 * to tell is counted, folded together or left out, and the stream says so (design 4.6).
 *
 * A node of which there is more to tell than anybody could see is busy. Then its numbers and
 * entries are told together a few times a second, and of messages and requests only some: enough
 * to see that there are many. Everything else is told as ever.
 */
import type { NodeApi } from "@raftarium/node";
import type { Observation, ObservationBody } from "@raftarium/observer";
import { Sample } from "./sample.ts";

/** More than this in one window, and the node is busy; fewer, and it no longer is. */
const OBSERVATIONS_PER_WINDOW_MAX = 100;
const WINDOW_MS = 100;
/** How often a busy node tells of its numbers and entries. */
const BUSY_WINDOW_MS = 250;
/** Of a busy node, in one window: messages, and requests that their clients gave no name. */
const MESSAGES_PER_BUSY_WINDOW = 16;
const REQUESTS_PER_BUSY_WINDOW = 4;
/** Requests with a name: somebody looks for them. */
const NAMED_REQUESTS_PER_BUSY_WINDOW = 50;
/** Started, proposed, finished. */
const OBSERVATIONS_PER_REQUEST = 3;
/** A reader that has this many waiting is too slow: it gets a gap and a fresh view instead. */
const BUFFERED_MAX = 4096;
/** How long observations are gathered before they are handed over together. */
const FLUSH_MS = 10;
const BUSY_FLUSH_MS = 80;

/** Where one reader's observations go. */
export interface ObservationSink {
  /** Takes a batch; false: full, `ready` will be called when there is room again. */
  write(observations: readonly Observation[]): boolean;
}

interface Subscriber {
  readonly sink: ObservationSink;
  buffer: Observation[];
  droppedCount: number;
  /** The newest of what was dropped: the gap takes its stamp. */
  lastDropped: Observation | null;
  blocked: boolean;
  /** The last sequence handed to it; 0: none yet. */
  sequence: number;
}

type HubNode = Pick<
  NodeApi<unknown>,
  "setObserver" | "observe" | "view" | "gather" | "tellGathered"
>;

export class ObservationHub {
  readonly #node: HubNode;
  readonly #subscribers = new Set<Subscriber>();
  readonly #messages = new Sample(MESSAGES_PER_BUSY_WINDOW);
  readonly #requests = new Sample(REQUESTS_PER_BUSY_WINDOW);
  readonly #namedRequests = new Sample(NAMED_REQUESTS_PER_BUSY_WINDOW);
  #flushTimer: NodeJS.Timeout | null = null;
  #windowTimer: NodeJS.Timeout | null = null;
  #busy = false;
  /** What there was to tell in this window, told or not. */
  #countInWindow = 0;
  #omittedMessages = 0;
  #omittedBytes = 0;
  #omittedRequests = 0;

  constructor(node: HubNode) {
    this.#node = node;
  }

  get observed(): boolean {
    return this.#subscribers.size > 0;
  }

  /** A full view first, then everything that follows. `ready`: the sink has room again. */
  subscribe(sink: ObservationSink): { ready(): void; close(): void } {
    const subscriber: Subscriber = {
      sink,
      buffer: [],
      droppedCount: 0,
      lastDropped: null,
      blocked: false,
      sequence: 0,
    };
    this.#subscribers.add(subscriber);
    if (this.#subscribers.size === 1) this.#start();
    this.refresh();
    return {
      ready: () => {
        subscriber.blocked = false;
        this.#tellGap(subscriber);
        this.#flushSoon();
      },
      close: () => {
        this.#subscribers.delete(subscriber);
        if (this.#subscribers.size === 0) this.#stop();
      },
    };
  }

  /** Sends everybody a fresh full view. */
  refresh(): void {
    if (this.observed) this.#node.observe({ kind: "node-view", view: this.#node.view() });
  }

  /**
   * Whether a request that begins is to be told of, from its start to its end; if not, it is
   * counted. `named`: its client gave it a name, or the node that forwarded it does tell of it.
   */
  tellsOfRequest(named: boolean): boolean {
    if (!this.observed) return false;
    const sample = named ? this.#namedRequests : this.#requests;
    if (sample.admits(sample.seen + 1)) return true;
    this.#omittedRequests += 1;
    this.#count(OBSERVATIONS_PER_REQUEST);
    this.#flushSoon();
    return false;
  }

  close(): void {
    this.#subscribers.clear();
    this.#stop();
  }

  #start(): void {
    this.#node.setObserver((observation) => this.#take(observation));
    this.#countInWindow = 0;
    this.#setBusy(false);
  }

  #stop(): void {
    this.#node.setObserver(null);
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    if (this.#windowTimer !== null) clearTimeout(this.#windowTimer);
    this.#flushTimer = null;
    this.#windowTimer = null;
  }

  #count(observations: number): void {
    this.#countInWindow += observations;
    if (!this.#busy && this.#countInWindow > OBSERVATIONS_PER_WINDOW_MAX) this.#setBusy(true);
  }

  /** The window begins anew. */
  #setBusy(busy: boolean): void {
    this.#busy = busy;
    for (const sample of [this.#messages, this.#requests, this.#namedRequests]) sample.begin(busy);
    if (this.#windowTimer !== null) clearTimeout(this.#windowTimer);
    this.#windowTimer = setTimeout(() => this.#nextWindow(), busy ? BUSY_WINDOW_MS : WINDOW_MS);
    this.#node.gather(busy);
  }

  #nextWindow(): void {
    this.#windowTimer = null;
    const count = this.#countInWindow + this.#node.tellGathered();
    const lengthInWindows = this.#busy ? BUSY_WINDOW_MS / WINDOW_MS : 1;
    const busy = count > OBSERVATIONS_PER_WINDOW_MAX * lengthInWindows;
    this.#countInWindow = 0;
    this.#setBusy(busy);
  }

  /** With every batch: whoever waits for the sending of a message learns that it won't be told. */
  #tellOmitted(): void {
    if (this.#omittedMessages > 0) {
      const omitted = { count: this.#omittedMessages, bytes: this.#omittedBytes };
      this.#omittedMessages = 0;
      this.#omittedBytes = 0;
      this.#node.observe({ kind: "messages-omitted", ...omitted });
    }
    if (this.#omittedRequests > 0) {
      const count = this.#omittedRequests;
      this.#omittedRequests = 0;
      this.#node.observe({ kind: "requests-omitted", count });
    }
  }

  #take(observation: Observation): void {
    const { body } = observation;
    this.#count(weightOf(body));
    if (isOfOneMessage(body) && !this.#messages.admits(body.id.sequence)) {
      this.#omittedMessages += 1;
      this.#omittedBytes += body.message.bytes;
      this.#flushSoon();
      return;
    }
    for (const subscriber of this.#subscribers) {
      const { buffer } = subscriber;
      if (subscriber.droppedCount > 0) {
        subscriber.droppedCount += 1;
        subscriber.lastDropped = observation;
        continue;
      }
      foldInto(buffer, observation);
      if (buffer.length < BUFFERED_MAX) buffer.push(observation);
      else {
        subscriber.droppedCount = buffer.length + 1;
        subscriber.lastDropped = observation;
        subscriber.buffer = [];
      }
    }
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.#flushTimer ??= setTimeout(
      () => {
        this.#tellOmitted();
        this.#flushTimer = null;
        for (const subscriber of this.#subscribers) this.#flush(subscriber);
      },
      this.#busy ? BUSY_FLUSH_MS : FLUSH_MS,
    );
  }

  #flush(subscriber: Subscriber): void {
    if (subscriber.blocked || subscriber.buffer.length === 0) return;
    const batch = subscriber.buffer;
    subscriber.buffer = [];
    subscriber.blocked = !subscriber.sink.write(renumbered(subscriber, batch));
  }

  /** Says how much was lost, then how things are now. */
  #tellGap(subscriber: Subscriber): void {
    const { droppedCount, lastDropped } = subscriber;
    if (lastDropped === null) return;
    subscriber.droppedCount = 0;
    subscriber.lastDropped = null;
    subscriber.buffer.push({ ...lastDropped, body: { kind: "gap", droppedCount } });
    this.refresh();
  }
}

/**
 * What was folded together or only counted is not lost: a reader's numbers have no holes, so that
 * a hole it sees is one. They begin where the node's count is.
 */
function renumbered(subscriber: Subscriber, batch: readonly Observation[]): Observation[] {
  return batch.map((observation) => {
    subscriber.sequence =
      subscriber.sequence === 0 ? observation.sequence : subscriber.sequence + 1;
    return { ...observation, sequence: subscriber.sequence };
  });
}

/** Each entry is told by itself, as it were. */
function weightOf(body: ObservationBody): number {
  return body.kind === "log-appended" ? 1 + body.entries.length : 1;
}

type OfOneMessage = Extract<ObservationBody, { readonly message: unknown }>;

function isOfOneMessage(body: ObservationBody): body is OfOneMessage {
  switch (body.kind) {
    case "message-sent":
    case "message-arriving":
    case "message-received":
      return true;
    default:
      return false;
  }
}

/** How far back an observation of the same kind may be for a new one to take its place. */
const FOLD_REACH = 12;

/**
 * Numbers that only grow need to be told once a batch: takes the older one out of `buffer`. The
 * newer one comes at its own place, after what it speaks of.
 */
function foldInto(buffer: Observation[], { body }: Observation): void {
  if (
    body.kind !== "commit-advanced" &&
    body.kind !== "durable-advanced" &&
    body.kind !== "progress-changed" &&
    body.kind !== "timer-changed"
  ) {
    return;
  }
  const reach = Math.max(0, buffer.length - FOLD_REACH);
  for (let at = buffer.length - 1; at >= reach; at -= 1) {
    const older = (buffer[at] as Observation).body;
    if (older.kind === "role-changed" || older.kind === "node-view") return;
    if (older.kind !== body.kind) continue;
    if (
      body.kind === "progress-changed" &&
      older.kind === "progress-changed" &&
      body.progress.peerId !== older.progress.peerId
    ) {
      continue;
    }
    buffer.splice(at, 1);
    return;
  }
}
