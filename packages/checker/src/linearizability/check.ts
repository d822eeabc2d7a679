/** The verdict on a whole history. */
import type { Operation } from "../history.ts";
import { explainIllegal } from "./explain.ts";
import type { Explanation } from "./explain.ts";
import { findPlainContradiction } from "./fast-checks.ts";
import { relax } from "./relax.ts";
import { search } from "./search.ts";
import type { SearchLimits, Verdict } from "./search.ts";
import { groupsOf } from "./steps.ts";
import type { Group, Step } from "./steps.ts";

export interface LinearizabilityOptions {
  /** Configurations to look at, at most, in each group of keys; beyond it: unknown. */
  readonly budget?: number;
  /** Asked now and then; true ends the search: unknown. */
  readonly isOutOfTime?: () => boolean;
  /**
   * Look at every group, and find as much of an order as there is even where it is plain that
   * there is no whole one: for pictures. Otherwise the first illegal group ends the check.
   */
  readonly thorough?: boolean;
}

export interface LinearizabilityResult {
  /**
   * `ok`: some order explains what everybody saw. `illegal`: none does. `unknown`: the search was
   * given up; never a pass.
   */
  readonly verdict: Verdict;
  /** In words, why it is illegal or unknown; empty if it is ok. */
  readonly explanation: string;
  /** The same in one sentence, without the operations of the window. */
  readonly sentence: string;
  /**
   * Illegal: operations that no order explains, none of which can be left out without making the
   * rest explainable (a write whose value somebody saw stays). By time of call.
   */
  readonly window: readonly Operation[];
  /** Illegal: the first one, in the window, that no order reaches. */
  readonly impossible: Operation | null;
  /** Configurations looked at in all groups. */
  readonly visitedCount: number;
  /** Those that were looked at. */
  readonly groups: readonly GroupResult[];
}

/** Keys that operations connect: each such group of keys is judged by itself. */
export interface GroupResult {
  readonly verdict: Verdict;
  readonly keys: readonly string[];
  /** Those that had, or may have had, an effect or an answer. */
  readonly operationCount: number;
  /**
   * Ok: an order that explains everything. Otherwise the longest one that was found. Operations of
   * unknown outcome, and refusals that fit anywhere, may be missing from it.
   */
  readonly order: readonly Operation[];
}

const BUDGET = 2_000_000;
/** For an order that can't be whole. */
const BUDGET_OF_PICTURES = 20_000;
const never = (): boolean => false;

/**
 * Whether a history of puts, gets, deletes and transactions is linearizable (Herlihy and Wing
 * 1990), starting from no keys at all. Failed operations are taken to have had no effect; unknown
 * ones may have taken effect at any time after their call, or never.
 */
export function checkLinearizable(
  history: readonly Operation[],
  { budget = BUDGET, isOutOfTime = never, thorough = false }: LinearizabilityOptions = {},
): LinearizabilityResult {
  const limits: SearchLimits = { budget, isOutOfTime };
  const groups: GroupResult[] = [];
  let visitedCount = 0;
  let unknown = "";
  let illegal: Explanation | null = null;
  for (const group of groupsOf(history)) {
    const judged = judge(group, limits);
    visitedCount += judged.visitedCount;
    if (judged.verdict === "illegal") illegal ??= judged.explain();
    if (judged.verdict === "unknown" && unknown === "") {
      unknown =
        `no order was found for ${group.steps.length} operations on ${group.keys.join(", ")}, ` +
        `and the search was given up after ${judged.visitedCount} configurations`;
    }
    const order = thorough ? orderOf(group, judged, limits) : judged.order;
    groups.push({
      verdict: judged.verdict,
      keys: group.keys,
      operationCount: group.steps.length,
      order: order.map(({ operation }) => operation),
    });
    if (illegal !== null && !thorough) break;
  }
  if (illegal !== null) return { verdict: "illegal", ...illegal, visitedCount, groups };
  const verdict = unknown === "" ? "ok" : "unknown";
  const none = { window: [], impossible: null };
  return { verdict, explanation: unknown, sentence: unknown, ...none, visitedCount, groups };
}

interface Found {
  readonly verdict: Verdict;
  readonly visitedCount: number;
  /** The longest one that was found. */
  readonly order: readonly Step[];
}

interface Judged extends Found {
  /** If it is illegal. */
  explain(): Explanation;
}

/** From the quickest way of finding out to the slowest. */
function judge(group: Group, limits: SearchLimits): Judged {
  const searchIt = (smaller: Group): Found => searchWhole(smaller, limits);
  if (findPlainContradiction(group) !== null) {
    const explain = (): Explanation => explainIllegal(group, searchIt);
    return { verdict: "illegal", visitedCount: 0, order: [], explain };
  }
  const weaker = searchRelaxed(group, limits);
  if (weaker?.verdict === "illegal") {
    const withoutRefusals = { ...group, steps: group.steps.filter(tellsMore) };
    const searchAgain = (smaller: Group): Found => searchRelaxed(smaller, limits)!;
    return { ...weaker, explain: () => explainIllegal(withoutRefusals, searchAgain) };
  }
  const isEnough = weaker !== null && weaker.verdict === "ok" && weaker.isExact;
  const found = isEnough ? weaker : searchIt(group);
  const visitedCount = found.visitedCount + (isEnough ? 0 : (weaker?.visitedCount ?? 0));
  return { ...found, visitedCount, explain: () => explainIllegal(group, searchIt) };
}

function searchWhole(group: Group, limits: SearchLimits): Found {
  const { longest, ...found } = search(group, limits);
  return { ...found, order: longest.map((at) => group.steps[at]!) };
}

function searchRelaxed(
  group: Group,
  limits: SearchLimits,
): (Found & { readonly isExact: boolean }) | null {
  const relaxed = relax(group);
  if (relaxed === null) return null;
  const { longest, ...found } = search(relaxed.group, limits, true);
  const order = longest.map((at) => relaxed.group.steps[at]!);
  return { ...found, order, isExact: relaxed.isExact };
}

function tellsMore({ succeeds, requires }: Step): boolean {
  return succeeds !== false || requires.length > 0;
}

/** Where it was plain without a search: as far as an order goes. */
function orderOf(group: Group, { verdict, order }: Found, limits: SearchLimits): readonly Step[] {
  if (verdict !== "illegal" || order.length > 0) return order;
  const budget = Math.min(limits.budget, BUDGET_OF_PICTURES);
  return searchWhole(group, { ...limits, budget }).order;
}
