/**
 * Exactly-once for clients that ask for it (thesis, section 6.3), around any state machine. A
 * client opens a session and numbers its commands; a command that comes again, because the client
 * could not know what became of it, is not carried out again: it gets the answer of the first time.
 *
 *     const machine = withSessions(createKv(), { encode: encodeResult, decode: decodeResult });
 *     node.propose(openSession(), …)                                 // { session: "opened", id: 7 }
 *     node.propose(loggedCommand(command, { session: 7, sequence: 1, answeredThrough: 0 }), …)
 *
 * Sessions and answers are part of the replicated state and of its snapshot. No clock is asked: a
 * session ends when it is closed, or when too many others were used since.
 */
import type { Applied, StateMachine } from "../ports.ts";
import { loggedCommand, readCommand } from "./commands.ts";
import type { SessionPosition } from "./commands.ts";
import { SESSION_LIMITS, SessionTable } from "./table.ts";
import type { SessionLimits } from "./table.ts";

/** What the sessions themselves answer, instead of the machine. */
export type SessionNotice =
  | { readonly session: "opened"; readonly id: number }
  | { readonly session: "closed" }
  /** No such session: nothing was done now. An earlier attempt may have been carried out. */
  | { readonly session: "expired" }
  /** Not carried out now; earlier, perhaps: its answer is gone. */
  | { readonly session: "forgotten" }
  | { readonly session: "malformed" };

export interface ResultCodec<Result> {
  encode(result: Result): Uint8Array;
  decode(bytes: Uint8Array): Result;
}

export function isSessionNotice(result: unknown): result is SessionNotice {
  return typeof result === "object" && result !== null && "session" in result;
}

const MAGIC = [0x52, 0x53, 0x53, 1] as const;
const HEADER_BYTES = 8;
const NO_CHANGES: Applied<never>["changes"] = [];

/** @param limits for tests: all nodes of a cluster must have the same. */
export function withSessions<Result>(
  machine: StateMachine<Result>,
  codec: ResultCodec<Result>,
  limits: SessionLimits = SESSION_LIMITS,
): StateMachine<Result | SessionNotice> {
  let table = new SessionTable(limits);

  const notice = (answer: SessionNotice): Applied<SessionNotice> => ({
    result: answer,
    changes: NO_CHANGES,
  });

  const applyOnce = (
    { session, sequence, answeredThrough }: SessionPosition,
    command: Uint8Array,
    index: number,
  ): Applied<Result | SessionNotice> => {
    const remembered = table.use(session, sequence, answeredThrough);
    switch (remembered.kind) {
      case "new": {
        const applied = machine.apply(command, index);
        table.remember(session, sequence, codec.encode(applied.result));
        return applied;
      }
      case "answered":
        return { result: codec.decode(remembered.answer), changes: NO_CHANGES };
      case "forgotten":
      case "expired":
        return notice({ session: remembered.kind });
    }
  };

  return {
    apply(bytes, index) {
      const read = readCommand(bytes);
      switch (read.kind) {
        case "plain":
          return machine.apply(read.command, index);
        case "command":
          return applyOnce(read, read.command, index);
        case "open":
          table.open(index);
          return notice({ session: "opened", id: index });
        case "close":
          table.close(read.session);
          return notice({ session: "closed" });
        case "malformed":
          return notice({ session: "malformed" });
      }
    },
    query: (question) => machine.query(question),
    snapshot: () => snapshotOf(table.encode(), machine.snapshot()),
    restore() {
      const restoring = machine.restore();
      const head = new HeadReader(limits);
      return {
        write(piece) {
          const rest = head.write(piece);
          if (rest.length > 0) restoring.write(rest);
        },
        end() {
          const restored = head.end();
          restoring.end();
          table = restored;
        },
      };
    },
    describe(bytes) {
      const read = readCommand(bytes);
      switch (read.kind) {
        case "plain":
          return machine.describe(read.command);
        case "command":
          return `${machine.describe(read.command)} (session ${read.session}, no. ${read.sequence})`;
        case "open":
          return "open a session";
        case "close":
          return `close session ${read.session}`;
        case "malformed":
          return `${bytes.length} bytes that are no command`;
      }
    },
    rows: (rowsMax) => machine.rows(rowsMax),
    maintenance() {
      const command = machine.maintenance?.() ?? null;
      return command === null ? null : loggedCommand(command, null);
    },
  };
}

/** A header, the sessions, then the machine's own pieces; all of the moment of the call. */
function snapshotOf(
  sessions: Uint8Array,
  pieces: IterableIterator<Uint8Array>,
): IterableIterator<Uint8Array> {
  const head = new Uint8Array(HEADER_BYTES + sessions.length);
  head.set(MAGIC);
  new DataView(head.buffer).setUint32(MAGIC.length, sessions.length);
  head.set(sessions, HEADER_BYTES);
  let first = true;
  return {
    next() {
      if (!first) return pieces.next();
      first = false;
      return { done: false, value: head };
    },
    return: () => pieces.return?.() ?? { done: true, value: undefined },
    [Symbol.iterator]() {
      return this;
    },
  };
}

/** Gathers the sessions from the beginning of a snapshot, whose pieces may be cut anywhere. */
class HeadReader {
  readonly #limits: SessionLimits;
  #bytes: Uint8Array = new Uint8Array(0);
  #table: SessionTable | null = null;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /**
   * Gives back what belongs to the machine.
   *
   * @throws Error if the bytes are not a snapshot's.
   */
  write(piece: Uint8Array): Uint8Array {
    if (this.#table !== null) return piece;
    const bytes = new Uint8Array(this.#bytes.length + piece.length);
    bytes.set(this.#bytes);
    bytes.set(piece, this.#bytes.length);
    this.#bytes = bytes;
    if (bytes.length < HEADER_BYTES) return new Uint8Array(0);
    if (MAGIC.some((byte, at) => bytes[at] !== byte)) {
      throw damaged(MAGIC.join(" "), bytes.subarray(0, MAGIC.length).join(" "));
    }
    const end = HEADER_BYTES + new DataView(bytes.buffer).getUint32(MAGIC.length);
    if (bytes.length < end) return new Uint8Array(0);
    this.#table = SessionTable.decode(bytes.subarray(HEADER_BYTES, end), this.#limits);
    this.#bytes = new Uint8Array(0);
    return bytes.subarray(end);
  }

  end(): SessionTable {
    if (this.#table === null) throw damaged("sessions", `${this.#bytes.length} bytes`);
    return this.#table;
  }
}

function damaged(expected: string, found: string): Error {
  return new Error(
    `cannot restore the sessions: expected ${expected}, found ${found}; ` +
      "the snapshot is damaged or of another version",
  );
}
