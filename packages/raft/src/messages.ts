/**
 * The words of the core that cross a wire or reach a disk: terms and entries, configurations, and
 * the messages between participants.
 *
 * Numbers are safe integers. Names are those of Figure 2 of the Raft paper ("In Search of an
 * Understandable Consensus Algorithm", extended version) where it has one.
 */

/** A participant's identity, from 1 up. Never reused: a node that lost its disk needs a new id. */
export type NodeId = number;
export type NodeIds = readonly NodeId[];
/** An election term, from 0 (before any election) up. */
export type Term = number;
/** A position in the log. The first entry has index 1; 0 is "before the log". */
export type LogIndex = number;
/** Identifies one write handed to storage. Tickets are issued and completed in ascending order. */
export type Ticket = number;
/** Chosen by the caller to recognise its own proposal, read or configuration change. */
export type RequestId = number;

export type Role = "follower" | "pre-candidate" | "candidate" | "leader" | "learner";

export type EntryKind = "command" | "no-op" | "configuration";

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  /** A command is opaque to the core. A configuration is `encodeConfiguration`'s bytes. */
  readonly data: Uint8Array;
}

/**
 * Who takes part. A joint configuration (paper, section 6) has a non-empty `votersOutgoing`
 * (C_old) beside `voters` (C_new); every decision then needs a majority of both.
 */
export interface Configuration {
  readonly voters: NodeIds;
  readonly votersOutgoing: NodeIds;
  readonly learners: NodeIds;
  /**
   * Where each member listens. Opaque to the core; carried so that all nodes agree on it. The
   * highest id ever used stays, with an empty address once its node is gone: see NodeId.
   */
  readonly addresses: Addresses;
}

export type Addresses = Readonly<Record<NodeId, string>>;

/** What must be durable before a promise made with it may leave the node (Figure 2). */
export interface HardState {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  /** Only a hint: it may lag behind, and needs no sync of its own. */
  readonly commitIndex: LogIndex;
}

/** A configuration, and the index of the entry that set it (0: the initial one). */
export interface ConfigurationAt {
  readonly configuration: Configuration;
  readonly configurationIndex: LogIndex;
}

/** The last entry that a snapshot replaces, and the configuration in force there (section 7). */
export interface SnapshotMetadata extends ConfigurationAt {
  readonly index: LogIndex;
  readonly term: Term;
}

// --- messages -----------------------------------------------------------------------------

export interface RequestVote {
  readonly type: "request-vote";
  /** The term campaigned for. A pre-vote asks for the next term without entering it. */
  readonly term: Term;
  readonly preVote: boolean;
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** Set when the old leader asked for this election: voters skip the leader-stickiness check. */
  readonly leadershipTransfer: boolean;
}

export interface RequestVoteResponse {
  readonly type: "request-vote-response";
  readonly term: Term;
  readonly preVote: boolean;
  readonly voteGranted: boolean;
}

/** A heartbeat is an append with no entries. */
export interface AppendEntries {
  readonly type: "append-entries";
  readonly term: Term;
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /**
   * The leader's own counter of read rounds (ReadIndex, thesis 6.4). A reply repeats it; only a
   * reply to this round or a later one confirms reads that were waiting when the round began.
   */
  readonly readRound: number;
}

export interface AppendEntriesResponse {
  readonly type: "append-entries-response";
  readonly term: Term;
  readonly success: boolean;
  /**
   * On success: durable there and the same as in the leader's log, at most prevLogIndex +
   * entries.length of the request. (Less if a heartbeat comes while entries are being written.)
   * Else 0.
   */
  readonly matchIndex: LogIndex;
  /** On failure: the last index that could match, and the term there (fast back-up). Else 0. */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  /** On failure: the prevLogIndex that was refused, so that a stale refusal is recognised. */
  readonly rejectedIndex: LogIndex;
  readonly readRound: number;
  /** It answers an append without entries. Decides nothing: it tells people and link faults. */
  readonly heartbeat: boolean;
  /** The sender's `priority` option: whom the leader had better be. */
  readonly priority: number;
}

export interface InstallSnapshot {
  readonly type: "install-snapshot";
  readonly term: Term;
  readonly snapshot: SnapshotMetadata;
  /** Byte offset of `data` in the snapshot. */
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}

export interface InstallSnapshotResponse {
  readonly type: "install-snapshot-response";
  readonly term: Term;
  readonly snapshotIndex: LogIndex;
  /** How many bytes the follower has durably; the next chunk starts here. */
  readonly nextOffset: number;
  /** The whole snapshot is installed. */
  readonly done: boolean;
}

/** Leadership transfer (thesis 3.10): the target campaigns at once. */
export type TimeoutNow = Readonly<{ type: "timeout-now"; term: Term }>;

/** A follower asks the leader for a read index on behalf of its own client (thesis 6.4). */
export type ReadIndex = Readonly<{ type: "read-index"; term: Term; requestId: RequestId }>;

/** `index` 0: refused. */
export type ReadIndexResponse = Readonly<{
  type: "read-index-response";
  term: Term;
  requestId: RequestId;
  index: LogIndex;
}>;

export type Message =
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | InstallSnapshot
  | InstallSnapshotResponse
  | TimeoutNow
  | ReadIndex
  | ReadIndexResponse;
