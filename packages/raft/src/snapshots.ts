/**
 * InstallSnapshot (section 7 and Figure 13), the leader's side and the follower's: chunk by chunk,
 * one at a time for each peer.
 */
import { replaceConfigurations } from "./configurations.ts";
import type { Core } from "./core.ts";
import { writeOut } from "./persistence.ts";
import type { Progress } from "./progress.ts";
import type { InstallSnapshot, InstallSnapshotResponse, LogIndex } from "./types.ts";
import type { NodeId, SnapshotChunk, SnapshotMetadata } from "./types.ts";

/** The peer needs entries that are compacted: it gets the latest snapshot. */
export function start(core: Core, to: NodeId, progress: Progress): void {
  // To a peer that does not answer, nothing is read from disk; its next answer comes back here.
  if (!progress.isActive(core.now)) return waitForAnswer(progress);
  readChunk(core, to, progress, core.snapshot!, 0);
}

function waitForAnswer(progress: Progress): void {
  progress.becomeProbe(progress.nextIndex);
  progress.probeSent = true;
}

/** Storage has read a chunk, or has that snapshot no more. */
export function takeChunk(core: Core, chunk: SnapshotChunk): void {
  const { to, snapshotIndex, offset, data, done } = chunk;
  const progress = core.peers.get(to);
  if (!progress?.snapshot) return;
  const { snapshot: transfer } = progress;
  const { metadata: snapshot } = transfer;
  if (transfer.waitingFor !== "chunk" || transfer.offset !== offset) return;
  if (snapshot.index !== snapshotIndex) return;
  // Null: replaced by a newer one meanwhile. The next answer of the peer starts over.
  if (data === null) return waitForAnswer(progress);
  transfer.waitingFor = "response";
  transfer.sinceTick = core.now;
  const { term } = core;
  core.send(to, { type: "install-snapshot", term, snapshot, offset, data, done });
  const sent = offset + data.length;
  if (core.observing) core.observeTransfer("sending", to, snapshotIndex, sent, false);
}

/** Takes an answer of this term. */
export function takeResponse(core: Core, from: NodeId, message: InstallSnapshotResponse): void {
  const progress = core.peers.get(from);
  if (progress === undefined) return;
  progress.lastHeardTick = core.now;
  const transfer = progress.snapshot;
  if (transfer === null || transfer.metadata.index !== message.snapshotIndex) return;
  if (message.done) {
    const { snapshotIndex, nextOffset } = message;
    if (core.observing) core.observeTransfer("sending", from, snapshotIndex, nextOffset, true);
    progress.acknowledged(snapshotIndex);
    progress.becomeProbe(progress.nextIndex);
    return;
  }
  // What it asks for is on its way to it already (a duplicate), or still being read.
  if (transfer.waitingFor !== "response" || message.nextOffset === transfer.offset) return;
  readChunk(core, from, progress, transfer.metadata, message.nextOffset);
}

/** A chunk or its answer was lost: read it again, if anybody is there to take it. */
export function retry(core: Core): void {
  for (const [nodeId, progress] of core.peers) {
    const transfer = progress.snapshot;
    if (transfer === null || !progress.isActive(core.now)) continue;
    if (core.now - transfer.sinceTick < core.options.electionTicksMin) continue;
    readChunk(core, nodeId, progress, transfer.metadata, transfer.offset);
  }
}

/**
 * The last entry that no peer that answers needs any more. Without this a follower that installs
 * a snapshot while the log moves on might need another one at once, and so for ever.
 */
export function neededAfter(core: Core): LogIndex {
  let index = Number.MAX_SAFE_INTEGER;
  for (const progress of core.peers.values()) {
    if (!progress.isActive(core.now)) continue;
    const has = progress.snapshot?.metadata.index ?? progress.matchIndex;
    index = Math.min(index, has);
  }
  return index;
}

function readChunk(
  core: Core,
  to: NodeId,
  progress: Progress,
  metadata: SnapshotMetadata,
  offset: number,
): void {
  progress.becomeSnapshot({ metadata, offset, waitingFor: "chunk", sinceTick: core.now });
  const bytesMax = core.options.snapshotChunkBytes;
  const snapshotIndex = metadata.index;
  core.effects.push({ kind: "read-snapshot-chunk", to, snapshotIndex, offset, bytesMax });
}

// --- the follower's side ---

/** Takes a chunk of the leader of this term. */
export function takeInstallSnapshot(core: Core, from: NodeId, message: InstallSnapshot): void {
  const { snapshot, offset, data, done } = message;
  const { index, term } = snapshot;
  if (index <= core.commitIndex || core.log.term(index) === term) {
    // The log holds what the snapshot stands for: only the commitment is news.
    if (index > core.commitIndex) core.commitTo(index);
    return respond(core, from, index, 0, true);
  }
  let { receiving } = core;
  if (receiving?.term !== core.term || receiving.snapshotIndex !== index) {
    // This node restarted, or had the rest from another leader: from the beginning, please.
    if (offset > 0) return respond(core, from, index, 0, false);
    receiving = { term: core.term, snapshotIndex: index, offset: 0 };
    core.receiving = receiving;
  }
  if (offset !== receiving.offset) return respond(core, from, index, receiving.offset, false);
  // Term and vote go first: no snapshot may be durable of a term that is not.
  writeOut(core);
  const ticket = ++core.lastTicket;
  core.effects.push({ kind: "persist-snapshot-chunk", ticket, snapshot, offset, data, done });
  receiving.offset += data.length;
  if (core.observing) core.observeTransfer("receiving", from, index, receiving.offset, done);
  if (done) {
    core.receiving = null;
    core.restoring = { ticket, snapshot };
    core.snapshot = snapshot;
    core.log.resetTo(index, term, ticket);
    core.commitTo(index);
    replaceConfigurations(core, snapshot);
  }
  respond(core, from, index, receiving.offset, done);
}

/** The installed snapshot is durable: now the state machine may start from it. */
export function restore(core: Core): void {
  const { restoring } = core;
  if (restoring === null || core.persistedTicket < restoring.ticket) return;
  core.restoring = null;
  core.applyingIndex = restoring.snapshot.index;
  core.effects.push({ kind: "restore", snapshot: restoring.snapshot });
}

/** Of an earlier leader: the answer shows it the later term. */
export function refuseSnapshot(core: Core, from: NodeId, message: InstallSnapshot): void {
  respond(core, from, message.snapshot.index, 0, false);
}

function respond(core: Core, to: NodeId, index: number, nextOffset: number, done: boolean): void {
  const { term } = core;
  const type = "install-snapshot-response";
  core.promise(to, { type, term, snapshotIndex: index, nextOffset, done });
}
