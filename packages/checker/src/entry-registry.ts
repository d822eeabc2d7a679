/**
 * Every entry that any log ever held, by index and term. By induction this proves Log Matching
 * (Raft, section 5.3): if each (index, term) names one content and one predecessor term, then two
 * logs that share an entry share everything before it. So one look-up an entry is enough.
 */
export interface RegisteredEntry {
  readonly term: number;
  readonly previousTerm: number;
  /** null: nobody told what the entry is, only that it is. */
  fingerprint: number | null;
  /** Only commands reach the state machine. */
  isCommand: boolean;
  /** Another entry seen at the same index. */
  readonly next: RegisteredEntry | null;
}

export interface EntryRegistry {
  find(index: number, term: number): RegisteredEntry | null;
  add(
    index: number,
    term: number,
    previousTerm: number,
    fingerprint: number | null,
    isCommand: boolean,
  ): RegisteredEntry;
  /** Forgets indices below `index`. */
  forgetBelow(index: number): void;
}

const FORGET_PIECE = 8192;

export function createEntryRegistry(): EntryRegistry {
  let firstIndex = 1;
  const slots: (RegisteredEntry | null)[] = [];
  return {
    find(index, term) {
      let entry = slots[index - firstIndex] ?? null;
      while (entry !== null && entry.term !== term) entry = entry.next;
      return entry;
    },
    add(index, term, previousTerm, fingerprint, isCommand) {
      if (index < firstIndex) {
        return { term, previousTerm, fingerprint, isCommand, next: null };
      }
      // Who begins to watch far into a log need not make room for what was before.
      if (slots.length === 0) firstIndex = Math.max(firstIndex, index - FORGET_PIECE);
      const slot = index - firstIndex;
      while (slots.length <= slot) slots.push(null);
      const entry = { term, previousTerm, fingerprint, isCommand, next: slots[slot]! };
      slots[slot] = entry;
      return entry;
    },
    forgetBelow(index) {
      if (index - firstIndex < FORGET_PIECE) return;
      slots.splice(0, index - firstIndex);
      firstIndex = index;
    },
  };
}
