import type { Entry, Input, LogIndex, NodeId, Proposal, RequestId, Term } from "@raftarium/raft";
import type { ProposalRefusal } from "@raftarium/raft";
import type { ProposalOutcome } from "./api.ts";
import type { Scheduler } from "./ports.ts";
import { Window } from "./window.ts";

interface Pending<Result> {
  readonly done: (outcome: ProposalOutcome<Result>) => void;
  readonly onAccepted: ((index: LogIndex, term: Term) => void) | undefined;
  /** The term of the entry once it is in the log. */
  term: Term;
}

/**
 * Who waits for which entry. Proposals of one turn of the event loop go to the core together: one
 * write and one message per peer for all of them.
 */
export class PendingProposals<Result> {
  readonly #scheduler: Scheduler;
  readonly #drive: (input: Input) => void;
  #batch: Proposal[] = [];
  #nextId: RequestId = 1;
  /** Not yet answered by the core. */
  readonly #proposed = new Window<Pending<Result>>();
  /** In the log, not yet applied. An index is here once: a newer proposal needs a newer entry. */
  readonly #accepted = new Window<Pending<Result>>();

  constructor(scheduler: Scheduler, drive: (input: Input) => void) {
    this.#scheduler = scheduler;
    this.#drive = drive;
  }

  add(
    command: Uint8Array,
    done: (outcome: ProposalOutcome<Result>) => void,
    onAccepted: ((index: LogIndex, term: Term) => void) | undefined,
  ): void {
    const id = this.register(done, onAccepted);
    this.#batch.push({ id, data: command });
    if (this.#batch.length > 1) return;
    this.#scheduler.defer(() => {
      const proposals = this.#batch;
      this.#batch = [];
      this.#drive({ kind: "propose", proposals });
    });
  }

  /** For what reaches the core in another way (configuration changes): only the waiting. */
  register(
    done: (outcome: ProposalOutcome<Result>) => void,
    onAccepted?: (index: LogIndex, term: Term) => void,
  ): RequestId {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#proposed.set(id, { done, onAccepted, term: 0 });
    return id;
  }

  accepted(id: RequestId, index: LogIndex, term: Term): void {
    const pending = this.#proposed.take(id);
    if (pending === undefined) return;
    // The index was this node's before, in an earlier term, and was truncated since.
    this.#accepted.get(index)?.done({ kind: "unknown", leaderId: null });
    pending.term = term;
    this.#accepted.set(index, pending);
    pending.onAccepted?.(index, term);
  }

  refused(id: RequestId, reason: ProposalRefusal, leaderId: NodeId | null): void {
    const pending = this.#proposed.take(id);
    pending?.done({ kind: "refused", reason, leaderId });
  }

  /** `result` undefined: not a command. An index alone proves nothing: the term must match. */
  entryApplied(entry: Entry, result: Result | undefined): void {
    const pending = this.#accepted.take(entry.index);
    if (pending === undefined) return;
    if (pending.term === entry.term) {
      const { index, term } = entry;
      pending.done({ kind: "applied", index, term, result: result as Result });
    } else {
      pending.done({ kind: "superseded", leaderId: null });
    }
  }

  /** A snapshot took the place of the entries: what became of them is not known here. */
  restored(index: LogIndex): void {
    for (const { done } of this.#accepted.takeThrough(index)) {
      done({ kind: "unknown", leaderId: null });
    }
  }

  stop(): void {
    const refused = this.#proposed.takeThrough(Infinity);
    const unknown = this.#accepted.takeThrough(Infinity);
    for (const { done } of refused) done({ kind: "refused", reason: "not-leader", leaderId: null });
    for (const { done } of unknown) done({ kind: "unknown", leaderId: null });
  }
}
