/** Faults of links: one direction of one pair of nodes, all kinds of messages or some. */
import type { NodeId } from "@raftarium/raft";
import { refuse } from "./fault-error.ts";

/** As in the observations: what a fault can be narrowed to. */
export type MessageKind =
  | "append"
  | "heartbeat"
  | "vote"
  | "pre-vote"
  | "snapshot"
  | "transfer"
  | "read-index";

export const MESSAGE_KINDS: readonly MessageKind[] = [
  "append",
  "heartbeat",
  "vote",
  "pre-vote",
  "snapshot",
  "transfer",
  "read-index",
];

/** All zero: no fault. Times are in cluster time: a wall clock sees them divided by the speed. */
export interface LinkFault {
  readonly cut: boolean;
  readonly delayMs: number;
  /** Adds anything from 0 to this to the delay of each message, so that messages overtake. */
  readonly jitterMs: number;
  /** From 0 to 1. */
  readonly dropRate: number;
  /** From 0 to 1. */
  readonly duplicateRate: number;
  /** None named means all. */
  readonly messageKinds: readonly MessageKind[];
}

export interface Link extends LinkFault {
  readonly source: NodeId;
  readonly target: NodeId;
}

export const NO_LINK_FAULT: LinkFault = {
  cut: false,
  delayMs: 0,
  jitterMs: 0,
  dropRate: 0,
  duplicateRate: 0,
  messageKinds: [],
};

export const CUT: LinkFault = { ...NO_LINK_FAULT, cut: true };

/** Kinds alone are no fault: they only narrow one. */
export function isFaulty(fault: LinkFault): boolean {
  return (
    fault.cut ||
    fault.delayMs > 0 ||
    fault.jitterMs > 0 ||
    fault.dropRate > 0 ||
    fault.duplicateRate > 0
  );
}

export function affects(fault: LinkFault, kind: MessageKind): boolean {
  return fault.messageKinds.length === 0 || fault.messageKinds.includes(kind);
}

/** Throws FaultError, naming what is wrong, unless the link could be set. */
export function validateLink(link: Link, nodeIds: Iterable<NodeId>): void {
  const what = `set the link from ${link.source} to ${link.target}`;
  const ids = [...nodeIds];
  validateNodeId(what, link.source, ids);
  validateNodeId(what, link.target, ids);
  if (link.source === link.target) refuse(what, "two different nodes", `${link.source} twice`);
  validateAmount(what, "delay_ms", link.delayMs, Number.MAX_VALUE);
  validateAmount(what, "jitter_ms", link.jitterMs, Number.MAX_VALUE);
  validateAmount(what, "drop_rate", link.dropRate, 1);
  validateAmount(what, "duplicate_rate", link.duplicateRate, 1);
  for (const kind of link.messageKinds) {
    if (!MESSAGE_KINDS.includes(kind)) {
      refuse(what, `message_kinds out of ${MESSAGE_KINDS.join(", ")}`, kind);
    }
  }
}

/** Groups must not overlap and must name nodes that exist. Nodes in no group are alone. */
export function validatePartition(
  groups: readonly (readonly NodeId[])[],
  nodeIds: Iterable<NodeId>,
): void {
  const what = "partition";
  const ids = [...nodeIds];
  const seen = new Set<NodeId>();
  for (const nodeId of groups.flat()) {
    validateNodeId(what, nodeId, ids);
    if (seen.has(nodeId)) refuse(what, "each node in one group", `node ${nodeId} in two places`);
    seen.add(nodeId);
  }
}

export function validateNodeId(what: string, nodeId: NodeId, nodeIds: readonly NodeId[]): void {
  if (nodeIds.includes(nodeId)) return;
  refuse(what, `a node out of ${nodeIds.join(", ") || "(there is none)"}`, nodeId);
}

export function validateAmount(what: string, name: string, value: number, max: number): void {
  if (Number.isFinite(value) && value >= 0 && value <= max) return;
  const range = max === Number.MAX_VALUE ? "of 0 or more" : `from 0 to ${max}`;
  refuse(what, `${name} to be a number ${range}`, value);
}
