/**
 * What a watcher knows of one node's log: the term at each index from `firstIndex` on, and the
 * snapshot before it. Plain arrays, so that a check costs no allocation.
 */
export interface LogMirror {
  /** The first index whose term is in `terms`. */
  firstIndex: number;
  readonly terms: number[];
  snapshotIndex: number;
  snapshotTerm: number;
}

/** Terms below the first index are cut off only in pieces of this size, to copy rarely. */
const TRIM_ENTRIES = 4096;

export function createLogMirror(): LogMirror {
  return { firstIndex: 1, terms: [], snapshotIndex: 0, snapshotTerm: 0 };
}

export function lastIndexOf(log: LogMirror): number {
  return Math.max(log.snapshotIndex, log.firstIndex + log.terms.length - 1);
}

/** The term at `index`; -1 where the log does not reach, or no longer does. 0 at index 0. */
export function termAt(log: LogMirror, index: number): number {
  const offset = index - log.firstIndex;
  if (offset >= 0 && offset < log.terms.length) return log.terms[offset]!;
  if (index === log.snapshotIndex) return log.snapshotTerm;
  return index === 0 ? 0 : -1;
}

/** Whether the node has the entry: in its log, inside its snapshot, or where nobody can tell. */
export function holds(log: LogMirror, index: number, term: number): boolean {
  const found = termAt(log, index);
  if (found !== -1) return found === term;
  return index <= log.snapshotIndex || index < log.firstIndex;
}

export function truncateFrom(log: LogMirror, index: number): void {
  log.terms.length = Math.max(0, Math.min(log.terms.length, index - log.firstIndex));
}

/** The log is now this snapshot, and what follows it where the log held its last entry. */
export function installSnapshot(log: LogMirror, index: number, term: number): void {
  if (termAt(log, index) !== term) {
    log.terms.length = 0;
    log.firstIndex = index + 1;
  }
  log.snapshotIndex = index;
  log.snapshotTerm = term;
}

/** Notes that entries up to `throughIndex` are gone from the log. */
export function compactThrough(log: LogMirror, throughIndex: number): void {
  const excess = throughIndex + 1 - log.firstIndex;
  if (excess < TRIM_ENTRIES || excess > log.terms.length) return;
  log.terms.splice(0, excess);
  log.firstIndex += excess;
}
