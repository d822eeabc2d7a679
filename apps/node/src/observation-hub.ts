/**
 * Hands a node's observations to whoever listens, without ever slowing the node: what is too much
 * to tell is counted, folded together or left out, and the stream says so (design 4.6).
 */
import type { NodeApi } from "@raftarium/node";
import type { Observation, ObservationBody } from "@raftarium/observer";

/** Observations of single messages told in one window; beyond it they are only counted. */
const MESSAGES_PER_WINDOW_MAX = 150;
/** ... and once a window had too many, until a window has fewer again. */
const MESSAGES_PER_BUSY_WINDOW_MAX = 10;
const WINDOW_MS = 100;
/** A reader that has this many waiting is too slow: it gets a gap and a fresh view instead. */
const BUFFERED_MAX = 4096;
/** How long observations are gathered before they are handed over together. */
const FLUSH_MS = 10;

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

type HubNode = Pick<NodeApi<unknown>, "setObserver" | "observe" | "view">;

export class ObservationHub {
  readonly #node: HubNode;
  readonly #subscribers = new Set<Subscriber>();
  #flushTimer: NodeJS.Timeout | null = null;
  #windowTimer: NodeJS.Timeout | null = null;
  #messagesInWindow = 0;
  #messagesMax = MESSAGES_PER_WINDOW_MAX;
  #omittedCount = 0;
  #omittedBytes = 0;

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

  close(): void {
    this.#subscribers.clear();
    this.#stop();
  }

  #start(): void {
    this.#node.setObserver((observation) => this.#take(observation));
    this.#windowTimer = setInterval(() => this.#nextWindow(), WINDOW_MS);
  }

  #stop(): void {
    this.#node.setObserver(null);
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    if (this.#windowTimer !== null) clearInterval(this.#windowTimer);
    this.#flushTimer = null;
    this.#windowTimer = null;
  }

  #nextWindow(): void {
    const busy = this.#messagesInWindow > MESSAGES_PER_WINDOW_MAX;
    this.#messagesMax = busy ? MESSAGES_PER_BUSY_WINDOW_MAX : MESSAGES_PER_WINDOW_MAX;
    this.#messagesInWindow = 0;
    if (this.#omittedCount === 0) return;
    const body: ObservationBody = {
      kind: "messages-omitted",
      count: this.#omittedCount,
      bytes: this.#omittedBytes,
    };
    this.#omittedCount = 0;
    this.#omittedBytes = 0;
    this.#node.observe(body);
  }

  #take(observation: Observation): void {
    const { body } = observation;
    if (isOfOneMessage(body)) {
      this.#messagesInWindow += 1;
      if (this.#messagesInWindow > this.#messagesMax) {
        this.#omittedCount += 1;
        this.#omittedBytes += body.message.bytes;
        return;
      }
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
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = null;
      for (const subscriber of this.#subscribers) this.#flush(subscriber);
    }, FLUSH_MS);
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
