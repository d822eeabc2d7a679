/**
 * The moves that have been called and have not returned, each in a seat of its own, and who among
 * them looks at or writes which cell, as sets of seats; and how many are still to be called.
 */
import type { Move, Moves } from "./moves.ts";

/** What is the same for every run over the same moves. */
export interface Plan extends Moves {
  /** In order of time: the move, twice; plus one if it returns. */
  readonly events: Int32Array;
  /** By move. A seat is used again after a return. */
  readonly seats: Int32Array;
  /** 32-bit words of a set of seats. */
  readonly words: number;
  /** By move and cell that it requires: how many of the cell's writers are called before it returns. */
  readonly writersInTime: readonly (readonly number[])[];
  /** How long a move takes, mostly. */
  readonly meanLength: number;
}

export function planOf(prepared: Moves): Plan {
  const { moves, slotOf } = prepared;
  const times = (event: number): number =>
    (event & 1) === 0 ? moves[event >> 1]!.call : moves[event >> 1]!.return;
  // Intervals are closed: at equal times calls come first. What may have happened goes last: it
  // matters until those that return then have returned.
  const rank = (event: number): number =>
    (event & 1) === 0 ? 0 : moves[event >> 1]!.optional ? 2 : 1;
  const events = Int32Array.from({ length: moves.length * 2 }, (_, event) => event);
  events.sort(
    (left, right) => times(left) - times(right) || rank(left) - rank(right) || left - right,
  );
  const seats = new Int32Array(moves.length);
  const free: number[] = [];
  let seatCount = 0;
  for (const event of events) {
    const at = event >> 1;
    if ((event & 1) === 1) free.push(seats[at]!);
    else seats[at] = free.pop() ?? seatCount++;
  }
  const calls: number[][] = slotOf.map(() => []);
  for (const { writes, call } of moves) for (const cell of writes) calls[cell]!.push(call);
  for (const list of calls) list.sort((left, right) => left - right);
  const writersInTime = moves.map(({ requires, return: end }) =>
    requires.map((cell) => countUntil(calls[cell]!, end)),
  );
  const lengths = moves.filter(({ optional }) => !optional);
  const sum = lengths.reduce((total, move) => total + move.return - move.call, 0);
  const meanLength = sum / Math.max(1, lengths.length) || 1;
  const words = Math.max(1, Math.ceil(seatCount / 32));
  return { ...prepared, events, seats, words, writersInTime, meanLength };
}

function countUntil(sorted: readonly number[], time: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A write of one cell, whatever was there: nobody need ever have seen what it wrote. */
export function isBlind({ requires, refuses, writes }: Move): boolean {
  return requires.length === 0 && refuses.length === 0 && writes.length === 1;
}

export class Pending {
  /** By cell, `words` each: pending moves that must still happen and require it. */
  readonly needs: Int32Array;
  /** Moves that change nothing, and require it and nothing else. */
  readonly readers: Int32Array;
  /** Moves that change nothing, and refuse it and nothing else. */
  readonly refusers: Int32Array;
  readonly writers: Int32Array;
  readonly blindWriters: Int32Array;
  /** Those that require it and write something. */
  readonly users: Int32Array;
  /** By slot, `words` each. */
  readonly blindOfSlot: Int32Array;
  readonly refusersOfSlot: Int32Array;
  /** Those that must happen first, each by return: blind writes; other writes; moves that require something and must happen. */
  readonly blind: number[] = [];
  readonly swaps: number[] = [];
  readonly owing: number[] = [];
  /** Those that change nothing and look at several slots, or at what must and must not be. */
  readonly wideLooks: number[] = [];
  /** Those that touch several slots. */
  readonly wide: number[] = [];
  /** Pending moves by seat; -1: nobody sits there. */
  readonly bySeat: Int32Array;
  /** By cell, of moves not yet called: that must happen and require it; that write; that use it. */
  readonly needsToCome: Int32Array;
  readonly writersToCome: Int32Array;
  readonly usersToCome: Int32Array;
  /** By cell: of its writers, those called so far. */
  readonly writersCalled: Int32Array;
  /** By cell: how many moves that look at it have not returned. */
  readonly looksLeft: Int32Array;
  /** By slot: refusals not yet called. */
  readonly refusalsToCome: Int32Array;
  readonly #plan: Plan;
  readonly #isWide: Uint8Array;

  constructor(plan: Plan) {
    const { words, slotOf, slotCount, moves } = plan;
    this.#plan = plan;
    this.#isWide = Uint8Array.from(moves, ({ requires, refuses, writes }) => {
      const slots = [...requires, ...refuses, ...writes].map((cell) => slotOf[cell]);
      return slots.some((slot) => slot !== slots[0]) ? 1 : 0;
    });
    const perCell = (): Int32Array => new Int32Array(slotOf.length * words);
    this.needs = perCell();
    this.readers = perCell();
    this.refusers = perCell();
    this.writers = perCell();
    this.blindWriters = perCell();
    this.users = perCell();
    this.blindOfSlot = new Int32Array(slotCount * words);
    this.refusersOfSlot = new Int32Array(slotCount * words);
    this.bySeat = new Int32Array(words * 32).fill(-1);
    this.needsToCome = new Int32Array(slotOf.length);
    this.writersToCome = new Int32Array(slotOf.length);
    this.usersToCome = new Int32Array(slotOf.length);
    this.writersCalled = new Int32Array(slotOf.length);
    this.looksLeft = new Int32Array(slotOf.length);
    this.refusalsToCome = new Int32Array(slotCount);
    for (const move of moves) {
      this.#countToCome(move, 1);
      for (const cell of [...move.requires, ...move.refuses]) this.looksLeft[cell]! += 1;
    }
  }

  /** Whether it touches several slots. */
  isWide(at: number): boolean {
    return this.#isWide[at] === 1;
  }

  call(at: number): void {
    const move = this.#plan.moves[at]!;
    this.#countToCome(move, -1);
    for (const cell of move.writes) this.writersCalled[cell]! += 1;
    this.bySeat[this.#plan.seats[at]!] = at;
    this.#turnBits(at);
    for (const list of this.#listsOf(at)) {
      let place = list.length;
      while (place > 0 && this.#isBefore(move, this.#plan.moves[list[place - 1]!]!)) place -= 1;
      list.splice(place, 0, at);
    }
  }

  /** @return cells at which nobody will look any more. */
  end(at: number): readonly number[] {
    const move = this.#plan.moves[at]!;
    this.bySeat[this.#plan.seats[at]!] = -1;
    this.#turnBits(at);
    for (const list of this.#listsOf(at)) list.splice(list.indexOf(at), 1);
    const gone: number[] = [];
    for (const cell of [...move.requires, ...move.refuses]) {
      this.looksLeft[cell]! -= 1;
      if (this.looksLeft[cell] === 0) gone.push(cell);
    }
    return gone;
  }

  /** What must happen at all comes first. */
  #isBefore(left: Move, right: Move): boolean {
    if (left.optional !== right.optional) return right.optional;
    return left.return < right.return;
  }

  #listsOf(at: number): number[][] {
    const move = this.#plan.moves[at]!;
    const { requires, refuses, writes, optional } = move;
    const lists: number[][] = [];
    if (isBlind(move)) lists.push(this.blind);
    else if (writes.length > 0) lists.push(this.swaps);
    if (requires.length > 0 && !optional) lists.push(this.owing);
    if (writes.length === 0 && requires.length + refuses.length > 1) lists.push(this.wideLooks);
    if (this.isWide(at)) lists.push(this.wide);
    return lists;
  }

  #turnBits(at: number): void {
    const { seats, words, slotOf, moves } = this.#plan;
    const { requires, refuses, writes, optional } = moves[at]!;
    const [word, bit] = [seats[at]! >> 5, 1 << (seats[at]! & 31)];
    const looks = writes.length === 0;
    const turn = (sets: Int32Array, row: number): void => {
      sets[row * words + word]! ^= bit;
    };
    for (const cell of requires) {
      if (!optional) turn(this.needs, cell);
      if (!looks) turn(this.users, cell);
      else if (requires.length === 1 && refuses.length === 0) turn(this.readers, cell);
    }
    if (refuses.length === 1 && requires.length === 0) {
      turn(this.refusers, refuses[0]!);
      turn(this.refusersOfSlot, slotOf[refuses[0]!]!);
    }
    for (const cell of writes) turn(this.writers, cell);
    if (isBlind(moves[at]!)) {
      turn(this.blindWriters, writes[0]!);
      turn(this.blindOfSlot, slotOf[writes[0]!]!);
    }
  }

  #countToCome({ requires, refuses, writes, optional }: Move, by: number): void {
    for (const cell of requires) {
      if (!optional) this.needsToCome[cell]! += by;
      if (writes.length > 0) this.usersToCome[cell]! += by;
    }
    for (const cell of writes) this.writersToCome[cell]! += by;
    for (const cell of refuses) this.refusalsToCome[this.#plan.slotOf[cell]!]! += by;
  }
}
