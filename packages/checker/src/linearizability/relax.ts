/**
 * A weaker question that is quickly answered: what is illegal even without the refusals. Leaving
 * out who changed nothing can't make a good history bad, so if what is left has no explanation,
 * neither has the whole.
 */
import { ABSENT, UNSEEN } from "./steps.ts";
import type { Group, Step } from "./steps.ts";

export interface Relaxed {
  readonly group: Group;
  /** Nothing was left out that could matter: the answer is the answer for the whole. */
  readonly isExact: boolean;
}

/** null: with several keys there is no short cut. */
export function relax({ keys, steps }: Group): Relaxed | null {
  if (keys.length !== 1) return null;
  const certain = certainOnes(steps);
  const asked = new Set<number>();
  for (const { succeeds, compare } of steps) {
    if (succeeds === null) for (const { value } of compare) asked.add(value);
  }
  const kept: Step[] = [];
  let isExact = true;
  for (const step of steps) {
    if (step.succeeds === false) {
      isExact = false;
      // What it was told besides the refusal still counts.
      if (step.requires.length > 0) kept.push({ ...step, succeeds: true, compare: [], writes: [] });
    } else if (!step.optional) {
      kept.push(step);
    } else if (certain.seen.has(valueOf(step)) || asked.has(valueOf(step))) {
      kept.push(certain.steps.has(step) ? asCertain(step) : step);
    }
    // An unknown write that nobody saw, nor might have: it makes no difference.
  }
  return { group: { keys, steps: kept }, isExact };
}

/**
 * The steps of unknown outcome that must have taken effect: somebody saw the value that only they
 * write, perhaps another of them.
 */
function certainOnes(steps: readonly Step[]): {
  readonly steps: ReadonlySet<Step>;
  readonly seen: ReadonlySet<number>;
} {
  const writers = new Map<number, number>();
  const seen = new Set<number>();
  const open = new Set<Step>();
  for (const step of steps) {
    for (const { value } of step.requires) seen.add(value);
    if (step.optional) open.add(step);
    if (step.succeeds === false) continue;
    for (const { value } of step.writes) writers.set(value, (writers.get(value) ?? 0) + 1);
  }
  const certain = new Set<Step>();
  for (let changed = true; changed;) {
    changed = false;
    for (const step of open) {
      const value = valueOf(step);
      if (value === ABSENT || !seen.has(value) || writers.get(value) !== 1) continue;
      open.delete(step);
      certain.add(step);
      for (const cell of step.compare) seen.add(cell.value);
      changed = true;
    }
  }
  return { steps: certain, seen };
}

function valueOf(step: Step): number {
  return step.writes.at(-1)?.value ?? UNSEEN;
}

function asCertain(step: Step): Step {
  return { ...step, optional: false, succeeds: true, requires: step.compare };
}
