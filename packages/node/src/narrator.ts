import type { CoreObservation, Entry, LogIndex, Raft } from "@raftarium/raft";
import {
  ENTRIES_IN_VIEW_MAX,
  ROWS_IN_VIEW_MAX,
  type EntryView,
  type NodeView,
  type Observation,
  type ObservationBody,
  type RowView,
  type TimerView,
} from "@raftarium/observer";
import type { Ports, RaftNodeOptions } from "./options.ts";
import type { Change } from "./ports.ts";
import { textOf } from "./text.ts";

export type Observer = (observation: Observation) => void;

/** Tells what happens in a node, stamped. Silent, and free of cost, while nobody observes. */
export class Narrator<Result> {
  readonly #options: RaftNodeOptions;
  readonly #ports: Ports<Result>;
  readonly #raft: Raft;
  #observer: Observer | null = null;
  #sequence = 0;
  #tickUs: number;
  /** Rows changed since the applied index was last told. */
  #changes: RowView[] = [];

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
    this.#changes = [];
    this.#raft.setObserving(observer !== null);
  }

  setTickUs(tickUs: number): void {
    this.#tickUs = tickUs;
    if (this.observing) this.tell({ kind: "timer-changed", timer: this.#timer() });
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
      case "log-appended":
        this.tell({
          kind: "log-appended",
          entries: observation.entries
            .slice(-ENTRIES_IN_VIEW_MAX)
            .map((entry) => this.#entryView(entry)),
        });
        return;
      case "durable-advanced": {
        const { lastSyncUs, diskBytes } = this.#ports.storage.stats();
        this.tell({ ...observation, lastSyncUs, diskBytes });
        return;
      }
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
    if (this.#observer === null) return;
    for (const { key, value } of changes) {
      this.#changes.push({ key: textOf(key), value: value === null ? null : textOf(value) });
    }
    if (this.#changes.length > 2 * ROWS_IN_VIEW_MAX) {
      this.#changes = this.#changes.slice(-ROWS_IN_VIEW_MAX);
    }
  }

  appliedAdvanced(appliedIndex: LogIndex): void {
    if (this.#observer === null) return;
    const rows = this.#changes;
    this.#changes = [];
    this.tell({ kind: "applied", appliedIndex, rows });
  }

  restored(snapshotIndex: LogIndex): void {
    if (this.#observer === null) return;
    this.#changes = [];
    const rows = this.#ports.machine.rows(ROWS_IN_VIEW_MAX);
    this.tell({ kind: "restored", snapshotIndex, rows });
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
