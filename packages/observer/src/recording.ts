/**
 * A bounded log of observations with keyframes, so that any moment it still holds can be seen
 * again: fold from the keyframe before it.
 *
 * Its order is the order of arrival. Nodes' stamps may cross by a little, so a moment is found by
 * the latest stamp seen up to it, which never goes back.
 */
import type { Observation } from "./observation.ts";
import { EMPTY_VIEW, createFold } from "./fold.ts";
import type { ClusterView } from "./view.ts";

export interface RecordingOptions {
  /** At most about this many are kept; the oldest go, a whole chunk at a time. */
  readonly observationsMax: number;
  /** A keyframe is taken every so many observations. */
  readonly keyframeEvery: number;
}

export interface Recording {
  append(observation: Observation): void;
  /** The view after everything appended. */
  view(): ClusterView;
  /** The view as it was at a moment; the oldest kept if the moment is older. */
  viewAt(timeUs: number): ClusterView;
  /** What is kept: a view, and everything since in order of arrival. */
  kept(): Kept;
  /** The earliest moment that can still be seen, microseconds. */
  firstUs(): number;
  lastUs(): number;
  size(): number;
}

export interface Kept {
  readonly start: ClusterView;
  readonly observations: readonly Observation[];
}

interface Chunk {
  readonly keyframe: ClusterView;
  readonly observations: Observation[];
}

export function createRecording(options: Partial<RecordingOptions> = {}): Recording {
  const { observationsMax = 200_000, keyframeEvery = 2000 } = options;
  const live = createFold();
  let last: Chunk = { keyframe: EMPTY_VIEW, observations: [] };
  let chunks: Chunk[] = [last];
  let size = 0;

  function chunkAt(timeUs: number): Chunk {
    // The last chunk that began at or before the moment.
    return chunks.findLast((chunk) => chunk.keyframe.timeUs <= timeUs) ?? chunks[0] ?? last;
  }

  return {
    append(observation) {
      if (last.observations.length >= keyframeEvery) {
        last = { keyframe: live.snapshot(), observations: [] };
        chunks.push(last);
      }
      live.apply(observation);
      last.observations.push(observation);
      size += 1;
      while (size > observationsMax && chunks.length > 1) {
        size -= chunks[0]?.observations.length ?? 0;
        chunks = chunks.slice(1);
      }
    },
    view: () => live.snapshot(),
    viewAt(timeUs) {
      const chunk = chunkAt(timeUs);
      const folding = createFold(chunk.keyframe);
      for (const observation of chunk.observations) {
        // Past the moment once the running maximum of the stamps is.
        if (observation.timeUs > timeUs) break;
        folding.apply(observation);
      }
      return folding.snapshot();
    },
    kept() {
      const start = chunks[0]?.keyframe ?? EMPTY_VIEW;
      return { start, observations: chunks.flatMap((chunk) => chunk.observations) };
    },
    firstUs() {
      const first = chunks[0];
      return first?.keyframe.timeUs || (first?.observations[0]?.timeUs ?? 0);
    },
    lastUs: () => live.snapshot().timeUs,
    size: () => size,
  };
}
