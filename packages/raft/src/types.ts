/** The words of the core: plain data in (inputs) and plain data out (effects). */
import type {
  NodeId,
  Term,
  LogIndex,
  Ticket,
  RequestId,
  Role,
  Entry,
  Configuration,
  HardState,
  SnapshotMetadata,
  Message,
} from "./messages.ts";

export type * from "./messages.ts";

// --- inputs -------------------------------------------------------------------------------

export interface Proposal {
  readonly id: RequestId;
  readonly data: Uint8Array;
}

export type ConfigurationChange =
  | { readonly kind: "add-learner"; readonly nodeId: NodeId; readonly address: string }
  | { readonly kind: "promote"; readonly nodeId: NodeId }
  | { readonly kind: "remove"; readonly nodeId: NodeId }
  /** Any change at once, by joint consensus. Addresses of new members included. */
  | {
      readonly kind: "replace";
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      readonly addresses: Readonly<Record<NodeId, string>>;
    };

export type Input =
  | { readonly kind: "tick" }
  | { readonly kind: "message"; readonly from: NodeId; readonly message: Message }
  | { readonly kind: "propose"; readonly proposals: readonly Proposal[] }
  /** Everything up to and including this ticket is durable. */
  | { readonly kind: "persisted"; readonly ticket: Ticket }
  /** The state machine has applied (or restored) everything up to and including `index`. */
  | { readonly kind: "applied"; readonly index: LogIndex }
  | { readonly kind: "read"; readonly id: RequestId }
  | {
      readonly kind: "change-configuration";
      readonly id: RequestId;
      readonly change: ConfigurationChange;
    }
  | { readonly kind: "transfer-leadership"; readonly to: NodeId }
  /** Time out now: start an election without waiting for the timer. */
  | { readonly kind: "campaign" }
  /** The caller's own snapshot at `index` is durable: the log before it may go. */
  | { readonly kind: "snapshot-saved"; readonly index: LogIndex }
  /** Answers a `read-snapshot-chunk` effect. `data` null: that snapshot is gone, start over. */
  | {
      readonly kind: "snapshot-chunk";
      readonly to: NodeId;
      readonly snapshotIndex: LogIndex;
      readonly offset: number;
      readonly data: Uint8Array | null;
      readonly done: boolean;
    }
  /** The transport lost its connection to a peer: probe before streaming again. */
  | { readonly kind: "unreachable"; readonly nodeId: NodeId };

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

export type Effect =
  /**
   * Make durable, in this order: drop the log from `entries[0].index` on, append `entries`, save
   * `hardState`. Answer with `persisted` once all of it is on disk. `hardState` null: unchanged.
   */
  | {
      readonly kind: "persist";
      readonly ticket: Ticket;
      readonly hardState: HardState | null;
      readonly entries: readonly Entry[];
      /** False: nothing is promised with it, `persisted` may be answered without a sync. */
      readonly sync: boolean;
    }
  /**
   * Write a chunk of a leader's snapshot. With `done` the snapshot takes the place of the log up
   * to its index (of the whole log, if that does not hold its last entry), atomically.
   */
  | {
      readonly kind: "persist-snapshot-chunk";
      readonly ticket: Ticket;
      readonly snapshot: SnapshotMetadata;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly done: boolean;
    }
  | { readonly kind: "send"; readonly to: NodeId; readonly message: Message }
  /** Committed entries, each exactly once, in order, without gaps. Answer with `applied`. */
  | { readonly kind: "apply"; readonly entries: readonly Entry[] }
  /** Replace the state machine by the installed snapshot. Answer with `applied`. */
  | { readonly kind: "restore"; readonly snapshot: SnapshotMetadata }
  /** The log up to and including this index is no longer needed. */
  | { readonly kind: "compact"; readonly throughIndex: LogIndex }
  | {
      readonly kind: "read-snapshot-chunk";
      readonly to: NodeId;
      readonly snapshotIndex: LogIndex;
      readonly offset: number;
      readonly bytesMax: number;
    }
  /** The proposal (or configuration change) is in the log here; it is not committed yet. */
  | {
      readonly kind: "proposal-accepted";
      readonly id: RequestId;
      readonly index: LogIndex;
      readonly term: Term;
    }
  /** The proposal never entered the log and never will. */
  | {
      readonly kind: "proposal-refused";
      readonly id: RequestId;
      readonly reason: ProposalRefusal;
      readonly leaderId: NodeId | null;
    }
  /** The state machine, as it is now, answers this read linearizably. */
  | { readonly kind: "read-ready"; readonly id: RequestId; readonly index: LogIndex }
  | {
      readonly kind: "read-refused";
      readonly id: RequestId;
      readonly reason: "not-leader" | "leader-changed" | "no-leader";
      readonly leaderId: NodeId | null;
    }
  /** The configuration in force changed (on append, on truncation, or by a snapshot). */
  | {
      readonly kind: "configuration";
      readonly configuration: Configuration;
      readonly index: LogIndex;
    }
  | { readonly kind: "observe"; readonly observation: CoreObservation };

// --- observations -------------------------------------------------------------------------

/** How the leader sees a peer (etcd's tracker: probe, replicate, snapshot). */
export type ReplicationState = "probe" | "replicate" | "snapshot";

/** What happened inside the core, for people and checkers. Emitted only while observing. */
export type CoreObservation =
  | {
      readonly kind: "role-changed";
      readonly role: Role;
      readonly term: Term;
      readonly leaderId: NodeId | null;
      readonly votedFor: NodeId | null;
      /** In plain words: "heard no leader for 41 ticks", "won with votes of 1, 2 and itself". */
      readonly reason: string;
    }
  | {
      readonly kind: "votes-changed";
      readonly term: Term;
      readonly preVote: boolean;
      readonly granted: readonly NodeId[];
      readonly rejected: readonly NodeId[];
    }
  /** The election timer was set: it fires `timeoutTicks` ticks after its start. */
  | {
      readonly kind: "election-timer-reset";
      readonly elapsedTicks: number;
      readonly timeoutTicks: number;
    }
  | { readonly kind: "log-appended"; readonly entries: readonly Entry[] }
  | { readonly kind: "log-truncated"; readonly fromIndex: LogIndex }
  | {
      readonly kind: "log-compacted";
      readonly throughIndex: LogIndex;
      readonly snapshotIndex: LogIndex;
      readonly snapshotTerm: Term;
    }
  | { readonly kind: "durable-advanced"; readonly durableIndex: LogIndex }
  | { readonly kind: "commit-advanced"; readonly commitIndex: LogIndex }
  | {
      readonly kind: "progress-changed";
      readonly peerId: NodeId;
      readonly state: ReplicationState;
      readonly matchIndex: LogIndex;
      readonly nextIndex: LogIndex;
      readonly inflightCount: number;
    }
  | {
      readonly kind: "snapshot-transfer";
      readonly direction: "sending" | "receiving";
      readonly peerId: NodeId;
      readonly snapshotIndex: LogIndex;
      readonly offset: number;
      readonly done: boolean;
    }
  | {
      readonly kind: "read-confirmed";
      readonly index: LogIndex;
      readonly readCount: number;
      readonly acknowledgedBy: readonly NodeId[];
    }
  | {
      readonly kind: "transfer-changed";
      readonly targetId: NodeId | null;
      readonly phase: "started" | "sent" | "aborted" | "done";
    }
  | {
      readonly kind: "configuration-changed";
      readonly configuration: Configuration;
      readonly index: LogIndex;
      readonly committed: boolean;
    };

// --- construction -------------------------------------------------------------------------

/** A source of chance that is handed in; see `createRandom`. */
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
  readonly votesGranted: readonly NodeId[];
  readonly votesRejected: readonly NodeId[];
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
