/** What all requests share: one answer, a time limit, and what people are told about them. */
import { status as Status } from "@grpc/grpc-js";
import type { Metadata, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { LogIndex, NodeId, Term } from "@raftarium/node";
import type { ObservationBody } from "@raftarium/observer";
import type { StatusError } from "@raftarium/protocol/grpc";
import { TEXT, outcomeOf, unknown, failed } from "./failure.ts";
import type { ServiceHost } from "./host.ts";
import { SESSION_HEADERS } from "./session.ts";

/** Which node forwards this request; set, it is not forwarded again. */
export const FORWARDED_HEADER = "raftarium-forwarded-by";
/** MemberAdd: the new node's id, never used before. Without it the cluster chooses one. */
export const MEMBER_ID_HEADER = "raftarium-member-id";
/** The request's name in observations; a client may choose it. */
export const REQUEST_ID_HEADER = "raftarium-request-id";

const REQUEST_ID = /^[\w.-]{1,64}$/;

/** How often requests that wait are looked at for their time limit, milliseconds. */
const SWEEP_MS = 100;
/**
 * So long before the client's own deadline a request that is not under way is refused: "failed" is
 * worth more to the client than a deadline that passes, which tells it nothing. Milliseconds, and
 * at most this part of the time that it gives.
 */
const REFUSE_EARLY_MS_MAX = 300;
const REFUSE_EARLY_PART = 0.25;
/** How long to wait before asking again for a leader, milliseconds. */
export const RETRY_MS = 20;

export interface Tell {
  (body: ObservationBody): void;
}

/** The requests under way. `close` ends them all: those that may have taken effect as unknown. */
export class Requests {
  readonly host: ServiceHost;
  readonly tell: Tell;
  /**
   * In no order. Not a Set: one that much is added to and deleted from keeps what it held in memory
   * until the next full collection (see Window in packages/node).
   */
  readonly #open: Request[] = [];
  readonly #sweep: NodeJS.Timeout;
  #count = 0;

  constructor(host: ServiceHost, tell: Tell) {
    this.host = host;
    this.tell = tell;
    this.#sweep = setInterval(() => this.#expire(performance.now()), SWEEP_MS);
    this.#sweep.unref();
  }

  add(request: Request): void {
    request.place = this.#open.length;
    this.#open.push(request);
  }

  delete(request: Request): void {
    const last = this.#open.pop();
    if (last === undefined || last === request) return;
    // The last one takes its place.
    last.place = request.place;
    this.#open[last.place] = last;
  }

  nextId(): string {
    this.#count += 1;
    return `${this.host.nodeId}.${this.host.incarnation}.${this.#count}`;
  }

  close(): void {
    clearInterval(this.#sweep);
    // A copy: what expires leaves the list.
    for (const request of this.#open.slice()) request.expire(TEXT.stopped);
  }

  #expire(nowMs: number): void {
    for (const request of this.#open.slice()) {
      const late = request.underWay ? request.deadlineMs : request.refuseMs;
      if (nowMs >= late) request.expire(TEXT.timedOut);
    }
  }
}

/** Anything with a call to answer, whatever its messages. */
export type AnyCall = ServerUnaryCall<unknown, unknown>;

/** Without a deadline of the client's: no end. */
function patienceMs(call: AnyCall): number {
  const deadline = call.getDeadline();
  const givenMs = Number(deadline) - Date.now();
  return givenMs - Math.min(REFUSE_EARLY_MS_MAX, givenMs * REFUSE_EARLY_PART);
}

/** One client's request, from its arrival to its one answer. */
export class Request {
  readonly requests: Requests;
  readonly startedMs = performance.now();
  readonly deadlineMs: number;
  /** The deadline of a request that is not under way. */
  readonly refuseMs: number;
  readonly #method: string;
  readonly #call: AnyCall;
  readonly #done: sendUnaryData<never>;
  /** null: nobody watches. */
  #observedId: string | null = null;
  #forwardedHere = false;
  #finished = false;
  /** Where it is among the open ones: `Requests` keeps it. */
  place = -1;
  /** It is in a log, or on its way to another node: without an answer nobody knows. */
  underWay = false;
  /** What to say when the time is up and nothing is under way. */
  lastError: StatusError | null = null;

  constructor(requests: Requests, method: string, call: AnyCall, done: sendUnaryData<never>) {
    this.requests = requests;
    this.#method = method;
    this.#call = call;
    this.#done = done;
    this.deadlineMs = this.startedMs + requests.host.requestTimeoutMs();
    this.refuseMs = Math.min(this.deadlineMs, this.startedMs + patienceMs(call));
    requests.add(this);
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** Finished, or given up by the client: no further attempt makes sense. */
  get over(): boolean {
    return this.#finished || this.#call.cancelled;
  }

  /**
   * Tells of the request if somebody watches. A forwarded one was told of where it came in, or it
   * has no name.
   */
  start(describe: () => string, write: boolean): void {
    if (!this.requests.host.observing()) return;
    const given = String(this.#call.metadata.get(REQUEST_ID_HEADER)[0] ?? "");
    const named = REQUEST_ID.test(given);
    this.#forwardedHere = this.forwardedBy() !== null;
    if (this.#forwardedHere && !named) return;
    if (!this.requests.host.tellsOfRequest(named)) return;
    this.#observedId = named ? given : this.requests.nextId();
    if (this.#forwardedHere) return;
    const requestId = this.#observedId;
    this.requests.tell({ kind: "request-started", requestId, description: describe(), write });
  }

  /** null: it came from a client. */
  forwardedBy(): NodeId | null {
    const [value] = this.#call.metadata.get(FORWARDED_HEADER);
    return value === undefined ? null : Number(value);
  }

  /** What came with the call and must go on with it. */
  passOn(metadata: Metadata): void {
    if (this.#observedId !== null) metadata.set(REQUEST_ID_HEADER, this.#observedId);
    for (const header of [MEMBER_ID_HEADER, ...SESSION_HEADERS]) {
      const [value] = this.#call.metadata.get(header);
      if (value !== undefined) metadata.set(header, value);
    }
  }

  forwarded(leaderId: NodeId): void {
    if (this.#observedId === null) return;
    this.requests.tell({ kind: "request-forwarded", requestId: this.#observedId, leaderId });
  }

  proposed(index: LogIndex, term: Term): void {
    if (this.#observedId === null) return;
    this.requests.tell({ kind: "request-proposed", requestId: this.#observedId, index, term });
  }

  /** The time is up, or the node stops. */
  expire(text: string): void {
    if (this.underWay) this.fail(unknown(text));
    else this.fail(this.lastError ?? failed(Status.UNAVAILABLE, text));
  }

  succeed(response: unknown): void {
    if (!this.#finish("OK")) return;
    this.#done(null, response as never);
    this.#tellFinished("ok", "");
  }

  fail(error: StatusError): void {
    if (!this.#finish(Status[error.code] ?? "UNKNOWN")) return;
    this.#done(error);
    this.#tellFinished(outcomeOf(error) ?? "unknown", error.details);
  }

  #finish(code: string): boolean {
    if (this.#finished) return false;
    this.#finished = true;
    this.requests.delete(this);
    const { requestEnded } = this.requests.host;
    requestEnded?.(this.#method, code, (performance.now() - this.startedMs) / 1000);
    return true;
  }

  #tellFinished(outcome: "ok" | "failed" | "unknown", detail: string): void {
    if (this.#observedId === null || this.#forwardedHere) return;
    const requestId = this.#observedId;
    const durationUs = Math.round((performance.now() - this.startedMs) * 1000);
    this.requests.tell({ kind: "request-finished", requestId, outcome, detail, durationUs });
  }
}
