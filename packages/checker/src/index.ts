export * from "./violation.ts";
export { createInvariantChecker } from "./invariants.ts";
export type { EntryFact, InvariantChecker, InvariantOptions, StartFact } from "./invariants.ts";
export * from "./history.ts";
export { createObservationChecker } from "./observation-checks.ts";
export type { ObservationChecker } from "./observation-checks.ts";
export { checkLinearizable } from "./linearizability/check.ts";
export type {
  GroupResult,
  LinearizabilityOptions,
  LinearizabilityResult,
} from "./linearizability/check.ts";
export { withDoubts } from "./linearizability/doubt.ts";
export { describeAction, describeOperation } from "./linearizability/describe.ts";
export type { Verdict } from "./linearizability/search.ts";
export { HistoryError, formatHistory, parseHistory } from "./history-lines.ts";
export type { ParsedHistory } from "./history-lines.ts";
export { historyPage } from "./picture/picture.ts";
export type { Picture } from "./picture/picture.ts";
