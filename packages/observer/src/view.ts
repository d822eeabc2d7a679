/**
 * What the whole cluster looks like at one moment: the fold of its observations.
 *
 * Every object here is a value: whoever holds a view may keep it, and what is unchanged between
 * two snapshots is the same object, so that `===` tells whether something changed.
 */
import type { LogIndex, NodeId, Term } from "@raftarium/raft";
import type {
  DiskFault,
  Health,
  LinkView,
  MessageId,
  MessageSummary,
  NodeView,
  ObservationBody,
  RequestOutcome,
} from "./observation.ts";

export type ConnectionState = Extract<ObservationBody, { kind: "connection-changed" }>["state"];
export type DropReason = Extract<ObservationBody, { kind: "message-dropped" }>["reason"];
export type TransferPhase = Extract<ObservationBody, { kind: "transfer-changed" }>["phase"];

/** A snapshot on its way from or to one peer. */
export interface SnapshotTransferView {
  readonly direction: "sending" | "receiving";
  readonly peerId: NodeId;
  readonly snapshotIndex: LogIndex;
  /** Bytes sent or received so far. */
  readonly offset: number;
  readonly done: boolean;
  readonly atUs: number;
}

/** One node: what the core says (`NodeView`) beside what whoever watches its process says. */
export interface ClusterNode extends NodeView {
  /** False until the node itself has spoken in this incarnation: the rest is what was last known. */
  readonly known: boolean;
  readonly health: Health;
  /** Since when, microseconds; 0: never told. */
  readonly healthAtUs: number;
  /** 0: no process. */
  readonly pid: number;
  /** host:port; empty until told. */
  readonly address: string;
  /** Why the process ended: "SIGKILL", "exit 1"; empty while it has not. */
  readonly cause: string;
  readonly lastWords: string;
  /** When the role last changed, and why in plain words. */
  readonly roleAtUs: number;
  readonly roleReason: string;
  /** True: the votes listed are pre-votes. */
  readonly preVote: boolean;
  readonly commitAtUs: number;
  readonly durableAtUs: number;
  readonly connections: ReadonlyMap<NodeId, ConnectionState>;
  /** A leadership transfer under way; null: none. */
  readonly transferTargetId: NodeId | null;
  readonly transferPhase: TransferPhase | null;
  /** At most one per peer. */
  readonly snapshotTransfers: readonly SnapshotTransferView[];
  /** Whether the configuration in force is committed. */
  readonly configurationCommitted: boolean;
  /** What is wrong with its disk; all zero: nothing. */
  readonly disk: DiskFault;
  /** How fast its clock runs; 1: right. */
  readonly clockRate: number;
  /** When something was last heard of this node, microseconds. */
  readonly heardAtUs: number;
  /** Observations that were lost on the way to us (holes in the sequence and told gaps). */
  readonly lostCount: number;
  /** Messages too many to tell one by one. */
  readonly omittedCount: number;
  readonly omittedBytes: number;
}

/** How a message ended. `lost`: with the process of its receiver. */
export type FlightEnd = "received" | "dropped" | "lost";

/** A message between its sending and a short while after its end. */
export interface MessageFlight {
  /** `source.incarnation.sequence` */
  readonly key: string;
  readonly id: MessageId;
  readonly source: NodeId;
  readonly target: NodeId;
  readonly message: MessageSummary;
  readonly sentAtUs: number;
  /** When the receiver's gate will let it go; null: the gate has not told, or holds it. */
  readonly dueAtUs: number | null;
  /** The gate has it, and keeps it until somebody steps or thaws. */
  readonly held: boolean;
  readonly endedAtUs: number | null;
  readonly end: FlightEnd | null;
  readonly dropReason: DropReason | null;
}

/** A client's request, as the nodes tell it. */
export interface RequestView {
  readonly requestId: string;
  /** The node that was asked. */
  readonly nodeId: NodeId;
  readonly description: string;
  readonly write: boolean;
  readonly startedAtUs: number;
  readonly forwardedTo: NodeId | null;
  /** Where in the log it was proposed; null: not (yet). */
  readonly index: LogIndex | null;
  readonly term: Term | null;
  /** null: still open. */
  readonly outcome: RequestOutcome | null;
  readonly detail: string;
  readonly durationUs: number;
  readonly finishedAtUs: number | null;
}

export interface ViolationView {
  readonly invariant: string;
  readonly explanation: string;
  readonly atUs: number;
}

export interface ClusterView {
  /** How many observations have been folded in. */
  readonly version: number;
  /** The latest stamp seen, microseconds. */
  readonly timeUs: number;
  /** In ascending order of id. */
  readonly nodes: readonly ClusterNode[];
  readonly messages: ReadonlyMap<string, MessageFlight>;
  /** Only links with a fault, or that once had one; by `linkKey`. */
  readonly links: ReadonlyMap<string, LinkView>;
  /** Cluster seconds per second of wall time. */
  readonly speed: number;
  readonly frozen: boolean;
  /** The newest only (`REQUESTS_IN_VIEW_MAX`), oldest first. */
  readonly requests: ReadonlyMap<string, RequestView>;
  readonly violations: readonly ViolationView[];
  /** Messages seen to arrive, to be dropped, and too many to be told, since the view began. */
  readonly receivedCount: number;
  readonly droppedCount: number;
  readonly omittedCount: number;
  /** Client requests too many to be told one by one. */
  readonly omittedRequestCount: number;
  /** Observations lost before they reached us. */
  readonly lostCount: number;
}

export const REQUESTS_IN_VIEW_MAX = 200;
/** More than this at once are not kept one by one; the oldest go first. */
export const MESSAGES_IN_VIEW_MAX = 4000;
export const VIOLATIONS_IN_VIEW_MAX = 20;
/** How long a message that has ended stays in the view, so that its end can be drawn. */
export const MESSAGE_AFTERLIFE_US = 700_000;

export function linkKey(source: NodeId, target: NodeId): string {
  return `${source}>${target}`;
}

export function messageKey(id: MessageId): string {
  return `${id.source}.${id.incarnation}.${id.sequence}`;
}

export function nodeById(view: ClusterView, nodeId: NodeId): ClusterNode | undefined {
  return view.nodes.find((node) => node.nodeId === nodeId);
}

/**
 * The node that leads now: of the running ones that say so, the one of the highest term. A stale
 * leader that was paused or cut off may say so too; it isn't this one.
 */
export function leaderOf(view: ClusterView): ClusterNode | undefined {
  let leader: ClusterNode | undefined;
  for (const node of view.nodes) {
    if (node.role !== "leader" || node.health !== "running") continue;
    if (leader === undefined || node.term > leader.term) leader = node;
  }
  return leader;
}

/** The highest index known to be committed anywhere. */
export function committedIndex(view: ClusterView): LogIndex {
  let index = 0;
  for (const node of view.nodes) index = Math.max(index, node.commitIndex);
  return index;
}
