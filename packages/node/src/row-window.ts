/**
 * Which rows of the state machine people see, and what changed of them since that was last told.
 * A change outside of the window costs no more than a look at its key.
 */
import { ROWS_IN_VIEW_MAX, type RowView } from "@raftarium/observer";
import type { Change, StateRow } from "./ports.ts";
import { textOf } from "./text.ts";

export class RowWindow {
  /** The keys that are shown, ascending (code units), as of what was last told. */
  #keys: string[] = [];
  /** The newest change of each key. */
  #pending = new Map<string, Uint8Array | null>();

  /** These are shown now, whatever was before. */
  reset(rows: readonly RowView[]): void {
    this.#keys = rows.map(({ key }) => key);
    this.#pending.clear();
  }

  clear(): void {
    this.reset([]);
  }

  note(changes: readonly Change[]): void {
    const last = this.#keys.length < ROWS_IN_VIEW_MAX ? undefined : this.#keys.at(-1);
    for (const { key, value } of changes) {
      const text = textOf(key);
      if (last === undefined || text <= last) this.#pending.set(text, value);
    }
  }

  /**
   * What changed since the last time.
   *
   * @param firstRows the first rows of the machine as it is now; asked only when rows that were
   *   beyond the window have moved up.
   */
  take(firstRows: () => readonly StateRow[]): readonly RowView[] {
    if (this.#pending.size === 0) return [];
    const rows: RowView[] = [];
    const keys = new Set(this.#keys);
    const wasFull = keys.size === ROWS_IN_VIEW_MAX;
    for (const [key, value] of this.#pending) {
      rows.push({ key, value: value === null ? null : textOf(value) });
      if (value === null) keys.delete(key);
      else keys.add(key);
    }
    this.#pending.clear();
    if (wasFull && keys.size < ROWS_IN_VIEW_MAX) {
      for (const row of firstRows()) {
        if (keys.has(row.key)) continue;
        rows.push(row);
        keys.add(row.key);
      }
    }
    this.#keys = [...keys].toSorted(byCodeUnits).slice(0, ROWS_IN_VIEW_MAX);
    return rows;
  }
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
