import type { CoreObservation, Entry, LogIndex, Raft } from "@raftarium/raft";
import {
  ENTRIES_IN_VIEW_MAX,
  ROWS_IN_VIEW_MAX,
  type EntryView,
  type NodeView,
  type Observation,
  type ObservationBody,
  type TimerView,
} from "@raftarium/observer";
import { Gathering, runsOf } from "./gathering.ts";
import type { Ports, RaftNodeOptions } from "./options.ts";
import type { Change } from "./ports.ts";
import { RowWindow } from "./row-window.ts";

export type Observer = (observation: Observation) => void;

/** Tells what happens in a node, stamped. Silent, and free of cost, while nobody observes. */
export class Narrator<Result> {
  readonly #options: RaftNodeOptions;
  readonly #ports: Ports<Result>;
  readonly #raft: Raft;
  #observer: Observer | null = null;
  #sequence = 0;
  #tickUs: number;
  readonly #rows = new RowWindow();
  /** null: everything is told at once. */
  #gathering: Gathering | null = null;

  constructor(options: RaftNodeOptions, ports: Ports<Result>, raft: Raft) {
    this.#options = options;
    this.#ports = ports;
    this.#raft = raft;
    this.#tickUs = options.tickUs;
  }

  get observing(): boolean {
    return this.#observer !== null;
  }

  setObserver(observer: Observer | null): void {
    this.#observer = observer;
    this.#gathering = null;
    this.#rows.clear();
    this.#raft.setObserving(observer !== null);
  }

  setTickUs(tickUs: number): void {
    this.#tickUs = tickUs;
    if (this.observing) this.tell({ kind: "timer-changed", timer: this.#timer() });
  }

  gather(on: boolean): void {
    if (on === (this.#gathering !== null)) return;
    this.tellGathered();
    this.#gathering = on ? new Gathering() : null;
  }

  tellGathered(): number {
    const gathered = this.#gathering;
    if (gathered === null || gathered.count === 0) return 0;
    this.#gathering = new Gathering();
    const { runs, entries } = gathered.appended();
    if (runs.length > 0) this.tell({ kind: "entries-omitted", runs });
    if (entries.length > 0) this.#tellAppended(entries);
    if (gathered.durableIndex !== null) this.#tellDurable(gathered.durableIndex);
    if (gathered.commitIndex !== null) {
      this.tell({ kind: "commit-advanced", commitIndex: gathered.commitIndex });
    }
    if (gathered.appliedIndex !== null) this.#tellApplied(gathered.appliedIndex);
    for (const progress of gathered.progress.values()) {
      this.tell({ kind: "progress-changed", progress });
    }
    if (gathered.timerReset) this.tell({ kind: "timer-changed", timer: this.#timer() });
    return gathered.count;
  }

  /** Of somebody else, in this node's sequence. */
  observe(body: ObservationBody): void {
    if (body.kind === "node-view") {
      this.tellGathered();
      this.#rows.reset(body.view.rows);
    }
    this.tell(body);
  }

  tell(body: ObservationBody, timeUs: number = this.#ports.scheduler.nowUs()): void {
    if (this.#observer === null) return;
    this.#sequence += 1;
    this.#observer({
      nodeId: this.#options.raft.id,
      incarnation: this.#options.incarnation,
      sequence: this.#sequence,
      timeUs,
      body,
    });
  }

  /** Translates what the core saw into what people see. */
  core(observation: CoreObservation): void {
    if (this.#gathering !== null) {
      if (this.#gathering.take(observation)) return;
      this.tellGathered();
    }
    switch (observation.kind) {
      case "election-timer-reset":
        this.tell({
          kind: "timer-changed",
          timer: {
            atUs: this.#ports.scheduler.nowUs(),
            elapsedTicks: observation.elapsedTicks,
            timeoutTicks: observation.timeoutTicks,
            tickUs: this.#tickUs,
          },
        });
        return;
      case "role-changed":
        this.tell(observation);
        if (observation.role === "leader") this.tell({ kind: "timer-changed", timer: null });
        return;
      case "log-appended": {
        const { entries } = observation;
        const runs = runsOf(entries.slice(0, -ENTRIES_IN_VIEW_MAX));
        if (runs.length > 0) this.tell({ kind: "entries-omitted", runs });
        this.#tellAppended(entries.slice(-ENTRIES_IN_VIEW_MAX));
        return;
      }
      case "durable-advanced":
        this.#tellDurable(observation.durableIndex);
        return;
      case "progress-changed": {
        const { kind, ...progress } = observation;
        this.tell({ kind, progress });
        return;
      }
      default:
        this.tell(observation);
    }
  }

  entryApplied(changes: readonly Change[]): void {
    if (this.#observer !== null) this.#rows.note(changes);
  }

  appliedAdvanced(appliedIndex: LogIndex): void {
    if (this.#observer === null) return;
    if (this.#gathering === null) {
      this.#tellApplied(appliedIndex);
      return;
    }
    this.#gathering.appliedIndex = appliedIndex;
    this.#gathering.count += 1;
  }

  restored(snapshotIndex: LogIndex): void {
    if (this.#observer === null) return;
    this.tellGathered();
    const rows = this.#ports.machine.rows(ROWS_IN_VIEW_MAX);
    this.#rows.reset(rows);
    this.tell({ kind: "restored", snapshotIndex, rows });
  }

  #tellAppended(entries: readonly Entry[]): void {
    const views = entries.map((entry) => this.#entryView(entry));
    this.tell({ kind: "log-appended", entries: views });
  }

  #tellDurable(durableIndex: LogIndex): void {
    const { lastSyncUs, diskBytes } = this.#ports.storage.stats();
    this.tell({ kind: "durable-advanced", durableIndex, lastSyncUs, diskBytes });
  }

  #tellApplied(appliedIndex: LogIndex): void {
    const rows = this.#rows.take(() => this.#ports.machine.rows(ROWS_IN_VIEW_MAX));
    this.tell({ kind: "applied", appliedIndex, rows });
  }

  view(): NodeView {
    const status = this.#raft.status();
    const { diskBytes, lastSyncUs } = this.#ports.storage.stats();
    const from = Math.max(status.firstIndex, status.lastIndex - ENTRIES_IN_VIEW_MAX + 1);
    return {
      nodeId: status.id,
      incarnation: this.#options.incarnation,
      role: status.role,
      term: status.term,
      votedFor: status.votedFor,
      leaderId: status.leaderId,
      commitIndex: status.commitIndex,
      appliedIndex: status.appliedIndex,
      durableIndex: status.durableIndex,
      lastIndex: status.lastIndex,
      firstIndex: status.firstIndex,
      snapshotIndex: status.snapshotIndex,
      snapshotTerm: status.snapshotTerm,
      votesGranted: status.votesGranted,
      votesRejected: status.votesRejected,
      timer: this.#timer(),
      entries: this.#raft.entries(from, status.lastIndex).map((entry) => this.#entryView(entry)),
      rows: this.#ports.machine.rows(ROWS_IN_VIEW_MAX),
      progress: status.progress.map(({ nodeId, state, matchIndex, nextIndex, inflightCount }) => ({
        peerId: nodeId,
        state,
        matchIndex,
        nextIndex,
        inflightCount,
      })),
      configuration: status.configuration,
      diskBytes,
      lastSyncUs,
    };
  }

  #timer(): TimerView | null {
    const { role, electionElapsedTicks, electionTimeoutTicks } = this.#raft.status();
    if (role === "leader" || role === "learner") return null;
    return {
      atUs: this.#ports.scheduler.nowUs(),
      elapsedTicks: electionElapsedTicks,
      timeoutTicks: electionTimeoutTicks,
      tickUs: this.#tickUs,
    };
  }

  #entryView(entry: Entry): EntryView {
    const { index, term, kind } = entry;
    const description =
      kind === "command"
        ? this.#ports.machine.describe(entry.data)
        : kind === "no-op"
          ? "·"
          : "members";
    return { index, term, kind, description };
  }
}
