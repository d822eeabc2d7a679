/** InstallSnapshot, the follower's side (section 7 and Figure 13). */
import { replaceConfigurations } from "./configurations.ts";
import type { Core } from "./core.ts";
import { writeOut } from "./persistence.ts";
import type { InstallSnapshot, NodeId } from "./types.ts";

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
export function settle(core: Core): void {
  const { restoring } = core;
  if (restoring === null || core.persistedTicket < restoring.ticket) return;
  core.restoring = null;
  core.applyingIndex = restoring.snapshot.index;
  core.effects.push({ kind: "restore", snapshot: restoring.snapshot });
}

/** Of an earlier leader: the answer shows it the later term. */
export function refuse(core: Core, from: NodeId, message: InstallSnapshot): void {
  respond(core, from, message.snapshot.index, 0, false);
}

function respond(core: Core, to: NodeId, index: number, nextOffset: number, done: boolean): void {
  const { term } = core;
  const type = "install-snapshot-response";
  core.promise(to, { type, term, snapshotIndex: index, nextOffset, done });
}
