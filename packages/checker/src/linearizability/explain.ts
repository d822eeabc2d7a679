/** Why a group of operations can't be explained, as shortly as it can be said. */
import type { Operation, Value } from "../history.ts";
import { describeOperation, textOf } from "./describe.ts";
import { findPlainContradiction } from "./fast-checks.ts";
import { minimize, withNeeded } from "./minimize.ts";
import type { Verdict } from "./search.ts";
import { effectsOf } from "./steps.ts";
import type { Group, Step } from "./steps.ts";

export interface Explanation {
  readonly explanation: string;
  readonly sentence: string;
  readonly window: readonly Operation[];
  /** It is known that none of the window can be left out. */
  readonly isSmallest: boolean;
  readonly impossible: Operation;
}

type Search = (group: Group) => { readonly verdict: Verdict; readonly order: readonly Step[] };

/** What is known from having found out. */
interface Hints {
  /** What was called later is not likely to have a part in it. */
  readonly lastCall?: number | undefined;
  /** The longest that was found. */
  readonly order?: readonly Step[];
}

const NAMED_MAX = 8;

/**
 * @param group No order explains it, as `search` can tell.
 * @param isOutOfTime then the smallest window that was found so far must do.
 */
export function explainIllegal(
  group: Group,
  search: Search,
  isOutOfTime: () => boolean,
  { lastCall, order = [] }: Hints = {},
): Explanation {
  const found = findPlainContradiction(group);
  // What was found without a search is small already.
  const steps = found === null ? group.steps : withNeeded(group.steps, found.steps);
  const { group: smaller, isSmallest } = minimize(
    { keys: group.keys, steps },
    (rest) => search(rest).verdict,
    isOutOfTime,
    lastCall,
  );
  const window = smaller.steps.map(({ operation }) => operation);
  const plain = findPlainContradiction(smaller);
  const named = window.slice(0, NAMED_MAX).map(describeOperation).join("; ");
  const more = window.length > NAMED_MAX ? `; and ${window.length - NAMED_MAX} more` : "";
  if (plain !== null) {
    const { sentence, impossible } = plain;
    const explanation = `${sentence}: ${named}${more}`;
    return { explanation, sentence, window, isSmallest, impossible: impossible.operation };
  }
  const explanation = `no order of these explains what was seen: ${named}${more}`;
  const again = search(smaller);
  const stuck =
    again.verdict === "illegal" ? stuckAt(smaller, again.order) : lastKnown(smaller, order);
  return { explanation, ...stuck, window, isSmallest };
}

/** Without the time to look at the window by itself. */
function lastKnown(
  { keys, steps }: Group,
  order: readonly Step[],
): { readonly sentence: string; readonly impossible: Operation } {
  const operation = firstLeft(steps, order);
  const sentence =
    `no order explains ${steps.length} operations on ${keys.join(", ")}: the longest that was ` +
    `found ends before ${describeOperation(operation)}`;
  return { sentence, impossible: operation };
}

/** The one that had to come next. */
function firstLeft(steps: readonly Step[], order: readonly Step[]): Operation {
  const taken = new Set(order.map(({ operation }) => operation));
  const left = steps.filter(({ operation }) => !taken.has(operation));
  // What never got an answer could always wait.
  const from = left.length === 0 ? steps : left;
  return from.reduce((first, step) => (step.return < first.return ? step : first)).operation;
}

/** The operation that had to come next when the longest order had come to its end. */
function stuckAt(
  { keys, steps }: Group,
  order: readonly Step[],
): { readonly sentence: string; readonly impossible: Operation } {
  const operation = firstLeft(steps, order);
  const state = valuesAfter(order);
  const values = keys.map((key) => {
    const value = state.get(key) ?? null;
    return value === null ? `${key} is absent` : `${key} is ${textOf(value)}`;
  });
  const before = order.length === 0 ? "at the beginning" : "after the longest order there is";
  const sentence = `${describeOperation(operation)} fits nowhere: ${before} ${values.join(", ")}`;
  return { sentence, impossible: operation };
}

function valuesAfter(order: readonly Step[]): ReadonlyMap<string, Value> {
  const state = new Map<string, Value>();
  for (const { operation, optional } of order) {
    const { compare, writes, succeeds } = effectsOf(operation.action, optional);
    const holds = compare.every(({ key, value }) => (state.get(key) ?? null) === value);
    if (holds && succeeds !== false) {
      for (const { key, value } of writes) state.set(key, value);
    }
  }
  return state;
}
