/** The full entry of a cell, beside it. */
import type { ClusterView } from "@raftarium/observer";
import { useLayoutEffect, useRef, type RefObject } from "react";
import { entryWords } from "./log-model.ts";
import type { CellPlace } from "./log-table.tsx";

interface EntryTipProps {
  readonly view: ClusterView;
  readonly place: CellPlace;
  readonly scroller: RefObject<HTMLDivElement | null>;
}

const GAP = 8;

export function EntryTip({ view, place, scroller }: EntryTipProps) {
  const box = useRef<HTMLDivElement>(null);
  const lines = entryWords(view, place.nodeId, place.index);

  useLayoutEffect(() => {
    const tip = box.current;
    const cell = scroller.current?.querySelector(
      `[data-node="${place.nodeId}"][data-index="${place.index}"]`,
    );
    if (tip === null || cell === null || cell === undefined) return;
    const from = cell.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(from.left, innerWidth - width - GAP);
    const above = from.top - height - GAP;
    tip.style.left = `${Math.max(GAP, left)}px`;
    tip.style.top = `${above < GAP ? from.bottom + GAP : above}px`;
  });

  if (lines.length === 0) return null;
  return (
    <div ref={box} className="entry-tip" role="tooltip">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
