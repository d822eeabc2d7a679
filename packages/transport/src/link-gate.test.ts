import type { Envelope, Message } from "@raftarium/node";
import { NO_LINK_FAULT } from "@raftarium/faults";
import type { LinkFault } from "@raftarium/faults";
import type { ObservationBody } from "@raftarium/observer";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { GateSettings } from "./link-gate.ts";
import { LinkGate, SLOW_MOTION_DELAY_MS } from "./link-gate.ts";
import { append, envelope, heartbeat, vote } from "./testing/envelopes.ts";

/** Wall time starts here, so that nothing works only because a clock began at 0. */
const START_MS = 5_000_000;

let nowMs = START_MS;
let chance: number[] = [];
let gate: LinkGate;
let delivered: Envelope[];
let observed: ObservationBody[];
let observing: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = START_MS;
  chance = [];
  delivered = [];
  observed = [];
  observing = true;
  gate = new LinkGate({
    nodeId: 2,
    nowUs: () => nowMs * 1000,
    random: () => chance.shift() ?? 0.999,
  });
  gate.connect({
    deliver: (arrived) => delivered.push(arrived),
    observer: () => (observing ? (body) => observed.push(body) : null),
  });
});

afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

/** Timers and our clock go on together, a millisecond at a time. */
function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 1) {
    nowMs += Math.min(left, 1);
    vi.advanceTimersByTime(Math.min(left, 1));
  }
}

function configure(fault: Partial<LinkFault> | null, settings: Partial<GateSettings> = {}): void {
  const links = fault === null ? [] : [{ source: 1, target: 2, ...NO_LINK_FAULT, ...fault }];
  gate.configure({ speed: 1, frozen: false, links, ...settings });
}

/** Sent just now. */
function arrive(message: Message, overrides: Partial<Envelope> = {}): Envelope {
  const sent = envelope(message, { sentAtUs: nowMs * 1000, ...overrides });
  gate.receive(sent);
  return sent;
}

const sequences = (envelopes: readonly Envelope[]): number[] =>
  envelopes.map(({ sequence }) => sequence);
const kinds = (): string[] => observed.map(({ kind }) => kind);

describe("without a fault", () => {
  test("at speed 1 a message goes through at once, and the gate has nothing to tell", () => {
    configure(null);
    const sent = arrive(vote());
    expect(delivered).toEqual([sent]);
    expect(observed).toEqual([]);
  });

  test("nothing goes through before the first configure", () => {
    arrive(vote());
    pass(1000);
    expect(delivered).toEqual([]);
    configure(null);
    pass(1);
    expect(delivered).toHaveLength(1);
  });

  test("slow motion delays every link, in cluster time, from the moment of sending", () => {
    configure(null, { speed: 0.05 });
    const sentAtUs = nowMs * 1000;
    pass(40);
    arrive(vote(), { sentAtUs });
    const wallMs = SLOW_MOTION_DELAY_MS / 0.05;
    expect(observed).toMatchObject([
      { kind: "message-arriving", sentAtUs, dueAtUs: sentAtUs + wallMs * 1000 },
    ]);
    pass(wallMs - 40 - 1);
    expect(delivered).toEqual([]);
    pass(1);
    expect(delivered).toHaveLength(1);
  });
});

describe("faults", () => {
  test("cut: nothing arrives, in this direction only", () => {
    configure({ cut: true });
    const sent = arrive(vote());
    const other = arrive(vote(), { source: 3 });
    expect(delivered).toEqual([other]);
    expect(observed).toMatchObject([
      {
        kind: "message-dropped",
        reason: "cut",
        id: { source: 1, incarnation: 1, sequence: sent.sequence },
        target: 2,
      },
    ]);
  });

  test("a link to another node is none of this gate's business", () => {
    const links = [{ source: 1, target: 3, ...NO_LINK_FAULT, cut: true }];
    configure(null, { links });
    arrive(vote());
    expect(delivered).toHaveLength(1);
  });

  test("delay is divided by the speed", () => {
    configure({ delayMs: 10 }, { speed: 0.5 });
    arrive(vote());
    pass(2 * (10 + SLOW_MOTION_DELAY_MS) - 1);
    expect(delivered).toEqual([]);
    pass(1);
    expect(delivered).toHaveLength(1);
  });

  test("a message that was on its way for longer than the delay goes through at once", () => {
    configure({ delayMs: 10 });
    arrive(vote(), { sentAtUs: (nowMs - 11) * 1000 });
    expect(delivered).toHaveLength(1);
  });

  test("without jitter the order is kept, even when the delay shrinks meanwhile", () => {
    configure({ delayMs: 50 });
    const first = arrive(append([1]));
    configure({ delayMs: 5 });
    const second = arrive(vote());
    pass(49);
    expect(delivered).toEqual([]);
    pass(1);
    expect(delivered).toEqual([first, second]);
  });

  test("what was cut in flight holds nobody up afterwards", () => {
    configure({ delayMs: 5000 });
    arrive(vote());
    configure({ cut: true });
    configure(null);
    arrive(vote());
    expect(delivered).toHaveLength(1);
  });

  test("with jitter a message can overtake", () => {
    chance = [0.9, 0.1];
    configure({ delayMs: 10, jitterMs: 100 });
    const first = arrive(append([1]));
    const second = arrive(append([1]));
    pass(20);
    expect(delivered).toEqual([second]);
    pass(80);
    expect(delivered).toEqual([second, first]);
  });

  test("drop: as often as it says", () => {
    configure({ dropRate: 0.5 });
    chance = [0.49, 0.5];
    arrive(vote());
    expect(observed).toMatchObject([{ kind: "message-dropped", reason: "loss" }]);
    arrive(vote());
    expect(delivered).toHaveLength(1);
  });

  test("duplicate: the same message twice, as often as it says", () => {
    configure({ duplicateRate: 0.5 });
    chance = [0.49, 0.5];
    const twice = arrive(vote());
    const once = arrive(vote());
    expect(delivered).toEqual([twice, twice, once]);
  });

  test("some kinds: the others are not affected, and overtake", () => {
    configure({ delayMs: 50, messageKinds: ["append"] });
    const slow = arrive(append([1]));
    const fast = arrive(heartbeat());
    expect(delivered).toEqual([fast]);
    pass(50);
    expect(delivered).toEqual([fast, slow]);
    configure({ cut: true, messageKinds: ["vote"] });
    arrive(heartbeat());
    arrive(vote());
    expect(delivered).toHaveLength(3);
    expect(kinds().at(-1)).toBe("message-dropped");
  });

  test("a message cut in flight does not arrive, though the link heals before it is due", () => {
    configure({ delayMs: 50 });
    arrive(vote());
    pass(10);
    configure({ cut: true });
    expect(kinds()).toEqual(["message-arriving", "message-dropped"]);
    configure(null);
    pass(100);
    expect(delivered).toEqual([]);
  });

  test("a thousand delayed messages arrive in the order of their due times", () => {
    configure({ delayMs: 10, jitterMs: 200 });
    chance = Array.from({ length: 1000 }, (_, at) => ((at * 7919) % 1000) / 1000);
    for (let count = 0; count < 1000; count += 1) arrive(vote());
    const due = observed.map((body) => (body.kind === "message-arriving" ? body.dueAtUs : 0));
    const first = delivered.length === 0 ? observed.length : 0;
    expect(first).toBe(1000);
    pass(210);
    const ids = observed.map((body) => (body.kind === "message-arriving" ? body.id.sequence : 0));
    const byDue = ids
      .map((sequence, at) => ({ sequence, due: due[at] ?? 0 }))
      .toSorted((a, b) => a.due - b.due);
    expect(sequences(delivered)).toEqual(byDue.map(({ sequence }) => sequence));
  });
});

describe("speed changes while messages fly", () => {
  test("what is left of a delay passes at the new speed, and the new due time is told", () => {
    configure({ delayMs: 85 }, { speed: 0.5 });
    arrive(vote());
    pass(100);
    configure({ delayMs: 85 }, { speed: 0.25 });
    expect(observed.at(-1)).toMatchObject({
      kind: "message-arriving",
      dueAtUs: (nowMs + 200) * 1000,
    });
    pass(199);
    expect(delivered).toEqual([]);
    pass(1);
    expect(delivered).toHaveLength(1);
  });
});

test("a message that flies slowly comes sooner when the speed goes up", () => {
  configure({ delayMs: 85 }, { speed: 0.01 });
  arrive(vote());
  pass(5000);
  configure({ delayMs: 85 });
  pass(49);
  expect(delivered).toEqual([]);
  pass(1);
  expect(delivered).toHaveLength(1);
});

describe("freeze", () => {
  const freeze = (fault: Partial<LinkFault> | null = null): void =>
    configure(fault, { frozen: true });

  test("messages wait, and thawing lets them go on with what is left of their delays", () => {
    configure({ delayMs: 50 });
    const before = arrive(vote());
    pass(20);
    freeze({ delayMs: 50 });
    const during = arrive(vote());
    pass(10_000);
    expect(delivered).toEqual([]);
    expect(gate.heldCount).toBe(2);
    expect(observed).toMatchObject([
      { kind: "message-arriving", dueAtUs: (START_MS + 50) * 1000 },
      { kind: "message-arriving", dueAtUs: 0, id: { sequence: before.sequence } },
      { kind: "message-arriving", dueAtUs: 0, id: { sequence: during.sequence } },
    ]);
    configure({ delayMs: 50 });
    expect(observed.slice(3)).toMatchObject([
      { kind: "message-arriving", dueAtUs: (nowMs + 30) * 1000 },
      { kind: "message-arriving", dueAtUs: (nowMs + 50) * 1000 },
    ]);
    pass(30);
    expect(delivered).toEqual([before]);
    pass(20);
    expect(delivered).toEqual([before, during]);
  });

  test("messages held without a delay come in the order of their arrival", () => {
    freeze();
    const sent = [arrive(vote()), arrive(append([1])), arrive(heartbeat())];
    configure(null);
    const later = arrive(vote());
    pass(1);
    expect(delivered).toEqual([...sent, later]);
  });

  test("step delivers one, drops one, or delivers one and keeps a copy", () => {
    freeze();
    const [first, second, third] = [arrive(vote()), arrive(vote()), arrive(vote())];
    const id = ({ source, incarnation, sequence }: Envelope) => ({ source, incarnation, sequence });
    observed = [];
    expect(gate.step(id(second), "deliver")).toBe(true);
    expect(delivered).toEqual([second]);
    expect(gate.step(id(second), "deliver")).toBe(false);
    expect(gate.step(id(first), "drop")).toBe(true);
    expect(observed).toMatchObject([{ kind: "message-dropped", reason: "stepped" }]);
    expect(gate.step(id(third), "duplicate")).toBe(true);
    expect(delivered).toEqual([second, third]);
    expect(gate.heldCount).toBe(1);
    configure(null);
    pass(1);
    expect(delivered).toEqual([second, third, third]);
  });

  test("a cut takes what is held", () => {
    freeze();
    arrive(vote());
    freeze({ cut: true });
    expect(gate.heldCount).toBe(0);
    expect(kinds().at(-1)).toBe("message-dropped");
  });
});

test("repeating a configuration changes nothing", () => {
  configure({ delayMs: 50 });
  arrive(vote());
  const told = observed.length;
  configure({ delayMs: 50 });
  expect(observed).toHaveLength(told);
  pass(50);
  expect(delivered).toHaveLength(1);
});

test("while nobody observes, nothing is told and everything works", () => {
  observing = false;
  configure({ delayMs: 5 });
  arrive(vote());
  pass(5);
  configure({ cut: true });
  arrive(vote());
  expect(delivered).toHaveLength(1);
  expect(observed).toEqual([]);
});

test("a speed that is none is refused", () => {
  expect(() => configure(null, { speed: 0 })).toThrow(
    "cannot set the speed: expected a number above 0, got 0",
  );
});
