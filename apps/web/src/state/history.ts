/**
 * All that the page remembers of a cluster: any moment again, what happened in words, and the
 * bands of the tape. It knows no React and no clock.
 */
import {
  createFeed,
  createRecording,
  type ClusterView,
  type FeedLine,
  type Observation,
} from "@raftarium/observer";
import { createTape, type TapeModel } from "./tape-model.ts";

export interface History {
  append(observation: Observation): void;
  /** The view after everything appended. */
  view(): ClusterView;
  /** The view as it was at a moment; the oldest kept if the moment is older. */
  viewAt(timeUs: number): ClusterView;
  /** Newest first. */
  lines(): readonly FeedLine[];
  tape(): TapeModel;
  /** The moment from which times are counted, microseconds; 0: nothing was heard yet. */
  startUs(): number;
  /** The earliest moment that can still be seen. */
  firstUs(): number;
  /** The newest moment heard of. */
  lastUs(): number;
}

/** @param begunUs the moment from which times are counted; null: that of what comes first. */
export function createHistory(begunUs: number | null = null): History {
  const recording = createRecording();
  const feed = createFeed();
  const tape = createTape();
  let startUs = begunUs ?? 0;
  return {
    append(observation) {
      if (startUs === 0) startUs = observation.timeUs;
      recording.append(observation);
      feed.take(observation);
      tape.take(observation);
    },
    view: () => recording.view(),
    viewAt: (timeUs) => recording.viewAt(timeUs),
    lines: () => feed.lines(),
    tape: () => tape.model(),
    startUs: () => startUs,
    firstUs: () => recording.firstUs(),
    lastUs: () => recording.lastUs(),
  };
}
