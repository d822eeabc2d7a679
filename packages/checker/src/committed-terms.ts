/**
 * By index: the term of the committed entry, and the term in which it was committed. Bounded:
 * what lies far behind is forgotten, and so is what lies before a beginning far into a log.
 */
export interface CommittedTerms {
  /** 0: nothing is known to be committed there. */
  termAt(index: number): number;
  /** 0: as above. */
  committedInAt(index: number): number;
  /** Holes are unknown. */
  set(index: number, term: number, committedIn: number): void;
  /** How many indices are remembered. */
  size(): number;
}

const FORGET_PIECE = 8192;

export function createCommittedTerms(entriesMax: number): CommittedTerms {
  let firstIndex = 1;
  const terms: number[] = [];
  const committedIn: number[] = [];

  return {
    termAt: (index) => terms[index - firstIndex] ?? 0,
    committedInAt: (index) => committedIn[index - firstIndex] ?? 0,
    set(index, term, inTerm) {
      if (index < firstIndex) return;
      if (index - firstIndex > terms.length + entriesMax) {
        terms.length = 0;
        committedIn.length = 0;
        firstIndex = index;
      }
      while (terms.length < index - firstIndex) {
        terms.push(0);
        committedIn.push(0);
      }
      terms[index - firstIndex] = term;
      committedIn[index - firstIndex] = inTerm;
      const excess = terms.length - entriesMax;
      if (excess < FORGET_PIECE) return;
      terms.splice(0, excess);
      committedIn.splice(0, excess);
      firstIndex += excess;
    },
    size: () => terms.length,
  };
}
