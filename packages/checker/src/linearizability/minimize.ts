/** Shrinks an illegal group of operations while it stays illegal. */
import type { Verdict } from "./search.ts";
import type { Cell, Group, Step } from "./steps.ts";

export interface Minimized {
  readonly group: Group;
  /** Without any one of its operations it is known to be explainable. */
  readonly isSmallest: boolean;
}

/**
 * Leaves out operations, in ever smaller pieces, as long as what is left has no explanation. Only
 * what proves nothing may go: never a write whose value somebody who stays has seen, or may have
 * been refused for. So an illegal rest proves the whole illegal.
 *
 * @param isOutOfTime then the best that was found so far must do.
 * @param lastCall what was called later is not likely to have a part in it.
 */
export function minimize(
  group: Group,
  verdictOn: (group: Group) => Verdict,
  isOutOfTime: () => boolean,
  lastCall = Number.POSITIVE_INFINITY,
): Minimized {
  const { keys } = group;
  let steps = group.steps;
  const upTo = steps.findIndex(({ call }) => call > lastCall);
  if (upTo !== -1) {
    const rest = withoutUnneeded(steps, upTo, steps.length);
    if (verdictOn({ keys, steps: rest }) === "illegal") steps = rest;
  }
  let piece = Math.ceil(steps.length / 2);
  for (;;) {
    let removedAny = false;
    let doubts = 0;
    for (let end = steps.length; end > 0; end -= piece) {
      if (isOutOfTime()) return { group: { keys, steps }, isSmallest: false };
      const start = Math.max(0, end - piece);
      const rest = withoutUnneeded(steps, start, end);
      if (rest.length === steps.length) continue;
      const verdict = verdictOn({ keys, steps: rest });
      if (verdict === "unknown") doubts += 1;
      if (verdict !== "illegal") continue;
      steps = rest;
      removedAny = true;
    }
    if (piece <= 1 && !removedAny) return { group: { keys, steps }, isSmallest: doubts === 0 };
    piece = Math.ceil(piece / 2);
  }
}

/** Takes out of `steps` what lies from `start` up to `end` and is not needed by what stays. */
function withoutUnneeded(steps: readonly Step[], start: number, end: number): readonly Step[] {
  const staying = new Set(steps);
  for (let at = start; at < end && at < steps.length; at += 1) staying.delete(steps[at]!);
  return withNeeded(steps, staying);
}

/** Of `steps` those of `some`, and all that they need: without it they would prove nothing. */
export function withNeeded(steps: readonly Step[], some: Iterable<Step>): readonly Step[] {
  const staying = new Set(some);
  // What stays may need what was to go, which in turn may need more.
  for (let changed = true; changed;) {
    changed = false;
    const needs = needsOf(staying);
    for (const step of steps) {
      if (staying.has(step) || !step.writes.some((cell) => needs.has(cell))) continue;
      staying.add(step);
      changed = true;
    }
  }
  return steps.filter((step) => staying.has(step));
}

interface Needs {
  has(cell: Cell): boolean;
}

function needsOf(steps: ReadonlySet<Step>): Needs {
  const required = new Set<string>();
  /** Somebody was refused: any write could be why. */
  const anyValue = new Set<number>();
  for (const { requires, succeeds, compare } of steps) {
    for (const { slot, value } of requires) required.add(`${slot} ${value}`);
    // Of unknown outcome: who leaves it out must not take away what it could have found.
    if (succeeds === null) {
      for (const { slot, value } of compare) required.add(`${slot} ${value}`);
    } else if (!succeeds) {
      for (const { slot } of compare) anyValue.add(slot);
    }
  }
  return {
    has: ({ slot, value }) => anyValue.has(slot) || required.has(`${slot} ${value}`),
  };
}
