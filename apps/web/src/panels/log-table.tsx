/** The logs of all nodes over shared indexes. Only the columns in sight exist. */
import {
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
} from "react";
import { useMedia } from "../state/use.ts";
import { EntryTip } from "./entry-tip.tsx";
import { logTableOf, type CellPlace, type LogTable } from "./log-model.ts";
import { CELL_WIDTH, type LogSizes } from "./log-painter.ts";
import { Painting } from "./log-painting.tsx";
import { Head, Row } from "./log-row.tsx";
import { ACTIVE_ID } from "./log-writer.ts";
import { useCalmView } from "./use-calm-view.ts";
import { useLogScrolling } from "./use-log-scrolling.ts";

function placeOf(target: EventTarget): CellPlace | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
  if (cell === null) return null;
  const row = cell.closest<HTMLElement>("[data-node]");
  return { nodeId: Number(row?.dataset["node"]), index: Number(cell.dataset["index"]) };
}

function same(a: CellPlace | null, b: CellPlace | null): boolean {
  return a?.nodeId === b?.nodeId && a?.index === b?.index;
}

const MOVES: Record<string, readonly [rows: number, columns: number]> = {
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

/** Where the keys begin: at the newest entry of the first log that has one. */
function newestOf(table: LogTable): CellPlace | null {
  const row = table.rows.find(({ node }) => node.entries.length > 0);
  return row === undefined ? null : { nodeId: row.node.nodeId, index: row.node.lastIndex };
}

function Empty() {
  return (
    <p className="empty">
      The logs are empty. The first entry comes with the first leader; each put or delete adds one.
    </p>
  );
}

function Legend({ many }: { readonly many: boolean }) {
  return (
    <p className="log-legend" data-rows={many ? "many" : undefined}>
      <span>solid: committed</span> <span>dashed: not yet</span> <span>dot: match index</span>{" "}
      <span>arrow: next index</span>
    </p>
  );
}

/** How high things are: what is many, or has little room, draws together. */
function useSizes(many: boolean): LogSizes {
  const low = useMedia("(max-height: 800px)");
  return useMemo(() => {
    const headHeight = low ? 26 : 30;
    if (many) return { headHeight, rowHeight: 21, cellHeight: 16 };
    if (low) return { headHeight, rowHeight: 26.5, cellHeight: 19 };
    return { headHeight, rowHeight: 33, cellHeight: 23 };
  }, [many, low]);
}

function variables({ headHeight, rowHeight, cellHeight }: LogSizes): CSSProperties {
  return {
    "--head-height": `${headHeight}px`,
    "--row-height": `${rowHeight}px`,
    "--cell-height": `${cellHeight}px`,
    "--cell-width": `${CELL_WIDTH}px`,
  } as CSSProperties;
}

/** The cell that a person looks at: by pointer, or by keys. */
function useLooking(table: LogTable, reveal: (index: number) => void) {
  const [active, setActive] = useState<CellPlace | null>(null);
  const [looked, setLooked] = useState<CellPlace | null>(null);
  const look = (place: CellPlace | null) =>
    setLooked((before) => (same(before, place) ? before : place));
  const go = (place: CellPlace | null) => {
    setActive(place);
    look(place);
    if (place !== null) reveal(place.index);
  };
  return {
    active,
    looked,
    handlers: {
      onKeyDown(event: KeyboardEvent) {
        if (event.key === "Escape") look(null);
        const next = active === null ? null : moved(table, active, event.key);
        if (next === null) return;
        event.preventDefault();
        go(next);
      },
      onPointerOver: (event: PointerEvent) => look(placeOf(event.target)),
      onPointerLeave: () => look(null),
      onPointerDown: (event: PointerEvent) => {
        const place = placeOf(event.target);
        if (place !== null) setActive(place);
      },
      onFocus: () => (active === null ? go(newestOf(table)) : look(active)),
      onBlur: () => look(null),
    },
  };
}

export function LogGrid() {
  const { view, calm } = useCalmView();
  const table = useMemo(() => logTableOf(view), [view]);
  const {
    scroller,
    watch,
    onScroll,
    following,
    goNewest,
    reveal,
    sight,
    columns,
    nameWidth,
    leftMax,
  } = useLogScrolling(table);
  const { active, looked, handlers } = useLooking(table, reveal);
  const many = table.rows.length > 5;
  const sizes = useSizes(many);
  const canvas = useRef<HTMLCanvasElement>(null);
  if (table.lastIndex === 0) return <Empty />;
  const { firstIndex } = table;
  const left = (sight.from - firstIndex) * CELL_WIDTH;
  const count = sight.to - sight.from + 1;
  const inSight = active !== null && active.index >= sight.from && active.index <= sight.to;
  return (
    <>
      <div
        ref={watch}
        className="log-scroll"
        role="grid"
        tabIndex={0}
        aria-label="Logs of all nodes"
        aria-rowcount={table.rows.length + 1}
        aria-colcount={columns + 1}
        aria-activedescendant={inSight ? ACTIVE_ID : undefined}
        onScroll={onScroll}
        {...handlers}
      >
        <div
          className="log-inner"
          role="presentation"
          style={{ ...variables(sizes), width: nameWidth + columns * CELL_WIDTH }}
          data-rows={many ? "many" : undefined}
        >
          <canvas
            ref={canvas}
            className="log-paint"
            style={{ left: nameWidth + left }}
            aria-hidden="true"
          />
          <Head left={left} count={count} />
          {table.rows.map((row, at) => (
            <Row
              key={row.node.nodeId}
              row={row}
              rowIndex={at + 2}
              firstIndex={firstIndex}
              sight={sight}
            />
          ))}
          <Painting
            canvas={canvas}
            scroller={scroller}
            table={table}
            sight={sight}
            active={active}
            sizes={sizes}
            offset={following ? left - leftMax : null}
            calm={calm}
            hurry={calm || looked !== null}
          />
        </div>
      </div>
      <Legend many={many} />
      {following ? null : (
        <button type="button" className="button newest" onClick={goNewest}>
          Newest
        </button>
      )}
      {looked === null ? null : <EntryTip view={view} place={looked} scroller={scroller} />}
    </>
  );
}
