/** The logs of all nodes over shared indexes. Only the columns in sight exist. */
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from "react";
import { DARK, LIGHT } from "@raftarium/scene";
import { useFrame, useLoop, useMedia, useUi } from "../state/use.ts";
import { EntryTip } from "./entry-tip.tsx";
import { logTableOf, type CellPlace, type LogTable } from "./log-model.ts";
import {
  CELL_WIDTH,
  createLogPainter,
  type LogPainter,
  type LogSizes,
  type Sight,
} from "./log-painter.ts";
import { Head, Row } from "./log-row.tsx";
import { ACTIVE_ID, writeNames, writeNumbers, type LogWords } from "./log-writer.ts";
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

interface Painted {
  readonly table: LogTable;
  readonly sight: Sight;
  readonly sizes: LogSizes;
  readonly calm: boolean;
}

/** The canvas of the table, painted whenever it is rendered. */
function usePainting({ table, sight, sizes, calm }: Painted) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<{ readonly on: HTMLCanvasElement; readonly it: LogPainter }>(null);
  const still = useMedia("(prefers-reduced-motion: reduce)");
  const theme = useUi((state) => state.theme);
  useLayoutEffect(() => {
    // It comes into being with the first entry.
    const on = canvas.current;
    if (on === null) return;
    if (painter.current?.on !== on) painter.current = { on, it: createLogPainter(on) };
    painter.current.it.draw({
      table,
      sight,
      sizes,
      palette: theme === "dark" ? DARK : LIGHT,
      pixelRatio: devicePixelRatio,
      flashing: calm && !still,
    });
  }, [table, sight, sizes, calm, still, theme]);
  useEffect(() => {
    // What was painted before a font could be used has the wrong one.
    const onLoaded = () => painter.current?.it.again();
    document.fonts.addEventListener("loadingdone", onLoaded);
    return () => document.fonts.removeEventListener("loadingdone", onLoaded);
  }, []);
  useFrame((_, atMs) => painter.current?.it.frame(atMs));
  return canvas;
}

interface WritingProps extends LogWords {
  readonly scroller: RefObject<HTMLElement | null>;
  /** All at once; otherwise each part in its turn. What is painted is seen at once in any case. */
  readonly hurry: boolean;
}

/** Writes into the boxes that are there. Before the tip, which looks for its cell. */
function Writing({ table, sight, active, scroller, hurry }: WritingProps) {
  const loop = useLoop();
  useLayoutEffect(() => {
    const words: LogWords = { table, sight, active };
    const boxesOf = (selector: string) => scroller.current?.querySelector(selector)?.children;
    const numbers = () => {
      const boxes = boxesOf(".log-head .in-sight");
      if (boxes !== undefined) writeNumbers(boxes, words);
    };
    const names = () => {
      for (const { node } of table.rows) {
        const boxes = boxesOf(`[data-node="${node.nodeId}"]`);
        if (boxes !== undefined) writeNames(boxes, node, words);
      }
    };
    if (!hurry) {
      const turns = [loop.inTurn(numbers), loop.inTurn(names)];
      return () => turns.forEach((giveUp) => giveUp());
    }
    numbers();
    names();
    return undefined;
  }, [table, sight, active, scroller, hurry, loop]);
  return null;
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
  const { scroller, watch, onScroll, following, goNewest, reveal, sight, columns, nameWidth } =
    useLogScrolling(table);
  const { active, looked, handlers } = useLooking(table, reveal);
  const many = table.rows.length > 5;
  const sizes = useSizes(many);
  const canvas = usePainting({ table, sight, sizes, calm });
  if (table.lastIndex === 0) return <Empty />;
  const { firstIndex } = table;
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
            style={{ left: nameWidth + (sight.from - firstIndex) * CELL_WIDTH }}
            aria-hidden="true"
          />
          <Head firstIndex={firstIndex} sight={sight} />
          {table.rows.map((row, at) => (
            <Row
              key={row.node.nodeId}
              row={row}
              rowIndex={at + 2}
              firstIndex={firstIndex}
              sight={sight}
            />
          ))}
          <Writing
            table={table}
            sight={sight}
            active={active}
            scroller={scroller}
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
