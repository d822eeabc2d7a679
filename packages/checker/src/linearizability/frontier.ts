/**
 * A search for an order that goes forward in time, return by return (just-in-time linearization:
 * Lowe, "Testing for linearizability", 2017), and keeps only the most promising configurations: a
 * wider and wider beam. Where the search in `search.ts` goes deep at the first bad choice, this one
 * goes on with another one. It is certain of an order that it found; and that there is none if
 * nothing promising or not had to be dropped.
 *
 * A configuration is: the value of each key; which pending writes are used up; and which pending
 * moves still owe an effect. Nothing happens before it must:
 * - who looks without writing is content as soon as the state is right;
 * - a blind write may happen unseen, just before another one: then it owes nothing, and can still
 *   be used once;
 * - only when an operation that owes its effect returns, others are made to happen for it, and of
 *   them only those that somebody pending has a use for.
 * So a configuration that used less and owes less, with the same values, is as good or better.
 */
import { Lessons } from "./lessons.ts";
import type { Move } from "./moves.ts";
import { toMoves } from "./moves.ts";
import { Pending, planOf } from "./pending.ts";
import type { Plan } from "./pending.ts";
import { Ratings } from "./ratings.ts";
import { RecordSet, Records, hashOf } from "./records.ts";
import { replay } from "./replay.ts";
import type { SearchLimits, SearchResult, Verdict } from "./search.ts";
import type { Group } from "./steps.ts";
import { Trail } from "./trail.ts";
import { Transitions, layoutOf } from "./transitions.ts";
import type { Layout } from "./transitions.ts";

const WIDTH_MIN = 16;
const WIDTH_FACTOR = 8;
/** Of attempts that follow on one that failed. */
const WIDTH_AGAIN = 128;
/** They may look at so many times as much as there was looked at before. */
const AGAIN = 8;
/** What memory holds. */
const WIDTH_MAX = 1 << 20;

export interface FrontierResult extends SearchResult {
  /** Illegal: what was called later has no part in it. */
  readonly stuckAt: number;
}

export function searchFrontier(
  group: Group,
  { budget, isOutOfTime }: SearchLimits,
  widthMax = WIDTH_MAX,
): FrontierResult {
  const prepared = toMoves(group);
  if (prepared === null) {
    return { verdict: "illegal", visitedCount: 0, longest: [], stuckAt: Number.POSITIVE_INFINITY };
  }
  const attempts = new Attempts(planOf(prepared), budget, isOutOfTime);
  for (let width = WIDTH_MIN; ; width *= WIDTH_FACTOR) {
    const verdict = attempts.run(width);
    const isLast = width * WIDTH_FACTOR > widthMax || attempts.isOver();
    if (verdict !== "unknown" || isLast) return attempts.result(verdict);
    if (width < WIDTH_AGAIN) continue;
    // An order, if there is one, is mostly found by narrow ones.
    for (const end = attempts.visitedCount * AGAIN; attempts.visitedCount < end;) {
      const again = attempts.run(WIDTH_AGAIN);
      if (again !== "unknown" || attempts.isOver()) return attempts.result(again);
    }
  }
}

/** One after the other, each with what was learned from those before. */
class Attempts {
  readonly #plan: Plan;
  readonly #budget: number;
  readonly #isOutOfTime: () => boolean;
  readonly #lessons: Lessons;
  #longest: readonly number[] = [];
  #stuckAt = Number.POSITIVE_INFINITY;
  visitedCount = 0;

  constructor(plan: Plan, budget: number, isOutOfTime: () => boolean) {
    this.#plan = plan;
    this.#budget = budget;
    this.#isOutOfTime = isOutOfTime;
    this.#lessons = new Lessons(plan.slotOf.length);
  }

  run(width: number): Verdict {
    const limits = { budget: this.#budget - this.visitedCount, isOutOfTime: this.#isOutOfTime };
    const frontier = new Frontier(this.#plan, width, limits, this.#lessons);
    const verdict = frontier.run();
    // An attempt that looks at nothing counts, too: there must be an end.
    this.visitedCount += Math.max(1, frontier.visitedCount);
    const order = frontier.order();
    if (order.length > this.#longest.length || verdict === "ok") this.#longest = order;
    this.#stuckAt = frontier.timeReached();
    this.#lessons.learn(frontier.lacking);
    return verdict;
  }

  isOver(): boolean {
    return this.visitedCount >= this.#budget || this.#isOutOfTime();
  }

  result(verdict: Verdict): FrontierResult {
    const { visitedCount } = this;
    return { verdict, visitedCount, longest: this.#longest, stuckAt: this.#stuckAt };
  }
}

/** Configurations between two looks at the clock. */
const CLOCK_EVERY = 256;
/** Configurations on the way, at most, for each that is kept. */
const WAYS_MAX = 4;
/** But at least so many, for a way may be long. */
const WAYS_MIN = { each: 32, all: 4096 };
/** With so many of the same values is each one compared. */
const COMPARED_MAX = 512;

class Frontier {
  readonly #plan: Plan;
  readonly #moves: readonly Move[];
  readonly #layout: Layout;
  readonly #pending: Pending;
  readonly #transitions: Transitions;
  readonly #ratings: Ratings;
  readonly #trail = new Trail();
  readonly #limits: SearchLimits;
  readonly #width: number;
  readonly #waysMax: number;
  #level: Records;
  #nextLevel: Records;
  readonly #ways: RecordSet;
  readonly #results: RecordSet;
  /** By cell: the look for candidates that saw it written. */
  readonly #stamps: Int32Array;
  #stamp = 0;
  /** By slot: whether the move that returns may depend on it. */
  readonly #concerns: Uint8Array;
  #wasDropped = false;
  #event = 0;
  visitedCount = 0;
  /** Why it came to an end: cells of which there was too little. */
  lacking: readonly number[] = [];

  constructor(plan: Plan, width: number, limits: SearchLimits, lessons: Lessons) {
    this.#plan = plan;
    this.#moves = plan.moves;
    this.#layout = layoutOf(plan);
    this.#pending = new Pending(plan);
    this.#transitions = new Transitions(plan, this.#pending);
    this.#ratings = new Ratings(plan, this.#pending, lessons);
    this.#limits = limits;
    this.#width = width;
    this.#waysMax = Math.max(width * WAYS_MAX, Math.min(width * WAYS_MIN.each, WAYS_MIN.all));
    this.#level = new Records(this.#layout.length);
    this.#nextLevel = new Records(this.#layout.length);
    this.#ways = new RecordSet(this.#layout.length);
    this.#results = new RecordSet(this.#layout.length);
    this.#stamps = new Int32Array(plan.slotOf.length);
    this.#concerns = new Uint8Array(plan.slotCount);
    const first = new Int32Array(this.#layout.length);
    // The first cells are the absence of each key.
    for (let slot = 0; slot < plan.slotCount; slot += 1) first[slot] = slot;
    first[this.#layout.note] = Trail.START;
    this.#level.push(first, 0);
  }

  run(): Verdict {
    const { events } = this.#plan;
    for (this.#event = 0; this.#event < events.length; this.#event += 1) {
      const at = events[this.#event]! >> 1;
      if ((events[this.#event]! & 1) === 0) {
        this.#call(at);
        continue;
      }
      if (this.#isOver() || !this.#return(at)) return "unknown";
      if (this.#nextLevel.count === 0) {
        const wasLost = this.#results.records.count > 0;
        this.lacking = wasLost ? [this.#ratings.worstLoss()] : this.#moves[at]!.requires;
        return this.#wasDropped ? "unknown" : "illegal";
      }
      [this.#level, this.#nextLevel] = [this.#nextLevel, this.#level];
    }
    return "ok";
  }

  /** As far as the most promising configuration goes: positions in the group's steps. */
  order(): readonly number[] {
    const last = this.#level.data[this.#layout.note]!;
    return replay(this.#plan, this.#trail.to(last), this.#event);
  }

  timeReached(): number {
    const event = this.#plan.events[this.#event];
    return event === undefined ? Number.POSITIVE_INFINITY : this.#moves[event >> 1]!.return;
  }

  #isOver(): boolean {
    return this.visitedCount > this.#limits.budget || this.#limits.isOutOfTime();
  }

  #call(at: number): void {
    this.#pending.call(at);
    if (this.#moves[at]!.optional) return;
    const seat = this.#plan.seats[at]!;
    const [word, bit] = [this.#layout.owed + (seat >> 5), 1 << (seat & 31)];
    const { data, count, words } = this.#level;
    for (let start = 0; start < count * words; start += words) {
      if (this.#transitions.isOwedAtCall(data, start, at)) data[start + word]! |= bit;
    }
  }

  /** False: the limits were reached. Leaves what is kept in the next level. */
  #return(at: number): boolean {
    this.#markConcerns(at);
    this.#ways.clear();
    this.#results.clear();
    for (let place = 0; place < this.#level.count; place += 1) {
      this.#load(this.#level, place);
      this.#begin(at);
    }
    const ways = this.#ways.records;
    for (let place = 0; place < ways.count; place += 1) {
      if (place % CLOCK_EVERY === CLOCK_EVERY - 1 && this.#isOver()) return false;
      this.#load(ways, place);
      this.#goOn(at);
    }
    this.#forget(this.#pending.end(at));
    this.#select(this.#moves[at]!.return);
    return true;
  }

  #load({ data, words }: Records, place: number): void {
    const { current } = this.#transitions;
    const start = place * words;
    for (let word = 0; word < words; word += 1) current[word] = data[start + word]!;
  }

  /** The present configuration is content with the return, or has to find a way. */
  #begin(at: number): void {
    const { current } = this.#transitions;
    if (this.#transitions.isOwed(current, at)) {
      this.#addWay(current);
      return;
    }
    const isSpent = this.#moves[at]!.optional || this.#transitions.isUsed(current, at);
    if (isSpent || !this.#transitions.isBlind(at)) {
      this.#finish(current, at);
      return;
    }
    // It went unseen; or it is used now, for later it can't be.
    if (this.#transitions.matters(current, at)) this.#addWay(current);
    if (this.#transitions.giveUp(current, at)) this.#finish(current, at);
  }

  /** Tries everything that may happen next for the return's sake. */
  #goOn(at: number): void {
    const isOwed = this.#transitions.isOwed(this.#transitions.current, at);
    const isBlind = this.#transitions.isBlind(at);
    // Of several that do the same: the one that returns, else the one that must end first.
    this.#stamp += 1;
    if (isBlind) this.#try(at, at, isOwed);
    for (const candidate of this.#pending.blind) this.#try(candidate, at, isOwed);
    this.#stamp += 1;
    if (!isBlind && this.#moves[at]!.writes.length > 0) this.#try(at, at, isOwed);
    for (const candidate of this.#pending.swaps) this.#try(candidate, at, isOwed);
  }

  #try(candidate: number, at: number, isOwed: boolean): void {
    const transitions = this.#transitions;
    const { current, after } = transitions;
    const { writes } = this.#moves[candidate]!;
    const cell = writes[0]!;
    if (this.#concerns[this.#plan.slotOf[cell]!] === 0) return;
    if (transitions.isUsed(current, candidate)) return;
    const isLikeOthers = !this.#pending.isWide(candidate);
    if (isLikeOthers && this.#stamps[cell] === this.#stamp) return;
    if (!transitions.happen(candidate)) return;
    if (isLikeOthers) this.#stamps[cell] = this.#stamp;
    const isOfUse = transitions.isOfUse;
    const isDone = isOwed ? !transitions.isOwed(after, at) : candidate === at;
    if (!isDone && !isOfUse) return;
    if (isDone && !isOwed && !isOfUse && !transitions.mattersLater(at)) return;
    after[this.#layout.note] = this.#trail.add(current[this.#layout.note]!, candidate, this.#event);
    this.visitedCount += 1;
    if (!isDone) {
      this.#addWay(after);
    } else if (candidate === at || !transitions.isBlind(at)) {
      this.#finish(after, at);
    } else {
      // It went unseen beside the candidate, and could be used yet.
      if (isOfUse) this.#addWay(after);
      if (transitions.giveUp(after, at)) this.#finish(after, at);
    }
  }

  #addWay(record: Int32Array): void {
    if (this.#ways.records.count < this.#waysMax) this.#ways.add(record);
    else this.#wasDropped = true;
  }

  #finish(record: Int32Array, at: number): void {
    this.#transitions.leave(record, at);
    this.#results.add(record);
  }

  /**
   * What happens on other keys than the return depends on can as well happen later. It depends on
   * its own keys, and on those that are tied to them by who touches several.
   */
  #markConcerns(at: number): void {
    const { slotOf } = this.#plan;
    const isOne = this.#plan.slotCount === 1;
    this.#concerns.fill(isOne ? 1 : 0);
    if (isOne) return;
    for (const cell of cellsOf(this.#moves[at]!)) this.#concerns[slotOf[cell]!] = 1;
    for (let changed = true; changed;) {
      changed = false;
      for (const wide of this.#pending.wide) {
        const cells = cellsOf(this.#moves[wide]!);
        if (!cells.some((cell) => this.#concerns[slotOf[cell]!] === 1)) continue;
        for (const cell of cells) {
          changed ||= this.#concerns[slotOf[cell]!] === 0;
          this.#concerns[slotOf[cell]!] = 1;
        }
      }
    }
  }

  /** Values at which nobody will look any more are alike. */
  #forget(cells: readonly number[]): void {
    const { data, count, words } = this.#results.records;
    for (const cell of cells) {
      this.#transitions.isForgotten[cell] = 1;
      const slot = this.#plan.slotOf[cell]!;
      for (let start = 0; start < count * words; start += words) {
        if (data[start + slot] === cell) data[start + slot] = this.#plan.unseen[slot]!;
      }
    }
  }

  /** Keeps the most promising results, and none than which another is as good or better. */
  #select(now: number): void {
    const { data, count, words } = this.#results.records;
    const { slotCount } = this.#plan;
    this.#ratings.weigh(now, this.#event);
    const scores = new Float64Array(count);
    const order: number[] = [];
    for (let place = 0; place < count; place += 1) {
      scores[place] = this.#ratings.rate(data, place * words);
      if (Number.isFinite(scores[place])) order.push(place);
    }
    order.sort((left, right) => scores[left]! - scores[right]!);
    const kept = this.#nextLevel;
    kept.count = 0;
    const byState = new Map<number, number[]>();
    for (const place of order) {
      const start = place * words;
      const state = slotCount === 1 ? data[start]! : hashOf(data, start, slotCount);
      const alike = byState.get(state) ?? [];
      if (alike.length === 0) byState.set(state, alike);
      if (this.#isOutdone(data, start, alike)) continue;
      if (kept.count >= this.#width) {
        this.#wasDropped = true;
        break;
      }
      alike.push(kept.count * words);
      kept.push(data, start);
    }
  }

  /** Whether one with the same values used no more and owes no more. */
  #isOutdone(data: Int32Array, start: number, alike: readonly number[]): boolean {
    const kept = this.#nextLevel.data;
    const { slotCount } = this.#plan;
    const end = this.#layout.note;
    const compared = Math.min(alike.length, COMPARED_MAX);
    for (let one = 0; one < compared; one += 1) {
      const other = alike[one]!;
      let word = 0;
      while (word < slotCount && kept[other + word] === data[start + word]) word += 1;
      if (word < slotCount) continue;
      while (word < end && (kept[other + word]! & ~data[start + word]!) === 0) word += 1;
      if (word === end) return true;
    }
    return false;
  }
}

function cellsOf({ requires, refuses, writes }: Move): readonly number[] {
  return [...requires, ...refuses, ...writes];
}
