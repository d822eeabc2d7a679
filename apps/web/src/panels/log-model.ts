/** The table of all logs: rows are nodes, columns are indexes that all rows share. Pure. */
import {
  leaderOf,
  nodeById,
  type ClusterNode,
  type ClusterView,
  type EntryView,
} from "@raftarium/observer";

export interface LogRow {
  readonly node: ClusterNode;
  /** A word or two for the narrow column beside its name. */
  readonly word: string;
  /** No process: what is shown is what was last known. */
  readonly faint: boolean;
  /** The last index that its snapshot replaces, if that is in the table; else 0. */
  readonly snapshotTo: number;
  /** The last index that is in its log, but too old to be told; 0: none of them. */
  readonly untoldTo: number;
  /** What the leader knows of it; 0: nobody leads, or it leads itself. */
  readonly matchIndex: number;
  readonly nextIndex: number;
  /** How the leader sends to it, where that is not the stream of good days; null: it is. */
  readonly sending: "probe" | "snapshot" | null;
}

export interface LogTable {
  /** The leftmost column. */
  readonly firstIndex: number;
  /** The last index that any log has. */
  readonly lastIndex: number;
  /** The leader's; null: nobody leads. */
  readonly commitIndex: number | null;
  readonly leaderId: number | null;
  readonly rows: readonly LogRow[];
}

/** One entry in one node's log. */
export interface CellPlace {
  readonly nodeId: number;
  readonly index: number;
}

/** Older columns than this are left out. */
export const COLUMNS_MAX = 240;
/** So that 'in a snapshot' can be read. */
const SNAPSHOT_COLUMNS = 3;

export function rowWord(node: ClusterNode): string {
  switch (node.health) {
    case "crashed":
      return node.cause === "SIGKILL" || node.cause === "" ? "killed" : "ended";
    case "stopped":
      return "stopped";
    case "starting":
      return "starting";
    case "paused":
      return "paused";
    case "running":
      if (node.role === "pre-candidate") return "pre-vote";
      return node.known || node.term > 0 ? node.role : "starting";
  }
}

/** The entry at an index, if it is in view. */
export function entryAt(node: ClusterNode, index: number): EntryView | undefined {
  const first = node.entries[0];
  if (first === undefined) return undefined;
  const guess = node.entries[index - first.index];
  return guess?.index === index ? guess : node.entries.find((entry) => entry.index === index);
}

export function logTableOf(view: ClusterView, columnsMax: number = COLUMNS_MAX): LogTable {
  const leader = leaderOf(view);
  let oldest = Infinity;
  let newest = 0;
  for (const { entries, lastIndex } of view.nodes) {
    oldest = Math.min(oldest, entries[0]?.index ?? Infinity);
    newest = Math.max(newest, lastIndex);
  }
  const from = oldest === Infinity ? newest + 1 : oldest;
  const firstIndex = Math.max(1, Math.max(from - SNAPSHOT_COLUMNS, newest - columnsMax + 1));
  const rows = view.nodes.map((node): LogRow => {
    const progress = leader?.progress.find((other) => other.peerId === node.nodeId);
    const told = node.entries[0]?.index ?? node.lastIndex + 1;
    return {
      node,
      word: rowWord(node),
      faint: node.health === "crashed" || node.health === "stopped",
      snapshotTo: node.firstIndex > firstIndex ? node.firstIndex - 1 : 0,
      untoldTo: told > Math.max(node.firstIndex, firstIndex) ? told - 1 : 0,
      matchIndex: progress?.matchIndex ?? 0,
      nextIndex: progress?.nextIndex ?? 0,
      sending: progress === undefined || progress.state === "replicate" ? null : progress.state,
    };
  });
  return {
    firstIndex,
    lastIndex: newest,
    commitIndex: leader?.commitIndex ?? null,
    leaderId: leader?.nodeId ?? null,
    rows,
  };
}

/** Everything that is known of one entry, a line for each thing. */
export function entryWords(view: ClusterView, nodeId: number, index: number): readonly string[] {
  const node = nodeById(view, nodeId);
  const entry = node === undefined ? undefined : entryAt(node, index);
  if (node === undefined || entry === undefined) return [];
  const kind = entry.kind === "command" ? entry.description : KIND_WORDS[entry.kind];
  const committed = index <= node.commitIndex ? "committed" : "not committed yet";
  const stored = index <= node.durableIndex ? "on its disk" : "not on its disk yet";
  const same = view.nodes
    .filter((other) => entryAt(other, index)?.term === entry.term && other.durableIndex >= index)
    .map((other) => other.nodeId);
  const copies = `On the disks of ${same.length} of ${view.nodes.length}`;
  return [
    `Index ${index}, term ${entry.term}`,
    kind,
    `${committed}, ${stored}`,
    same.length === 0 ? `${copies}.` : `${copies}: ${same.join(", ")}.`,
  ];
}

/** What a cell is called: what it holds, and whether that will stay. */
export function cellWords(node: ClusterNode, { index, term, description }: EntryView): string {
  const committed = index <= node.commitIndex ? "committed" : "not committed";
  return `${description}, term ${term}, ${committed}`;
}

const KIND_WORDS = {
  "no-op": "No-op: with it a leader commits what earlier terms left.",
  configuration: "A change of the members.",
} as const;

const CELL_TEXT_MAX = 6;

/** As much as a cell can hold: of a long `fruit=pear` the key. */
export function cellText({ kind, description }: EntryView): string {
  const at = description.length > CELL_TEXT_MAX ? description.indexOf("=") : -1;
  const text = kind === "command" && at > 0 ? description.slice(0, at) : description;
  const characters = Array.from(text);
  if (characters.length <= CELL_TEXT_MAX) return text;
  return `${characters.slice(0, CELL_TEXT_MAX - 1).join("")}…`;
}
