/** What the core said and was not told one by one, because the next of its kind supersedes it. */
import type { CoreObservation, Entry, LogIndex, NodeId } from "@raftarium/raft";
import { ENTRIES_IN_VIEW_MAX, type EntryRun, type ProgressView } from "@raftarium/observer";

/** Entries that nobody will see are let go this many at a time. */
const LET_GO = 4 * ENTRIES_IN_VIEW_MAX;

export class Gathering {
  /** How many observations it stands for, each entry by itself. */
  count = 0;
  timerReset = false;
  durableIndex: LogIndex | null = null;
  commitIndex: LogIndex | null = null;
  appliedIndex: LogIndex | null = null;
  readonly progress = new Map<NodeId, ProgressView>();
  #runs: EntryRun[] = [];
  #entries: Entry[] = [];

  /** False: it must be told by itself, after what was gathered before it. */
  take(observation: CoreObservation): boolean {
    switch (observation.kind) {
      case "log-appended":
        this.count += observation.entries.length;
        for (const entry of observation.entries) this.#entries.push(entry);
        if (this.#entries.length > LET_GO) this.#letGo();
        break;
      case "durable-advanced":
        this.durableIndex = observation.durableIndex;
        break;
      case "commit-advanced":
        this.commitIndex = observation.commitIndex;
        break;
      case "progress-changed": {
        const { kind: _, ...progress } = observation;
        this.progress.set(progress.peerId, progress);
        break;
      }
      case "election-timer-reset":
        this.timerReset = true;
        break;
      default:
        return false;
    }
    this.count += 1;
    return true;
  }

  /** As many of the newest entries as can be seen, and runs of those before them. */
  appended(): { readonly runs: readonly EntryRun[]; readonly entries: readonly Entry[] } {
    this.#letGo();
    return { runs: this.#runs, entries: this.#entries };
  }

  #letGo(): void {
    const excess = this.#entries.length - ENTRIES_IN_VIEW_MAX;
    if (excess <= 0) return;
    this.#runs = runsOf(this.#entries.slice(0, excess), this.#runs);
    this.#entries = this.#entries.slice(excess);
  }
}

/** Entries that follow each other, and `before` them: as few runs as there are terms. */
export function runsOf(entries: readonly Entry[], before: readonly EntryRun[] = []): EntryRun[] {
  const runs = [...before];
  for (let from = 0; from < entries.length;) {
    const { index: firstIndex, term } = entries[from] as Entry;
    let end = from + 1;
    while (entries[end]?.term === term) end += 1;
    const count = end - from;
    const last = runs.at(-1);
    if (last !== undefined && last.term === term && last.firstIndex + last.count === firstIndex) {
      runs[runs.length - 1] = { ...last, count: last.count + count };
    } else runs.push({ firstIndex, count, term });
    from = end;
  }
  return runs;
}
