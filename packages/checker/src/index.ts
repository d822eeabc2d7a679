export * from "./violation.ts";
export { createInvariantChecker } from "./invariants.ts";
export type { EntryFact, InvariantChecker, InvariantOptions, StartFact } from "./invariants.ts";
export * from "./history.ts";
