/** The logs of all nodes over shared indexes. Only the columns in sight exist. */
import type { ClusterNode } from "@raftarium/observer";
import {
  memo,
  useCallback,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from "react";
import { hueOf } from "../shell/words.tsx";
import { EntryTip } from "./entry-tip.tsx";
import { shownLength, entryAt, logTableOf, type LogRow, type LogTable } from "./log-model.ts";
import { useCalmView } from "./use-calm-view.ts";

/** The same as in tables.css. */
export const CELL_WIDTH = 46;
const NAME_WIDTH = 150;
const NAME_WIDTH_NARROW = 92;
/** Empty columns after the newest entry, where the next will come. */
const SPARE_COLUMNS = 2;
const OVERSCAN = 4;

export interface CellPlace {
  readonly nodeId: number;
  readonly index: number;
}

interface Sight {
  readonly from: number;
  readonly to: number;
}

interface CellsProps {
  readonly node: ClusterNode;
  readonly faint: boolean;
  readonly firstIndex: number;
  readonly sight: Sight;
  readonly focusedIndex: number;
  /** A new commit is shown as new. */
  readonly calm: boolean;
}

const Cells = memo(function Cells(props: CellsProps) {
  const { node, faint, firstIndex, sight, focusedIndex, calm } = props;
  const cells = [];
  const to = Math.min(sight.to, node.lastIndex);
  for (let index = sight.from; index <= to; index += 1) {
    const entry = entryAt(node, index);
    if (entry === undefined) continue;
    const { description } = entry;
    const shown = shownLength(entry);
    const committed = index <= node.commitIndex ? "committed" : "pending";
    const fresh = calm && !faint && index > node.commitIndex - 2 ? "fresh" : "";
    cells.push(
      <div
        key={index}
        role="gridcell"
        aria-colindex={index - firstIndex + 2}
        tabIndex={index === focusedIndex ? 0 : -1}
        className={`cell ${committed} ${fresh} ${faint ? "faint" : ""}`}
        data-hue={hueOf(entry.term)}
        data-index={index}
        data-node={node.nodeId}
        style={{ left: (index - firstIndex) * CELL_WIDTH }}
      >
        {description.slice(0, shown)}
        {shown < description.length ? (
          <span className="visually-hidden">{description.slice(shown)}</span>
        ) : null}
      </div>,
    );
  }
  return cells;
});

interface RowProps {
  readonly row: LogRow;
  readonly rowIndex: number;
  readonly firstIndex: number;
  readonly sight: Sight;
  readonly focusedIndex: number;
  /** A new commit is shown as new. */
  readonly calm: boolean;
}

function region(from: number, to: number, firstIndex: number) {
  return { left: (from - firstIndex) * CELL_WIDTH, width: (to - from + 1) * CELL_WIDTH - 4 };
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

const Row = memo(
  function Row({ row, rowIndex, firstIndex, sight, focusedIndex, calm }: RowProps) {
    const { node, word, faint, snapshotTo, untoldTo, matchIndex, nextIndex } = row;
    const at = (index: number) => (index - firstIndex) * CELL_WIDTH + (CELL_WIDTH - 4) / 2;
    const empty = node.lastIndex < firstIndex;
    return (
      <div role="row" aria-rowindex={rowIndex} className={faint ? "log-row faint" : "log-row"}>
        <div role="rowheader" className="row-name">
          <b>Node {node.nodeId}</b> <span>{word}</span>
        </div>
        <div className="cells" role="presentation">
          {snapshotTo >= firstIndex ? (
            <div
              role="gridcell"
              className="region"
              style={region(firstIndex, snapshotTo, firstIndex)}
            >
              <span>1 to {snapshotTo} in a snapshot</span>
            </div>
          ) : null}
          {untoldTo >= firstIndex ? (
            <div
              role="gridcell"
              className="region untold"
              style={region(Math.max(firstIndex, snapshotTo + 1), untoldTo, firstIndex)}
            >
              <span>to {untoldTo}: in its log, too old to show</span>
            </div>
          ) : null}
          {empty && snapshotTo < firstIndex ? (
            <div
              role="gridcell"
              className="region none"
              style={region(firstIndex, firstIndex + 3, firstIndex)}
            >
              <span>{node.lastIndex === 0 ? "empty" : `ends at ${node.lastIndex}`}</span>
            </div>
          ) : null}
          <Cells
            node={node}
            faint={faint}
            firstIndex={firstIndex}
            sight={sight}
            focusedIndex={focusedIndex}
            calm={calm}
          />
          {matchIndex >= firstIndex ? (
            <i className="match" style={{ left: at(matchIndex) }} aria-hidden="true" />
          ) : null}
          {nextIndex >= firstIndex ? (
            <i className="next" style={{ left: at(nextIndex) }} aria-hidden="true" />
          ) : null}
        </div>
      </div>
    );
  },
  (before, after) =>
    sameRow(before.row, after.row) &&
    before.firstIndex === after.firstIndex &&
    before.sight.from === after.sight.from &&
    before.sight.to === after.sight.to &&
    before.focusedIndex === after.focusedIndex &&
    before.rowIndex === after.rowIndex &&
    before.calm === after.calm,
);

function Head({ firstIndex, sight }: { readonly firstIndex: number; readonly sight: Sight }) {
  const columns = [];
  for (let index = sight.from; index <= sight.to; index += 1) {
    columns.push(
      <div
        key={index}
        role="columnheader"
        aria-colindex={index - firstIndex + 2}
        className="column-name"
        style={{ left: (index - firstIndex) * CELL_WIDTH }}
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

/** Follows the newest entries until a person scrolls back. */
function useScrolling(table: LogTable) {
  const scroller = useRef<HTMLDivElement | null>(null);
  const [box, setBox] = useState({ left: 0, width: 1200 });
  const [following, setFollowing] = useState(true);
  const nameWidth = box.width < 620 ? NAME_WIDTH_NARROW : NAME_WIDTH;
  const fits = Math.max(1, Math.floor((box.width - nameWidth) / CELL_WIDTH));
  const filled = table.lastIndex - table.firstIndex + 1 + SPARE_COLUMNS;
  const columns = Math.max(fits, filled);
  const leftMax = Math.max(0, nameWidth + columns * CELL_WIDTH - box.width);
  const pinned = useRef({ following: true, firstIndex: table.firstIndex, leftMax: 0 });

  useLayoutEffect(() => {
    const element = scroller.current;
    const { current } = pinned;
    if (element === null) return;
    const shift = (table.firstIndex - current.firstIndex) * CELL_WIDTH;
    current.firstIndex = table.firstIndex;
    // To set it, even to what it is, would cost a layout.
    if (current.following && current.leftMax !== leftMax) element.scrollLeft = leftMax;
    else if (!current.following && shift !== 0) element.scrollLeft -= shift;
    current.leftMax = leftMax;
  }, [leftMax, table.firstIndex]);

  // The scroller comes into being with the first entry.
  const watch = useCallback((element: HTMLDivElement) => {
    scroller.current = element;
    const measure = () => setBox({ left: element.scrollLeft, width: element.clientWidth });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => {
      scroller.current = null;
      observer.disconnect();
    };
  }, []);

  const onScroll = () => {
    const element = scroller.current;
    if (element === null) return;
    const atEnd = element.scrollLeft >= element.scrollWidth - element.clientWidth - CELL_WIDTH;
    pinned.current.following = atEnd;
    setFollowing(atEnd);
    setBox({ left: element.scrollLeft, width: element.clientWidth });
  };
  const goNewest = () => {
    pinned.current.following = true;
    pinned.current.leftMax = leftMax;
    setFollowing(true);
    scroller.current?.scrollTo({ left: leftMax });
  };
  /** Scrolls no more than is needed to have this column in sight. */
  const reveal = (index: number) => {
    const element = scroller.current;
    if (element === null) return;
    const left = (index - table.firstIndex) * CELL_WIDTH;
    const width = element.clientWidth - nameWidth;
    if (left < element.scrollLeft) element.scrollTo({ left });
    else if (left + CELL_WIDTH > element.scrollLeft + width) {
      element.scrollTo({ left: left + CELL_WIDTH - width });
    }
  };
  const first = Math.floor(box.left / CELL_WIDTH);
  const sight = {
    from: table.firstIndex + Math.max(0, first - OVERSCAN),
    to: table.firstIndex + Math.min(columns - 1, first + fits + 1 + OVERSCAN),
  };
  return { scroller, watch, onScroll, following, goNewest, reveal, sight, columns, nameWidth };
}

function placeOf(target: EventTarget): CellPlace | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
  if (cell === null) return null;
  return { nodeId: Number(cell.dataset["node"]), index: Number(cell.dataset["index"]) };
}

const MOVES: Record<string, readonly [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  PageUp: [0, -10],
  PageDown: [0, 10],
};

/** Where a key leads from a cell; null: nowhere. */
function moved(table: LogTable, place: CellPlace, key: string): CellPlace | null {
  const rowAt = table.rows.findIndex(({ node }) => node.nodeId === place.nodeId);
  const [rows = 0, columns = 0] = MOVES[key] ?? [];
  const node = table.rows[Math.max(0, Math.min(table.rows.length - 1, rowAt + rows))]?.node;
  const first = node?.entries[0]?.index;
  if (node === undefined || first === undefined) return null;
  if (key === "Home") return { nodeId: node.nodeId, index: Math.max(first, table.firstIndex) };
  if (key === "End") return { nodeId: node.nodeId, index: node.lastIndex };
  if (rows === 0 && columns === 0) return null;
  const index = Math.max(first, Math.min(node.lastIndex, place.index + columns));
  return { nodeId: node.nodeId, index };
}

export function LogGrid() {
  const { view, calm } = useCalmView();
  const table = logTableOf(view);
  const { scroller, watch, onScroll, following, goNewest, reveal, sight, columns, nameWidth } =
    useScrolling(table);
  const [tip, setTip] = useState<CellPlace | null>(null);
  const [focused, setFocused] = useState<CellPlace | null>(null);

  const onKeyDown = (event: KeyboardEvent) => {
    const place = placeOf(event.target);
    if (event.key === "Escape") setTip(null);
    const next = place === null ? null : moved(table, place, event.key);
    if (next === null) return;
    event.preventDefault();
    reveal(next.index);
    setFocused(next);
    // The cell may only come into being with the scroll.
    requestAnimationFrame(() => {
      scroller.current
        ?.querySelector<HTMLElement>(`[data-node="${next.nodeId}"][data-index="${next.index}"]`)
        ?.focus();
    });
  };
  const onPointerOver = useCallback((event: PointerEvent) => setTip(placeOf(event.target)), []);
  const onLeave = useCallback(() => setTip(null), []);

  if (table.lastIndex === 0) {
    return (
      <p className="empty">
        The logs are empty. The first entry comes with the first leader; each put or delete adds
        one.
      </p>
    );
  }
  const reachable =
    focused !== null && focused.index >= sight.from && focused.index <= sight.to ? focused : null;
  const first = table.rows.find(({ node }) => node.lastIndex >= sight.from);
  return (
    <>
      <div
        ref={watch}
        className="log-scroll"
        role="grid"
        aria-label="Logs of all nodes"
        aria-rowcount={table.rows.length + 1}
        aria-colcount={columns + 1}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
        onPointerOver={onPointerOver}
        onPointerLeave={onLeave}
        onFocus={(event) => {
          const place = placeOf(event.target);
          setTip(place);
          if (place !== null) setFocused(place);
        }}
        onBlur={onLeave}
      >
        <div
          className="log-inner"
          role="presentation"
          style={{ width: nameWidth + columns * CELL_WIDTH }}
          data-rows={table.rows.length > 5 ? "many" : undefined}
        >
          <Head firstIndex={table.firstIndex} sight={sight} />
          {table.rows.map((row, at) => {
            const nodeId = row.node.nodeId;
            const resting =
              reachable === null && row === first ? Math.min(row.node.lastIndex, sight.to) : 0;
            return (
              <Row
                key={nodeId}
                row={row}
                rowIndex={at + 2}
                firstIndex={table.firstIndex}
                sight={sight}
                focusedIndex={reachable?.nodeId === nodeId ? reachable.index : resting}
                calm={calm}
              />
            );
          })}
          {table.commitIndex !== null && table.commitIndex >= table.firstIndex ? (
            <div
              className="commit-line"
              aria-hidden="true"
              style={{
                left: nameWidth + (table.commitIndex - table.firstIndex + 1) * CELL_WIDTH - 2,
              }}
            >
              <span>committed</span>
            </div>
          ) : null}
        </div>
      </div>
      <p className="log-legend" data-rows={table.rows.length > 5 ? "many" : undefined}>
        <span>solid: committed</span> <span>dashed: not yet</span> <span>dot: match index</span>{" "}
        <span>arrow: next index</span>
      </p>
      {following ? null : (
        <button type="button" className="button newest" onClick={goNewest}>
          Newest
        </button>
      )}
      {tip === null ? null : <EntryTip view={view} place={tip} scroller={scroller} />}
    </>
  );
}
