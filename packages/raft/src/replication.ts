/** Log replication, the leader's side (paper, section 5.3; thesis 10.2; etcd's flow control). */
import { assert } from "./assert.ts";
import { adoptConfigurations } from "./configurations.ts";
import type { Core } from "./core.ts";
import type { Progress } from "./progress.ts";
import * as snapshots from "./snapshots.ts";
import type { AppendEntriesResponse, Entry, EntryKind, NodeId } from "./types.ts";
import type { Proposal, ProposalRefusal, RequestId } from "./types.ts";

/** Appends to this leader's own log. Storage and peers get it when the step ends. */
export function appendOwn(core: Core, kind: EntryKind, data: Uint8Array): Entry {
  const entry: Entry = { index: core.log.lastIndex + 1, term: core.term, kind, data };
  core.log.append(entry);
  core.uncommittedBytes += data.length;
  if (kind === "configuration") adoptConfigurations(core, [entry]);
  return entry;
}

/**
 * Appends commands to the leader's log: however many come at once, they make one write and one
 * append for each peer. Refused rather than queued: what is refused never enters any log.
 */
export function propose(core: Core, proposals: readonly Proposal[]): void {
  const added: Entry[] | null = core.observing ? [] : null;
  for (const { id, data } of proposals) {
    const reason = refusal(core, data.length);
    if (reason !== null) {
      refuse(core, id, reason);
      continue;
    }
    const entry = appendOwn(core, "command", data);
    added?.push(entry);
    core.effects.push({ kind: "proposal-accepted", id, index: entry.index, term: entry.term });
  }
  if (added !== null && added.length > 0) core.observe({ kind: "log-appended", entries: added });
}

export function refuse(core: Core, id: RequestId, reason: ProposalRefusal): void {
  core.effects.push({ kind: "proposal-refused", id, reason, leaderId: core.leaderId });
}

function refusal(core: Core, byteLength: number): ProposalRefusal | null {
  if (core.role !== "leader") return "not-leader";
  if (core.transfer !== null) return "transferring";
  // With nothing uncommitted even a command beyond the limit is taken, or it never could be.
  const { uncommittedBytes, options } = core;
  const full = uncommittedBytes > 0 && uncommittedBytes + byteLength > options.uncommittedBytesMax;
  return full ? "overloaded" : null;
}

/** Sends to every peer (only a leader has any) the entries that it may have now. */
export function sendAppends(core: Core): void {
  for (const [nodeId, progress] of core.peers) {
    while (progress.ready && progress.nextIndex <= core.log.lastIndex) {
      sendEntries(core, nodeId, progress);
    }
  }
}

/** Tells peers that need nothing else what is committed, without waiting for a heartbeat. */
export function announceCommit(core: Core): void {
  for (const [nodeId, progress] of core.peers) {
    const idle = progress.state === "replicate" && progress.nextIndex > core.log.lastIndex;
    if (idle && progress.commitSent < core.commitIndex) sendAppend(core, nodeId, progress, []);
  }
}

/** Or a snapshot, if what it needs is compacted. Brings the peer on, or makes it unready. */
function sendEntries(core: Core, to: NodeId, progress: Progress): void {
  const { log } = core;
  if (log.term(progress.nextIndex - 1) === null) return snapshots.start(core, to, progress);
  const { entriesPerAppendMax, bytesPerAppendMax } = core.options;
  const entries = log.batch(progress.nextIndex, entriesPerAppendMax, bytesPerAppendMax);
  sendAppend(core, to, progress, entries);
  if (progress.state === "probe") {
    progress.probeSent = true;
  } else {
    const lastIndex = progress.nextIndex - 1 + entries.length;
    progress.sent(lastIndex, log.byteCount(progress.nextIndex, lastIndex));
  }
}

/** The connection broke: what was out may be lost. */
export function unreachable(core: Core, nodeId: NodeId): void {
  const progress = core.peers.get(nodeId);
  if (progress?.state === "replicate") progress.becomeProbe(progress.matchIndex + 1);
}

export function broadcastHeartbeat(core: Core): void {
  for (const [nodeId, progress] of core.peers) sendAppend(core, nodeId, progress, []);
}

/**
 * Without entries it is a heartbeat, sent whatever the windows say: it carries the place where the
 * next append will start, so that its answer shows whether an earlier one was lost.
 */
function sendAppend(core: Core, to: NodeId, progress: Progress, entries: readonly Entry[]): void {
  const { term, reads } = core;
  const { matchIndex, nextIndex } = progress;
  assert(matchIndex < nextIndex && nextIndex <= core.log.lastIndex + 1, "nextIndex out of bounds");
  const found = core.log.term(nextIndex - 1);
  const prevLogIndex = found === null ? 0 : nextIndex - 1;
  const prevLogTerm = found ?? 0;
  // Never beyond what this very message proves to be the same there.
  const leaderCommit = Math.min(core.commitIndex, prevLogIndex + entries.length);
  progress.commitSent = Math.max(progress.commitSent, leaderCommit);
  core.send(to, {
    type: "append-entries",
    term,
    prevLogIndex,
    prevLogTerm,
    entries,
    leaderCommit,
    readRound: reads.round,
  });
}

/** Takes an answer of this term. */
export function takeAppendResponse(core: Core, from: NodeId, message: AppendEntriesResponse): void {
  const progress = core.peers.get(from);
  if (progress === undefined || message.matchIndex > core.log.lastIndex) return;
  progress.lastHeardTick = core.now;
  progress.priority = message.priority;
  if (message.readRound <= core.reads.round) {
    progress.readRound = Math.max(progress.readRound, message.readRound);
  }
  if (!message.success) return backUp(core, progress, message);
  const advanced = progress.acknowledged(message.matchIndex);
  const meets =
    progress.state === "probe"
      ? message.matchIndex >= progress.nextIndex - 1
      : progress.state === "snapshot" && message.matchIndex >= core.log.baseIndex;
  // In probe the logs meet where they were thought to; out of snapshot, the peer got there some
  // other way (an append that was late, a snapshot of another leader).
  if (meets) progress.becomeReplicate();
  else if (progress.state !== "snapshot" && core.log.term(progress.nextIndex - 1) === null) {
    // What it lacks is compacted by now, and a heartbeat that starts from 0 does not show whether
    // appends were lost: whatever is out, it gets a snapshot. (If it was silent, it no longer is.)
    progress.becomeProbe(progress.nextIndex);
  }
  if (advanced) maybeCommit(core);
}

/** The peer's log does not reach prevLogIndex, or differs there (end of section 5.3). */
function backUp(core: Core, progress: Progress, message: AppendEntriesResponse): void {
  if (progress.state === "snapshot" || progress.isStaleRejection(message.rejectedIndex)) return;
  const hintIndex = Math.min(message.hintIndex, message.rejectedIndex - 1);
  const meeting = core.log.lastIndexWithTermAtMost(hintIndex, message.hintTerm);
  progress.becomeProbe(meeting + 1);
}

/**
 * Section 5.4.2: only an entry of the current term is committed by counting replicas; it takes
 * the earlier ones with it. The leader counts itself only for what is on its own disk.
 */
export function maybeCommit(core: Core): void {
  const index = core.quorum(core.log.durableIndex, (peer) => peer.matchIndex);
  if (index > core.commitIndex && core.log.term(index) === core.term) core.commitTo(index);
}

/** Tells observers how each peer stands, if that changed in this step. */
export function observeProgress(core: Core): void {
  for (const [peerId, progress] of core.peers) {
    const { state, matchIndex, nextIndex, inflightCount } = progress;
    const observed = `${state} ${matchIndex} ${nextIndex} ${inflightCount}`;
    if (observed === progress.observed) continue;
    progress.observed = observed;
    core.observe({ kind: "progress-changed", peerId, state, matchIndex, nextIndex, inflightCount });
  }
}
