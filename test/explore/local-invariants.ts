/** What one node alone can do wrong, seen from its own disk and its own past. */
import type { Violation } from "@raftarium/checker";
import type { Message } from "@raftarium/raft";
import type { Disk } from "./disk.ts";
import type { NodeState } from "./nodes.ts";

/** Figure 2: what a granted vote or an acknowledgement rests on is on stable storage before. */
export function brokenPromise(
  nodeId: number,
  to: number,
  message: Message,
  disk: Disk,
): Violation | null {
  const { hardState, entries } = disk;
  if (message.type === "request-vote-response" && message.voteGranted && !message.preVote) {
    if (hardState.term > message.term) return null;
    if (hardState.term === message.term && hardState.votedFor === to) return null;
    return violation(
      nodeId,
      `node ${nodeId} tells ${to} that it has its vote in term ${message.term}; on disk is term ` +
        `${hardState.term}, vote ${hardState.votedFor ?? "for nobody"}`,
    );
  }
  if (message.type === "append-entries-response" && message.success) {
    if (message.matchIndex <= entries.length) return null;
    return violation(
      nodeId,
      `node ${nodeId} acknowledges index ${message.matchIndex} to ${to}; its log on disk ends at ` +
        `${entries.length}`,
    );
  }
  return null;
}

function violation(nodeId: number, explanation: string): Violation {
  return { invariant: "persist before promise", explanation, nodeIds: [nodeId] };
}

/** `floor`: what was committed when the read came. */
export function staleRead(nodeId: number, floor: number, index: number): Violation | null {
  if (index >= floor) return null;
  const explanation =
    `node ${nodeId} answers a read as of index ${index}, but index ${floor} was committed ` +
    "before the read came";
  return { invariant: "linearizability", explanation, nodeIds: [nodeId] };
}

/** From one state to the next, without a crash between them. */
export function brokenStep(before: NodeState, after: NodeState): Violation | null {
  const { nodeId, term } = before;
  const nodeIds = [nodeId];
  if (after.term < term) {
    const explanation = `node ${nodeId} went back from term ${term} to ${after.term}`;
    return { invariant: "monotonic", explanation, nodeIds };
  }
  if (after.commitIndex < before.commitIndex) {
    const explanation =
      `node ${nodeId} went back from commit index ${before.commitIndex} to ` +
      `${after.commitIndex}`;
    return { invariant: "monotonic", explanation, nodeIds };
  }
  if (after.term > term) return null;
  if (before.votedFor !== null && after.votedFor !== before.votedFor) {
    const explanation =
      `node ${nodeId} voted for ${before.votedFor} in term ${term}, then for ` +
      `${after.votedFor ?? "nobody"}`;
    return { invariant: "election safety", explanation, nodeIds };
  }
  const leads = before.role === "leader" && after.role === "leader";
  if (leads && before.log.some((entry, at) => after.log[at] !== entry)) {
    const explanation =
      `node ${nodeId} leads term ${term} and changes its own log from ${before.log.join(" ")} ` +
      `to ${after.log.join(" ")}`;
    return { invariant: "leader append-only", explanation, nodeIds };
  }
  return null;
}
