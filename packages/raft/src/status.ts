import type { Core } from "./core.ts";
import type { PeerProgress, RaftStatus } from "./types.ts";

/** A copy of what people may want to know. */
export function statusOf(core: Core): RaftStatus {
  const { log } = core;
  const progress: PeerProgress[] = [...core.peers].map(([nodeId, peer]) => ({
    nodeId,
    state: peer.state,
    matchIndex: peer.matchIndex,
    nextIndex: peer.nextIndex,
    inflightCount: peer.inflightCount,
    recentlyActive: peer.isActive(core.now),
    priority: peer.priority,
  }));
  return {
    id: core.id,
    role: core.role,
    term: core.term,
    votedFor: core.votedFor,
    leaderId: core.leaderId,
    commitIndex: core.commitIndex,
    appliedIndex: core.appliedIndex,
    durableIndex: log.durableIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    firstIndex: log.baseIndex + 1,
    snapshotIndex: core.snapshot?.index ?? 0,
    snapshotTerm: core.snapshot?.term ?? 0,
    electionElapsedTicks: core.electionElapsedTicks,
    electionTimeoutTicks: core.electionTimeoutTicks,
    votesGranted: core.votesOf(true),
    votesRejected: core.votesOf(false),
    configuration: core.configuration,
    configurationIndex: core.configurationIndex,
    transferTargetId: core.transfer?.targetId ?? null,
    progress,
  };
}
