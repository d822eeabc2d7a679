import { nameOf } from "./bytes.ts";

/** A key's immediate successor is the key with a zero byte after it. */
const SUCCESSOR = "\0";

/**
 * The end of a range as a name (see `nameOf`), not itself in the range; null: no end.
 * `rangeEnd` as in `KeyRange`.
 */
export function endNameOf(startName: string, rangeEnd: Uint8Array | undefined): string | null {
  if (rangeEnd === undefined || rangeEnd.length === 0) return startName + SUCCESSOR;
  return rangeEnd.length === 1 && rangeEnd[0] === 0 ? null : nameOf(rangeEnd);
}

interface NameRange {
  readonly start: string;
  /** null: no end. */
  readonly end: string | null;
}

/** A set of names given by ranges. Asking is a binary search, however many overlap. */
export class NameRanges {
  #ranges: NameRange[] = [];
  /** True: sorted and disjoint. */
  #tidy = true;

  add(start: string, end: string | null): void {
    this.#ranges.push({ start, end });
    this.#tidy = false;
  }

  addAll(others: NameRanges): void {
    for (const { start, end } of others.#ranges) this.add(start, end);
  }

  has(name: string): boolean {
    if (!this.#tidy) this.#tidyUp();
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as NameRange).start <= name) low = middle + 1;
      else high = middle;
    }
    const before = this.#ranges[low - 1];
    return before !== undefined && (before.end === null || name < before.end);
  }

  #tidyUp(): void {
    const sorted = this.#ranges.toSorted((left, right) =>
      left.start < right.start ? -1 : left.start > right.start ? 1 : 0,
    );
    const disjoint: NameRange[] = [];
    for (const range of sorted) {
      const last = disjoint.at(-1);
      if (last === undefined || (last.end !== null && last.end < range.start)) disjoint.push(range);
      else if (last.end !== null && (range.end === null || range.end > last.end)) {
        disjoint[disjoint.length - 1] = { start: last.start, end: range.end };
      }
    }
    this.#ranges = disjoint;
    this.#tidy = true;
  }
}
