import type { Input, LogIndex, NodeId, RequestId } from "@raftarium/raft";
import type { ReadOutcome } from "./api.ts";
import type { Scheduler } from "./ports.ts";
import { Window } from "./window.ts";

/** How many rounds of reads may be under way: more only divide the same batch into smaller ones. */
const ROUNDS_MAX = 2;

type Waiting = (outcome: ReadOutcome) => void;

/**
 * Reads that wait for the right to look. All reads of a turn share one read of the core; reads
 * that come while enough rounds are under way wait for the next one, which starts after they
 * came, as linearizability demands.
 */
export class PendingReads {
  readonly #scheduler: Scheduler;
  readonly #drive: (input: Input) => void;
  #batch: Waiting[] = [];
  #deferred = false;
  #nextId: RequestId = 1;
  readonly #rounds = new Window<readonly Waiting[]>();

  constructor(scheduler: Scheduler, drive: (input: Input) => void) {
    this.#scheduler = scheduler;
    this.#drive = drive;
  }

  add(done: Waiting): void {
    this.#batch.push(done);
    this.#consider();
  }

  ready(id: RequestId, index: LogIndex): void {
    this.#finish(id, { kind: "ready", index });
  }

  refused(
    id: RequestId,
    reason: "not-leader" | "leader-changed" | "no-leader",
    leaderId: NodeId | null,
  ): void {
    this.#finish(id, { kind: "refused", reason, leaderId });
  }

  stop(): void {
    const waiting = [...this.#rounds.takeThrough(Infinity), this.#batch].flat();
    this.#batch = [];
    for (const done of waiting) done({ kind: "refused", reason: "no-leader", leaderId: null });
  }

  #consider(): void {
    if (this.#deferred || this.#batch.length === 0 || this.#rounds.size >= ROUNDS_MAX) return;
    this.#deferred = true;
    this.#scheduler.defer(() => {
      this.#deferred = false;
      if (this.#batch.length === 0 || this.#rounds.size >= ROUNDS_MAX) return;
      const id = this.#nextId;
      this.#nextId += 1;
      this.#rounds.set(id, this.#batch);
      this.#batch = [];
      this.#drive({ kind: "read", id });
    });
  }

  #finish(id: RequestId, outcome: ReadOutcome): void {
    const waiting = this.#rounds.take(id);
    if (waiting === undefined) return;
    for (const done of waiting) done(outcome);
    this.#consider();
  }
}
