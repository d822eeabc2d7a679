/**
 * Breadth first through all states of three real cores that can be reached within the bounds, each
 * looked at once. A state is a few numbers: those of its nodes' states, of the memory of what must
 * hold for all time, how often what has happened, and the messages that are under way.
 */
import type { Violation } from "@raftarium/checker";
import { RATION_MAX, RATIONED } from "./bounds.ts";
import type { Bounds, Rationed } from "./bounds.ts";
import { FingerprintSet, mixed } from "./fingerprint.ts";
import { Invariants } from "./invariants.ts";
import type { Nodes, Step } from "./nodes.ts";
import { Pasts } from "./past.ts";
import { NODE_IDS, PERMUTATIONS } from "./symmetry.ts";

/** One thing that happens to a cluster. */
export type Happening =
  /** `place`: the node's, from 0. `keep`: the message that is delivered stays under way. */
  | { readonly kind: "step"; readonly place: number; readonly step: Step; readonly keep: boolean }
  | { readonly kind: "drop"; readonly message: number };

export interface SearchOptions {
  readonly bounds: Bounds;
  readonly statesMax: number;
  /** Told every so often. */
  readonly report?: (progress: Progress) => void;
  /** False: states that differ in the names of the nodes only are looked at one by one. */
  readonly symmetry?: boolean;
}

export interface Progress {
  /** Distinct, but for the names of the nodes. */
  readonly states: number;
  /** Distinct, names and all: so many are settled by looking at `states`. */
  readonly namedStates: number;
  /** Steps from the start to the states that are being looked at. */
  readonly depth: number;
  /** States whose steps have not been taken yet. */
  readonly waiting: number;
}

export interface SearchResult extends Progress {
  /** Nothing within the bounds is left. */
  readonly isExhausted: boolean;
  /** Steps from one state to another, those to known states included. */
  readonly steps: number;
  /** Steps that were not taken because too many messages would have been under way. */
  readonly stepsBeyond: number;
  /** The first that was found. */
  readonly found: Found | null;
}

export interface Found {
  readonly violation: Violation;
  /** From the start to where the promise is broken; there is no shorter one. */
  readonly path: readonly Happening[];
}

const PAST = NODE_IDS.length;
const COUNTERS = PAST + 1;
const MESSAGE_COUNT = COUNTERS + 1;
const MESSAGES = MESSAGE_COUNT + 1;
/** Of each counter, all in one number. */
const COUNTER_BITS = Math.log2(RATION_MAX + 1);
const REPORT_EVERY = 20_000;

export class Search {
  readonly #nodes: Nodes;
  readonly #pasts = new Pasts();
  readonly #invariants: Invariants;
  readonly #options: SearchOptions;
  readonly #bounds: Bounds;
  readonly #seen = new FingerprintSet();
  /** So many numbers for each state. */
  readonly #width: number;
  #states: Int32Array<ArrayBuffer>;
  #parents = new Int32Array(1024);
  #depth = 0;
  #steps = 0;
  #stepsBeyond = 0;
  /** The state whose steps are taken, and what the last step made of it. */
  readonly #now: Int32Array;
  readonly #next: Int32Array;
  /** The sums of the fingerprints of their parts, for each renaming of the nodes. */
  readonly #nowSums = [sums(), sums()] as const;
  readonly #nextSums = [sums(), sums()] as const;
  /** The fingerprint of `#next`: the least of all renamings. */
  #high = 0;
  #low = 0;
  #broken: Violation | null = null;
  readonly #permutationCount: number;
  #namedStates = 0;

  constructor(nodes: Nodes, options: SearchOptions) {
    this.#nodes = nodes;
    this.#options = options;
    this.#bounds = options.bounds;
    this.#permutationCount = options.symmetry === false ? 1 : PERMUTATIONS.length;
    this.#invariants = new Invariants(nodes, this.#pasts);
    this.#width = MESSAGES + options.bounds.inFlight;
    this.#states = new Int32Array(this.#width * 1024);
    this.#now = new Int32Array(this.#width);
    this.#next = new Int32Array(this.#width);
  }

  run(): SearchResult {
    const { statesMax, report } = this.#options;
    this.#addFirst();
    let levelEnd = 1;
    for (let at = 0; at < this.#seen.size; at += 1) {
      if (at === levelEnd) {
        this.#depth += 1;
        levelEnd = this.#seen.size;
      }
      const states = this.#seen.size;
      if (states >= statesMax) return this.#result(at, null);
      if (at % REPORT_EVERY === 0 && at > 0) report?.(this.#progress(at));
      const found = this.#expand(at);
      if (found !== null) return this.#result(at, found);
    }
    return this.#result(this.#seen.size, null);
  }

  #addFirst(): void {
    for (const [place, nodeId] of NODE_IDS.entries()) this.#next[place] = this.#nodes.first(nodeId);
    this.#next[PAST] = this.#pasts.first();
    this.#sumUp(this.#next, this.#nextSums);
    this.#takeFingerprint();
    this.#seen.add(this.#high, this.#low);
    this.#keep(-1);
  }

  #progress(at: number): Progress {
    const states = this.#seen.size;
    const namedStates = this.#namedStates;
    return { states, namedStates, depth: this.#depth, waiting: states - at };
  }

  #result(at: number, last: Happening | null): SearchResult {
    const progress = this.#progress(at);
    const isExhausted = progress.waiting === 0 && last === null;
    const steps = { steps: this.#steps, stepsBeyond: this.#stepsBeyond };
    const violation = this.#broken;
    const found =
      last === null || violation === null ? null : { violation, path: [...this.#pathTo(at), last] };
    return { ...progress, isExhausted, ...steps, found };
  }

  /** Takes every step from a state. What broke a promise, if one did. */
  #expand(at: number): Happening | null {
    this.#load(at);
    for (const happening of this.#happenings()) {
      this.#steps += 1;
      if (!this.#take(happening)) {
        if (this.#broken !== null) return happening;
        this.#stepsBeyond += 1;
        continue;
      }
      if (!this.#seen.add(this.#high, this.#low)) continue;
      this.#keep(at);
      this.#broken = this.#check();
      if (this.#broken !== null) return happening;
    }
    return null;
  }

  #load(at: number): void {
    const start = at * this.#width;
    this.#now.set(this.#states.subarray(start, start + this.#width));
    this.#sumUp(this.#now, this.#nowSums);
  }

  #sumUp(state: Int32Array, [highs, lows]: readonly [Int32Array, Int32Array]): void {
    highs.fill(0);
    lows.fill(0);
    for (let place = 0; place < PAST; place += 1) {
      this.#nodes.stateFingerprints.addTo(highs, lows, state[place]!, 1);
    }
    this.#pasts.fingerprints.addTo(highs, lows, state[PAST]!, 1);
    for (let place = 0; place < state[MESSAGE_COUNT]!; place += 1) {
      this.#nodes.messageFingerprints.addTo(highs, lows, state[MESSAGES + place]!, 1);
    }
  }

  // --- what may happen --------------------------------------------------------------------

  #happenings(): Happening[] {
    const happenings: Happening[] = [];
    for (let place = 0; place < PAST; place += 1) {
      for (const step of this.#ownSteps(place)) {
        happenings.push({ kind: "step", place, step, keep: false });
      }
    }
    const count = this.#now[MESSAGE_COUNT]!;
    for (let place = 0; place < count; place += 1) {
      const message = this.#now[MESSAGES + place]!;
      // Of equal messages one will do; they lie beside each other.
      if (place > 0 && this.#now[MESSAGES + place - 1] === message) continue;
      const to = this.#nodes.messages[message]!.to - 1;
      const step: Step = { kind: "deliver", message };
      happenings.push({ kind: "step", place: to, step, keep: false });
      if (this.#mayStill("duplicates")) {
        happenings.push({ kind: "step", place: to, step, keep: true });
      }
      if (this.#mayStill("drops")) happenings.push({ kind: "drop", message });
    }
    return happenings;
  }

  #ownSteps(place: number): Step[] {
    const { role, term, leaderId, pendingCount } = this.#nodes.states[this.#now[place]!]!;
    const steps: Step[] = [];
    if (pendingCount > 0) steps.push({ kind: "persisted" });
    if (role === "leader") {
      const command = this.#counter("requests") + 1;
      if (this.#mayStill("requests")) steps.push({ kind: "request", command });
      if (this.#mayStill("heartbeats")) steps.push({ kind: "heartbeat" });
    } else if (term < this.#bounds.terms) {
      steps.push({ kind: "time-out" });
    }
    if (leaderId !== null && this.#mayStill("reads")) {
      const floor = this.#pasts.all[this.#now[PAST]!]!.committed.length;
      steps.push({ kind: "read", floor });
    }
    if (this.#mayStill("crashes")) {
      for (let kept = 0; kept <= pendingCount; kept += 1) steps.push({ kind: "crash", kept });
    }
    return steps;
  }

  #counter(name: Rationed): number {
    return (this.#now[COUNTERS]! >> (RATIONED.indexOf(name) * COUNTER_BITS)) & RATION_MAX;
  }

  #mayStill(name: Rationed): boolean {
    return this.#counter(name) < this.#bounds[name];
  }

  // --- what comes of it -------------------------------------------------------------------

  /** Makes `#next` of `#now`. False: it lies beyond the bounds, or `#broken` says what broke. */
  #take(happening: Happening): boolean {
    this.#broken = null;
    this.#next.set(this.#now);
    for (const side of [0, 1] as const) this.#nextSums[side].set(this.#nowSums[side]);
    if (happening.kind === "drop") {
      this.#removeMessage(happening.message);
      this.#count("drops");
    } else if (!this.#takeStep(happening)) {
      return false;
    }
    this.#takeFingerprint();
    return true;
  }

  #takeStep({ place, step, keep }: Happening & { readonly kind: "step" }): boolean {
    if (step.kind === "deliver") {
      if (keep) this.#count("duplicates");
      else this.#removeMessage(step.message);
    } else if (step.kind === "request") this.#count("requests");
    else if (step.kind === "read") this.#count("reads");
    else if (step.kind === "heartbeat") this.#count("heartbeats");
    else if (step.kind === "crash") this.#count("crashes");
    const before = this.#now[place]!;
    const { to, sent, broken } = this.#nodes.transition(before, step);
    if (broken !== null) {
      this.#broken = broken;
      return false;
    }
    const [highs, lows] = this.#nextSums;
    if (to !== before) {
      this.#next[place] = to;
      this.#nodes.stateFingerprints.addTo(highs, lows, before, -1);
      this.#nodes.stateFingerprints.addTo(highs, lows, to, 1);
      if (!this.#remember(to)) return false;
    }
    for (const message of sent) if (!this.#addMessage(message)) return false;
    return this.#underWay() <= this.#bounds.inFlight;
  }

  #underWay(): number {
    let count = this.#next[MESSAGE_COUNT]!;
    for (let place = 0; place < PAST; place += 1) {
      count += this.#nodes.states[this.#next[place]!]!.withheldCount;
    }
    return count;
  }

  #remember(node: number): boolean {
    const before = this.#now[PAST]!;
    const seen = this.#pasts.see(before, this.#nodes.states[node]!);
    this.#broken = seen.broken;
    if (seen.broken !== null) return false;
    if (seen.past === before) return true;
    const [highs, lows] = this.#nextSums;
    this.#next[PAST] = seen.past;
    this.#pasts.fingerprints.addTo(highs, lows, before, -1);
    this.#pasts.fingerprints.addTo(highs, lows, seen.past, 1);
    return true;
  }

  /** What may happen without end is not counted: that it happened makes no difference. */
  #count(name: Rationed): void {
    if (this.#bounds[name] === Number.POSITIVE_INFINITY) return;
    this.#next[COUNTERS] = this.#next[COUNTERS]! + (1 << (RATIONED.indexOf(name) * COUNTER_BITS));
  }

  #removeMessage(message: number): void {
    const next = this.#next;
    const last = next[MESSAGE_COUNT]! - 1;
    let place = 0;
    while (next[MESSAGES + place] !== message) place += 1;
    for (; place < last; place += 1) next[MESSAGES + place] = next[MESSAGES + place + 1]!;
    next[MESSAGES + last] = 0;
    next[MESSAGE_COUNT] = last;
    this.#nodes.messageFingerprints.addTo(...this.#nextSums, message, -1);
  }

  /** Messages lie in the order of their numbers. */
  #addMessage(message: number): boolean {
    const next = this.#next;
    const count = next[MESSAGE_COUNT]!;
    if (count === this.#bounds.inFlight) return false;
    let place = count;
    while (place > 0 && next[MESSAGES + place - 1]! > message) {
      next[MESSAGES + place] = next[MESSAGES + place - 1]!;
      place -= 1;
    }
    next[MESSAGES + place] = message;
    next[MESSAGE_COUNT] = count + 1;
    this.#nodes.messageFingerprints.addTo(...this.#nextSums, message, 1);
    return true;
  }

  #takeFingerprint(): void {
    const [highs, lows] = this.#nextSums;
    const counters = this.#next[COUNTERS]!;
    for (let at = 0; at < this.#permutationCount; at += 1) {
      const high = mixed(highs[at]! ^ Math.imul(counters, 0x9e3779b1));
      const low = mixed(lows[at]! + Math.imul(counters, 0x85ebca77));
      if (at > 0 && (high > this.#high || (high === this.#high && low >= this.#low))) continue;
      this.#high = high;
      this.#low = low;
    }
  }

  /** How many states `#next` is with the nodes renamed, itself included. */
  #namings(): number {
    const [highs, lows] = this.#nextSums;
    let count = 0;
    for (let at = 0; at < this.#permutationCount; at += 1) {
      let before = 0;
      while (highs[before] !== highs[at] || lows[before] !== lows[at]) before += 1;
      if (before === at) count += 1;
    }
    return count;
  }

  #check(): Violation | null {
    const states = NODE_IDS.map((_, place) => this.#nodes.states[this.#next[place]!]!);
    return this.#invariants.broken(states, this.#next[PAST]!);
  }

  // --- where it came from -----------------------------------------------------------------

  /** Keeps `#next`, the latest that was seen. */
  #keep(parent: number): void {
    const number = this.#seen.size - 1;
    this.#namedStates += this.#namings();
    if (number === this.#parents.length) {
      this.#parents = grown(this.#parents);
      this.#states = grown(this.#states);
    }
    this.#states.set(this.#next, number * this.#width);
    this.#parents[number] = parent;
  }

  /** Found again: of the parent's steps the one that leads there. */
  #pathTo(at: number): Happening[] {
    const path: Happening[] = [];
    const broken = this.#broken;
    for (let child = at; child > 0; child = this.#parents[child]!) {
      this.#load(this.#parents[child]!);
      const step = this.#happenings().find((happening) => {
        return this.#take(happening) && this.#seen.numberOf(this.#high, this.#low) === child;
      });
      path.unshift(step!);
    }
    this.#broken = broken;
    return path;
  }
}

function sums(): Int32Array {
  return new Int32Array(PERMUTATIONS.length);
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(old.length * 2);
  bigger.set(old);
  return bigger;
}
