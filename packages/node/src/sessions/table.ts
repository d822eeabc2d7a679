/**
 * The sessions that are open, and the answers that they may ask for again. All that changes it
 * comes through the log, limits included, so that it is the same on every node.
 */

export interface SessionLimits {
  /** Beyond it, whoever was silent for longest (counted in entries) makes room. */
  readonly sessionsMax: number;
  /** Of all answers remembered; what a session's own limits leave is within it. */
  readonly bytesMax: number;
  /** Answers that one session may ask for again; the oldest make room. */
  readonly answersPerSessionMax: number;
  /** Of one session's answers. One answer larger than this is not remembered. */
  readonly bytesPerSessionMax: number;
}

/** Part of what the replicas must agree on: never a node's own choice. */
export const SESSION_LIMITS: SessionLimits = {
  sessionsMax: 1024,
  bytesMax: 8 * 1024 * 1024,
  answersPerSessionMax: 256,
  bytesPerSessionMax: 1024 * 1024,
};

interface Session {
  /** Commands up to here are not answered again: the client has the answers, or waited too long. */
  forgottenThrough: number;
  /** By sequence, in the order of execution; null: carried out, the answer was too large. */
  readonly answers: Map<number, Uint8Array | null>;
  /** Of `answers`. Invariant: at most bytesPerSessionMax. */
  byteCount: number;
}

export type Remembered =
  | { readonly kind: "new" }
  | { readonly kind: "answered"; readonly answer: Uint8Array }
  /** It was carried out, or never will be; the answer is gone. */
  | { readonly kind: "forgotten" }
  /** There is no such session (any more). */
  | { readonly kind: "expired" };

/** What an answer takes beside its bytes. */
const ANSWER_OVERHEAD_BYTES = 32;
const NO_ANSWER = 0xffff_ffff;

export class SessionTable {
  readonly #limits: SessionLimits;
  /** Who used its session longest ago comes first. Invariant: at most sessionsMax. */
  readonly #sessions = new Map<number, Session>();
  /** Of all sessions' answers. */
  #byteCount = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  /** @param id that no session had before: the index of the entry that opens it. */
  open(id: number): void {
    this.#sessions.set(id, { forgottenThrough: 0, answers: new Map(), byteCount: 0 });
    this.#makeRoom();
  }

  close(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#byteCount -= session.byteCount;
    this.#sessions.delete(id);
  }

  /** Looks up a command before it is carried out; counts as use of the session. */
  use(id: number, sequence: number, answeredThrough: number): Remembered {
    const session = this.#sessions.get(id);
    if (session === undefined) return { kind: "expired" };
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    // Never beyond the command itself: its own answer is not there yet.
    this.#forget(session, Math.min(answeredThrough, sequence - 1));
    const answer = session.answers.get(sequence);
    if (answer === null) return { kind: "forgotten" };
    if (answer !== undefined) return { kind: "answered", answer };
    return sequence <= session.forgottenThrough ? { kind: "forgotten" } : { kind: "new" };
  }

  /** The answer to the command that was just carried out. */
  remember(id: number, sequence: number, answer: Uint8Array): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const { answersPerSessionMax, bytesPerSessionMax } = this.#limits;
    const size = answer.length + ANSWER_OVERHEAD_BYTES;
    const kept = size <= bytesPerSessionMax ? answer : null;
    this.#add(session, sequence, kept);
    while (session.answers.size > answersPerSessionMax || session.byteCount > bytesPerSessionMax) {
      this.#forget(session, Math.min(...session.answers.keys()));
    }
    this.#makeRoom();
  }

  /** Equal tables give equal bytes. */
  encode(): Uint8Array {
    let length = 4;
    for (const { answers } of this.#sessions.values()) {
      length += 20;
      for (const answer of answers.values()) length += 12 + (answer?.length ?? 0);
    }
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.#sessions.size);
    let at = 4;
    for (const [id, { forgottenThrough, answers }] of this.#sessions) {
      view.setFloat64(at, id);
      view.setFloat64(at + 8, forgottenThrough);
      view.setUint32(at + 16, answers.size);
      at += 20;
      for (const [sequence, answer] of answers) {
        view.setFloat64(at, sequence);
        view.setUint32(at + 8, answer?.length ?? NO_ANSWER);
        at += 12;
        if (answer === null) continue;
        bytes.set(answer, at);
        at += answer.length;
      }
    }
    return bytes;
  }

  /** @throws RangeError on bytes that `encode` did not write. */
  static decode(bytes: Uint8Array, limits: SessionLimits): SessionTable {
    const table = new SessionTable(limits);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 4;
    for (let left = view.getUint32(0); left > 0; left -= 1) {
      const session: Session = {
        forgottenThrough: view.getFloat64(at + 8),
        answers: new Map(),
        byteCount: 0,
      };
      table.#sessions.set(view.getFloat64(at), session);
      const count = view.getUint32(at + 16);
      at += 20;
      for (let answered = 0; answered < count; answered += 1) {
        const sequence = view.getFloat64(at);
        const length = view.getUint32(at + 8);
        at += 12;
        const answer = length === NO_ANSWER ? null : bytes.slice(at, at + length);
        table.#add(session, sequence, answer);
        at += answer?.length ?? 0;
      }
    }
    if (at !== bytes.length) {
      throw new RangeError(`expected sessions of ${at} bytes, found ${bytes.length}`);
    }
    return table;
  }

  #add(session: Session, sequence: number, answer: Uint8Array | null): void {
    session.answers.set(sequence, answer);
    const size = (answer?.length ?? 0) + ANSWER_OVERHEAD_BYTES;
    session.byteCount += size;
    this.#byteCount += size;
  }

  #forget(session: Session, through: number): void {
    if (through <= session.forgottenThrough) return;
    session.forgottenThrough = through;
    for (const [sequence, answer] of session.answers) {
      if (sequence > through) continue;
      session.answers.delete(sequence);
      const size = (answer?.length ?? 0) + ANSWER_OVERHEAD_BYTES;
      session.byteCount -= size;
      this.#byteCount -= size;
    }
  }

  /** The session in use is the last, and stays. */
  #makeRoom(): void {
    const { sessionsMax, bytesMax } = this.#limits;
    for (const id of this.#sessions.keys()) {
      const full = this.#sessions.size > sessionsMax || this.#byteCount > bytesMax;
      if (!full || this.#sessions.size === 1) return;
      this.close(id);
    }
  }
}
