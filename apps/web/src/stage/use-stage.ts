/** The standing part of the scene, for React: marks that mean the same stay the same objects. */
import type { ClusterView } from "@raftarium/observer";
import { stageOf, type Size, type Stage } from "@raftarium/scene";
import { useRef } from "react";
import { useTimeline } from "../state/use.ts";

/** Of each new mark, the old object if it says the same. */
function stabilise<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  const kept = after.map((mark, at) => {
    const old = before[at];
    return old !== undefined && JSON.stringify(old) === JSON.stringify(mark) ? old : mark;
  });
  const same = kept.length === before.length && kept.every((mark, at) => mark === before[at]);
  return same ? before : kept;
}

export type StandingMarks = Pick<Stage, "layout" | "nodes" | "links" | "walls">;

export function useStage(size: Size): StandingMarks {
  const last = useRef<StandingMarks | null>(null);
  const lastView = useRef<{ readonly view: ClusterView; readonly size: Size } | null>(null);
  return useTimeline(({ view }) => {
    const before = last.current;
    if (before !== null && lastView.current?.view === view && lastView.current.size === size) {
      return before;
    }
    lastView.current = { view, size };
    const stage = stageOf(view, size);
    if (before === null || before.layout.size !== size) {
      last.current = stage;
      return stage;
    }
    const nodes = stabilise(before.nodes, stage.nodes);
    const links = stabilise(before.links, stage.links);
    const walls = stabilise(before.walls, stage.walls);
    if (nodes === before.nodes && links === before.links && walls === before.walls) return before;
    last.current = { layout: stage.layout, nodes, links, walls };
    return last.current;
  });
}
