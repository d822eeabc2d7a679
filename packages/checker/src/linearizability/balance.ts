/**
 * A value that is swapped away must have been written as often, give or take the beginning: what
 * is, or will be, written of each value, against what must be swapped away.
 */
import type { Pending, Plan } from "./pending.ts";
import { bitCount } from "./records.ts";

/** So many events are looked at ahead. */
const HORIZON = 2000;
const NO_LIMIT = 0x7fffffff;

export const NOTHING = -1;

export class Balance {
  readonly #plan: Plan;
  readonly #pending: Pending;
  /** By move: the cells that it found and replaced. */
  readonly #drained: readonly (readonly number[])[];
  /** By event: the event of the same move's call. */
  readonly #callEvents: Int32Array;
  /** By cell. */
  readonly #supply: Int32Array;
  readonly #least: Int32Array;
  readonly #owing: Int32Array;
  readonly #lastReturns: Float64Array;
  /** Seats of pending moves that must drain a cell, by cell, `words` each. */
  readonly #drains: Int32Array;
  /** Cells of which there may be too little. */
  readonly #scarce: number[] = [];
  readonly #draining: readonly number[];

  constructor(plan: Plan, pending: Pending) {
    const { moves, slotOf, events, words } = plan;
    this.#plan = plan;
    this.#pending = pending;
    this.#drained = moves.map(({ requires, writes, optional }) =>
      optional
        ? []
        : requires.filter((cell) => writes.some((written) => slotOf[written] === slotOf[cell])),
    );
    this.#callEvents = new Int32Array(moves.length);
    for (const [at, event] of events.entries()) {
      if ((event & 1) === 0) this.#callEvents[event >> 1] = at;
    }
    this.#supply = new Int32Array(slotOf.length);
    this.#least = new Int32Array(slotOf.length);
    this.#owing = new Int32Array(slotOf.length);
    this.#lastReturns = new Float64Array(slotOf.length);
    this.#drains = new Int32Array(slotOf.length * words);
    this.#draining = [...new Set(this.#drained.flat())];
  }

  /** For what is pending at an event. */
  lookAhead(now: number): void {
    const { moves, events, seats, words } = this.#plan;
    this.#scarce.length = 0;
    if (this.#draining.length === 0) return;
    for (const cell of this.#draining) {
      this.#supply[cell] = 0;
      this.#least[cell] = NO_LIMIT;
      this.#owing[cell] = 0;
      this.#lastReturns[cell] = Number.NEGATIVE_INFINITY;
      this.#drains.fill(0, cell * words, (cell + 1) * words);
    }
    for (const at of this.#pending.swaps) {
      for (const cell of this.#drained[at]!) {
        const seat = seats[at]!;
        this.#drains[cell * words + (seat >> 5)]! |= 1 << (seat & 31);
        this.#owing[cell]! += 1;
        this.#lastReturns[cell] = Math.max(this.#lastReturns[cell]!, moves[at]!.return);
      }
    }
    const end = Math.min(events.length, now + HORIZON);
    for (let at = now + 1; at < end; at += 1) {
      const move = events[at]! >> 1;
      if ((events[at]! & 1) === 0) {
        for (const cell of moves[move]!.writes) this.#supply[cell]! += 1;
        continue;
      }
      for (const cell of this.#drained[move]!) {
        if (this.#callEvents[move]! > now) this.#supply[cell]! -= 1;
        if (moves[move]!.return < this.#lastReturns[cell]!) continue;
        this.#least[cell] = Math.min(this.#least[cell]!, this.#supply[cell]!);
      }
    }
    for (const cell of this.#draining) {
      if (this.#owing[cell]! > this.#least[cell]!) this.#scarce.push(cell);
    }
  }

  /** A cell of which there is, and will be, too little; NOTHING if there is enough of all. */
  lacks(data: Int32Array, start: number): number {
    const { slotOf } = this.#plan;
    for (const cell of this.#scarce) {
      const isThere = data[start + slotOf[cell]!] === cell;
      const now = this.#supplyNow(data, start, cell) + (isThere ? 1 : 0);
      if (now + this.#least[cell]! < 0) return cell;
    }
    return NOTHING;
  }

  /** What is pending: unused writes of the cell, without what is owed to those who need it. */
  slack(data: Int32Array, start: number, cell: number): number {
    const { words, slotCount, slotOf } = this.#plan;
    const isThere = data[start + slotOf[cell]!] === cell;
    let slack = this.#supplyNow(data, start, cell) + (isThere ? 1 : 0);
    for (let word = 0; word < words; word += 1) {
      const row = cell * words + word;
      const owed = data[start + slotCount + words + word]!;
      if ((owed & this.#pending.needs[row]! & ~this.#drains[row]!) !== 0) slack -= 0.5;
    }
    return slack;
  }

  #supplyNow(data: Int32Array, start: number, cell: number): number {
    const { words, slotCount } = this.#plan;
    let supply = 0;
    for (let word = 0; word < words; word += 1) {
      const used = data[start + slotCount + word]!;
      const owed = data[start + slotCount + words + word]!;
      supply += bitCount(~used & this.#pending.writers[cell * words + word]!);
      supply -= bitCount(owed & this.#drains[cell * words + word]!);
    }
    return supply;
  }
}
