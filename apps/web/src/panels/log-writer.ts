/**
 * What is written into the log table's boxes: indexes above, and names for those who point at an
 * entry, reach it by keys, or hear it read. React decides which boxes there are; what stands in
 * them may all change at once, many times a second, so it is written without rendering.
 */
import type { ClusterNode } from "@raftarium/observer";
import { cellWords, entryAt, type CellPlace, type LogTable } from "./log-model.ts";
import type { Sight } from "./log-painter.ts";

export interface LogWords {
  readonly table: LogTable;
  readonly sight: Sight;
  /** The cell that the keys have reached. */
  readonly active: CellPlace | null;
}

/** Of the one cell that the keys have reached. */
export const ACTIVE_ID = "log-active";
/** By which it refers to its tip. */
export const TIP_ID = "entry-tip";

/** Sets an attribute, or takes it away; one that is so already costs nothing. */
function write(box: Element, name: string, value: string | null): void {
  if (box.getAttribute(name) === value) return;
  if (value === null) box.removeAttribute(name);
  else box.setAttribute(name, value);
}

/** The first column of a row is its head. */
function columnOf(index: number, table: LogTable): string {
  return String(index - table.firstIndex + 2);
}

/** The indexes above the columns in sight. @param boxes the head's, from the left. */
export function writeNumbers(boxes: HTMLCollection, { table, sight }: LogWords): void {
  for (const [at, box] of [...boxes].entries()) {
    const index = sight.from + at;
    write(box, "aria-colindex", columnOf(index, table));
    const text = String(index);
    if (box.textContent !== text) box.textContent = text;
  }
}

/** The names of one node's entries in sight. @param boxes its row's, from the left. */
export function writeNames(boxes: HTMLCollection, node: ClusterNode, words: LogWords): void {
  const { table, sight, active } = words;
  const activeIndex = active?.nodeId === node.nodeId ? active.index : 0;
  for (const [at, box] of [...boxes].entries()) {
    const index = sight.from + at;
    const entry = index > node.lastIndex ? undefined : entryAt(node, index);
    write(box, "hidden", entry === undefined ? "" : null);
    write(box, "data-index", entry === undefined ? null : String(index));
    if (entry === undefined) continue;
    write(box, "aria-colindex", columnOf(index, table));
    write(box, "aria-label", cellWords(node, entry));
    const reached = index === activeIndex;
    write(box, "class", reached ? "cell active" : "cell");
    write(box, "id", reached ? ACTIVE_ID : null);
    write(box, "aria-describedby", reached ? TIP_ID : null);
  }
}
