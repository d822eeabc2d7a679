/** The stores of all nodes side by side. */
import type { Health } from "@raftarium/observer";
import { memo } from "react";
import { rowWord } from "./log-model.ts";
import { storeTableOf, type StoreCell, type StoreRow } from "./store-model.ts";
import { useCalmView } from "./use-calm-view.ts";

const STATE_WORDS = {
  same: "",
  older: "older",
  missing: "missing",
  odd: "differs",
} as const;

function isFaint(health: Health | undefined): boolean {
  return health === "crashed" || health === "stopped";
}

function Value({ cell, faint }: { readonly cell: StoreCell; readonly faint: boolean }) {
  const { value, state, coming } = cell;
  const classes = ["value", state, faint ? "faint" : ""].join(" ");
  return (
    <td className={classes}>
      {value === null ? (
        <span className="absent">{state === "missing" ? "" : "–"}</span>
      ) : (
        <span className={coming === null ? "going" : ""}>{value}</span>
      )}
      {state === "same" ? null : <small>{STATE_WORDS[state]}</small>}
      {coming === undefined ? null : <em>{coming === null ? "to be deleted" : `→ ${coming}`}</em>}
    </td>
  );
}

interface RowProps {
  readonly row: StoreRow;
  /** By node: whether it has no process. */
  readonly faint: readonly boolean[];
}

function sameCell(a: StoreCell, b: StoreCell | undefined): boolean {
  return a.value === b?.value && a.state === b.state && a.coming === b.coming;
}

const Row = memo(
  function Row({ row, faint }: RowProps) {
    return (
      <tr>
        <th scope="row">{row.key}</th>
        {row.cells.map((cell, at) => (
          <Value key={cell.nodeId} cell={cell} faint={faint[at] === true} />
        ))}
      </tr>
    );
  },
  (before, after) =>
    before.row.cells.length === after.row.cells.length &&
    before.row.cells.every((cell, at) => sameCell(cell, after.row.cells[at])) &&
    before.faint.every((value, at) => value === after.faint[at]),
);

export function StoreGrid() {
  const { view } = useCalmView();
  const { nodes, rows, cut } = storeTableOf(view);
  if (rows.length === 0) {
    return (
      <p className="empty">
        The stores are empty. Put a key: once it is committed, each node applies it to its own.
      </p>
    );
  }
  const faint = nodes.map((node) => isFaint(node.health));
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="store-scroll" role="region" aria-label="Stores of all nodes" tabIndex={0}>
      <table className="store">
        <thead>
          <tr>
            <th scope="col" className="corner">
              <span className="visually-hidden">Key</span>
            </th>
            {nodes.map((node) => (
              <th scope="col" key={node.nodeId} className={isFaint(node.health) ? "faint" : ""}>
                <b>Node {node.nodeId}</b> <span>{rowWord(node)}</span>
                <small>applied {node.appliedIndex}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} row={row} faint={faint} />
          ))}
        </tbody>
      </table>
      {cut ? <p className="empty">The first 100 keys are shown.</p> : null}
    </div>
  );
}
