/** The logs of all nodes over shared indexes. Only the columns in sight exist. */
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import { EntryTip, type CellPlace } from "./entry-tip.tsx";
import { logTableOf, type LogTable } from "./log-model.ts";
import { ACTIVE_ID, CELL_WIDTH, Head, Row } from "./log-row.tsx";
import { useCalmView } from "./use-calm-view.ts";
import { useLogScrolling } from "./use-log-scrolling.ts";

function placeOf(target: EventTarget): CellPlace | null {
  const cell = target instanceof Element ? target.closest<HTMLElement>("[data-index]") : null;
  if (cell === null) return null;
  return { nodeId: Number(cell.dataset["node"]), index: Number(cell.dataset["index"]) };
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

interface CommitLineProps {
  readonly table: LogTable;
  readonly nameWidth: number;
}

/** How far the leader has committed. */
function CommitLine({ table, nameWidth }: CommitLineProps) {
  const { commitIndex, firstIndex } = table;
  if (commitIndex === null || commitIndex < firstIndex) return null;
  const left = nameWidth + (commitIndex - firstIndex + 1) * CELL_WIDTH - 2;
  return (
    <div className="commit-line" aria-hidden="true" style={{ left }}>
      <span>committed</span>
    </div>
  );
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
  const table = logTableOf(view);
  const { scroller, watch, onScroll, following, goNewest, reveal, sight, columns, nameWidth } =
    useLogScrolling(table);
  const { active, looked, handlers } = useLooking(table, reveal);

  if (table.lastIndex === 0) return <Empty />;
  const many = table.rows.length > 5;
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
          style={{ width: nameWidth + columns * CELL_WIDTH }}
          data-rows={many ? "many" : undefined}
        >
          <Head firstIndex={firstIndex} sight={sight} calm={calm} />
          {table.rows.map((row, at) => (
            <Row
              key={row.node.nodeId}
              row={row}
              rowIndex={at + 2}
              firstIndex={firstIndex}
              sight={sight}
              activeIndex={active?.nodeId === row.node.nodeId ? active.index : 0}
              calm={calm}
            />
          ))}
          <CommitLine table={table} nameWidth={nameWidth} />
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
