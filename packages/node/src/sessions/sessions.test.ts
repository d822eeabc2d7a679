/** Thesis, section 6.3: a command that is sent again is carried out once. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StateMachine } from "../ports.ts";
import { closeSession, loggedCommand, openSession, readCommand } from "./commands.ts";
import { withSessions } from "./machine.ts";
import type { SessionNotice } from "./machine.ts";
import { SESSION_LIMITS } from "./table.ts";
import type { SessionLimits } from "./table.ts";

/** Adds bytes up; the answer is the sum so far. */
function adder(): StateMachine & { readonly sum: () => number } {
  let sum = 0;
  return {
    sum: () => sum,
    apply(command) {
      for (const byte of command) sum += byte;
      return { result: Uint8Array.of(sum), changes: [{ key: command, value: null }] };
    },
    query: () => Uint8Array.of(sum),
    *snapshot() {
      yield Uint8Array.of(sum);
    },
    restore() {
      let restored = 0;
      return {
        write(piece) {
          for (const byte of piece) restored = byte;
        },
        end() {
          sum = restored;
        },
      };
    },
    describe: (command) => `add ${command.join(" and ")}`,
    rows: () => [],
    maintenance: () => Uint8Array.of(0, 9),
  };
}

class Subject {
  readonly inner = adder();
  readonly machine: StateMachine<Uint8Array | SessionNotice>;
  #index = 0;

  constructor(limits: Partial<SessionLimits> = {}) {
    const same = (result: Uint8Array): Uint8Array => result;
    const codec = { encode: same, decode: same };
    this.machine = withSessions(this.inner, codec, { ...SESSION_LIMITS, ...limits });
  }

  apply(command: Uint8Array): Uint8Array | SessionNotice {
    this.#index += 1;
    return this.machine.apply(command, this.#index).result;
  }

  open(): number {
    const opened = this.apply(openSession());
    if (!("session" in opened) || opened.session !== "opened") throw new Error("did not open");
    return opened.id;
  }

  add(session: number, sequence: number, value: number, answeredThrough = 0): unknown {
    const answer = this.apply(
      loggedCommand(Uint8Array.of(value), { session, sequence, answeredThrough }),
    );
    return "session" in answer ? answer.session : answer[0];
  }

  snapshot(): Uint8Array {
    return Uint8Array.from([...this.machine.snapshot()].flatMap((piece) => [...piece]));
  }

  restore(bytes: Uint8Array, pieceLength: number): void {
    const restoring = this.machine.restore();
    for (let at = 0; at < bytes.length; at += pieceLength) {
      restoring.write(bytes.slice(at, at + pieceLength));
    }
    restoring.end();
  }
}

describe("a session (thesis §6.3)", () => {
  test("[22] the same command again is not carried out again, and has the same answer", () => {
    const subject = new Subject();
    const session = subject.open();
    expect(subject.add(session, 1, 5)).toBe(5);
    expect(subject.add(session, 2, 10)).toBe(15);
    expect(subject.add(session, 1, 5)).toBe(5);
    expect(subject.add(session, 2, 10)).toBe(15);
    expect(subject.inner.sum()).toBe(15);
  });

  test("what is not carried out changes nothing for those who watch", () => {
    const subject = new Subject();
    const session = subject.open();
    const command = loggedCommand(Uint8Array.of(5), { session, sequence: 1, answeredThrough: 0 });
    expect(subject.machine.apply(command, 2).changes).toHaveLength(1);
    expect(subject.machine.apply(command, 3).changes).toEqual([]);
  });

  test("commands may arrive in any order: each is carried out once", () => {
    const subject = new Subject();
    const session = subject.open();
    expect(subject.add(session, 3, 3)).toBe(3);
    expect(subject.add(session, 1, 1)).toBe(4);
    expect(subject.add(session, 3, 3)).toBe(3);
    expect(subject.add(session, 2, 2)).toBe(6);
    expect(subject.inner.sum()).toBe(6);
  });

  test("its id is the index that opened it: no two sessions have the same", () => {
    const subject = new Subject();
    const [first, second] = [subject.open(), subject.open()];
    expect(first).not.toBe(second);
    expect(subject.add(first, 1, 1)).toBe(1);
    expect(subject.add(second, 1, 1)).toBe(2);
  });

  test("commands of no session are carried out as ever, whatever byte they begin with", () => {
    const subject = new Subject();
    subject.apply(loggedCommand(Uint8Array.of(1, 2), null));
    subject.apply(loggedCommand(Uint8Array.of(0, 1), null));
    expect(subject.inner.sum()).toBe(4);
    const plain = Uint8Array.of(7);
    expect(loggedCommand(plain, null)).toBe(plain);
  });

  test("a machine's own maintenance is a command of no session", () => {
    const command = new Subject().machine.maintenance?.();
    expect(readCommand(command!)).toEqual({ kind: "plain", command: Uint8Array.of(0, 9) });
  });

  test("what begins with a zero byte and is nothing of ours is refused, not thrown", () => {
    const subject = new Subject();
    for (const bytes of [[0], [0, 9], [0, 1, 1], [0, 2, 1], [0, 3, 1, 2, 3]]) {
      expect(subject.apply(Uint8Array.from(bytes))).toEqual({ session: "malformed" });
    }
    const negative = closeSession(-1);
    expect(subject.apply(negative)).toEqual({ session: "malformed" });
  });

  test("people read what a command is", () => {
    const { machine } = new Subject();
    const position = { session: 7, sequence: 3, answeredThrough: 0 };
    expect(machine.describe(loggedCommand(Uint8Array.of(5), position))).toBe(
      "add 5 (session 7, no. 3)",
    );
    expect(machine.describe(loggedCommand(Uint8Array.of(5), null))).toBe("add 5");
    expect(machine.describe(openSession())).toBe("open a session");
    expect(machine.describe(closeSession(7))).toBe("close session 7");
  });
});

describe("what is forgotten", () => {
  test("answers that the client has; an old command is not carried out for it", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.add(session, 1, 1);
    subject.add(session, 2, 2, 1);
    expect(subject.add(session, 1, 1)).toBe("forgotten");
    expect(subject.add(session, 2, 2)).toBe(3);
    expect(subject.inner.sum()).toBe(3);
  });

  test("a command never forgets its own answer, whatever the client says", () => {
    const subject = new Subject();
    const session = subject.open();
    expect(subject.add(session, 1, 1, 9)).toBe(1);
    expect(subject.add(session, 1, 1, 9)).toBe(1);
    expect(subject.inner.sum()).toBe(1);
  });

  test("a session that was closed", () => {
    const subject = new Subject();
    const session = subject.open();
    expect(subject.apply(closeSession(session))).toEqual({ session: "closed" });
    expect(subject.apply(closeSession(session))).toEqual({ session: "closed" });
    expect(subject.add(session, 1, 1)).toBe("expired");
    expect(subject.inner.sum()).toBe(0);
  });

  test("the session that was silent longest makes room for a new one", () => {
    const subject = new Subject({ sessionsMax: 2 });
    const [first, second] = [subject.open(), subject.open()];
    subject.add(first, 1, 1);
    const third = subject.open();
    expect(subject.add(second, 1, 1)).toBe("expired");
    expect(subject.add(first, 1, 1)).toBe(1);
    expect(subject.add(third, 1, 1)).toBe(2);
  });

  test("so it does when all answers take too much; the one in use stays", () => {
    const subject = new Subject({ bytesMax: 100 });
    const [first, second] = [subject.open(), subject.open()];
    for (const sequence of [1, 2, 3]) subject.add(first, sequence, 1);
    subject.add(second, 1, 1);
    expect(subject.add(first, 1, 1)).toBe("expired");
    expect(subject.add(second, 1, 1)).toBe(4);
  });

  test("the oldest answers of a session that never says which it has", () => {
    const subject = new Subject({ answersPerSessionMax: 2 });
    const session = subject.open();
    for (const sequence of [1, 2, 3]) subject.add(session, sequence, 1);
    expect(subject.add(session, 1, 1)).toBe("forgotten");
    expect(subject.add(session, 2, 1)).toBe(2);
    expect(subject.inner.sum()).toBe(3);
  });

  test("an answer that is too large, but not that its command was carried out", () => {
    const subject = new Subject({ bytesPerSessionMax: 32 });
    const session = subject.open();
    expect(subject.add(session, 1, 5)).toBe(5);
    expect(subject.add(session, 1, 5)).toBe("forgotten");
    expect(subject.inner.sum()).toBe(5);
  });
});

describe("the snapshot", () => {
  test("holds sessions and answers: a replica that starts from it answers alike", () => {
    for (const pieceLength of [1, 3, 1000]) {
      const subject = new Subject();
      const session = subject.open();
      subject.add(session, 1, 5);
      subject.add(session, 2, 6, 1);
      const other = new Subject();
      other.restore(subject.snapshot(), pieceLength);
      expect(other.add(session, 2, 6)).toBe(11);
      expect(other.add(session, 1, 5)).toBe("forgotten");
      expect(other.inner.sum()).toBe(11);
      expect(other.add(session, 3, 1)).toBe(12);
    }
  });

  test("is of the moment of the call", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.add(session, 1, 5);
    const pieces = subject.machine.snapshot();
    subject.apply(closeSession(session));
    const other = new Subject();
    other.restore(Uint8Array.from([...pieces].flatMap((piece) => [...piece])), 100);
    expect(other.add(session, 1, 5)).toBe(5);
  });

  test("what is none is refused, and changes nothing", () => {
    const subject = new Subject();
    const session = subject.open();
    subject.add(session, 1, 5);
    expect(() => subject.restore(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 8)).toThrow(
      "cannot restore the sessions: expected 82 83 83 1, found 1 2 3 4",
    );
    expect(() => subject.restore(subject.snapshot().slice(0, 20), 20)).toThrow(
      "cannot restore the sessions: expected sessions, found 20 bytes",
    );
    expect(subject.add(session, 1, 5)).toBe(5);
  });

  test("replicas agree, one that applied the whole log and one that began in the middle", () => {
    const step = fc.oneof(
      fc.constant(openSession()),
      fc.integer({ min: 1, max: 12 }).map(closeSession),
      fc
        .record({
          session: fc.integer({ min: 1, max: 12 }),
          sequence: fc.integer({ min: 1, max: 6 }),
          answeredThrough: fc.integer({ min: 0, max: 6 }),
          value: fc.integer({ min: 0, max: 3 }),
        })
        .map(({ value, ...position }) => loggedCommand(Uint8Array.of(value), position)),
    );
    const limits = { sessionsMax: 3, bytesMax: 200, answersPerSessionMax: 3 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(), (log, cut) => {
        const [whole, late] = [new Subject(limits), new Subject(limits)];
        const at = cut % log.length;
        log.slice(0, at).forEach((command, index) => whole.machine.apply(command, index + 1));
        late.restore(whole.snapshot(), 7);
        log.slice(at).forEach((command, index) => {
          const expected = whole.machine.apply(command, at + index + 1).result;
          expect(late.machine.apply(command, at + index + 1).result).toEqual(expected);
        });
        expect(late.snapshot()).toEqual(whole.snapshot());
      }),
    );
  });
});
