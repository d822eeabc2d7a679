import { assert, fail } from "./assert.ts";
import type { Entry, LogIndex, Term, Ticket } from "./types.ts";

/** A write on its way to disk, and the last index that will still be its own when it is there. */
interface PendingWrite {
  readonly ticket: Ticket;
  lastIndex: LogIndex;
}

/**
 * The log in memory, and how much of it is durable. Entries are shared, never copied.
 *
 * Invariant: baseIndex <= durableIndex < unstableIndex <= lastIndex + 1; only while a leader's
 * snapshot is on its way to disk, durableIndex is 0.
 */
export class Log {
  /** The entry before the first that is here: where compaction or a snapshot cut. Committed. */
  baseIndex: LogIndex;
  baseTerm: Term;
  /** Everything up to here is on disk, as it is in memory. Falls when entries are overwritten. */
  durableIndex: LogIndex;
  /** The first entry not yet handed to storage. */
  unstableIndex: LogIndex;
  /** entries[i] has index baseIndex + 1 + i; terms never fall along the log. */
  private entries: Entry[] = [];
  /** In order of tickets, as storage completes them. */
  private pendingWrites: PendingWrite[] = [];

  constructor(baseIndex: LogIndex, baseTerm: Term, entries: readonly Entry[]) {
    this.baseIndex = baseIndex;
    this.baseTerm = baseTerm;
    for (const entry of entries) this.append(entry);
    this.durableIndex = this.lastIndex;
    this.unstableIndex = this.lastIndex + 1;
  }

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length;
  }

  get lastTerm(): Term {
    const count = this.entries.length;
    return count === 0 ? this.baseTerm : this.entries[count - 1]!.term;
  }

  /** The term of the entry at `index`; null if it is compacted or does not exist. */
  term(index: LogIndex): Term | null {
    const offset = index - this.baseIndex - 1;
    if (offset === -1) return this.baseTerm;
    if (offset < 0 || offset >= this.entries.length) return null;
    return this.entries[offset]!.term;
  }

  /** Bytes of the commands (and configurations) from `from` to `to`, both included. */
  byteCount(from: LogIndex, to: LogIndex): number {
    let bytes = 0;
    const end = to - this.baseIndex;
    for (let i = from - this.baseIndex - 1; i < end; i++) bytes += this.entries[i]!.data.length;
    return bytes;
  }

  /** Entries from `from` to `to`, both included; both must exist unless the range is empty. */
  slice(from: LogIndex, to: LogIndex): readonly Entry[] {
    if (from <= this.baseIndex || to > this.lastIndex) {
      fail(
        `log slice: expected within ${this.baseIndex + 1} to ${this.lastIndex}, ` +
          `got ${from} to ${to}`,
      );
    }
    return this.entries.slice(from - this.baseIndex - 1, to - this.baseIndex);
  }

  /** Entries from `from` on, which must exist, within both limits, but at least one. */
  batch(from: LogIndex, entriesMax: number, bytesMax: number): readonly Entry[] {
    const start = from - this.baseIndex - 1;
    const end = Math.min(this.entries.length, start + entriesMax);
    let bytes = this.entries[start]!.data.length;
    let stop = start + 1;
    while (stop < end) {
      bytes += this.entries[stop]!.data.length;
      if (bytes > bytesMax) break;
      stop++;
    }
    return this.slice(from, this.baseIndex + stop);
  }

  append(entry: Entry): void {
    if (entry.index !== this.lastIndex + 1) {
      fail(`append out of order: expected index ${this.lastIndex + 1}, got ${entry.index}`);
    }
    if (entry.term < this.lastTerm) {
      fail(`append of an older term: expected at least ${this.lastTerm}, got ${entry.term}`);
    }
    this.entries.push(entry);
  }

  /** Drops everything from `index` on. The caller makes sure that none of it is committed. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.baseIndex, "truncation of a compacted entry");
    this.entries.length = index - this.baseIndex - 1;
    this.durableIndex = Math.min(this.durableIndex, index - 1);
    this.unstableIndex = Math.min(this.unstableIndex, index);
    // What is still being written from `index` on is not what the log will hold: when that write
    // completes, it makes durable only what comes before (the A-B-A overwrite).
    for (const write of this.pendingWrites) write.lastIndex = Math.min(write.lastIndex, index - 1);
  }

  /** Hands out what storage has not been given yet, to be written as `ticket`. */
  takeUnstable(ticket: Ticket): readonly Entry[] {
    const entries = this.slice(this.unstableIndex, this.lastIndex);
    this.unstableIndex = this.lastIndex + 1;
    this.pendingWrites.push({ ticket, lastIndex: this.lastIndex });
    return entries;
  }

  /** Storage has completed everything up to `ticket`. True if durableIndex advanced. */
  persisted(ticket: Ticket): boolean {
    const before = this.durableIndex;
    while (this.pendingWrites.length > 0 && this.pendingWrites[0]!.ticket <= ticket) {
      this.durableIndex = Math.max(this.durableIndex, this.pendingWrites.shift()!.lastIndex);
    }
    return this.durableIndex > before;
  }

  /** Forgets entries up to and including `index`, which must be in the log. */
  compactThrough(index: LogIndex): void {
    const term = this.term(index);
    assert(term !== null && index > this.baseIndex, "compaction outside the log");
    this.entries = this.entries.slice(index - this.baseIndex);
    this.baseIndex = index;
    this.baseTerm = term;
  }

  /** A leader's snapshot, written as `ticket`, takes the place of the whole log. */
  resetTo(index: LogIndex, term: Term, ticket: Ticket): void {
    this.entries = [];
    this.baseIndex = index;
    this.baseTerm = term;
    this.unstableIndex = index + 1;
    // Whatever else is on its way belongs to the log that is gone.
    this.durableIndex = 0;
    this.pendingWrites = [{ ticket, lastIndex: index }];
  }

  /**
   * The last index up to `index` whose term is at most `term`: where two logs may meet, one step
   * per term instead of one per entry (end of section 5.3). baseIndex - 1 if none is left here.
   */
  lastIndexWithTermAtMost(index: LogIndex, term: Term): LogIndex {
    let found = Math.min(index, this.lastIndex);
    while ((this.term(found) ?? 0) > term) found--;
    return found;
  }
}
