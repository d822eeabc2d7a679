/** The state machines side by side: keys are rows, nodes are columns. Pure. */
import {
  ROWS_IN_VIEW_MAX,
  leaderOf,
  type ClusterNode,
  type ClusterView,
} from "@raftarium/observer";

/**
 * How a node's value compares with that of the node that has applied most: `same`; `older` or
 * `missing`, since it has yet to apply what the other has; `odd`, though it has applied as much.
 */
export type CellState = "same" | "older" | "missing" | "odd";

export interface StoreCell {
  readonly nodeId: number;
  /** null: it has no such key. */
  readonly value: string | null;
  readonly state: CellState;
  /** What the log has in store for it, not applied yet: a value, or `null` for a deletion. */
  readonly coming: string | null | undefined;
}

export interface StoreRow {
  readonly key: string;
  readonly cells: readonly StoreCell[];
}

export interface StoreTable {
  readonly nodes: readonly ClusterNode[];
  readonly rows: readonly StoreRow[];
  /** There may be more keys than are told. */
  readonly cut: boolean;
}

/** What the entries after the applied one will do to a key, as far as they say so plainly. */
function comingTo(node: ClusterNode, key: string): string | null | undefined {
  for (let at = node.entries.length - 1; at >= 0; at -= 1) {
    const entry = node.entries[at];
    if (entry === undefined || entry.index <= node.appliedIndex) return undefined;
    if (entry.kind !== "command") continue;
    if (entry.description === `del ${key}`) return null;
    if (entry.description.startsWith(`${key}=`)) return entry.description.slice(key.length + 1);
  }
  return undefined;
}

/** Keys that a log is about to bring, that no store has yet. */
function comingKeys(node: ClusterNode): string[] {
  const keys: string[] = [];
  for (let at = node.entries.length - 1; at >= 0; at -= 1) {
    const entry = node.entries[at];
    if (entry === undefined || entry.index <= node.appliedIndex) break;
    const [key, value] = entry.description.split("=");
    if (entry.kind === "command" && key !== undefined && value !== undefined && !key.includes(" "))
      keys.push(key);
  }
  return keys;
}

function stateOf(
  node: ClusterNode,
  value: string | null,
  reference: ClusterNode,
  expected: string | null,
): CellState {
  if (value === expected) return "same";
  if (node.appliedIndex >= reference.appliedIndex) return "odd";
  return value === null ? "missing" : "older";
}

export function storeTableOf(view: ClusterView): StoreTable {
  const leader = leaderOf(view);
  let reference = leader;
  for (const node of view.nodes) {
    if (reference === undefined || node.appliedIndex > reference.appliedIndex) reference = node;
  }
  if (reference === undefined) return { nodes: [], rows: [], cut: false };
  const values = view.nodes.map((node) => new Map(node.rows.map((row) => [row.key, row.value])));
  const expected = new Map(reference.rows.map((row) => [row.key, row.value]));
  const keys = new Set(view.nodes.flatMap((node) => node.rows.map((row) => row.key)));
  for (const node of view.nodes) for (const key of comingKeys(node)) keys.add(key);
  const cut = view.nodes.some((node) => node.rows.length >= ROWS_IN_VIEW_MAX);
  const known = reference;
  const rows = [...keys]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .slice(0, ROWS_IN_VIEW_MAX)
    .map((key) => ({
      key,
      cells: view.nodes.map((node, at) => {
        const value = values[at]?.get(key) ?? null;
        const state = stateOf(node, value, known, expected.get(key) ?? null);
        return { nodeId: node.nodeId, value, state, coming: comingTo(node, key) };
      }),
    }));
  return { nodes: view.nodes, rows, cut };
}
