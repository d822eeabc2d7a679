/**
 * One node's row of the log table: its name, and a box for each column in sight. What is to be seen
 * of an entry is painted below its box (log-painter.ts), what it is called is written into it
 * (log-writer.ts): so a box, once there, need not be rendered again.
 */
import type { ClusterNode } from "@raftarium/observer";
import { memo } from "react";
import type { LogRow } from "./log-model.ts";
import { CELL_WIDTH, type Sight } from "./log-painter.ts";

function left(index: number, firstIndex: number): number {
  return (index - firstIndex) * CELL_WIDTH;
}

interface BoxesProps {
  readonly count: number;
  readonly role: "gridcell" | "columnheader";
  readonly className: string;
}

const Boxes = memo(function Boxes({ count, role, className }: BoxesProps) {
  return Array.from({ length: count }, (_, at) => (
    <div
      // oxlint-disable-next-line react/no-array-index-key -- a box is known by its place
      key={at}
      role={role}
      className={className}
      style={{ left: at * CELL_WIDTH }}
    />
  ));
});

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

interface RowProps {
  readonly row: LogRow;
  /** From 1; the head is the first. */
  readonly rowIndex: number;
  /** The leftmost column of the whole table. */
  readonly firstIndex: number;
  readonly sight: Sight;
}

/** Why columns have no entries. Like all else, only what is in sight exists. */
function Regions({ row, firstIndex, sight }: Omit<RowProps, "rowIndex">) {
  const { node, snapshotTo, untoldTo } = row;
  const none = node.lastIndex < firstIndex && snapshotTo < firstIndex;
  return (
    <>
      {snapshotTo >= sight.from ? (
        <Region
          firstIndex={firstIndex}
          className=""
          from={firstIndex}
          to={snapshotTo}
          words={`1 to ${snapshotTo} in a snapshot`}
        />
      ) : null}
      {untoldTo >= sight.from ? (
        <Region
          firstIndex={firstIndex}
          className="untold"
          from={Math.max(firstIndex, snapshotTo + 1)}
          to={untoldTo}
          words={`to ${untoldTo}: in its log, too old to show`}
        />
      ) : null}
      {none && firstIndex + 3 >= sight.from ? (
        <Region
          firstIndex={firstIndex}
          className="none"
          from={firstIndex}
          to={firstIndex + 3}
          words={emptyWords(node)}
        />
      ) : null}
    </>
  );
}

export function Row({ row, rowIndex, firstIndex, sight }: RowProps) {
  const { node, word, faint } = row;
  return (
    <div role="row" aria-rowindex={rowIndex} className={faint ? "log-row faint" : "log-row"}>
      <div role="rowheader" className="row-name">
        <b>Node {node.nodeId}</b> <span>{word}</span>
      </div>
      <div className="cells" role="presentation">
        <Regions row={row} firstIndex={firstIndex} sight={sight} />
        <div
          className="boxes"
          role="presentation"
          data-node={node.nodeId}
          style={{ left: left(sight.from, firstIndex) }}
        >
          <Boxes count={sight.to - sight.from + 1} role="gridcell" className="cell" />
        </div>
      </div>
    </div>
  );
}

interface HeadProps {
  /** Of the first box, pixels. */
  readonly left: number;
  readonly count: number;
}

export const Head = memo(function Head({ left: from, count }: HeadProps) {
  return (
    <div role="row" aria-rowindex={1} className="log-head">
      <div role="columnheader" className="corner">
        <span className="visually-hidden">Node</span>
      </div>
      <div className="cells" role="presentation">
        <div className="boxes" role="presentation" style={{ left: from }}>
          <Boxes count={count} role="columnheader" className="column-name" />
        </div>
      </div>
    </div>
  );
});
