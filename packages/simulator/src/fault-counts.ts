/** How often each kind of fault was injected, for the summary. */
export interface FaultCounts {
  add(kind: string, count?: number): void;
  /** Sorted by kind. */
  entries(): readonly (readonly [kind: string, count: number])[];
}

export function createFaultCounts(): FaultCounts {
  const counts = new Map<string, number>();
  return {
    add(kind, count = 1) {
      counts.set(kind, (counts.get(kind) ?? 0) + count);
    },
    entries: () => [...counts].toSorted(([left], [right]) => (left < right ? -1 : 1)),
  };
}
