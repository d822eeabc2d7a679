/** InstallSnapshot, the leader's side (section 7): chunk by chunk, one at a time for each peer. */
import type { Core } from "./core.ts";
import type { Progress } from "./progress.ts";
import type { InstallSnapshotResponse, LogIndex, NodeId, SnapshotChunk } from "./types.ts";

/** The peer needs entries that are compacted: it gets the latest snapshot. */
export function start(core: Core, to: NodeId, progress: Progress): void {
  // To a peer that does not answer, nothing is read from disk; its next answer comes back here.
  if (core.snapshot === null || !progress.isActive(core.now)) {
    progress.probeSent = true;
    if (progress.state === "replicate") progress.becomeProbe(progress.nextIndex);
    return;
  }
  progress.becomeSnapshot(core.snapshot, core.now);
  readChunk(core, to, progress, 0);
}

/** Storage has read a chunk, or has that snapshot no more. */
export function takeChunk(core: Core, chunk: SnapshotChunk): void {
  const { to, snapshotIndex, offset, data, done } = chunk;
  const progress = core.peers.get(to);
  const transfer = progress?.snapshot;
  if (progress === undefined || transfer === null || transfer === undefined) return;
  const { metadata: snapshot } = transfer;
  if (transfer.waitingFor !== "chunk" || transfer.offset !== offset) return;
  if (snapshot.index !== snapshotIndex) return;
  if (data === null) {
    // Replaced by a newer one meanwhile. The next answer of the peer starts over.
    progress.becomeProbe(progress.nextIndex);
    progress.probeSent = true;
    return;
  }
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
    progress.becomeProbe(snapshotIndex + 1);
    return;
  }
  // What it asks for is on its way to it already (a duplicate), or still being read.
  if (transfer.waitingFor !== "response" || message.nextOffset === transfer.offset) return;
  readChunk(core, from, progress, message.nextOffset);
}

/** A chunk or its answer was lost: read it again, if anybody is there to take it. */
export function retry(core: Core): void {
  for (const [nodeId, progress] of core.peers) {
    const transfer = progress.snapshot;
    if (transfer === null || !progress.isActive(core.now)) continue;
    if (core.now - transfer.sinceTick < core.options.electionTicksMin) continue;
    readChunk(core, nodeId, progress, transfer.offset);
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

function readChunk(core: Core, to: NodeId, progress: Progress, offset: number): void {
  const transfer = progress.snapshot!;
  transfer.offset = offset;
  transfer.waitingFor = "chunk";
  transfer.sinceTick = core.now;
  const snapshotIndex = transfer.metadata.index;
  const bytesMax = core.options.snapshotChunkBytes;
  core.effects.push({ kind: "read-snapshot-chunk", to, snapshotIndex, offset, bytesMax });
}
