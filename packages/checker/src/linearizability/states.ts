/** States of a group's keys, each a small number, and what a step makes of one. */
import type { Cell, Step } from "./steps.ts";

export interface States {
  readonly initial: number;
  /** The state after the step; -1 if it can't have happened there. */
  after(state: number, step: Step): number;
  /** Whether the step, taken there, writes (a condition may keep it from writing). */
  writes(state: number, step: Step): boolean;
  valueAt(state: number, slot: number): number;
}

export function createStates(slotCount: number): States {
  return slotCount === 1 ? new SingleKeyStates() : new ManyKeyStates(slotCount);
}

/** One key: the state is the number of its value. */
class SingleKeyStates implements States {
  readonly initial = 0;

  after(state: number, step: Step): number {
    const holds = step.compare.every(({ value }) => value === state);
    if (step.succeeds !== null && step.succeeds !== (step.compare.length === 0 || holds)) return -1;
    const after = holds && step.writes.length > 0 ? step.writes.at(-1)!.value : state;
    for (const { value } of step.reads) if (value !== after) return -1;
    return after;
  }

  writes(state: number, step: Step): boolean {
    return step.compare.every(({ value }) => value === state);
  }

  valueAt(state: number): number {
    return state;
  }
}

/** Several keys: the state is the number of a tuple of values. */
class ManyKeyStates implements States {
  readonly initial: number;
  readonly #tuples: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(slotCount: number) {
    this.initial = this.#number(Array.from({ length: slotCount }, () => 0));
  }

  after(state: number, step: Step): number {
    const tuple = this.#tuples[state]!;
    const holds = holdsIn(tuple, step.compare);
    if (step.succeeds !== null && step.succeeds !== holds) return -1;
    if (!holds || step.writes.length === 0) return holdsIn(tuple, step.reads) ? state : -1;
    const after = [...tuple];
    for (const { slot, value } of step.writes) after[slot] = value;
    return holdsIn(after, step.reads) ? this.#number(after) : -1;
  }

  writes(state: number, step: Step): boolean {
    return holdsIn(this.#tuples[state]!, step.compare);
  }

  valueAt(state: number, slot: number): number {
    return this.#tuples[state]![slot]!;
  }

  #number(tuple: readonly number[]): number {
    const name = tuple.join();
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#tuples.length;
    this.#tuples.push(tuple);
    this.#numbers.set(name, number);
    return number;
  }
}

function holdsIn(tuple: readonly number[], cells: readonly Cell[]): boolean {
  for (const { slot, value } of cells) if (tuple[slot] !== value) return false;
  return true;
}
