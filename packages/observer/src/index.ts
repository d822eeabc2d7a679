export type * from "./observation.ts";
export { ENTRIES_IN_VIEW_MAX, ROWS_IN_VIEW_MAX } from "./observation.ts";
export * from "./view.ts";
export { EMPTY_VIEW, createFold, fold, type Fold } from "./fold.ts";
export { createRecording, type Kept, type Recording, type RecordingOptions } from "./recording.ts";
export { FEED_LINES_MAX, createFeed, type Feed, type FeedLine } from "./feed.ts";
export { disksWith, requestWords } from "./feed-telling.ts";
export { type FeedTone, type FeedWords } from "./feed-words.ts";
export { BLANK_SUMMARY, isReply, messageKindOf, summarize } from "./summary.ts";
export {
  headlineOf,
  listWords,
  nodeLabel,
  nodeWord,
  membersWords,
  reachesMajority,
  sentenceOf,
  votersOf,
  type Words,
} from "./words.ts";
