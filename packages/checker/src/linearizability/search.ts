/**
 * Is there an order that explains everything? Wing and Gong's search with Lowe's memory, iterative,
 * over one group of keys.
 *
 * Values are mostly written once, so a read names its write. That gives three cuts, each of which
 * only skips orders that can't be completed, or that another order makes superfluous:
 * - what changes nothing and fits now is taken at once;
 * - a value may be overwritten only when everybody who must have seen it has;
 * - a value that somebody sees late may not be written while another write must still come before
 *   that somebody.
 */
import { ConfigurationSet } from "./configurations.ts";
import type { Group, Step } from "./steps.ts";
import { createStates } from "./states.ts";
import type { States } from "./states.ts";
import { Dependents } from "./dependents.ts";

export type Verdict = "ok" | "illegal" | "unknown";

export interface SearchResult {
  readonly verdict: Verdict;
  /** Configurations looked at. */
  readonly visitedCount: number;
  /** The longest order found, as positions in the group's steps. */
  readonly longest: readonly number[];
}

/** Beyond them the verdict is unknown. */
export interface SearchLimits {
  /** Configurations to look at, at most. */
  readonly budget: number;
  /** Asked now and then. */
  readonly isOutOfTime: () => boolean;
}

/**
 * `noRefusals`: no step needs the state to be other than some value (see `relax.ts`). Then a write
 * may go first as soon as everybody who must see its value may follow at once: what comes after
 * could not tell.
 */
export function search(group: Group, limits: SearchLimits, noRefusals = false): SearchResult {
  return new Search(group, limits, noRefusals).run();
}

/** Memory for configurations, in 32-bit words of their sets of steps. */
const WORDS_MAX = 1 << 27;
/** Choices between two looks at the clock. */
const CLOCK_EVERY = 256;

const HEAD = 0;
const NOBODY = -1;

class Search {
  readonly #steps: readonly Step[];
  readonly #states: States;
  readonly #dependents: Dependents;
  readonly #limits: SearchLimits;
  readonly #noRefusals: boolean;
  readonly #isSingleKey: boolean;
  /** Events by time, calls before returns: 1 to n; 0 is the head of the list. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #stepOf: Int32Array;
  readonly #isCall: Uint8Array;
  readonly #times: Float64Array;
  readonly #callEvents: Int32Array;
  readonly #returnEvents: Int32Array;
  readonly #done: Uint32Array;
  readonly #visited: ConfigurationSet;
  readonly #marks: Int32Array;
  /** Steps taken, in order; the state before each; whether it left no choice. */
  readonly #taken: number[] = [];
  readonly #statesBefore: number[] = [];
  readonly #forced: boolean[] = [];
  /** Choices not yet tried, frame after frame, and where each frame begins. */
  readonly #candidates: number[] = [];
  readonly #urgencies: number[] = [];
  readonly #frames: number[] = [];
  #hash = 0;
  #state: number;
  #definiteLeft: number;
  #longest: readonly number[] = [];

  constructor(group: Group, limits: SearchLimits, noRefusals: boolean) {
    const { steps } = group;
    this.#steps = steps;
    this.#noRefusals = noRefusals;
    this.#isSingleKey = group.keys.length === 1;
    this.#states = createStates(group.keys.length);
    this.#dependents = new Dependents(group);
    this.#state = this.#states.initial;
    const events = eventsOf(steps);
    const size = events.length + 1;
    this.#next = new Int32Array(size);
    this.#previous = new Int32Array(size);
    this.#stepOf = new Int32Array(size);
    this.#isCall = new Uint8Array(size);
    this.#times = new Float64Array(size);
    this.#callEvents = new Int32Array(steps.length);
    this.#returnEvents = new Int32Array(steps.length);
    for (const [at, { step, isCall, time }] of events.entries()) {
      const event = at + 1;
      this.#stepOf[event] = step;
      this.#isCall[event] = isCall ? 1 : 0;
      this.#times[event] = time;
      this.#previous[event] = at;
      this.#next[at] = event;
      if (isCall) this.#callEvents[step] = event;
      else this.#returnEvents[step] = event;
    }
    this.#next[events.length] = HEAD;
    this.#previous[HEAD] = events.length;
    const words = Math.ceil(steps.length / 32) || 1;
    this.#done = new Uint32Array(words);
    this.#visited = new ConfigurationSet(words);
    this.#limits = { ...limits, budget: Math.min(limits.budget, WORDS_MAX / words) };
    this.#marks = Int32Array.from(steps, (_, at) => Math.imul(at + 1, 0x9e3779b1) ^ (at << 7));
    this.#definiteLeft = steps.filter(({ optional }) => !optional).length;
  }

  run(): SearchResult {
    while (this.#takeForced());
    this.#openFrame();
    for (let choices = 0; this.#definiteLeft > 0; choices += 1) {
      if (choices % CLOCK_EVERY === 0 && this.#limits.isOutOfTime()) return this.#result("unknown");
      const candidate = this.#nextCandidate();
      if (candidate === NOBODY) {
        if (!this.#backtrack()) return this.#result("illegal");
        continue;
      }
      if (!this.#tryStep(candidate)) continue;
      if (this.#visited.size > this.#limits.budget) return this.#result("unknown");
      while (this.#takeForced());
      this.#openFrame();
    }
    return this.#result("ok");
  }

  /** The choices at this point, the most urgent on top. */
  #openFrame(): void {
    const start = this.#candidates.length;
    this.#frames.push(start);
    let event = this.#next[HEAD]!;
    for (; event !== HEAD && this.#isCall[event] === 1; event = this.#next[event]!) {
      const at = this.#stepOf[event]!;
      if (!this.#steps[at]!.observes) this.#addCandidate(start, at);
    }
    if (this.#noRefusals && this.#keepOneFree(start)) return;
    for (let place = start; place < this.#candidates.length; place += 1) {
      const at = this.#candidates[place]!;
      const urgency = this.#dependents.deadline(at);
      let hole = place;
      while (hole > start && this.#urgencies[hole - 1]! < urgency) {
        this.#candidates[hole] = this.#candidates[hole - 1]!;
        this.#urgencies[hole] = this.#urgencies[hole - 1]!;
        hole -= 1;
      }
      this.#candidates[hole] = at;
      this.#urgencies[hole] = urgency;
    }
  }

  /** If some candidate may go first without harm, it becomes the only one. */
  #keepOneFree(start: number): boolean {
    if (this.#dependents.isNeeded(0, this.#states.valueAt(this.#state, 0))) return false;
    // Everything called by now may be next.
    let event = this.#next[HEAD]!;
    while (event !== HEAD && this.#isCall[event] === 1) event = this.#next[event]!;
    const untilTime = event === HEAD ? Number.POSITIVE_INFINITY : this.#times[event]!;
    for (let place = start; place < this.#candidates.length; place += 1) {
      const at = this.#candidates[place]!;
      const step = this.#steps[at]!;
      if (step.optional || !step.isBlind) continue;
      if (!this.#dependents.mayFollowAtOnce(step.writes[0]!, untilTime)) continue;
      this.#candidates.length = start;
      this.#candidates.push(at);
      return true;
    }
    return false;
  }

  /** Of blind writes of one value only the one that must end first: they are interchangeable. */
  #addCandidate(start: number, at: number): void {
    const step = this.#steps[at]!;
    if (step.isBlind) {
      const { slot, value } = step.writes[0]!;
      for (let place = start; place < this.#candidates.length; place += 1) {
        const other = this.#steps[this.#candidates[place]!]!;
        if (!other.isBlind) continue;
        const cell = other.writes[0]!;
        if (cell.slot !== slot || cell.value !== value) continue;
        if (step.return < other.return) this.#candidates[place] = at;
        return;
      }
    }
    this.#candidates.push(at);
  }

  #nextCandidate(): number {
    if (this.#candidates.length === this.#frames.at(-1)!) return NOBODY;
    return this.#candidates.pop()!;
  }

  /** Takes a step that changes nothing and fits now, if there is one among those that may go. */
  #takeForced(): boolean {
    let event = this.#next[HEAD]!;
    for (; event !== HEAD && this.#isCall[event] === 1; event = this.#next[event]!) {
      const at = this.#stepOf[event]!;
      const step = this.#steps[at]!;
      if (!step.observes || this.#states.after(this.#state, step) === -1) continue;
      this.#take(at, this.#state, true);
      return true;
    }
    return false;
  }

  #tryStep(at: number): boolean {
    const step = this.#steps[at]!;
    const state = this.#states.after(this.#state, step);
    if (state === -1) return false;
    if (step.optional) {
      if (state === this.#state) return false;
      // Nobody would notice: as good as later, or never. (Among several keys its own condition
      // might fail later.)
      const mayWait = step.isBlind || this.#isSingleKey;
      if (mayWait && !this.#isNoticed(at, state)) return false;
    }
    if (!this.#mayWrite(at, step)) return false;
    this.#mark(at);
    const isNew = this.#visited.add(this.#done, state, this.#hash);
    this.#mark(at);
    if (!isNew) return false;
    this.#take(at, state, false);
    return true;
  }

  /**
   * Whether some step that may come next could come only after the step `by`. Otherwise whatever
   * comes next could as well come without it.
   */
  #isNoticed(by: number, state: number): boolean {
    let event = this.#next[HEAD]!;
    for (; event !== HEAD && this.#isCall[event] === 1; event = this.#next[event]!) {
      const at = this.#stepOf[event]!;
      const step = this.#steps[at]!;
      if (at === by || step.isBlind) continue;
      if (this.#states.after(state, step) === -1) continue;
      if (step.succeeds === null) {
        if (this.#states.writes(state, step) && !this.#states.writes(this.#state, step))
          return true;
      } else if (this.#states.after(this.#state, step) === -1) return true;
    }
    return false;
  }

  /** The second and the third cut. */
  #mayWrite(at: number, step: Step): boolean {
    if (!this.#states.writes(this.#state, step)) return true;
    for (const { slot, value } of step.writes) {
      const before = this.#states.valueAt(this.#state, slot);
      if (before === value) continue;
      if (!this.#dependents.mayOverwrite(slot, before, at)) return false;
      const untilTime = this.#dependents.lastCall(slot, value);
      if (untilTime > step.call && !this.#isUndisturbed(at, slot, value, untilTime)) return false;
    }
    return true;
  }

  /** Nothing that must end before `untilTime` needs the slot to have another value. */
  #isUndisturbed(at: number, slot: number, value: number, untilTime: number): boolean {
    let event = this.#next[HEAD]!;
    for (; event !== HEAD && this.#times[event]! < untilTime; event = this.#next[event]!) {
      if (this.#isCall[event] === 1) continue;
      const other = this.#stepOf[event]!;
      if (
        other !== at &&
        this.#steps[other]!.requires.some((cell) => disturbs(cell, slot, value))
      ) {
        return false;
      }
      if (other === at) continue;
      const { succeeds, writes, requires } = this.#steps[other]!;
      const needsIt = requires.some((cell) => cell.slot === slot && cell.value === value);
      const overwrites =
        succeeds === true && writes.some((cell) => disturbs(cell, slot, value)) && !needsIt;
      if (overwrites) return false;
    }
    return true;
  }

  #take(at: number, state: number, forced: boolean): void {
    this.#taken.push(at);
    this.#statesBefore.push(this.#state);
    this.#forced.push(forced);
    this.#state = state;
    this.#mark(at);
    this.#dependents.take(at);
    if (!this.#steps[at]!.optional) this.#definiteLeft -= 1;
    this.#unlink(this.#callEvents[at]!);
    const returnEvent = this.#returnEvents[at]!;
    if (returnEvent !== HEAD) this.#unlink(returnEvent);
    if (this.#taken.length > this.#longest.length && this.#definiteLeft > 0) {
      this.#longest = this.#taken;
    }
  }

  /** Undoes to the last step that left a choice. False: there is none. */
  #backtrack(): boolean {
    if (this.#longest === this.#taken) this.#longest = [...this.#taken];
    this.#frames.pop();
    if (this.#frames.length === 0) return false;
    for (;;) {
      const at = this.#taken.pop()!;
      this.#state = this.#statesBefore.pop()!;
      const returnEvent = this.#returnEvents[at]!;
      if (returnEvent !== HEAD) this.#relink(returnEvent);
      this.#relink(this.#callEvents[at]!);
      this.#mark(at);
      this.#dependents.giveBack(at);
      if (!this.#steps[at]!.optional) this.#definiteLeft += 1;
      if (!this.#forced.pop()!) return true;
    }
  }

  /** Turns a step's bit. */
  #mark(at: number): void {
    this.#done[at >>> 5] = this.#done[at >>> 5]! ^ (1 << (at & 31));
    this.#hash ^= this.#marks[at]!;
  }

  #unlink(event: number): void {
    const [before, after] = [this.#previous[event]!, this.#next[event]!];
    this.#next[before] = after;
    this.#previous[after] = before;
  }

  #relink(event: number): void {
    this.#next[this.#previous[event]!] = event;
    this.#previous[this.#next[event]!] = event;
  }

  #result(verdict: Verdict): SearchResult {
    const longest = verdict === "ok" ? [...this.#taken] : [...this.#longest];
    return { verdict, visitedCount: this.#visited.size, longest };
  }
}

function disturbs(cell: { slot: number; value: number }, slot: number, value: number): boolean {
  return cell.slot === slot && cell.value !== value;
}

interface Event {
  readonly step: number;
  readonly isCall: boolean;
  readonly time: number;
}

function eventsOf(steps: readonly Step[]): readonly Event[] {
  const events: Event[] = [];
  for (const [step, { call, return: returned }] of steps.entries()) {
    events.push({ step, isCall: true, time: call });
    if (Number.isFinite(returned)) events.push({ step, isCall: false, time: returned });
  }
  // Intervals are closed: at equal times the call comes first.
  return events.toSorted(
    (left, right) =>
      left.time - right.time ||
      Number(right.isCall) - Number(left.isCall) ||
      left.step - right.step,
  );
}
