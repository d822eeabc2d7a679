/** The verdict on a history that may be incomplete. */
import type { LinearizabilityResult } from "./check.ts";

/**
 * With a write missing, nothing is certainly illegal: then it is unknown.
 *
 * @param doubts why it may be incomplete, each in words that follow "but"; none: as it was.
 */
export function withDoubts(
  result: LinearizabilityResult,
  doubts: readonly string[],
): LinearizabilityResult {
  if (result.verdict !== "illegal" || doubts.length === 0) return result;
  const sentence = `no order explains all of it, but ${doubts.join("; ")}`;
  const none = { window: [], isSmallest: false, impossible: null };
  return { ...result, ...none, verdict: "unknown", explanation: sentence, sentence };
}
