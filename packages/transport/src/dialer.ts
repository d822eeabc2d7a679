/** Keeps one stream to one peer: our requests go out on it, the peer's replies come back. */
import { status as Status } from "@grpc/grpc-js";
import type { Envelope, NodeId } from "@raftarium/node";
import { encodeHello, exchange, readFrame } from "./exchange.ts";
import type { Identity } from "./handshake.ts";
import { helloTo, refusalOf } from "./handshake.ts";
import type { Lane } from "./lane.ts";
import { PeerStream } from "./peer-stream.ts";

export type ConnectionState = "connecting" | "ready" | "backoff";

export interface DialerOptions {
  readonly identity: Identity;
  readonly peerId: NodeId;
  readonly address: string;
  readonly lane: Lane;
  readonly random: () => number;
  readonly events: DialerEvents;
}

export interface DialerEvents {
  onEnvelope(envelope: Envelope, bytes: number): void;
  onState(state: ConnectionState): void;
  /** A stream that was ready broke. */
  onUnreachable(): void;
  /** Either side said no, or what came was not our protocol. */
  onRefused(by: "us" | "peer", reason: string): void;
}

/** A paused peer accepts the connection and says nothing: wait long, so as not to dial in vain. */
const HANDSHAKE_MS_MAX = 5000;
const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 1000;
/** A stream that lived shorter than this does not count as a success. */
const STABLE_MS = 1000;
/** What the other side answers when it will not have us, however often we try. */
const REFUSALS: ReadonlySet<number> = new Set([
  Status.FAILED_PRECONDITION,
  Status.INVALID_ARGUMENT,
]);

interface Attempt {
  readonly stream: PeerStream;
  readonly timer: NodeJS.Timeout;
  readyAtMs: number | null;
  /** Of the process that answered; 0: none has yet. */
  incarnation: number;
  over: boolean;
}

export class Dialer {
  readonly #options: DialerOptions;
  #attempt: Attempt | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  #state: ConnectionState | null = null;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#options.address;
  }

  get state(): ConnectionState {
    return this.#state ?? "connecting";
  }

  start(): void {
    this.#setState("connecting");
    const { address, peerId, events } = this.#options;
    if (URL.canParse(`http://${address}`)) {
      this.#dial();
      return;
    }
    // It came by the log, perhaps: one member's mistake must not end the others. It won't get better.
    const expected = "expected an address such as 127.0.0.1:7101";
    events.onRefused(
      "us",
      `cannot dial node ${peerId}: ${expected}, got ${JSON.stringify(address)}`,
    );
    this.#setState("backoff");
  }

  /** The peer has just dialled us: it lives, and this is how often it was started. */
  met(incarnation: number): void {
    const attempt = this.#attempt;
    if (this.#retry !== null) {
      // No need to wait for the next try.
      clearTimeout(this.#retry);
      this.#dial();
    } else if (
      attempt !== null &&
      attempt.readyAtMs !== null &&
      attempt.incarnation < incarnation
    ) {
      // Whoever answered is gone, and where it lost its power nobody has told TCP.
      this.#fail(attempt);
    }
  }

  close(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#attempt !== null) this.#end(this.#attempt);
  }

  #dial(): void {
    this.#retry = null;
    const { identity, peerId, address, lane } = this.#options;
    const stream = new PeerStream(address, exchange.path, {
      onMessage: (bytes) => this.#onFrame(attempt, bytes),
      onEnd: (code, details) => this.#onEnd(attempt, code, details),
    });
    const timer = setTimeout(() => this.#fail(attempt), HANDSHAKE_MS_MAX);
    const attempt: Attempt = { stream, timer, readyAtMs: null, incarnation: 0, over: false };
    this.#attempt = attempt;
    lane.wait();
    stream.write(encodeHello(helloTo(peerId, identity)));
  }

  #onFrame(attempt: Attempt, bytes: Buffer): void {
    if (attempt.over) return;
    const frame = readFrame(bytes);
    if (typeof frame === "string") this.#refuse(attempt, frame);
    else if (frame.kind === "hello") this.#onHello(attempt, frame.hello);
    else if (attempt.readyAtMs === null) this.#refuse(attempt, "expected a hello first");
    else if (frame.envelope.source !== this.#options.peerId) {
      const found = `an envelope of node ${frame.envelope.source}`;
      this.#refuse(attempt, `expected envelopes of node ${this.#options.peerId}, got ${found}`);
    } else this.#options.events.onEnvelope(frame.envelope, bytes.length);
  }

  #onHello(attempt: Attempt, hello: Parameters<typeof refusalOf>[0]): void {
    const { identity, peerId, lane } = this.#options;
    let reason = refusalOf(hello, identity);
    if (reason === null && hello.source !== peerId) {
      reason = `cannot talk to node ${peerId}: node ${hello.source} answered at its address`;
    }
    if (reason !== null) return this.#refuse(attempt, reason);
    if (attempt.readyAtMs !== null) return undefined;
    clearTimeout(attempt.timer);
    attempt.readyAtMs = performance.now();
    attempt.incarnation = hello.incarnation;
    this.#setState("ready");
    return lane.attach(attempt.stream);
  }

  #refuse(attempt: Attempt, reason: string): void {
    this.#options.events.onRefused("us", reason);
    this.#fail(attempt, true);
  }

  #onEnd(attempt: Attempt, code: number, details: string): void {
    if (attempt.over) return;
    const refused = REFUSALS.has(code);
    if (refused) this.#options.events.onRefused("peer", details);
    this.#fail(attempt, refused);
  }

  /** Ends an attempt or a stream, and dials again: at once after a stable stream, else later. */
  #fail(attempt: Attempt, refused = false): void {
    if (attempt.over) return;
    const wasReady = attempt.readyAtMs !== null;
    const wasStable = wasReady && performance.now() - (attempt.readyAtMs ?? 0) >= STABLE_MS;
    this.#end(attempt);
    this.#failures = wasStable ? 0 : this.#failures + 1;
    this.#retry = setTimeout(() => this.#dial(), refused ? BACKOFF_MS_MAX : this.#backoffMs());
    this.#setState("backoff");
    if (wasReady) this.#options.events.onUnreachable();
  }

  #backoffMs(): number {
    if (this.#failures === 0) return 0;
    const doubled = BACKOFF_MS_MIN * 2 ** Math.min(this.#failures - 1, 10);
    return Math.min(doubled, BACKOFF_MS_MAX) * (0.5 + 0.5 * this.#options.random());
  }

  #end(attempt: Attempt): void {
    attempt.over = true;
    this.#attempt = null;
    clearTimeout(attempt.timer);
    this.#options.lane.close();
    attempt.stream.close();
  }

  /** Attempts that fail one after the other are one long backoff, for whoever looks. */
  #setState(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.events.onState(state);
  }
}
