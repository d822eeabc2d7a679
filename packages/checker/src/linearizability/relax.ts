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
  const writers = new Map<number, number>();
  const seen = new Set<number>();
  for (const step of steps) {
    for (const { value } of step.requires) seen.add(value);
    if (step.succeeds === false) continue;
    for (const { value } of step.writes) writers.set(value, (writers.get(value) ?? 0) + 1);
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
    } else {
      const value = step.writes.at(-1)?.value ?? UNSEEN;
      if (value === ABSENT || (writers.get(value) ?? 0) > 1) kept.push(step);
      // Nobody else can have written what somebody saw: it took effect.
      else if (seen.has(value)) kept.push(certain(step));
      // What nobody saw and nobody was refused for makes no difference.
    }
  }
  return { group: { keys, steps: kept }, isExact };
}

function certain(step: Step): Step {
  return { ...step, optional: false, succeeds: true, requires: step.compare };
}
