/**
 * A group's steps in the form in which the frontier works on them: what each must have found, must
 * not have found and wrote, as numbered cells (a key and a value of it). What can't matter, because
 * nobody could tell, is left out or made alike, and what others saw narrows down when it happened.
 */
import { ABSENT, UNSEEN } from "./steps.ts";
import type { Cell, Group, Step } from "./steps.ts";

export interface Move {
  /** Its place in the group. */
  readonly at: number;
  /** Cells that it found, at most one of each slot. */
  readonly requires: readonly number[];
  /** Cells of other slots, of which it did not find all. */
  readonly refuses: readonly number[];
  /** Cells that it wrote instead of others, at most one of each slot. */
  readonly writes: readonly number[];
  readonly call: number;
  /** By then it has happened, or, if it is optional, makes no difference any more. */
  readonly return: number;
  readonly optional: boolean;
}

export interface Moves {
  readonly moves: readonly Move[];
  readonly slotCount: number;
  /** Of each cell. The first cells are the absence of each slot's key, in order. */
  readonly slotOf: readonly number[];
  /** By slot: what nobody looks at. */
  readonly unseen: readonly number[];
}

type Draft = { -readonly [Name in keyof Move]: Move[Name] };

/** A step that no state explains. */
const IMPOSSIBLE = "impossible";

/** null: it is plain that no order explains the group. */
export function toMoves({ keys, steps }: Group): Moves | null {
  const slotOf: number[] = [];
  const cells = new Map<number, number>();
  const nameOf = (slot: number, value: number): number => {
    const key = value * keys.length + slot;
    const known = cells.get(key);
    if (known !== undefined) return known;
    const cell = slotOf.length;
    cells.set(key, cell);
    slotOf.push(slot);
    return cell;
  };
  for (const slot of keys.keys()) nameOf(slot, ABSENT);
  const unseen = [...keys.keys()].map((slot) => nameOf(slot, UNSEEN));
  const drafts: Draft[] = [];
  for (const [at, step] of steps.entries()) {
    const draft = draftOf(step, at, nameOf);
    if (draft === IMPOSSIBLE) return null;
    if (draft !== null) drafts.push(draft);
  }
  if (!narrow(drafts, slotOf, keys.length)) return null;
  const moves = withoutUnseen(drafts, slotOf, unseen);
  return { moves, slotCount: keys.length, slotOf, unseen };
}

type NameOf = (slot: number, value: number) => number;

/** null: it can't matter. */
function draftOf(step: Step, at: number, nameOf: NameOf): Draft | null | typeof IMPOSSIBLE {
  const { succeeds, optional } = step;
  const found = new Map<number, number>();
  const refuses: number[] = [];
  const writes: number[] = [];
  if (succeeds === false) {
    if (!step.reads.every((cell) => isOnly(found, cell))) return IMPOSSIBLE;
    const others = refusedOnes(step.compare, found);
    if (others?.size === 0) return IMPOSSIBLE;
    for (const [slot, value] of others ?? []) refuses.push(nameOf(slot, value));
  } else {
    if (!step.compare.every((cell) => isOnly(found, cell))) return optional ? null : IMPOSSIBLE;
    const after = new Map(step.writes.map(({ slot, value }) => [slot, value]));
    for (const cell of step.reads) {
      const isRight = after.has(cell.slot)
        ? after.get(cell.slot) === cell.value
        : isOnly(found, cell);
      if (!isRight) return IMPOSSIBLE;
    }
    for (const [slot, value] of after) {
      if (found.get(slot) !== value) writes.push(nameOf(slot, value));
    }
  }
  const requires = [...found].map(([slot, value]) => nameOf(slot, value));
  const saysNothing = optional || (requires.length === 0 && refuses.length === 0);
  if (writes.length === 0 && saysNothing) return null;
  return { at, requires, refuses, writes, call: step.call, return: step.return, optional };
}

/** Whether the slot was not found with another value; from now on it was found with this one. */
function isOnly(found: Map<number, number>, { slot, value }: Cell): boolean {
  if (!found.has(slot)) found.set(slot, value);
  return found.get(slot) === value;
}

/** What must not all hold, beyond what was `found`; null: they can't all hold anyhow. */
function refusedOnes(
  compare: readonly Cell[],
  found: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> | null {
  const others = new Map<number, number>();
  for (const cell of compare) {
    const known = found.get(cell.slot);
    if (known === undefined ? !isOnly(others, cell) : known !== cell.value) return null;
  }
  return others;
}

/** Each round takes the news one step further along a chain of swaps; more rounds only help. */
const ROUNDS_MAX = 20;

/**
 * A value that only one step writes was there before anybody found it: the writer happened before
 * the first of them was answered, and they after the writer was called. False: they can't have.
 */
function narrow(drafts: readonly Draft[], slotOf: readonly number[], slotCount: number): boolean {
  const writers = new Map<number, Draft | null>();
  for (const draft of drafts) {
    for (const cell of draft.writes) writers.set(cell, writers.has(cell) ? null : draft);
  }
  // Whatever is absent or unseen at first has no one writer.
  for (let cell = 0; cell < slotCount * 2; cell += 1) writers.delete(cell);
  for (let round = 0, changed = true; changed && round < ROUNDS_MAX; round += 1) {
    changed = false;
    for (const draft of drafts) {
      for (const cell of draft.requires) {
        const writer = writers.get(cell);
        if (writer === undefined && !draft.optional && slotOf[cell] !== cell) return false;
        if (writer === undefined || writer === null) continue;
        if (draft.call < writer.call) {
          draft.call = writer.call;
          changed = true;
        }
        if (draft.optional || draft.return >= writer.return) continue;
        writer.return = draft.return;
        writer.optional = false;
        changed = true;
      }
      if (!draft.optional && draft.call > draft.return) return false;
    }
  }
  return true;
}

function withoutUnseen(
  drafts: readonly Draft[],
  slotOf: readonly number[],
  unseen: readonly number[],
): readonly Move[] {
  const { lookedAtUntil, refusedUntil } = looksOf(drafts, slotOf);
  const moves: Draft[] = [];
  for (const draft of drafts) {
    if (draft.optional) {
      draft.return = Math.max(
        ...draft.writes.map((cell) => Math.max(lookedAtUntil[cell]!, refusedUntil[slotOf[cell]!]!)),
      );
      if (draft.return < draft.call) continue;
    }
    draft.writes = draft.writes.map((cell) =>
      lookedAtUntil[cell]! < draft.call ? unseen[slotOf[cell]!]! : cell,
    );
    moves.push(draft);
  }
  return moves;
}

/** When the last one returns that could tell a cell; and when the last refusal does, by slot. */
function looksOf(
  drafts: readonly Draft[],
  slotOf: readonly number[],
): { readonly lookedAtUntil: Float64Array; readonly refusedUntil: Float64Array } {
  const lookedAtUntil = new Float64Array(slotOf.length).fill(Number.NEGATIVE_INFINITY);
  const refusedUntil = new Float64Array(slotOf.length).fill(Number.NEGATIVE_INFINITY);
  const open = drafts.filter(({ optional }) => optional);
  for (const { requires, refuses, optional, return: end } of drafts) {
    if (optional) continue;
    for (const cell of [...requires, ...refuses]) {
      lookedAtUntil[cell] = Math.max(lookedAtUntil[cell]!, end);
    }
    for (const cell of refuses) {
      refusedUntil[slotOf[cell]!] = Math.max(refusedUntil[slotOf[cell]!]!, end);
    }
  }
  // Who may have happened looks, too, as long as somebody may look at what it wrote.
  for (let changed = true; changed;) {
    changed = false;
    for (const { requires, writes } of open) {
      const until = Math.max(
        ...writes.map((cell) => Math.max(lookedAtUntil[cell]!, refusedUntil[slotOf[cell]!]!)),
      );
      for (const cell of requires) {
        if (lookedAtUntil[cell]! >= until) continue;
        lookedAtUntil[cell] = until;
        changed = true;
      }
    }
  }
  return { lookedAtUntil, refusedUntil };
}
