/**
 * What the panels remember of the timeline beyond the moment shown: the feed's lines and the
 * tape's bands. It knows no React; a listener of the timeline is told soon after each change.
 */
import { createFeed, type Feed, type FeedLine } from "@raftarium/observer";
import type { Timeline } from "../state/timeline.ts";
import { createTape, type Tape, type TapeModel } from "./tape-model.ts";

export interface History {
  /** Newest first. */
  lines(): readonly FeedLine[];
  tape(): TapeModel;
  /** The moment from which times are counted, microseconds; 0: nothing was heard yet. */
  startUs(): number;
  /** The newest moment heard of. */
  lastUs(): number;
}

const histories = new WeakMap<Timeline, History>();

/** The one history of a timeline, kept from the first call on. */
export function historyOf(timeline: Timeline): History {
  const known = histories.get(timeline);
  if (known !== undefined) return known;
  const history = createHistory(timeline);
  histories.set(timeline, history);
  return history;
}

function createHistory(timeline: Timeline): History {
  let feed: Feed = createFeed();
  let tape: Tape = createTape();
  let startUs = 0;
  let lastUs = 0;
  let version = 0;
  timeline.onObservations((batch, view) => {
    if (view.version < version) {
      // The stream began anew, perhaps with another cluster.
      feed = createFeed();
      tape = createTape();
      startUs = 0;
    }
    version = view.version;
    if (startUs === 0) startUs = batch[0]?.timeUs ?? 0;
    for (const observation of batch) {
      feed.take(observation);
      tape.take(observation);
    }
    lastUs = view.timeUs;
  });
  return {
    lines: () => feed.lines(),
    tape: () => tape.model(),
    startUs: () => startUs,
    lastUs: () => lastUs,
  };
}
