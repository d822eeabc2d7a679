/** The words of the core: plain data in (inputs) and plain data out (effects). */
import type { NodeId, NodeIds, Addresses, Term, LogIndex, Ticket, RequestId } from "./messages.ts";
import type { Role, Entry, Configuration, HardState, SnapshotMetadata } from "./messages.ts";
import type { Message } from "./messages.ts";

export type * from "./messages.ts";

// --- inputs -------------------------------------------------------------------------------

export type Proposal = Readonly<{ id: RequestId; data: Uint8Array }>;

export type ConfigurationChange = Readonly<
  | { kind: "add-learner"; nodeId: NodeId; address: string }
  | { kind: "promote"; nodeId: NodeId }
  | { kind: "remove"; nodeId: NodeId }
  /** Any change at once, by joint consensus. Addresses of new members included. */
  | { kind: "replace"; voters: NodeIds; learners: NodeIds; addresses: Addresses }
>;

export type Input = Readonly<
  | { kind: "tick" }
  | { kind: "message"; from: NodeId; message: Message }
  | { kind: "propose"; proposals: readonly Proposal[] }
  /** Everything up to and including this ticket is durable. */
  | { kind: "persisted"; ticket: Ticket }
  /** The state machine has applied (or restored) everything up to and including `index`. */
  | { kind: "applied"; index: LogIndex }
  | { kind: "read"; id: RequestId }
  | { kind: "change-configuration"; id: RequestId; change: ConfigurationChange }
  | { kind: "transfer-leadership"; to: NodeId }
  /** Time out now: start an election without waiting for the timer. */
  | { kind: "campaign" }
  /** The caller's own snapshot at `index` is durable: the log before it may go. */
  | { kind: "snapshot-saved"; index: LogIndex }
  | SnapshotChunk
  /** The transport lost its connection to a peer: probe before streaming again. */
  | { kind: "unreachable"; nodeId: NodeId }
>;

/** Answers a `read-snapshot-chunk` effect. `data` null: that snapshot is gone, start over. */
export type SnapshotChunk = Readonly<{
  kind: "snapshot-chunk";
  to: NodeId;
  snapshotIndex: LogIndex;
  offset: number;
  data: Uint8Array | null;
  done: boolean;
}>;

// --- effects ------------------------------------------------------------------------------

export type ProposalRefusal =
  | "not-leader"
  /** Leadership is being handed over; retry in a moment. */
  | "transferring"
  /** Too many uncommitted bytes; retry later. */
  | "overloaded"
  /** A configuration change is pending, or nothing of this term is committed yet. */
  | "configuration-pending"
  /** The change makes no sense: already a member, not a learner, not caught up... */
  | "invalid";

export type ReadRefusal = "not-leader" | "leader-changed" | "no-leader";

export type Effect = Readonly<
  /**
   * Make durable, in this order: drop the log from `entries[0].index` on, append `entries`, save
   * `hardState`. Answer with `persisted` once all of it is on disk. `hardState` null: unchanged.
   * `sync` false: nothing is promised with it, `persisted` may be answered without a sync.
   */
  | {
      kind: "persist";
      ticket: Ticket;
      hardState: HardState | null;
      entries: readonly Entry[];
      sync: boolean;
    }
  /**
   * Write a chunk of a leader's snapshot. With `done` the snapshot takes the place of the log up
   * to its index (of the whole log, if that does not hold its last entry), atomically.
   */
  | {
      kind: "persist-snapshot-chunk";
      ticket: Ticket;
      snapshot: SnapshotMetadata;
      offset: number;
      data: Uint8Array;
      done: boolean;
    }
  | { kind: "send"; to: NodeId; message: Message }
  /** Committed entries, each exactly once, in order, without gaps. Answer with `applied`. */
  | { kind: "apply"; entries: readonly Entry[] }
  /** Replace the state machine by the installed snapshot. Answer with `applied`. */
  | { kind: "restore"; snapshot: SnapshotMetadata }
  /** The log up to and including this index is no longer needed. */
  | { kind: "compact"; throughIndex: LogIndex }
  | {
      kind: "read-snapshot-chunk";
      to: NodeId;
      snapshotIndex: LogIndex;
      offset: number;
      bytesMax: number;
    }
  /** The proposal (or configuration change) is in the log here; it is not committed yet. */
  | { kind: "proposal-accepted"; id: RequestId; index: LogIndex; term: Term }
  /** The proposal never entered the log and never will. */
  | { kind: "proposal-refused"; id: RequestId; reason: ProposalRefusal; leaderId: NodeId | null }
  /** The state machine, as it is now, answers this read linearizably. */
  | { kind: "read-ready"; id: RequestId; index: LogIndex }
  | { kind: "read-refused"; id: RequestId; reason: ReadRefusal; leaderId: NodeId | null }
  /** The configuration in force changed (on append, on truncation, or by a snapshot). */
  | { kind: "configuration"; configuration: Configuration; index: LogIndex }
  | { kind: "observe"; observation: CoreObservation }
>;

// --- observations -------------------------------------------------------------------------

/** How the leader sees a peer (etcd's tracker: probe, replicate, snapshot). */
export type ReplicationState = "probe" | "replicate" | "snapshot";

/** What happened inside the core, for people and checkers. Emitted only while observing. */
export type CoreObservation = Readonly<
  /** `reason` in plain words: "heard no leader for 41 ticks", "won with votes of 1, 2 and itself". */
  | {
      kind: "role-changed";
      role: Role;
      term: Term;
      leaderId: NodeId | null;
      votedFor: NodeId | null;
      reason: string;
    }
  | { kind: "votes-changed"; term: Term; preVote: boolean; granted: NodeIds; rejected: NodeIds }
  /** The election timer was set: it fires `timeoutTicks` ticks after its start. */
  | { kind: "election-timer-reset"; elapsedTicks: number; timeoutTicks: number }
  | { kind: "log-appended"; entries: readonly Entry[] }
  | { kind: "log-truncated"; fromIndex: LogIndex }
  | { kind: "log-compacted"; throughIndex: LogIndex; snapshotIndex: LogIndex; snapshotTerm: Term }
  | { kind: "durable-advanced"; durableIndex: LogIndex }
  | { kind: "commit-advanced"; commitIndex: LogIndex }
  | {
      kind: "progress-changed";
      peerId: NodeId;
      state: ReplicationState;
      matchIndex: LogIndex;
      nextIndex: LogIndex;
      inflightCount: number;
    }
  | {
      kind: "snapshot-transfer";
      direction: "sending" | "receiving";
      peerId: NodeId;
      snapshotIndex: LogIndex;
      offset: number;
      done: boolean;
    }
  | { kind: "read-confirmed"; index: LogIndex; readCount: number; acknowledgedBy: NodeIds }
  | { kind: "transfer-changed"; targetId: NodeId | null; phase: TransferPhase }
  | {
      kind: "configuration-changed";
      configuration: Configuration;
      index: LogIndex;
      committed: boolean;
    }
>;

export type TransferPhase = "started" | "sent" | "aborted" | "done";

// --- construction -------------------------------------------------------------------------

/** A source of chance, handed in: a seeded one makes a run that can be repeated. */
export interface Random {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
}

/** What storage found at start. */
export interface RecoveredState {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMetadata | null;
  /** Contiguous; the first follows the snapshot (or index 0). */
  readonly entries: readonly Entry[];
}

export interface RaftOptions {
  readonly id: NodeId;
  /**
   * From 1 up; greater at every start of this node, even after a crash. Late answers to what it
   * asked in an earlier life, maybe in this same term, are known by it.
   */
  readonly incarnation: number;
  /** In force before any entry or snapshot says otherwise. No voters: wait to be added. */
  readonly initialConfiguration: Configuration;
  readonly recovered: RecoveredState;
  readonly random: Random;
  /** The election timeout is drawn from electionTicksMin to electionTicksMax at each reset. */
  readonly electionTicksMin: number;
  readonly electionTicksMax: number;
  readonly heartbeatTicks: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  /** Serve reads without a round while the lease holds. Not linearizable under clock faults. */
  readonly leaseReads: boolean;
  /**
   * From 0 up. A leader hands over to a voter of a higher priority that has caught up, after a
   * calm while. Who wins an election does not depend on it.
   */
  readonly priority: number;
  readonly entriesPerAppendMax: number;
  readonly bytesPerAppendMax: number;
  readonly inflightAppendsMax: number;
  readonly inflightBytesMax: number;
  readonly uncommittedBytesMax: number;
  readonly snapshotChunkBytes: number;
  /** Entries kept behind a snapshot, so that a slightly slow follower needs none. */
  readonly trailingEntries: number;
  /** Emit `observe` effects from the start; `setObserving` changes it. */
  readonly observing: boolean;
}

export interface PeerProgress {
  readonly nodeId: NodeId;
  readonly state: ReplicationState;
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly inflightCount: number;
  readonly recentlyActive: boolean;
  /** As the peer last told; 0 before. */
  readonly priority: number;
}

/** Everything a person may want to know, at one moment. Arrays are copies. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly leaderId: NodeId | null;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly durableIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The first index still in the log; snapshotIndex + 1 or lower (trailing entries). */
  readonly firstIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly snapshotTerm: Term;
  readonly electionElapsedTicks: number;
  readonly electionTimeoutTicks: number;
  readonly votesGranted: NodeIds;
  readonly votesRejected: NodeIds;
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
  readonly transferTargetId: NodeId | null;
  /** Empty unless leader. */
  readonly progress: readonly PeerProgress[];
}

/** One participant's whole decision-making. See `createRaft`. */
export interface Raft {
  /**
   * Takes one input and decides. Effects are to be carried out in order. Never throws on what a
   * peer or client sent; throws an AssertionError when an invariant of the core itself is broken,
   * after which the process must end.
   */
  step(input: Input): readonly Effect[];
  status(): RaftStatus;
  /** Entries from `from` to `to` (both included) that are still in the log. */
  entries(from: LogIndex, to: LogIndex): readonly Entry[];
  /**
   * What belongs to a snapshot of the state machine at `index`. Null unless `index` is applied
   * and not below the latest snapshot.
   */
  snapshotMetadata(index: LogIndex): SnapshotMetadata | null;
  setObserving(observing: boolean): void;
}
