import { committedIndex, type ClusterView } from "@raftarium/observer";
import { startTransition, useEffect, useState } from "react";
import { useLoop, useTimelineItself } from "../state/use.ts";

/** Under load nobody can read a table ten times a second, and all of it changes: that costs. */
const CALM_MS = 100;
const BUSY_MS = 500;
/** More new entries than this between two looks are load. */
const ENTRIES_CALM = 12;

export interface CalmView {
  readonly view: ClusterView;
  /** False: a moment of the past is shown. */
  readonly live: boolean;
  /** False: so much happens that single changes need no emphasis. */
  readonly calm: boolean;
}

/** The view for a panel: as fresh as can be read, rarer under load, and each panel in its turn. */
export function useCalmView(): CalmView {
  const timeline = useTimelineItself();
  const loop = useLoop();
  const [shown, setShown] = useState<CalmView>(() => ({
    view: timeline.getState().view,
    live: timeline.getState().live,
    calm: true,
  }));
  useEffect(() => {
    /** Gives up what this waits for; null: it waits for nothing. */
    let giveUp: (() => void) | null = null;
    let takenMs = -Infinity;
    let last = timeline.getState();
    let calm = true;
    const take = () => {
      giveUp = null;
      takenMs = performance.now();
      const state = timeline.getState();
      const { view, live } = state;
      // A leap in time is no load.
      const leapt = !live || !last.live;
      calm = leapt || committedIndex(view) - committedIndex(last.view) <= ENTRIES_CALM;
      last = state;
      // A table may wait for the next frame; what moves may not.
      startTransition(() => setShown({ view, live, calm }));
    };
    const queue = () => {
      giveUp = loop.inTurn(take);
    };
    const onChange = () => {
      if (giveUp !== null) return;
      const waitMs = takenMs + (calm ? CALM_MS : BUSY_MS) - performance.now();
      if (waitMs <= 0) return queue();
      const timer = setTimeout(queue, waitMs);
      giveUp = () => clearTimeout(timer);
    };
    onChange();
    const stop = timeline.subscribe(onChange);
    return () => {
      stop();
      giveUp?.();
    };
  }, [timeline, loop]);
  return shown;
}
