/**
 * The properties of Figure 3 of the paper, that what is promised is durable, and that reads are
 * linearizable: checked after every step of a cluster in memory.
 */
import { quorumValue } from "../src/quorum.ts";
import type {
  Entry,
  Input,
  LogIndex,
  Message,
  NodeId,
  Raft,
  RequestId,
  SnapshotMetadata,
  Term,
  Ticket,
} from "../src/index.ts";

export class Violation extends Error {}

export interface Disk {
  term: Term;
  votedFor: NodeId | null;
  commitIndex: LogIndex;
  snapshot: SnapshotMetadata | null;
  snapshotData: Uint8Array;
  entries: Entry[];
  incoming: number[];
}

export interface Write {
  readonly ticket: Ticket | null;
  readonly run: () => void;
}

export interface TestNode {
  readonly id: NodeId;
  readonly disk: Disk;
  raft: Raft;
  /** How often it was started. */
  starts: number;
  up: boolean;
  /** FIFO; the first completes first. */
  writes: Write[];
  /** What waits to be done by the state machine and the snapshot reader. */
  chores: Input[];
  /** The state machine: a running hash of the commands applied. */
  machine: number;
  appliedIndex: LogIndex;
}

export class SafetyChecks {
  private readonly leaderOfTerm = new Map<Term, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  private readonly entryOf = new Map<string, string>();
  private readonly committed = new Map<LogIndex, string>();
  /** The state of the machine once everything up to an index is applied. */
  readonly machineAt = new Map<LogIndex, number>([[0, 0]]);
  committedMax: LogIndex = 0;
  /** What a read must see: all that was committed when it was asked for. */
  private readonly readFloor = new Map<RequestId, LogIndex>();
  private readonly refused = new Set<string>();
  private readonly termStarts = new Set<string>();
  /** The last entry of each leader's log, by node and term. */
  private readonly leaderEnds = new Map<string, Entry>();
  private readonly nodes: ReadonlyMap<NodeId, TestNode>;
  configurationsCommitted = 0;

  constructor(nodes: ReadonlyMap<NodeId, TestNode>) {
    this.nodes = nodes;
  }

  get leadersCount(): number {
    return this.leaderOfTerm.size;
  }

  refuse(id: RequestId): void {
    this.refused.add(`c${id}`);
  }

  readAsked(id: RequestId): void {
    this.readFloor.set(id, this.committedMax);
  }

  readReady(node: TestNode, id: RequestId): void {
    const floor = this.readFloor.get(id)!;
    if (node.appliedIndex >= floor) return;
    throw new Violation(
      `stale read on ${node.id}: expected ${floor} applied, got ${node.appliedIndex}`,
    );
  }

  restored(node: TestNode): void {
    if (this.machineAt.get(node.appliedIndex) === node.machine) return;
    throw new Violation(`snapshot ${node.appliedIndex} holds another state`);
  }

  /** State Machine Safety (Figure 3): nobody applies another entry at the same index. */
  apply(node: TestNode, entry: Entry): void {
    if (entry.index !== node.appliedIndex + 1) {
      throw new Violation(`node ${node.id} applies ${entry.index} after ${node.appliedIndex}`);
    }
    const text = textOf(entry);
    const known = this.committed.get(entry.index);
    if (known !== undefined && known !== text) {
      throw new Violation(`index ${entry.index}: ${known} was applied, now ${text}`);
    }
    if (entry.kind === "command" && this.refused.has(decode(entry.data))) {
      throw new Violation(`a refused command was applied: ${text}`);
    }
    if (known === undefined && entry.kind === "configuration") this.configurationsCommitted++;
    this.committed.set(entry.index, text);
    node.appliedIndex = entry.index;
    node.machine = (Math.imul(node.machine, 31) + hash(text)) | 0;
    this.machineAt.set(entry.index, node.machine);
  }

  sent(node: TestNode, message: Message, to: NodeId): void {
    const { disk } = node;
    if (message.type === "request-vote-response" && message.voteGranted && !message.preVote) {
      const key = `${node.id} ${message.term}`;
      const before = this.votes.get(key);
      if (before !== undefined && before !== to) {
        throw new Violation(`${node.id} voted for ${before} and ${to} in term ${message.term}`);
      }
      this.votes.set(key, to);
      const other = disk.term === message.term && disk.votedFor !== to;
      if (disk.term < message.term || other) {
        throw new Violation("a vote left before it was durable");
      }
    }
    if (message.type === "append-entries-response" && message.success) {
      if (disk.term < message.term) throw new Violation("an answer left before its term");
      const lastOnDisk = disk.entries.at(-1)?.index ?? disk.snapshot?.index ?? 0;
      if (Math.max(lastOnDisk, disk.snapshot?.index ?? 0) < message.matchIndex) {
        throw new Violation(`${node.id} acknowledged ${message.matchIndex} before it was durable`);
      }
    }
    if (message.type === "append-entries") {
      const proven = message.prevLogIndex + message.entries.length;
      if (message.leaderCommit > proven) throw new Violation("commit forwarded too far");
    }
  }

  check(node: TestNode): void {
    const status = node.raft.status();
    if (status.role === "leader") {
      // Election Safety: at most one leader in a term.
      const known = this.leaderOfTerm.get(status.term);
      if (known !== undefined && known !== node.id) {
        throw new Violation(`${known} and ${node.id} both lead term ${status.term}`);
      }
      this.leaderOfTerm.set(status.term, node.id);
      const key = `${node.id} ${status.term}`;
      if (!this.termStarts.has(key)) {
        this.termStarts.add(key);
        this.checkCompleteness(node, status.term);
      }
      this.checkAppendOnly(node, key);
      if (status.commitIndex > this.committedMax) this.checkDurable(status.commitIndex, node);
    }
    this.committedMax = Math.max(this.committedMax, status.commitIndex);
    if (status.appliedIndex > status.commitIndex || status.commitIndex > status.lastIndex) {
      throw new Violation(`${node.id}: applied <= committed <= last does not hold`);
    }
    // Log Matching: one entry for an index and term, and one that precedes it.
    const from = Math.max(status.firstIndex, status.lastIndex - 4);
    let before: Entry | undefined;
    for (const entry of node.raft.entries(from, status.lastIndex)) {
      if (before !== undefined) {
        const key = `${entry.index}@${entry.term}`;
        const value = `${textOf(entry)} after ${textOf(before)}`;
        const known = this.entryOf.get(key);
        if (known !== undefined && known !== value) {
          throw new Violation(`log matching: ${key} is ${known} and ${value}`);
        }
        this.entryOf.set(key, value);
      }
      before = entry;
    }
  }

  /** Leader Append-Only: what was the end of its log is there still. */
  private checkAppendOnly({ id, raft }: TestNode, key: string): void {
    const { firstIndex, lastIndex } = raft.status();
    const before = this.leaderEnds.get(key);
    if (before !== undefined && before.index >= firstIndex) {
      const [now] = raft.entries(before.index, before.index);
      if (now !== before) throw new Violation(`leader ${id} replaced its entry ${before.index}`);
    }
    const [end] = raft.entries(lastIndex, lastIndex);
    if (end !== undefined) this.leaderEnds.set(key, end);
  }

  /** Leader Completeness: a new leader has everything that was ever committed. */
  private checkCompleteness(node: TestNode, term: Term): void {
    const { firstIndex, snapshotIndex } = node.raft.status();
    for (const [index, text] of this.committed) {
      if (index < firstIndex || index <= snapshotIndex) continue;
      const entry = node.raft.entries(index, index)[0];
      if (entry === undefined || textOf(entry) !== text) {
        const found = entry === undefined ? "nothing" : textOf(entry);
        throw new Violation(`leader ${node.id} of ${term}: expected ${text}, got ${found}`);
      }
    }
  }

  /** What a leader commits is on the disks of a quorum. */
  private checkDurable(index: LogIndex, leader: TestNode): void {
    const entry = leader.raft.entries(index, index)[0];
    if (entry === undefined) return;
    const quorum = quorumValue(leader.raft.status().configuration, (id) => {
      const disk = this.nodes.get(id)?.disk;
      if (disk === undefined) return 0;
      if ((disk.snapshot?.index ?? 0) >= index) return 1;
      return disk.entries.some((e) => e.index === index && e.term === entry.term) ? 1 : 0;
    });
    if (quorum < 1) throw new Violation(`${index} is committed but not durable on a quorum`);
  }
}

function textOf(entry: Entry): string {
  return `${entry.kind}@${entry.term}:${[...entry.data].join()}`;
}

function decode(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

function hash(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 33) + text.charCodeAt(i)) | 0;
  return value;
}

/** Several chunks long. */
export function writeState(state: number): Uint8Array {
  return new TextEncoder().encode(String(state).padStart(14));
}

export function readState(data: Uint8Array): number {
  return Number(decode(data));
}
