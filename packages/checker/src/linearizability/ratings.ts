/**
 * Which configurations are the most promising: those that have used up little, owe little, and can
 * pay what they owe. And which are lost: more must find a value than there are, or will be, writes
 * of it.
 */
import type { Pending, Plan } from "./pending.ts";
import { isBlind } from "./pending.ts";
import { Balance, NOTHING } from "./balance.ts";
import type { Lessons } from "./lessons.ts";
import { bitCount } from "./records.ts";

/**
 * What a used write, and something owed, count: at the beginning of a move's time, and in addition
 * at its end. Found by trying, on histories of 50 clients.
 */
const USED_BLIND = { always: 0.2, early: 0.8 };
const USED_SWAP_OPEN = 1;
const OWED_BLIND_LATE = 0.3;
const OWED_SWAP = { always: 0.5, late: 0.5 };
const OWED_LOOK = { always: 0.5, late: 0.5 };
/** Something that no write now pending can provide; something that only a blind write can. */
const MISSING = 2;
const OUT_OF_REACH = 1;
/** To have more than so many writes of what is scarce is no better. */
const SPARED = 2;

export class Ratings {
  readonly #plan: Plan;
  readonly #pending: Pending;
  /** By seat. */
  readonly #usedWeights: Float64Array;
  readonly #owedWeights: Float64Array;
  /** By cell, valid if the stamp is the present one. */
  readonly #stamps: Int32Array;
  readonly #supplies: Int32Array;
  readonly #reachable: Uint8Array;
  readonly #demands: Int32Array;
  #stamp = 0;
  readonly #balance: Balance;
  readonly #lessons: Lessons;
  /** By cell: how many configurations were lost for lack of it, since the last `weigh`. */
  readonly #losses: Int32Array;

  constructor(plan: Plan, pending: Pending, lessons: Lessons) {
    this.#lessons = lessons;
    this.#losses = new Int32Array(plan.slotOf.length);
    this.#plan = plan;
    this.#pending = pending;
    this.#usedWeights = new Float64Array(plan.words * 32);
    this.#owedWeights = new Float64Array(plan.words * 32);
    this.#stamps = new Int32Array(plan.slotOf.length);
    this.#supplies = new Int32Array(plan.slotOf.length);
    this.#reachable = new Uint8Array(plan.slotOf.length);
    this.#demands = new Int32Array(plan.slotOf.length);
    this.#balance = new Balance(plan, pending);
  }

  /** Weighs what is pending at a time, for the ratings that follow. */
  weigh(now: number, event: number): void {
    const { moves, meanLength } = this.#plan;
    this.#balance.lookAhead(event);
    this.#losses.fill(0);
    for (const [seat, at] of this.#pending.bySeat.entries()) {
      if (at === -1) continue;
      const move = moves[at]!;
      const span = (move.return - now) / (meanLength * 2);
      const left = move.optional ? 1 : Math.min(1, Math.max(0, span));
      const late = 1 - left;
      if (isBlind(move)) {
        this.#usedWeights[seat] = USED_BLIND.always + USED_BLIND.early * left;
        this.#owedWeights[seat] = OWED_BLIND_LATE * late;
      } else if (move.writes.length > 0) {
        this.#usedWeights[seat] = move.optional ? USED_SWAP_OPEN : 0;
        this.#owedWeights[seat] = OWED_SWAP.always + OWED_SWAP.late * late;
      } else {
        this.#owedWeights[seat] = OWED_LOOK.always + OWED_LOOK.late * late;
      }
    }
  }

  /** Less is better; infinite: it leads nowhere. */
  rate(data: Int32Array, start: number): number {
    const { words, slotCount } = this.#plan;
    const used = start + slotCount;
    const lacking = this.#balance.lacks(data, start);
    if (lacking !== NOTHING) return this.#lose(lacking);
    const missing = this.#rateOwed(data, start);
    if (missing === Number.POSITIVE_INFINITY) return missing;
    let sum = 0;
    for (let word = 0; word < words; word += 1) {
      sum += weightOf(data[used + word]!, this.#usedWeights, word * 32);
      sum += weightOf(data[used + words + word]!, this.#owedWeights, word * 32);
    }
    const { cells, weights } = this.#lessons;
    for (const cell of cells) {
      sum -= weights[cell]! * Math.min(SPARED, this.#balance.slack(data, start, cell));
    }
    return sum + missing + this.#lessons.chance();
  }

  /** For lack of which cell most were lost. */
  worstLoss(): number {
    return this.#losses.indexOf(this.#losses.reduce((most, count) => Math.max(most, count)));
  }

  #lose(cell: number): number {
    this.#losses[cell]! += 1;
    return Number.POSITIVE_INFINITY;
  }

  #rateOwed(data: Int32Array, start: number): number {
    const { moves, seats, words, slotCount, slotOf, writersInTime } = this.#plan;
    const pending = this.#pending;
    const owed = start + slotCount + words;
    this.#stamp += 1;
    let sum = 0;
    for (const at of pending.owing) {
      const seat = seats[at]!;
      if ((data[owed + (seat >> 5)]! & (1 << (seat & 31))) === 0) continue;
      const { requires, writes } = moves[at]!;
      for (let place = 0; place < requires.length; place += 1) {
        const cell = requires[place]!;
        const slot = slotOf[cell]!;
        if (this.#stamps[cell] !== this.#stamp) this.#count(data, start, cell);
        // Who puts another value in its place uses the value up.
        const usesUp = writes.some((written) => slotOf[written] === slot);
        if (usesUp) this.#demands[cell]! += 1;
        const demand = usesUp ? this.#demands[cell]! : Math.max(1, this.#demands[cell]!);
        const supply = this.#supplies[cell]!;
        const toCome = writersInTime[at]![place]! - pending.writersCalled[cell]!;
        if (demand > supply + toCome) return this.#lose(cell);
        if (demand > supply) sum += MISSING;
        if (this.#reachable[cell] === 0) sum += OUT_OF_REACH;
      }
    }
    return sum;
  }

  /** How often the cell is there, or can be written by what is pending. */
  #count(data: Int32Array, start: number, cell: number): void {
    const { words, slotCount, slotOf } = this.#plan;
    const { writers, blindWriters } = this.#pending;
    const isThere = data[start + slotOf[cell]!] === cell;
    let supply = isThere ? 1 : 0;
    let swaps = 0;
    for (let word = 0; word < words; word += 1) {
      const unused = ~data[start + slotCount + word]!;
      const row = cell * words + word;
      supply += bitCount(unused & writers[row]!);
      swaps |= unused & writers[row]! & ~blindWriters[row]!;
    }
    this.#stamps[cell] = this.#stamp;
    this.#supplies[cell] = supply;
    this.#reachable[cell] = isThere || swaps !== 0 ? 1 : 0;
    this.#demands[cell] = 0;
  }
}

function weightOf(bits: number, weights: Float64Array, base: number): number {
  let sum = 0;
  for (let left = bits; left !== 0; left &= left - 1) {
    sum += weights[base + 31 - Math.clz32(left & -left)]!;
  }
  return sum;
}
