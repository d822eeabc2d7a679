/** The verdict on a whole history. */
import type { Operation } from "../history.ts";
import { findPlainContradiction } from "./fast-checks.ts";
import { describeOperation } from "./describe.ts";
import { minimize } from "./minimize.ts";
import { relax } from "./relax.ts";
import { search } from "./search.ts";
import type { SearchResult, Verdict } from "./search.ts";
import { groupsOf } from "./steps.ts";
import type { Group, Step } from "./steps.ts";

export interface LinearizabilityOptions {
  /** Configurations to look at, at most, in each group of keys; beyond it: unknown. */
  readonly budget?: number;
}

export interface LinearizabilityResult {
  /**
   * `ok`: some order explains what everybody saw. `illegal`: none does. `unknown`: the search was
   * given up; never a pass.
   */
  readonly verdict: Verdict;
  /** In words, why it is illegal or unknown; empty if it is ok. */
  readonly explanation: string;
  /**
   * Illegal: operations that no order explains, none of which can be left out without making the
   * rest explainable (a write whose value somebody saw stays). By time of call.
   */
  readonly window: readonly Operation[];
  /** Configurations looked at in all groups. */
  readonly visitedCount: number;
}

const BUDGET = 2_000_000;
const NAMED_MAX = 8;

/**
 * Whether a history of puts, gets, deletes and transactions is linearizable (Herlihy and Wing
 * 1990), starting from no keys at all. Failed operations are taken to have had no effect; unknown
 * ones may have taken effect at any time after their call, or never.
 */
export function checkLinearizable(
  history: readonly Operation[],
  options: LinearizabilityOptions = {},
): LinearizabilityResult {
  const budget = options.budget ?? BUDGET;
  let visitedCount = 0;
  let unknown = "";
  for (const group of groupsOf(history)) {
    const plain = findPlainContradiction(group);
    if (plain !== null) {
      const window = plain.steps
        .map(({ operation }) => operation)
        .toSorted((left, right) => left.call - right.call);
      return { verdict: "illegal", explanation: plain.explanation, window, visitedCount };
    }
    const weaker = searchRelaxed(group, budget);
    visitedCount += weaker?.visitedCount ?? 0;
    if (weaker?.verdict === "illegal") {
      const withoutRefusals = { ...group, steps: group.steps.filter(tellsMore) };
      const stays = (smaller: Group): boolean =>
        searchRelaxed(smaller, budget)?.verdict === "illegal";
      return explain(withoutRefusals, stays, visitedCount);
    }
    if (weaker?.verdict === "ok" && weaker.isExact) continue;
    const result = search(group, budget);
    visitedCount += result.visitedCount;
    if (result.verdict === "illegal") {
      const stays = (smaller: Group): boolean => search(smaller, budget).verdict === "illegal";
      return explain(group, stays, visitedCount);
    }
    if (result.verdict === "unknown" && unknown === "") {
      unknown =
        `no order was found for ${group.steps.length} operations on ${group.keys.join(", ")}, ` +
        `and the search was given up after ${result.visitedCount} configurations`;
    }
  }
  const verdict = unknown === "" ? "ok" : "unknown";
  return { verdict, explanation: unknown, window: [], visitedCount };
}

function searchRelaxed(
  group: Group,
  budget: number,
): (SearchResult & { readonly isExact: boolean }) | null {
  const relaxed = relax(group);
  if (relaxed === null) return null;
  return { ...search(relaxed.group, budget, true), isExact: relaxed.isExact };
}

function tellsMore({ succeeds, requires }: Step): boolean {
  return succeeds !== false || requires.length > 0;
}

function explain(
  group: Group,
  isIllegal: (smaller: Group) => boolean,
  visitedCount: number,
): LinearizabilityResult {
  const smaller = minimize(group, isIllegal);
  const window = smaller.steps.map(({ operation }) => operation);
  const plain = findPlainContradiction(smaller);
  const named = window.slice(0, NAMED_MAX).map(describeOperation).join("; ");
  const more = window.length > NAMED_MAX ? `; and ${window.length - NAMED_MAX} more` : "";
  const explanation =
    plain?.explanation ?? `no order of these explains what was seen: ${named}${more}`;
  return { verdict: "illegal", explanation, window, visitedCount };
}
