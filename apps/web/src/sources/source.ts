/** Where observations come from: a live cluster, a recording (later: a simulation). */
import type { Commands } from "../commands.ts";
import type { Timeline } from "../state/timeline.ts";

export interface Source {
  /** Begins to feed the timeline. @returns how to end it. */
  start(timeline: Timeline): () => void;
  /** What can be asked of this cluster. */
  readonly commands: Commands;
}
