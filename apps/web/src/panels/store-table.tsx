/** The stores of all nodes side by side. */
import type { Health } from "@raftarium/observer";
import { useTimeline } from "../state/use.ts";
import { rowWord } from "./log-model.ts";
import { storeTableOf, type StoreCell } from "./store-model.ts";

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

export function StoreGrid() {
  const view = useTimeline((state) => state.view);
  const { nodes, rows, cut } = storeTableOf(view);
  if (rows.length === 0) {
    return (
      <p className="empty">
        The stores are empty. Put a key: once it is committed, each node applies it to its own.
      </p>
    );
  }
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
            <tr key={row.key}>
              <th scope="row">{row.key}</th>
              {row.cells.map((cell, at) => (
                <Value key={cell.nodeId} cell={cell} faint={isFaint(nodes[at]?.health)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {cut ? <p className="empty">The first 100 keys are shown.</p> : null}
    </div>
  );
}
