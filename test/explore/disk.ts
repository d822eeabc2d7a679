/** What one node has on disk, and what is on its way there. */
import type { Effect, Entry, RecoveredState } from "@raftarium/raft";

export interface Disk {
  readonly hardState: RecoveredState["hardState"];
  readonly entries: readonly Entry[];
}

export type PendingWrite = Extract<Effect, { kind: "persist" }>;

export const EMPTY_DISK: Disk = {
  hardState: { term: 0, votedFor: null, commitIndex: 0 },
  entries: [],
};

/** Atomic, as storage makes it: entries take the place of what lies from the first of them on. */
export function written(disk: Disk, { hardState, entries }: PendingWrite): Disk {
  const first = entries[0]?.index ?? Number.POSITIVE_INFINITY;
  return {
    hardState: hardState ?? disk.hardState,
    entries: [...disk.entries.filter(({ index }) => index < first), ...entries],
  };
}
