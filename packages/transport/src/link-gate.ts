/**
 * Faults of the links that lead to one node, on the receiver's side: a message in flight outlives
 * the node that sent it, and what is cut while it flies does not arrive (design 4.7). Only a node
 * that was started for a playground has a gate.
 *
 * Every delay is in cluster time, counted from the moment of sending on the clock that all
 * processes of the machine share. At a speed below 1 each link has a delay of its own
 * (SLOW_MOTION_DELAY_MS), so that a person can see a message on its way.
 */
import type { Link, LinkFault } from "@raftarium/faults";
import { NO_LINK_FAULT, affects } from "@raftarium/faults";
import type { Envelope } from "@raftarium/node";
import { messageKindOf, summarize } from "@raftarium/observer";
import type { MessageId, MessageKind, ObservationBody } from "@raftarium/observer";
import { ClusterClock } from "./cluster-clock.ts";
import { DueQueue } from "./due-queue.ts";

/** What slow motion adds to every link, each way, in cluster time. None at speed 1. */
export const SLOW_MOTION_DELAY_MS = 15;

/** No timer is finer: what is due within this much wall time goes now rather than a turn late. */
const SLACK_US = 500;
/** Beyond 2^31 ms a timer would fire at once. */
const TIMER_MS_MAX = 1_000_000_000;

export interface GateSettings {
  /** 1: real time; 0.05: twenty times slower. Above 0. */
  readonly speed: number;
  readonly frozen: boolean;
  /** All faulty links; those that lead to other nodes are ignored. */
  readonly links: readonly Link[];
}

export type StepAction = "deliver" | "drop" | "duplicate";

export interface GateOptions {
  readonly nodeId: number;
  /** The machine's monotonic clock, microseconds: the one that envelopes are stamped with. */
  readonly nowUs: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Before a message off the wire is judged: the last moment to notice that time stood still. */
  readonly beforeReceive?: () => void;
}

/** What is behind the gate. */
export interface GateExit {
  deliver(envelope: Envelope): void;
  /** null while nobody observes. */
  observer(): ((body: ObservationBody) => void) | null;
}

interface Held {
  readonly envelope: Envelope;
  readonly kind: MessageKind;
  /** Within a lane no message overtakes another. null: it may overtake and be overtaken. */
  readonly lane: string | null;
}

/** Frozen until the first `configure`: nothing gets through before its faults are known. */
export class LinkGate {
  readonly #options: GateOptions;
  readonly #clock: ClusterClock;
  /** Due in cluster time. */
  readonly #held = new DueQueue<Held>();
  #faults = new Map<number, LinkFault>();
  #exit: GateExit | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerDue = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#clock = new ClusterClock(options.nowUs);
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** Called by the transport, once. */
  connect(exit: GateExit): void {
    this.#exit = exit;
  }

  /** Everything at once; repeating it changes nothing. Holds for what is in flight, too. */
  configure({ speed, frozen, links }: GateSettings): void {
    if (!(Number.isFinite(speed) && speed > 0)) {
      throw new RangeError(`cannot set the speed: expected a number above 0, got ${speed}`);
    }
    const here = links.filter(({ target }) => target === this.#options.nodeId);
    this.#faults = new Map(here.map((link) => [link.source, link]));
    this.#dropWhatIsCut();
    if (this.#clock.set(speed, frozen)) {
      this.#disarm();
      for (const { item, due } of this.#held) this.#tellArriving(item.envelope, due);
    }
    this.#arm();
  }

  /** An envelope came off the wire. */
  receive(envelope: Envelope): void {
    this.#options.beforeReceive?.();
    const kind = messageKindOf(envelope.message);
    const fault = this.#faultOf(envelope.source, kind);
    if (fault.cut) this.#drop(envelope, "cut");
    else if (this.#happens(fault.dropRate)) this.#drop(envelope, "loss");
    else {
      this.#pass(envelope, kind, fault);
      if (this.#happens(fault.duplicateRate)) this.#pass(envelope, kind, fault);
    }
  }

  /**
   * One held message: lets it go, drops it, or lets it go and keeps a copy. False: no such
   * message is held.
   */
  step(id: MessageId, action: StepAction): boolean {
    const taken = this.#held.takeFirst(({ envelope }) => sameId(envelope, id));
    if (taken === undefined) return false;
    const { item, due } = taken;
    if (action === "drop") {
      this.#drop(item.envelope, "stepped");
    } else {
      this.#exit?.deliver(item.envelope);
      if (action === "duplicate") this.#hold(item, due);
    }
    this.#arm();
    return true;
  }

  /** Whatever is held is lost with the process. */
  close(): void {
    this.#held.take(() => true);
    this.#arm();
  }

  #faultOf(source: number, kind: MessageKind): LinkFault {
    const fault = this.#faults.get(source);
    return fault !== undefined && affects(fault, kind) ? fault : NO_LINK_FAULT;
  }

  #happens(rate: number): boolean {
    return rate > 0 && this.#options.random() < rate;
  }

  /** Through at once, or held until it is due. */
  #pass(envelope: Envelope, kind: MessageKind, fault: LinkFault): void {
    const lane = laneOf(envelope, kind, fault);
    const due = this.#dueUs(envelope, fault, lane);
    if (this.#clock.frozen || due > this.#clock.nowUs()) {
      this.#hold({ envelope, kind, lane }, due);
      this.#arm();
      return;
    }
    // A timer may be late by a turn: what was due before goes before.
    this.#release();
    this.#exit?.deliver(envelope);
  }

  #dueUs(envelope: Envelope, fault: LinkFault, lane: string | null): number {
    const slowMotionMs = this.#clock.speed < 1 ? SLOW_MOTION_DELAY_MS : 0;
    const jitterMs = fault.jitterMs > 0 ? fault.jitterMs * this.#options.random() : 0;
    const delayUs = (fault.delayMs + jitterMs + slowMotionMs) * 1000;
    const leftUs = Math.max(0, delayUs - this.#clock.sinceUs(envelope.sentAtUs));
    const due = this.#clock.nowUs() + leftUs;
    if (lane === null) return due;
    return Math.max(due, this.#held.findLast((held) => held.lane === lane)?.due ?? due);
  }

  #hold(held: Held, due: number): void {
    this.#held.add(held, due);
    this.#tellArriving(held.envelope, due);
  }

  #dropWhatIsCut(): void {
    const cut = this.#held.take(({ envelope, kind }) => this.#faultOf(envelope.source, kind).cut);
    for (const { item } of cut) this.#drop(item.envelope, "cut");
  }

  #drop(envelope: Envelope, reason: "cut" | "loss" | "stepped"): void {
    const observe = this.#exit?.observer() ?? null;
    if (observe === null) return;
    observe({ kind: "message-dropped", ...flightOf(envelope), reason });
  }

  #tellArriving(envelope: Envelope, due: number): void {
    const observe = this.#exit?.observer() ?? null;
    if (observe === null) return;
    const dueAtUs = this.#clock.frozen ? 0 : Math.round(this.#clock.toWallUs(due));
    observe({ kind: "message-arriving", ...flightOf(envelope), dueAtUs });
  }

  #release(): void {
    const by = this.#clock.nowUs() + SLACK_US * this.#clock.speed;
    for (;;) {
      const next = this.#clock.frozen ? undefined : this.#held.takeDue(by);
      if (next === undefined) return;
      this.#exit?.deliver(next.item.envelope);
    }
  }

  /** One timer, for the first that is due. */
  #arm(): void {
    const first = this.#clock.frozen ? undefined : this.#held.first;
    if (this.#timer !== null && first?.due === this.#timerDue) return;
    this.#disarm();
    if (first === undefined) return;
    const waitMs = (this.#clock.toWallUs(first.due) - this.#options.nowUs()) / 1000;
    const timerMs = Math.min(Math.max(0, Math.round(waitMs)), TIMER_MS_MAX);
    this.#timerDue = first.due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#release();
      this.#arm();
    }, timerMs);
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Jitter lets messages overtake. A fault of some kinds lets the others overtake these. */
function laneOf(envelope: Envelope, kind: MessageKind, fault: LinkFault): string | null {
  if (fault.jitterMs > 0) return null;
  return fault.messageKinds.length === 0 ? `${envelope.source}` : `${envelope.source} ${kind}`;
}

/** The words that all observations of a message on its way have in common. */
export function flightOf(
  envelope: Envelope,
): Omit<Extract<ObservationBody, { readonly kind: "message-received" }>, "kind"> {
  const { source, incarnation, sequence, target, sentAtUs, message } = envelope;
  return {
    id: { source, incarnation, sequence },
    target,
    sentAtUs,
    message: summarize(message),
  };
}

function sameId(envelope: Envelope, id: MessageId): boolean {
  return (
    envelope.source === id.source &&
    envelope.incarnation === id.incarnation &&
    envelope.sequence === id.sequence
  );
}
