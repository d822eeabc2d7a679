/** One node's row of the log table: its name, its entries in sight, what the leader knows of it. */
import type { ClusterNode } from "@raftarium/observer";
import { memo } from "react";
import { hueOf } from "../shell/words.tsx";
import { TIP_ID } from "./entry-tip.tsx";
import { cellText, entryAt, type LogRow } from "./log-model.ts";

/** The same as in panels.css. */
export const CELL_WIDTH = 46;
/** Of the one cell that the keys have reached. */
export const ACTIVE_ID = "log-active";

/** The columns that exist; the others are out of sight. */
export interface Sight {
  readonly from: number;
  readonly to: number;
}

interface RowProps {
  readonly row: LogRow;
  /** From 1; the head is the first. */
  readonly rowIndex: number;
  /** The leftmost column of the whole table. */
  readonly firstIndex: number;
  readonly sight: Sight;
  /** The index that the keys have reached in this row; 0: none. */
  readonly activeIndex: number;
  /** A new commit is shown as new. Under load elements are used again for other entries. */
  readonly calm: boolean;
}

function left(index: number, firstIndex: number): number {
  return (index - firstIndex) * CELL_WIDTH;
}

function Cells({ row, firstIndex, sight, activeIndex, calm }: RowProps) {
  const { node, faint } = row;
  const cells = [];
  const to = Math.min(sight.to, node.lastIndex);
  for (let index = sight.from; index <= to; index += 1) {
    const entry = entryAt(node, index);
    if (entry === undefined) continue;
    const classes = ["cell", index <= node.commitIndex ? "committed" : "pending"];
    if (calm && index > node.commitIndex - 2) classes.push("fresh");
    if (faint) classes.push("faint");
    if (index === activeIndex) classes.push("active");
    cells.push(
      <div
        key={calm ? index : `in sight ${index - sight.from}`}
        role="gridcell"
        aria-colindex={index - firstIndex + 2}
        id={index === activeIndex ? ACTIVE_ID : undefined}
        aria-describedby={index === activeIndex ? TIP_ID : undefined}
        className={classes.join(" ")}
        data-hue={hueOf(entry.term)}
        data-index={index}
        data-node={node.nodeId}
        style={{ left: left(index, firstIndex) }}
      >
        {cellText(entry)}
      </div>,
    );
  }
  return cells;
}

interface RegionProps {
  readonly className: string;
  readonly from: number;
  readonly to: number;
  readonly firstIndex: number;
  readonly words: string;
}

/** A stretch of columns without entries, and why. */
function Region({ className, from, to, firstIndex, words }: RegionProps) {
  const width = (to - from + 1) * CELL_WIDTH - 4;
  return (
    <div
      role="gridcell"
      aria-colindex={from - firstIndex + 2}
      className={`region ${className}`}
      style={{ left: left(from, firstIndex), width }}
    >
      <span>{words}</span>
    </div>
  );
}

function emptyWords(node: ClusterNode): string {
  return node.lastIndex === 0 ? "empty" : `ends at ${node.lastIndex}`;
}

function Regions({ row, firstIndex }: RowProps) {
  const { node, snapshotTo, untoldTo } = row;
  const common = { firstIndex };
  return (
    <>
      {snapshotTo >= firstIndex ? (
        <Region
          {...common}
          className=""
          from={firstIndex}
          to={snapshotTo}
          words={`1 to ${snapshotTo} in a snapshot`}
        />
      ) : null}
      {untoldTo >= firstIndex ? (
        <Region
          {...common}
          className="untold"
          from={Math.max(firstIndex, snapshotTo + 1)}
          to={untoldTo}
          words={`to ${untoldTo}: in its log, too old to show`}
        />
      ) : null}
      {node.lastIndex < firstIndex && snapshotTo < firstIndex ? (
        <Region
          {...common}
          className="none"
          from={firstIndex}
          to={firstIndex + 3}
          words={emptyWords(node)}
        />
      ) : null}
    </>
  );
}

function sameRow(a: LogRow, b: LogRow): boolean {
  return (
    a.node === b.node &&
    a.matchIndex === b.matchIndex &&
    a.nextIndex === b.nextIndex &&
    a.snapshotTo === b.snapshotTo &&
    a.untoldTo === b.untoldTo
  );
}

export const Row = memo(
  function Row(props: RowProps) {
    const { row, rowIndex, firstIndex } = props;
    const { node, word, faint, matchIndex, nextIndex } = row;
    const middle = (index: number) => left(index, firstIndex) + (CELL_WIDTH - 4) / 2;
    return (
      <div role="row" aria-rowindex={rowIndex} className={faint ? "log-row faint" : "log-row"}>
        <div role="rowheader" className="row-name">
          <b>Node {node.nodeId}</b> <span>{word}</span>
        </div>
        <div className="cells" role="presentation">
          <Regions {...props} />
          <Cells {...props} />
          {matchIndex >= firstIndex ? (
            <i className="match" style={{ left: middle(matchIndex) }} aria-hidden="true" />
          ) : null}
          {nextIndex >= firstIndex ? (
            <i className="next" style={{ left: middle(nextIndex) }} aria-hidden="true" />
          ) : null}
        </div>
      </div>
    );
  },
  (before, after) =>
    sameRow(before.row, after.row) &&
    before.rowIndex === after.rowIndex &&
    before.firstIndex === after.firstIndex &&
    before.sight.from === after.sight.from &&
    before.sight.to === after.sight.to &&
    before.activeIndex === after.activeIndex &&
    before.calm === after.calm,
);

interface HeadProps {
  readonly firstIndex: number;
  readonly sight: Sight;
  readonly calm: boolean;
}

export function Head({ firstIndex, sight, calm }: HeadProps) {
  const columns = [];
  for (let index = sight.from; index <= sight.to; index += 1) {
    columns.push(
      <div
        key={calm ? index : `in sight ${index - sight.from}`}
        role="columnheader"
        aria-colindex={index - firstIndex + 2}
        className="column-name"
        style={{ left: left(index, firstIndex) }}
      >
        {index}
      </div>,
    );
  }
  return (
    <div role="row" aria-rowindex={1} className="log-head">
      <div role="columnheader" className="corner">
        <span className="visually-hidden">Node</span>
      </div>
      <div className="cells" role="presentation">
        {columns}
      </div>
    </div>
  );
}
