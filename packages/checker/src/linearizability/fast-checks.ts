/**
 * What can be seen without a search: each finding is one sentence and a few operations. Values
 * that were written more than once, and absence, are left to the search.
 */
import { textOf } from "./describe.ts";
import { ABSENT, UNSEEN } from "./steps.ts";
import type { Cell, Group, Step } from "./steps.ts";

export interface Finding {
  /** Why, without the operations. */
  readonly sentence: string;
  readonly steps: readonly Step[];
  /** The one that could not have been answered so. */
  readonly impossible: Step;
}

interface Written {
  readonly step: Step;
  readonly cell: Cell;
  /** By then it was certainly written: its own return, or that of the first who saw it. */
  effectiveBy: number;
  witness: Step;
}

export function findPlainContradiction(group: Group): Finding | null {
  for (let slot = 0; slot < group.keys.length; slot += 1) {
    const finding = checkSlot(group, slot);
    if (finding !== null) return finding;
  }
  return null;
}

function checkSlot({ keys, steps }: Group, slot: number): Finding | null {
  const key = keys[slot]!;
  const writers = writersOf(steps, slot);
  const readers = readersOf(steps, slot);
  for (const { step, cell } of readers) {
    const written = writers.get(cell.value);
    const seen = textOf(valueOf(step, key));
    if (written === undefined) {
      return finding(`${key} = ${seen} was seen, but nobody ever wrote it`, step);
    }
    if (written === "many") continue;
    if (written.step.call > step.return) {
      const early = `${key} = ${seen} was seen before anybody began to write it`;
      return finding(early, step, written.step);
    }
    if (step.return < written.effectiveBy) {
      written.effectiveBy = step.return;
      written.witness = step;
    }
  }
  return findStale(key, writers, readers) ?? findLost(key, slot, steps);
}

/** Absent, though it had been written before, and nobody can have deleted it. */
function findLost(key: string, slot: number, steps: readonly Step[]): Finding | null {
  let first: Step | null = null;
  for (const step of steps) {
    if (step.succeeds === false) continue;
    for (const cell of step.writes) {
      if (cell.slot !== slot) continue;
      if (cell.value === ABSENT) return null;
      const isSooner = !step.optional && (first === null || step.return < first.return);
      if (isSooner && !step.requires.some((found) => found.slot === slot)) first = step;
    }
  }
  if (first === null) return null;
  const { return: writtenBy } = first;
  const lost = steps.find(
    ({ call, requires }) =>
      call > writtenBy && requires.some((found) => found.slot === slot && found.value === ABSENT),
  );
  if (lost === undefined) return null;
  return finding(`${key} was seen to be absent although it had been written before`, lost, first);
}

/**
 * A value that was overwritten before the read began: some other write began after this value
 * was certainly there, and was certainly there itself before the read began.
 */
function findStale(
  key: string,
  writers: ReadonlyMap<number, Written | "many">,
  readers: readonly { readonly step: Step; readonly cell: Cell }[],
): Finding | null {
  const certain = [...writers.values()].filter((written) => written !== "many");
  certain.sort((left, right) => left.effectiveBy - right.effectiveBy);
  // Of all writes that were there by some time, the one that began last.
  const lastBegun: Written[] = [];
  for (const written of certain) {
    const before = lastBegun.at(-1);
    lastBegun.push(before !== undefined && before.step.call > written.step.call ? before : written);
  }
  for (const { step, cell } of readers) {
    const written = writers.get(cell.value);
    if (written === undefined || written === "many") continue;
    const count = countBefore(certain, step.call);
    const newer = count === 0 ? undefined : lastBegun[count - 1];
    if (newer === undefined || newer === written || newer.step.call <= written.effectiveBy)
      continue;
    const old = textOf(valueOf(step, key));
    // Who saw the values proves that they were there by then.
    const others = [written.step, written.witness, newer.step, newer.witness];
    return finding(
      `${key} = ${old} was seen although it had been overwritten before`,
      step,
      ...others,
    );
  }
  return null;
}

/** How many were certainly there before `time`. */
function countBefore(certain: readonly Written[], time: number): number {
  let low = 0;
  let high = certain.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (certain[middle]!.effectiveBy < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writersOf(steps: readonly Step[], slot: number): Map<number, Written | "many"> {
  const writers = new Map<number, Written | "many">();
  for (const step of steps) {
    if (step.succeeds === false) continue;
    for (const cell of step.writes) {
      if (cell.slot !== slot || cell.value === ABSENT) continue;
      const effectiveBy = step.succeeds === true ? step.return : Number.POSITIVE_INFINITY;
      const written = { step, cell, effectiveBy, witness: step };
      // What nobody saw still takes the place of what was there before.
      const name = cell.value === UNSEEN ? -1 - writers.size : cell.value;
      writers.set(name, writers.has(name) ? "many" : written);
    }
  }
  return writers;
}

function readersOf(
  steps: readonly Step[],
  slot: number,
): readonly { readonly step: Step; readonly cell: Cell }[] {
  return steps.flatMap((step) =>
    step.requires
      .filter((cell) => cell.slot === slot && cell.value !== ABSENT)
      .map((cell) => ({ step, cell })),
  );
}

/** The value that the step found at `key`, in words of the history. */
function valueOf({ operation }: Step, key: string): string | null {
  const { action } = operation;
  switch (action.kind) {
    case "get":
      return action.value;
    case "cas":
      return action.expected;
    case "txn":
      return [...action.compare, ...action.reads].find((cell) => cell.key === key)?.value ?? null;
    case "put":
    case "delete":
      return null;
  }
}

function finding(sentence: string, impossible: Step, ...others: readonly Step[]): Finding {
  return { sentence, steps: [...new Set([...others, impossible])], impossible };
}
