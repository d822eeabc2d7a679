export type * from "./observation.ts";
export { ENTRIES_IN_VIEW_MAX, ROWS_IN_VIEW_MAX } from "./observation.ts";
export { isReply, messageKindOf, summarize } from "./summary.ts";
