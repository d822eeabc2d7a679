/** The pieces that the lines of the feed are made of. */
import type { NodeId, Term } from "@raftarium/raft";
import type { Words } from "./words.ts";

/** A piece of a line. `strong`: what a reader's eye looks for. */
export interface FeedWords extends Words {
  readonly strong: boolean;
}

/**
 * `quiet`: for who looks closely. `heartbeat`: hidden unless asked for. `broken`: a promise of
 * Raft does not hold.
 */
export type FeedTone = "plain" | "quiet" | "heartbeat" | "broken";

/** What one observation has to say. Tellings of one key become one line. */
export interface Telling {
  /**
   * `event`: the same again is counted, and other nodes join the first. `request`: says the same
   * in more detail. `stored`, `committed`: stretches of the log, joined when there are many.
   * `tally`: counted in the sentence itself.
   */
  readonly kind: "event" | "request" | "stored" | "committed" | "tally";
  readonly key: string;
  /** With whom the sentence begins; empty: `words` are all of it. */
  readonly nodeIds: readonly NodeId[];
  readonly words: readonly FeedWords[];
  readonly tone: FeedTone;
  /**
   * Of `stored` and `committed`: which entries. Of `request` and `tally`, `to`: how many it adds
   * to a sum; 0: only more about one that was counted.
   */
  readonly from: number;
  readonly to: number;
}

export function plain(text: string): FeedWords {
  return { text, term: null, strong: false };
}

export function strong(text: string): FeedWords {
  return { text, term: null, strong: true };
}

/** "term 4", in its colour. */
export function termWords(term: Term): FeedWords {
  return { text: `term ${term}`, term, strong: true };
}

/** "5.2 s" */
export function secondsWords(us: number): string {
  const seconds = us / 1_000_000;
  return seconds < 0.1 ? `${Math.max(1, Math.round(us / 1000))} ms` : `${seconds.toFixed(1)} s`;
}

/** "index 15", "indexes 3 to 9" */
export function indexWords(from: number, to: number): string {
  return from === to ? `index ${to}` : `indexes ${from} to ${to}`;
}

export function event(
  key: string,
  nodeId: NodeId | null,
  words: readonly FeedWords[],
  tone: FeedTone = "plain",
): Telling {
  const nodeIds = nodeId === null ? [] : [nodeId];
  return { kind: "event", key, nodeIds, words, tone, from: 0, to: 0 };
}
