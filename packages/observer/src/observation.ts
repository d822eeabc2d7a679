/**
 * The one vocabulary of observations: it feeds the page, the recordings, the goldens and the
 * checkers. If the drawing needs something, it becomes an observation.
 */
import type {
  Configuration,
  EntryKind,
  LogIndex,
  NodeId,
  ReplicationState,
  Role,
  Term,
} from "@raftarium/raft";

/** A process's health, from whoever watches the process; never from the core (design 4.5). */
export type Health = "starting" | "running" | "paused" | "stopped" | "crashed";

export type MessageKind =
  | "append"
  | "heartbeat"
  | "vote"
  | "pre-vote"
  | "snapshot"
  | "transfer"
  | "read-index";

/** Identifies a message from its sending to its end: source, incarnation, sequence. */
export interface MessageId {
  readonly source: NodeId;
  readonly incarnation: number;
  readonly sequence: number;
}

/** A message without its payload. Fields that a kind doesn't have are 0 or false. */
export interface MessageSummary {
  readonly kind: MessageKind;
  /** False: a request. True: a reply. */
  readonly reply: boolean;
  readonly term: Term;
  /** Of a reply: granted, matched, installed. */
  readonly success: boolean;
  /** Append: prevLogIndex. Vote: lastLogIndex. Snapshot: its index. */
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entryCount: number;
  readonly leaderCommit: LogIndex;
  /** Append reply: matchIndex, or the hint of a refusal. Read index reply: the index. */
  readonly matchIndex: LogIndex;
  readonly readRound: number;
  /** Snapshot: byte offset; reply: next offset. */
  readonly offset: number;
  /** Payload bytes: of the entries, or of the chunk. */
  readonly bytes: number;
}

/** An entry as the log table shows it. */
export interface EntryView {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  /** In a few words: `fruit=pear`, `·` for a no-op. */
  readonly description: string;
}

/** Entries in a row, all of one term. */
export interface EntryRun {
  readonly firstIndex: LogIndex;
  readonly count: number;
  readonly term: Term;
}

export interface RowView {
  readonly key: string;
  /** null: the key was deleted. */
  readonly value: string | null;
}

export interface ProgressView {
  readonly peerId: NodeId;
  readonly state: ReplicationState;
  readonly matchIndex: LogIndex;
  readonly nextIndex: LogIndex;
  readonly inflightCount: number;
}

export interface TimerView {
  /** When this reading was taken (same clock as every stamp), microseconds. */
  readonly atUs: number;
  readonly elapsedTicks: number;
  readonly timeoutTicks: number;
  /** Wall time of one tick now; 0 while frozen. */
  readonly tickUs: number;
}

/** Everything that is known of one node at one moment. */
export interface NodeView {
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly role: Role;
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly leaderId: NodeId | null;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly durableIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly firstIndex: LogIndex;
  readonly snapshotIndex: LogIndex;
  readonly snapshotTerm: Term;
  readonly votesGranted: readonly NodeId[];
  readonly votesRejected: readonly NodeId[];
  /** null for a leader or a node that may not campaign. */
  readonly timer: TimerView | null;
  /** The newest entries only (`ENTRIES_IN_VIEW_MAX`). */
  readonly entries: readonly EntryView[];
  /** The first rows of the state machine only (`ROWS_IN_VIEW_MAX`). */
  readonly rows: readonly RowView[];
  readonly progress: readonly ProgressView[];
  readonly configuration: Configuration;
  readonly diskBytes: number;
  readonly lastSyncUs: number;
}

export const ENTRIES_IN_VIEW_MAX = 200;
export const ROWS_IN_VIEW_MAX = 100;

/** A fault of one direction of one link, in cluster time. All zero: none. */
export interface LinkFault {
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  /** None named means all kinds. */
  readonly messageKinds: readonly MessageKind[];
}

export interface LinkView extends LinkFault {
  readonly source: NodeId;
  readonly target: NodeId;
}

/** A fault of one node's disk. All zero: none. */
export interface DiskFault {
  /** Added to every sync, in cluster time. */
  readonly delayMs: number;
  /** The next write fails as if the disk were broken; the node ends. */
  readonly fail: boolean;
  /** Writes fail as if the disk were full. */
  readonly full: boolean;
}

/** What became of a client's request. `unknown`: it may or may not have taken effect. */
export type RequestOutcome = "ok" | "failed" | "unknown";

export type ObservationBody =
  // -- the core
  | {
      readonly kind: "role-changed";
      readonly role: Role;
      readonly term: Term;
      readonly leaderId: NodeId | null;
      readonly votedFor: NodeId | null;
      readonly reason: string;
    }
  | {
      readonly kind: "votes-changed";
      readonly term: Term;
      readonly preVote: boolean;
      readonly granted: readonly NodeId[];
      readonly rejected: readonly NodeId[];
    }
  | { readonly kind: "timer-changed"; readonly timer: TimerView | null }
  | { readonly kind: "log-appended"; readonly entries: readonly EntryView[] }
  /** Appended before those that the next `log-appended` tells, and too many to tell: their terms. */
  | { readonly kind: "entries-omitted"; readonly runs: readonly EntryRun[] }
  | { readonly kind: "log-truncated"; readonly fromIndex: LogIndex }
  | {
      readonly kind: "log-compacted";
      readonly throughIndex: LogIndex;
      readonly snapshotIndex: LogIndex;
      readonly snapshotTerm: Term;
    }
  | {
      readonly kind: "durable-advanced";
      readonly durableIndex: LogIndex;
      readonly lastSyncUs: number;
      readonly diskBytes: number;
    }
  | { readonly kind: "commit-advanced"; readonly commitIndex: LogIndex }
  | { readonly kind: "progress-changed"; readonly progress: ProgressView }
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
    }
  // -- the node around the core
  | { readonly kind: "applied"; readonly appliedIndex: LogIndex; readonly rows: readonly RowView[] }
  | {
      readonly kind: "restored";
      readonly snapshotIndex: LogIndex;
      readonly rows: readonly RowView[];
    }
  | {
      readonly kind: "message-sent";
      readonly id: MessageId;
      readonly target: NodeId;
      readonly message: MessageSummary;
    }
  // -- the receiver's gate: `id` and `sentAtUs` are the sender's, so this alone tells of a
  // message whose sender was killed before it could
  | {
      readonly kind: "message-arriving";
      readonly id: MessageId;
      readonly target: NodeId;
      readonly sentAtUs: number;
      /** When the gate will let it go; 0: held until somebody steps or thaws. */
      readonly dueAtUs: number;
      readonly message: MessageSummary;
    }
  | {
      readonly kind: "message-received";
      readonly id: MessageId;
      readonly target: NodeId;
      readonly sentAtUs: number;
      readonly message: MessageSummary;
    }
  | {
      readonly kind: "message-dropped";
      readonly id: MessageId;
      readonly target: NodeId;
      readonly sentAtUs: number;
      readonly reason: "cut" | "loss" | "overflow" | "stepped" | "restart";
      readonly message: MessageSummary;
    }
  | {
      readonly kind: "connection-changed";
      readonly peerId: NodeId;
      readonly state: "connecting" | "ready" | "backoff";
    }
  /** Too much to tell one by one: what was left out since the last such line. */
  | { readonly kind: "messages-omitted"; readonly count: number; readonly bytes: number }
  // -- the client's side, as the node that was asked sees it
  | {
      readonly kind: "request-started";
      readonly requestId: string;
      readonly description: string;
      readonly write: boolean;
    }
  | {
      readonly kind: "request-forwarded";
      readonly requestId: string;
      readonly leaderId: NodeId;
    }
  | {
      readonly kind: "request-proposed";
      readonly requestId: string;
      readonly index: LogIndex;
      readonly term: Term;
    }
  | {
      readonly kind: "request-finished";
      readonly requestId: string;
      readonly outcome: RequestOutcome;
      readonly detail: string;
      readonly durationUs: number;
    }
  /** Too many to tell one by one: how many were left out since the last such line. */
  | { readonly kind: "requests-omitted"; readonly count: number }
  // -- the stream itself
  /** A full view: what came before is superseded. First of every stream, and after a gap. */
  | { readonly kind: "node-view"; readonly view: NodeView }
  | { readonly kind: "gap"; readonly droppedCount: number }
  // -- whoever watches the processes (nodeId: the process spoken of)
  | {
      readonly kind: "health-changed";
      readonly health: Health;
      readonly pid: number;
      readonly address: string;
      /** "SIGKILL", "exit 1"...; empty if none. */
      readonly cause: string;
      /** The last line that the process wrote on standard error before it ended. */
      readonly lastWords: string;
    }
  | { readonly kind: "node-removed" }
  | { readonly kind: "disk-changed"; readonly disk: DiskFault }
  /** How fast the node's clock runs; 1: right. */
  | { readonly kind: "clock-changed"; readonly rate: number }
  // -- the whole cluster (nodeId 0)
  | { readonly kind: "links-changed"; readonly links: readonly LinkView[] }
  | { readonly kind: "speed-changed"; readonly speed: number; readonly frozen: boolean }
  | {
      readonly kind: "invariant-violated";
      readonly invariant: string;
      readonly explanation: string;
    };

export interface Stamp {
  /** Who speaks, or is spoken of; 0: the cluster. */
  readonly nodeId: NodeId;
  readonly incarnation: number;
  /** Ascending within an incarnation. Holes are normal: what was folded together or omitted. */
  readonly sequence: number;
  /** The machine's monotonic clock, microseconds (virtual time in a simulation). */
  readonly timeUs: number;
}

export type Observation = Stamp & { readonly body: ObservationBody };
export type ObservationKind = ObservationBody["kind"];
