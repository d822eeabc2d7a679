/**
 * The state of one participant, and the few operations that every part of the core needs. The
 * rules live in the files named after them; they take a Core and change it.
 */
import { assert } from "./assert.ts";
import { Log } from "./log.ts";
import type { Progress } from "./progress.ts";
import { isVoter, quorumValue } from "./quorum.ts";
import type { Configuration, ConfigurationAt, CoreObservation, Effect } from "./types.ts";
import type { HardState, LogIndex, Message, NodeId, RaftOptions, RequestId } from "./types.ts";
import type { Role, SnapshotMetadata, Term, Ticket } from "./types.ts";

/** A read that is not answered yet. */
export interface PendingRead {
  readonly id: RequestId;
  /** Who asked: this node's own client, or a follower for its client. */
  readonly from: NodeId;
  /** When it came, in ticks of the core. */
  readonly sinceTick: number;
}

/** A read whose index is known, waiting for the state machine to get there. */
export interface ConfirmedRead extends PendingRead {
  readonly index: LogIndex;
}

/** More questions than one incarnation asks: one a millisecond for 49 days. */
const QUESTIONS_MAX = 2 ** 32;

export class ReadState {
  /** Not in any round (or, on a follower, not in any question to the leader) yet. */
  waiting: PendingRead[] = [];
  /** In the round (or question) that is out. */
  asked: PendingRead[] = [];
  /** Invariant, between steps: each waits for an index beyond appliedIndex. */
  confirmed: ConfirmedRead[] = [];
  /** The leader's counter of rounds; goes up only. Every append carries it. */
  round = 0;
  /** The round that confirms `asked`. Invariant: roundAsked <= round. */
  roundAsked = 0;
  /** commitIndex when that round began: what `asked` may read. */
  roundIndex: LogIndex = 0;
  /**
   * Follower: counts questions to leaders, from where no earlier incarnation came to, so that no
   * two have the same id. Goes up only.
   */
  question: RequestId;
  /** When the question that is out was asked. Invariant: questionTick <= now. */
  questionTick = 0;
  /** Lease reads: when each round began, oldest first, and since when the lease runs. */
  roundTicks: { readonly round: number; readonly tick: number }[] = [];
  leaseTick = -Infinity;
  /** The target of a transfer may win at any time from now on: no lease in this term. */
  leaseVoid = false;

  constructor(incarnation: number) {
    this.question = (incarnation - 1) * QUESTIONS_MAX;
  }
}

export interface Transfer {
  readonly targetId: NodeId;
  readonly sinceTick: number;
  /** TimeoutNow has gone out at least once. */
  sent: boolean;
}

/** A leader's snapshot that is coming in, chunk by chunk. */
export interface Receiving {
  /** Whose leader sends it: there is one in a term. */
  readonly term: Term;
  readonly snapshotIndex: LogIndex;
  /** Bytes handed to storage. */
  offset: number;
}

export class Core {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly log: Log;

  /** What the step under way has decided so far. */
  effects: Effect[] = [];
  /** Changes no decision. */
  observing: boolean;

  // --- persistent state (Figure 2) ---

  /** Never falls. */
  term: Term;
  /** Set at most once in a term. */
  votedFor: NodeId | null;
  /** As storage was given it last. */
  hardStateGiven: HardState;
  /** The last write that carried a new term or vote. */
  hardStateTicket: Ticket = 0;

  // --- volatile state ---

  /**
   * Invariant: a follower is a voter of the configuration in force, a learner is not. Who leads or
   * campaigns may have been removed from it, as long as that is not known to be committed.
   */
  role: Role;
  /** The leader of `term`, once heard of. A leader: itself. */
  leaderId: NodeId | null = null;
  /**
   * Known to be committed. Never falls.
   * Invariant: snapshot.index <= appliedIndex <= applyingIndex <= commitIndex <= lastIndex
   * (but for a snapshot that is being installed: the state machine follows once it is durable).
   */
  commitIndex: LogIndex;
  /** Handed to the state machine. */
  applyingIndex: LogIndex;
  /** The state machine has answered for everything up to here. Never falls. */
  appliedIndex: LogIndex;
  /**
   * The latest snapshot that storage has (or is being given). Never goes back.
   * Invariant: log.baseIndex <= snapshot.index, so not null once anything is compacted.
   */
  snapshot: SnapshotMetadata | null;

  // --- time: ticks only ---

  /** Ticks since the start of this process. Never falls. */
  now = 0;
  /** Ticks since a leader was heard, a vote was granted, or an election was started. */
  electionElapsedTicks = 0;
  /** Drawn anew at each reset. Invariant: from electionTicksMin to electionTicksMax. */
  electionTimeoutTicks = 0;
  /** Leader: since its last heartbeat. Invariant, between steps: below heartbeatTicks. */
  heartbeatElapsedTicks = 0;

  // --- writes on their way to storage ---

  /** Issued last. Never falls. */
  lastTicket: Ticket = 0;
  /** Every write up to here is complete. Never falls. Invariant: persistedTicket <= lastTicket. */
  persistedTicket: Ticket = 0;
  /** Promises, and the write for which each waits; in order of tickets. */
  withheld: Readonly<{ ticket: Ticket; to: NodeId; message: Message }>[] = [];

  // --- membership ---

  /** Those of the log and the snapshot that still matter, oldest first; never empty. */
  configurations: ConfigurationAt[];
  /** The last configuration whose commitment was told to observers. */
  configurationIndexTold: LogIndex = 0;

  // --- elections ---

  /** Answers in the election under way, the first of each voter; itself included. */
  votes = new Map<NodeId, boolean>();

  // --- leader ---

  /**
   * Everybody but itself in the configuration (and in those that it is to replace). Empty unless
   * leader.
   */
  peers = new Map<NodeId, Progress>();
  /** The no-op that began this leader's term. Until it is committed: no reads, no changes. */
  termStartIndex: LogIndex = 0;
  /** Bytes of the entries beyond commitIndex; 0 unless leader. */
  uncommittedBytes = 0;
  /** Null unless leader. */
  transfer: Transfer | null = null;
  /** When this leader began, or last tried to hand over. */
  calmSinceTick = 0;

  readonly reads: ReadState;

  // --- follower ---

  /** Null once its last chunk is handed to storage. */
  receiving: Receiving | null = null;
  /** An installed snapshot that the state machine has not been given yet. */
  restoring: { readonly ticket: Ticket; readonly snapshot: SnapshotMetadata } | null = null;

  constructor(options: RaftOptions, configurations: ConfigurationAt[]) {
    const { hardState, snapshot, entries } = options.recovered;
    this.id = options.id;
    this.options = options;
    this.observing = options.observing;
    this.log = new Log(snapshot?.index ?? 0, snapshot?.term ?? 0, entries);
    // A snapshot of what others made durable may be on disk before the hard state of its term.
    // Then this node has promised nothing in that term, and given no vote.
    const isBehind = snapshot !== null && snapshot.term > hardState.term;
    this.term = isBehind ? snapshot.term : hardState.term;
    this.votedFor = isBehind ? null : hardState.votedFor;
    this.snapshot = snapshot;
    this.appliedIndex = this.log.baseIndex;
    this.applyingIndex = this.log.baseIndex;
    // Only a hint: it may be behind the snapshot, and is never believed beyond the log.
    const hint = Math.min(hardState.commitIndex, this.log.lastIndex);
    this.commitIndex = Math.max(hint, this.log.baseIndex);
    this.hardStateGiven = hardState;
    this.reads = new ReadState(options.incarnation);
    this.configurations = configurations;
    this.role = this.restingRole;
  }

  /** In force: the last in the log. A configuration counts from its append on. */
  get configuration(): Configuration {
    return this.configurations.at(-1)!.configuration;
  }

  get configurationIndex(): LogIndex {
    return this.configurations.at(-1)!.configurationIndex;
  }

  /** What a quorum has reached, where this leader is at `own` and each peer at `valueOf`. */
  quorum(own: number, valueOf: (peer: Progress) => number): number {
    return quorumValue(this.configuration, (nodeId) =>
      nodeId === this.id ? own : valueOf(this.peers.get(nodeId)!),
    );
  }

  /** What a node is when it neither leads nor campaigns. */
  get restingRole(): Role {
    return isVoter(this.configuration, this.id) ? "follower" : "learner";
  }

  /** Who granted its vote, or refused it, in the election under way. */
  votesOf(answer: boolean): NodeId[] {
    return [...this.votes].filter(([, granted]) => granted === answer).map(([nodeId]) => nodeId);
  }

  /** Sends at once: for what promises nothing that a crash could take back. */
  send(to: NodeId, message: Message): void {
    this.effects.push({ kind: "send", to, message });
  }

  /** Sends once everything that this node holds now is durable: for every promise. */
  promise(to: NodeId, message: Message): void {
    this.withheld.push({ ticket: this.lastTicket + (this.unwritten ? 1 : 0), to, message });
  }

  /** Term or vote differ from what storage was given. */
  get hardStateNew(): boolean {
    return this.term !== this.hardStateGiven.term || this.votedFor !== this.hardStateGiven.votedFor;
  }

  /** Something is to be made durable that storage was not given yet. */
  get unwritten(): boolean {
    return this.hardStateNew || this.log.unstableIndex <= this.log.lastIndex;
  }

  /** Only behind `if (core.observing)`, so that nothing is built in vain. */
  observe(observation: CoreObservation): void {
    this.effects.push({ kind: "observe", observation });
  }

  resetElectionTimer(): void {
    const { random, electionTicksMin, electionTicksMax } = this.options;
    this.electionElapsedTicks = 0;
    this.electionTimeoutTicks = random.integer(electionTicksMin, electionTicksMax);
    if (!this.observing) return;
    const timeoutTicks = this.electionTimeoutTicks;
    this.observe({ kind: "election-timer-reset", elapsedTicks: 0, timeoutTicks });
  }

  observeRole(reason: string): void {
    const { role, term, leaderId, votedFor } = this;
    this.observe({ kind: "role-changed", role, term, leaderId, votedFor, reason });
  }

  observeTransfer(
    direction: "sending" | "receiving",
    peerId: NodeId,
    snapshotIndex: LogIndex,
    offset: number,
    done: boolean,
  ): void {
    this.observe({ kind: "snapshot-transfer", direction, peerId, snapshotIndex, offset, done });
  }

  /** Commits up to `index`. Who calls it has made sure that a quorum has it durably. */
  commitTo(index: LogIndex): void {
    assert(index > this.commitIndex && index <= this.log.lastIndex, "commitIndex out of bounds");
    if (this.role === "leader") {
      this.uncommittedBytes -= this.log.byteCount(this.commitIndex + 1, index);
      assert(this.uncommittedBytes >= 0, "more bytes committed than were uncommitted");
    }
    this.commitIndex = index;
    if (this.observing) this.observe({ kind: "commit-advanced", commitIndex: index });
  }
}
