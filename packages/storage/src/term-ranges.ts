import type { LogIndex, Term } from "@raftarium/node";

/**
 * Which term each index of the log has, as runs of equal terms: terms never decrease along a
 * log (paper, 5.3), so there are as many runs as there were leaders.
 *
 * Invariant: the log holds the entries from baseIndex + 1 to lastIndex; runs are ascending.
 */
export class TermRanges {
  baseIndex: LogIndex;
  /** Null: not known (the entry is gone). */
  baseTerm: Term | null;
  lastIndex: LogIndex;
  readonly #runs: { from: LogIndex; term: Term }[] = [];

  constructor(baseIndex: LogIndex, baseTerm: Term | null) {
    this.baseIndex = baseIndex;
    this.baseTerm = baseTerm;
    this.lastIndex = baseIndex;
  }

  get lastTerm(): Term {
    return this.termAt(this.lastIndex) ?? 0;
  }

  /** Appends an entry; what the log has from `index` on is dropped. `index` ≤ lastIndex + 1. */
  append(index: LogIndex, term: Term): void {
    if (index <= this.baseIndex) {
      this.reset(index - 1, null);
    } else if (index <= this.lastIndex) {
      while ((this.#runs.at(-1)?.from ?? 0) >= index) this.#runs.pop();
    }
    if (this.#runs.at(-1)?.term !== term) this.#runs.push({ from: index, term });
    this.lastIndex = index;
  }

  reset(index: LogIndex, term: Term | null): void {
    this.baseIndex = index;
    this.baseTerm = term;
    this.lastIndex = index;
    this.#runs.length = 0;
  }

  /** Null: not in the log, or not known. */
  termAt(index: LogIndex): Term | null {
    if (index > this.lastIndex || index < this.baseIndex) return null;
    if (index === this.baseIndex) return this.baseTerm;
    for (let at = this.#runs.length - 1; at >= 0; at -= 1) {
      const run = this.#runs[at]!;
      if (run.from <= index) return run.term;
    }
    return null;
  }
}
