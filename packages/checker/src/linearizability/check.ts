/** The verdict on a whole history. */
import type { Operation } from "../history.ts";
import { explainIllegal } from "./explain.ts";
import type { Explanation } from "./explain.ts";
import { findPlainContradiction } from "./fast-checks.ts";
import { searchFrontier } from "./frontier.ts";
import type { FrontierResult } from "./frontier.ts";
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
   * Asked while the window of an illegal history is made smaller; true: it is left as small as it
   * is by then.
   */
  readonly isSmallEnough?: () => boolean;
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
   * Illegal: operations that no order explains, as few as were found (a write whose value somebody
   * saw stays). By time of call.
   */
  readonly window: readonly Operation[];
  /** Illegal: it is known that none of the window can be left out. */
  readonly isSmallest: boolean;
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
/** What does not end soon in the depth seldom ends at all. */
const BUDGET_OF_DEPTH = 20_000;
/** At least, for each part of an illegal history that is tried on the way to a small one. */
const BUDGET_OF_PARTS = 100_000;
const WIDTH_OF_FIRST_LOOK = 16;
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
  {
    budget = BUDGET,
    isOutOfTime = never,
    isSmallEnough = never,
    thorough = false,
  }: LinearizabilityOptions = {},
): LinearizabilityResult {
  const limits: SearchLimits = { budget, isOutOfTime };
  const isOver = (): boolean => isOutOfTime() || isSmallEnough();
  const partLimits: SearchLimits = { budget, isOutOfTime: isOver };
  const groups: GroupResult[] = [];
  let visitedCount = 0;
  let unknown = "";
  let illegal: Explanation | null = null;
  for (const group of groupsOf(history)) {
    const judged = judge(group, limits, partLimits);
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
  const none = { window: [], isSmallest: false, impossible: null };
  return { verdict, explanation: unknown, sentence: unknown, ...none, visitedCount, groups };
}

interface Found {
  readonly verdict: Verdict;
  readonly visitedCount: number;
  /** The longest one that was found. */
  readonly order: readonly Step[];
  /** Illegal: what was called later is not likely to have a part in it. */
  readonly lastCall?: number;
}

interface Judged extends Found {
  /** If it is illegal. */
  explain(): Explanation;
}

/** From the quickest way of finding out to the slowest. */
function judge(group: Group, limits: SearchLimits, partLimits: SearchLimits): Judged {
  const { isOutOfTime: isOver } = partLimits;
  const forParts = { ...partLimits, budget: Math.min(limits.budget, BUDGET_OF_PARTS) };
  const searchPart = (smaller: Group): Found => searchWhole(smaller, forParts);
  if (findPlainContradiction(group) !== null) {
    const explain = (): Explanation => explainIllegal(group, searchPart, isOver);
    return { verdict: "illegal", visitedCount: 0, order: [], explain };
  }
  const quick = { ...limits, budget: Math.min(limits.budget, BUDGET_OF_DEPTH) };
  const weaker = searchRelaxed(group, quick);
  if (weaker?.verdict === "illegal") {
    const withoutRefusals = { ...group, steps: group.steps.filter(tellsMore) };
    const searchAgain = (smaller: Group): Found => {
      const again = searchRelaxed(smaller, { ...quick, isOutOfTime: isOver })!;
      return again.verdict === "unknown" ? searchPart(smaller) : again;
    };
    return { ...weaker, explain: () => explainIllegal(withoutRefusals, searchAgain, isOver) };
  }
  const isEnough = weaker !== null && weaker.verdict === "ok" && weaker.isExact;
  const found = isEnough ? weaker : searchWhole(group, limits);
  const visitedCount = found.visitedCount + (isEnough ? 0 : (weaker?.visitedCount ?? 0));
  // A part that is as illegal as the whole may take as long to be found so.
  const budget = Math.min(limits.budget, Math.max(BUDGET_OF_PARTS, visitedCount * 2));
  const searchLikeWhole = (smaller: Group): Found =>
    searchWhole(smaller, { ...partLimits, budget });
  const explain = (): Explanation => explainIllegal(group, searchLikeWhole, isOver, found);
  return { ...found, visitedCount, explain };
}

/** A narrow look ahead, a look into the depth, then wider and wider. */
function searchWhole(group: Group, limits: SearchLimits): Found {
  const narrow = ahead(group, searchFrontier(group, limits, WIDTH_OF_FIRST_LOOK));
  if (narrow.verdict !== "unknown" || narrow.visitedCount >= limits.budget) return narrow;
  const left = limits.budget - narrow.visitedCount;
  const { longest, ...deep } = search(group, {
    ...limits,
    budget: Math.min(left, BUDGET_OF_DEPTH),
  });
  const visitedCount = narrow.visitedCount + deep.visitedCount;
  const order = longest.map((at) => group.steps[at]!);
  if (deep.verdict !== "unknown") return { ...deep, visitedCount, order };
  const budget = limits.budget - visitedCount;
  if (budget <= 0 || limits.isOutOfTime()) return { ...deep, visitedCount, order };
  const wide = ahead(group, searchFrontier(group, { ...limits, budget }));
  return { ...wide, visitedCount: visitedCount + wide.visitedCount };
}

function ahead(group: Group, { longest, stuckAt, ...found }: FrontierResult): Found {
  return { ...found, order: longest.map((at) => group.steps[at]!), lastCall: stuckAt };
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
