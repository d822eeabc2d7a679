import type { Entry, LogIndex, SnapshotMetadata } from "@raftarium/raft";
import type { Ports } from "./options.ts";
import type { Applied } from "./ports.ts";
import { restoreMachine } from "./restore.ts";

/** Entries applied in one turn, so that a long replay never blocks heartbeats. */
const ENTRIES_PER_TURN_MAX = 256;
/**
 * A large batch takes so many turns at least: the first of its clients have their answers, and send
 * their next requests, while the rest is applied. In one turn all would wait for each other.
 */
const TURNS_PER_BATCH = 4;
/** Smaller parts are not worth a turn of their own. */
const ENTRIES_PER_TURN_MIN = 16;

interface Listener<Result> {
  /** Where the state machine stands at the start. */
  readonly startIndex: LogIndex;
  /** `applied` null: a no-op or a configuration, nothing for the state machine. */
  onEntry(entry: Entry, applied: Applied<Result> | null): void;
  onRestored(snapshot: SnapshotMetadata): void;
  /** The state machine stands at `index` now. */
  onApplied(index: LogIndex): void;
}

type Job =
  | { readonly kind: "apply"; readonly entries: readonly Entry[]; position: number }
  | { readonly kind: "restore"; readonly snapshot: SnapshotMetadata };

/** Feeds the state machine: strictly in order, without gaps, a bounded number in each turn. */
export class Applier<Result> {
  readonly #ports: Ports<Result>;
  readonly #listener: Listener<Result>;
  readonly #jobs: Job[] = [];
  /** Highest index given to the machine. Grows by one, or jumps up by a restore. */
  #appliedIndex: LogIndex;
  /** True while a deferred turn or a restore is under way: jobs only queue up. */
  #busy = false;

  constructor(ports: Ports<Result>, listener: Listener<Result>) {
    this.#ports = ports;
    this.#listener = listener;
    this.#appliedIndex = listener.startIndex;
  }

  apply(entries: readonly Entry[]): void {
    this.#jobs.push({ kind: "apply", entries, position: 0 });
    if (!this.#busy) this.#work();
  }

  restore(snapshot: SnapshotMetadata): void {
    this.#jobs.push({ kind: "restore", snapshot });
    if (!this.#busy) this.#work();
  }

  #work(): void {
    let budget = ENTRIES_PER_TURN_MAX;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      if (job.kind === "restore") {
        this.#restore(job.snapshot);
        return;
      }
      const share = Math.ceil(job.entries.length / TURNS_PER_BATCH);
      const count = Math.min(
        budget,
        Math.max(share, ENTRIES_PER_TURN_MIN),
        job.entries.length - job.position,
      );
      for (const end = job.position + count; job.position < end; job.position += 1) {
        this.#applyEntry(job.entries[job.position] as Entry);
      }
      budget -= count;
      if (job.position < job.entries.length) {
        this.#busy = true;
        this.#ports.scheduler.defer(() => {
          this.#busy = false;
          this.#work();
        });
        this.#listener.onApplied(this.#appliedIndex);
        return;
      }
      this.#jobs.shift();
      this.#listener.onApplied(this.#appliedIndex);
    }
  }

  #applyEntry(entry: Entry): void {
    if (entry.index !== this.#appliedIndex + 1) {
      throw new Error(
        `cannot apply an entry: expected index ${this.#appliedIndex + 1}, got ${entry.index}`,
      );
    }
    this.#appliedIndex = entry.index;
    const applied =
      entry.kind === "command" ? this.#ports.machine.apply(entry.data, entry.index) : null;
    this.#listener.onEntry(entry, applied);
  }

  #restore(snapshot: SnapshotMetadata): void {
    this.#busy = true;
    restoreMachine(this.#ports.storage, this.#ports.machine, snapshot.index, (found) => {
      this.#busy = false;
      this.#jobs.shift();
      // Not found: a newer snapshot has taken its place, and its own restore is on the way.
      if (found) {
        this.#appliedIndex = snapshot.index;
        this.#listener.onRestored(snapshot);
        this.#listener.onApplied(snapshot.index);
      }
      this.#work();
    });
  }
}
