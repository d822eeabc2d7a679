import type { LogIndex, RaftOptions, ReplicationState, SnapshotMetadata } from "./types.ts";

/** A snapshot on its way to one peer, one chunk at a time. */
export interface SnapshotTransfer {
  readonly metadata: SnapshotMetadata;
  /** Where the chunk in hand starts. */
  readonly offset: number;
  /** What we wait for: storage to read the chunk, or the peer to have it durably. */
  waitingFor: "chunk" | "response";
  /** When that wait began, in ticks of the core. */
  sinceTick: number;
}

/**
 * What the leader knows of one peer (`nextIndex` and `matchIndex` of Figure 2, and etcd's three
 * states). Probe: one append at a time, until it is known where the logs meet. Replicate: appends
 * are streamed within a window. Snapshot: the peer needs entries that are compacted.
 *
 * Bounded: the window holds at most inflightAppendsMax pairs of numbers.
 */
export class Progress {
  state: ReplicationState = "probe";
  /** Known to be durable there and the same as here. Never falls. */
  matchIndex: LogIndex = 0;
  /** Invariant: matchIndex < nextIndex <= lastIndex + 1. */
  nextIndex: LogIndex;
  /**
   * In probe: an append is out, or the peer is silent and needs a snapshot. Should the append be
   * lost, the answer to a heartbeat ends the wait.
   */
  probeSent = false;
  /** The highest commitIndex the peer was told. */
  commitSent: LogIndex = 0;
  /** The latest read round that the peer answered. */
  readRound = 0;
  /** When the peer last answered, in ticks of the core. */
  lastHeardTick: number;
  /** As the peer told with its last answer. */
  priority = 0;
  /** Not null exactly in state `snapshot`. */
  snapshot: SnapshotTransfer | null = null;
  /** What was last told to observers, so that only changes are told. */
  observed = "";

  /** The last index and the bytes of each append that is out, oldest first. */
  private inflight: { readonly lastIndex: LogIndex; readonly bytes: number }[] = [];
  /** Invariant: the sum of their bytes. */
  inflightBytesTotal = 0;
  private readonly options: RaftOptions;

  constructor(nextIndex: LogIndex, tick: number, options: RaftOptions) {
    this.nextIndex = nextIndex;
    this.lastHeardTick = tick;
    this.options = options;
  }

  get inflightCount(): number {
    return this.inflight.length;
  }

  /** May an append with entries go out now? */
  get ready(): boolean {
    if (this.state === "probe") return !this.probeSent;
    return (
      this.state === "replicate" &&
      this.inflightCount < this.options.inflightAppendsMax &&
      this.inflightBytesTotal < this.options.inflightBytesMax
    );
  }

  /** Has the peer answered lately? */
  isActive(tick: number): boolean {
    return tick - this.lastHeardTick < this.options.electionTicksMin;
  }

  /** Is the peer at most `entries` behind? Known only while appends are streamed. */
  isWithin(entries: number, lastIndex: LogIndex): boolean {
    return this.state === "replicate" && lastIndex - this.matchIndex <= entries;
  }

  becomeProbe(nextIndex: LogIndex): void {
    this.state = "probe";
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.probeSent = false;
    this.clear();
  }

  becomeReplicate(): void {
    this.state = "replicate";
    this.nextIndex = this.matchIndex + 1;
    this.clear();
  }

  becomeSnapshot(transfer: SnapshotTransfer): void {
    this.state = "snapshot";
    this.clear();
    this.snapshot = transfer;
  }

  /** An append up to `lastIndex` has gone out in state `replicate`. */
  sent(lastIndex: LogIndex, bytes: number): void {
    this.nextIndex = lastIndex + 1;
    this.inflight.push({ lastIndex, bytes });
    this.inflightBytesTotal += bytes;
  }

  /** The peer has everything up to `index` durably. True if that is news. */
  acknowledged(index: LogIndex): boolean {
    while (this.inflight.length > 0 && this.inflight[0]!.lastIndex <= index) {
      this.inflightBytesTotal -= this.inflight.shift()!.bytes;
    }
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    return true;
  }

  /**
   * Is a refusal of an append after `rejectedIndex` one that was overtaken? Also who refuses what
   * it once acknowledged is not helped: it lost its disk, and must come back under a new id.
   */
  isStaleRejection(rejectedIndex: LogIndex): boolean {
    if (rejectedIndex <= this.matchIndex) return true;
    return this.state === "probe" && rejectedIndex !== this.nextIndex - 1;
  }

  private clear(): void {
    this.snapshot = null;
    this.inflight = [];
    this.inflightBytesTotal = 0;
  }
}
