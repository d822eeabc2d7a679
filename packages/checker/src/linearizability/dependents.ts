/** Who must still see which value of which key, as steps are taken and given back. */
import type { Cell, Group, Step } from "./steps.ts";

interface Value {
  /** Steps not yet taken that could write it; the absence that every key begins with is none. */
  writersLeft: number;
  /** Steps not yet taken that must find it. */
  dependentsLeft: number;
  /** Steps not yet taken, of unknown outcome, that would do something if they found it. */
  undecidedLeft: number;
  /** Of those that must find it, by call: the last one first. */
  readonly dependents: number[];
}

export class Dependents {
  readonly #steps: readonly Step[];
  readonly #taken: Uint8Array;
  /** By slot, then by value. */
  readonly #values: Map<number, Value>[];

  constructor({ keys, steps }: Group) {
    this.#steps = steps;
    this.#taken = new Uint8Array(steps.length);
    this.#values = keys.map(() => new Map<number, Value>());
    for (const [at, step] of steps.entries()) {
      if (step.succeeds !== false) for (const cell of step.writes) this.#of(cell).writersLeft += 1;
      if (step.succeeds === null) {
        for (const cell of step.compare) this.#of(cell).undecidedLeft += 1;
      }
      for (const cell of step.requires) {
        const value = this.#of(cell);
        value.dependentsLeft += 1;
        value.dependents.unshift(at);
      }
    }
  }

  /** Whether the step `by` may put another value in this one's place. */
  mayOverwrite(slot: number, value: number, by: number): boolean {
    const known = this.#values[slot]!.get(value);
    if (known === undefined || known.writersLeft > 0) return true;
    const own = this.#steps[by]!.requires.some(
      (cell) => cell.slot === slot && cell.value === value,
    );
    return known.dependentsLeft - (own ? 1 : 0) === 0;
  }

  /** When the last step that must find the value was called, if only one more can write it. */
  lastCall(slot: number, value: number): number {
    const known = this.#values[slot]!.get(value);
    if (known === undefined || known.writersLeft !== 1) return Number.NEGATIVE_INFINITY;
    for (const at of known.dependents) {
      if (this.#taken[at] === 0) return this.#steps[at]!.call;
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** By when the step must have happened for its own sake and for those who must see its value. */
  deadline(at: number): number {
    const step = this.#steps[at]!;
    let deadline = step.return;
    for (const { slot, value } of step.writes) {
      const known = this.#values[slot]!.get(value);
      if (known === undefined || known.writersLeft !== 1) continue;
      for (const dependent of known.dependents) {
        if (this.#taken[dependent] === 1) continue;
        deadline = Math.min(deadline, this.#steps[dependent]!.return);
      }
    }
    return deadline;
  }

  /** Whether somebody who is not taken yet must, or might, find the value. */
  isNeeded(slot: number, value: number): boolean {
    const known = this.#values[slot]!.get(value);
    return known !== undefined && (known.dependentsLeft > 0 || known.undecidedLeft > 0);
  }

  /**
   * Whether all who must see the value, once it is written, were called by `untilTime`, and so for
   * the values that they write in turn.
   */
  mayFollowAtOnce({ slot, value }: Cell, untilTime: number): boolean {
    const known = this.#values[slot]!.get(value);
    if (known === undefined) return true;
    if (known.undecidedLeft > 0) return false;
    // Others may write it again: who sees it may need one of those.
    if (known.writersLeft > 1) return known.dependentsLeft === 0;
    let next: Cell | null = null;
    for (const dependent of known.dependents) {
      if (this.#taken[dependent] === 1) continue;
      const step = this.#steps[dependent]!;
      if (step.call > untilTime) return false;
      if (step.writes.length === 0) continue;
      if (next !== null) return false;
      next = step.writes.at(-1)!;
    }
    return next === null || this.mayFollowAtOnce(next, untilTime);
  }

  take(at: number): void {
    this.#taken[at] = 1;
    this.#count(at, -1);
  }

  giveBack(at: number): void {
    this.#taken[at] = 0;
    this.#count(at, 1);
  }

  #count(at: number, by: number): void {
    const step = this.#steps[at]!;
    if (step.succeeds !== false) for (const cell of step.writes) this.#of(cell).writersLeft += by;
    for (const cell of step.requires) this.#of(cell).dependentsLeft += by;
    if (step.succeeds === null) {
      for (const cell of step.compare) this.#of(cell).undecidedLeft += by;
    }
  }

  #of({ slot, value }: Cell): Value {
    const values = this.#values[slot]!;
    let known = values.get(value);
    if (known === undefined) {
      known = { writersLeft: 0, dependentsLeft: 0, undecidedLeft: 0, dependents: [] };
      values.set(value, known);
    }
    return known;
  }
}
