/** One configuration, as a record, and what becomes of it when a pending move happens. */
import type { Move } from "./moves.ts";
import { isBlind } from "./pending.ts";
import type { Pending, Plan } from "./pending.ts";

/** Where in a record: first the cell of each slot. */
export interface Layout {
  /** Seats of moves that happened, and were seen to or can't be unseen. */
  readonly used: number;
  /** Seats of moves that still must happen. */
  readonly owed: number;
  /** The place in the trail. */
  readonly note: number;
  /** Words in all. */
  readonly length: number;
}

export function layoutOf({ slotCount, words }: Plan): Layout {
  const note = slotCount + words * 2;
  return { used: slotCount, owed: slotCount + words, note, length: note + 1 };
}

export class Transitions {
  readonly current: Int32Array;
  /** What `happen` left. */
  readonly after: Int32Array;
  /** Whether somebody pending had a use for what happened last. */
  isOfUse = false;
  /** By cell: nobody will look at it any more. */
  readonly isForgotten: Uint8Array;
  readonly #plan: Plan;
  readonly #moves: readonly Move[];
  readonly #pending: Pending;
  readonly #layout: Layout;
  readonly #isBlind: Uint8Array;

  constructor(plan: Plan, pending: Pending) {
    this.#plan = plan;
    this.#moves = plan.moves;
    this.#pending = pending;
    this.#layout = layoutOf(plan);
    this.current = new Int32Array(this.#layout.length);
    this.after = new Int32Array(this.#layout.length);
    this.isForgotten = new Uint8Array(plan.slotOf.length);
    this.#isBlind = Uint8Array.from(plan.moves, (move) => (isBlind(move) ? 1 : 0));
  }

  isBlind(at: number): boolean {
    return this.#isBlind[at] === 1;
  }

  isOwed(record: Int32Array, at: number): boolean {
    return this.#hasBit(record, this.#layout.owed, at);
  }

  isUsed(record: Int32Array, at: number): boolean {
    return this.#hasBit(record, this.#layout.used, at);
  }

  #hasBit(record: Int32Array, base: number, at: number): boolean {
    const seat = this.#plan.seats[at]!;
    return (record[base + (seat >> 5)]! & (1 << (seat & 31))) !== 0;
  }

  /** `at` was called: whether the record that begins at `start` owes it. */
  isOwedAtCall(data: Int32Array, start: number, at: number): boolean {
    const move = this.#moves[at]!;
    // A blind write of what is there already makes no difference.
    if (this.isBlind(at))
      return data[start + this.#plan.slotOf[move.writes[0]!]!] !== move.writes[0];
    return move.writes.length > 0 || !this.#isContent(data, start, move);
  }

  /** Whether who only looks finds what it found. */
  #isContent(data: Int32Array, start: number, { requires, refuses }: Move): boolean {
    return (
      this.#holds(data, start, requires) &&
      !(refuses.length > 0 && this.#holds(data, start, refuses))
    );
  }

  #holds(data: Int32Array, start: number, cells: readonly number[]): boolean {
    for (const cell of cells) if (data[start + this.#plan.slotOf[cell]!] !== cell) return false;
    return true;
  }

  /**
   * Lets `at`, which is not used, happen: from `current` to `after`. False: it can't, or somebody
   * could then never be content.
   */
  happen(at: number): boolean {
    const { current, after } = this;
    const move = this.#moves[at]!;
    if (!this.#holds(current, 0, move.requires)) return false;
    after.set(current);
    this.#use(after, at);
    this.isOfUse = !this.isBlind(at);
    for (const cell of move.writes) this.#write(move, cell);
    for (const look of this.#pending.wideLooks) {
      if (!this.isOwed(after, look)) continue;
      const { requires, refuses } = this.#moves[look]!;
      // It may be a step towards what somebody waits for.
      this.isOfUse ||= move.writes.some((cell) => requires.includes(cell) || refuses.length > 0);
      if (this.#isContent(after, 0, this.#moves[look]!)) this.#settle(after, look);
    }
    for (const cell of move.writes) {
      const before = current[this.#plan.slotOf[cell]!]!;
      if (after[this.#plan.slotOf[cell]!] !== before && this.#isLost(after, before)) return false;
    }
    return true;
  }

  #write(move: Move, written: number): void {
    const { slotOf, unseen, words } = this.#plan;
    const { readers, refusers, refusersOfSlot, blindOfSlot, blindWriters, users } = this.#pending;
    const after = this.after;
    const slot = slotOf[written]!;
    const cell = this.isForgotten[written] === 1 ? unseen[slot]! : written;
    after[slot] = cell;
    // Blind writes can go unseen just before, unless it found what it replaced; else just after.
    const found = move.requires.some((required) => slotOf[required] === slot);
    const row = cell * words;
    for (let word = 0; word < words; word += 1) {
      const owed = after[this.#layout.owed + word]!;
      const refused = refusersOfSlot[slot * words + word]! & ~refusers[row + word]!;
      const content = readers[row + word]! | refused;
      if ((owed & content) !== 0) this.isOfUse = true;
      const unseenOnes = found ? blindWriters[row + word]! : blindOfSlot[slot * words + word]!;
      after[this.#layout.owed + word] = owed & ~(content | unseenOnes);
      if ((~after[this.#layout.used + word]! & users[row + word]!) !== 0) this.isOfUse = true;
    }
  }

  /** Marks that a blind write went unseen, for good. False: somebody could then never be content. */
  giveUp(record: Int32Array, at: number): boolean {
    this.#use(record, at);
    const cell = this.#moves[at]!.writes[0]!;
    return record[this.#plan.slotOf[cell]!] === cell || !this.#isLost(record, cell);
  }

  #use(record: Int32Array, at: number): void {
    const seat = this.#plan.seats[at]!;
    record[this.#layout.used + (seat >> 5)]! |= 1 << (seat & 31);
    this.#settle(record, at);
  }

  #settle(record: Int32Array, at: number): void {
    const seat = this.#plan.seats[at]!;
    record[this.#layout.owed + (seat >> 5)]! &= ~(1 << (seat & 31));
  }

  /** Nothing remains of a move that returned. */
  leave(record: Int32Array, at: number): void {
    const seat = this.#plan.seats[at]!;
    record[this.#layout.used + (seat >> 5)]! &= ~(1 << (seat & 31));
    this.#settle(record, at);
  }

  /** Somebody must still find the cell, which is not there, and nobody can write it any more. */
  #isLost(record: Int32Array, cell: number): boolean {
    const { needsToCome, writersToCome, needs, writers } = this.#pending;
    if (writersToCome[cell]! > 0) return false;
    const isNeeded = needsToCome[cell]! > 0 || this.#anyOwed(record, needs, cell);
    return isNeeded && !this.#anyUnused(record, writers, cell);
  }

  /** Whether somebody pending could tell if a blind write happened now or not. */
  matters(record: Int32Array, at: number): boolean {
    const { refusalsToCome, refusersOfSlot, needs, users, wideLooks } = this.#pending;
    const cell = this.#moves[at]!.writes[0]!;
    const slot = this.#plan.slotOf[cell]!;
    return (
      refusalsToCome[slot]! > 0 ||
      wideLooks.length > 0 ||
      this.mattersLater(at) ||
      this.#anyOwed(record, refusersOfSlot, slot) ||
      this.#anyOwed(record, needs, cell) ||
      this.#anyUnused(record, users, cell)
    );
  }

  /** Whether somebody to come could tell. */
  mattersLater(at: number): boolean {
    const { needsToCome, usersToCome, refusalsToCome } = this.#pending;
    const cell = this.#moves[at]!.writes[0]!;
    const isLookedFor = needsToCome[cell]! > 0 || usersToCome[cell]! > 0;
    return isLookedFor || refusalsToCome[this.#plan.slotOf[cell]!]! > 0;
  }

  #anyOwed(record: Int32Array, sets: Int32Array, row: number): boolean {
    const { words } = this.#plan;
    for (let word = 0; word < words; word += 1) {
      if ((record[this.#layout.owed + word]! & sets[row * words + word]!) !== 0) return true;
    }
    return false;
  }

  #anyUnused(record: Int32Array, sets: Int32Array, row: number): boolean {
    const { words } = this.#plan;
    for (let word = 0; word < words; word += 1) {
      if ((~record[this.#layout.used + word]! & sets[row * words + word]!) !== 0) return true;
    }
    return false;
  }
}
