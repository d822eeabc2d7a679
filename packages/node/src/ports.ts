/**
 * What a RaftNode needs from the world. Every port is callback-shaped, never promise-shaped: the
 * simulator decides when each callback runs, so that no microtask order leaks into a seed.
 * Callbacks are never called before the call that took them has returned.
 */
import type {
  Entry,
  HardState,
  LogIndex,
  Message,
  NodeId,
  RecoveredState,
  SnapshotMetadata,
} from "@raftarium/raft";

/** One write to the log. See the core's `persist` effect for the order. */
export interface LogWrite {
  readonly hardState: HardState | null;
  /** Replace whatever the log has from `entries[0].index` on. */
  readonly entries: readonly Entry[];
  readonly sync: boolean;
}

export interface SnapshotChunk {
  readonly snapshot: SnapshotMetadata;
  readonly offset: number;
  readonly data: Uint8Array;
  /** The last chunk: with it the snapshot becomes durable and current, atomically. */
  readonly done: boolean;
  /** `local`: taken by this node, the log stays. `received`: a leader's, see the core. */
  readonly origin: "local" | "received";
}

/**
 * The durable half of a node, already opened. Writes complete in the order in which they were
 * asked for. A failed write or sync never completes: the owner of the disk ends the process
 * (design 4.13).
 */
export interface Storage {
  readonly recovered: RecoveredState;
  persist(write: LogWrite, done: () => void): void;
  /** A chunk at offset 0 starts over whatever was there of an unfinished snapshot. */
  writeSnapshotChunk(chunk: SnapshotChunk, done: () => void): void;
  /** `data` null: there is no such snapshot (any more). */
  readSnapshotChunk(
    index: LogIndex,
    offset: number,
    bytesMax: number,
    done: (data: Uint8Array | null, last: boolean) => void,
  ): void;
  /** The log up to and including this index may be deleted. Never beyond the durable snapshot. */
  compact(throughIndex: LogIndex): void;
  /** A tick of cluster time has passed: time to do what was put off until nothing is going on. */
  tick?(): void;
  /** Counters for people and metrics. */
  stats(): StorageStats;
  close(done: () => void): void;
}

export interface StorageStats {
  /** Bytes of all files. */
  readonly diskBytes: number;
  readonly syncCount: number;
  /** Duration of the last sync, microseconds. */
  readonly lastSyncUs: number;
  /** False while the disk is full: proposals are refused until there is space. */
  readonly writable: boolean;
}

/** A message with the identity that it keeps from sending to delivery (design 4.6). */
export interface Envelope {
  readonly source: NodeId;
  readonly target: NodeId;
  /** How often the source was started; from 1 up. */
  readonly incarnation: number;
  /** Counts the source's messages within an incarnation; from 1 up. */
  readonly sequence: number;
  /** The machine's monotonic clock at sending, microseconds. */
  readonly sentAtUs: number;
  readonly message: Message;
}

export interface Transport {
  /** Never blocks and never fails: a message that can't be sent is lost, as on any network. */
  send(envelope: Envelope): void;
}

export interface Scheduler {
  /** A monotonic clock shared by all nodes of the machine, microseconds. For stamps only. */
  nowUs(): number;
  /** Runs `task` soon, after the current turn; tasks keep their order. */
  defer(task: () => void): void;
}

/** One key that a command changed, for people. `value` null: the key is gone. */
export interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface Applied<Result> {
  readonly result: Result;
  readonly changes: readonly Change[];
}

/** One row of the machine's state, for people. */
export interface StateRow {
  readonly key: string;
  readonly value: string;
}

/**
 * The seam for an application of your own. A machine must be deterministic: the same commands in
 * the same order give the same results and the same snapshot bytes on every node. It must not
 * throw on any command: what can't be carried out gets a result that says so.
 */
export interface StateMachine<Result = Uint8Array> {
  /** Carries out one committed command. */
  apply(command: Uint8Array, index: LogIndex): Applied<Result>;
  /** Answers a question about the state as it is. Changes nothing. */
  query(question: Uint8Array): Uint8Array;
  /**
   * The state as it is now, in pieces of any size. The pieces are drawn over many turns while
   * `apply` goes on; they must all be of the moment of the call. `return()` is called on the
   * iterator when it is abandoned.
   */
  snapshot(): IterableIterator<Uint8Array>;
  /** Starts over from a snapshot's pieces (cut anew); the state changes when `end` is called. */
  restore(): { write(piece: Uint8Array): void; end(): void };
  /** A command in a few words, for the log table: `fruit=pear`. */
  describe(command: Uint8Array): string;
  /** The first rows of the state, at most `rowsMax`, for people. */
  rows(rowsMax: number): readonly StateRow[];
  /**
   * A command for this machine's own housekeeping (kv: compaction), or null. Asked of the leader
   * now and then; proposed through the log, so that all nodes agree.
   */
  maintenance?(): Uint8Array | null;
}
