/**
 * Leadership transfer (thesis 3.10): catch up, TimeoutNow, and give up after a while. Asked for,
 * or of the leader's own accord when another voter has a higher priority.
 */
import type { Core } from "./core.ts";
import type { NodeId, TransferPhase } from "./types.ts";

/** So many (longest) election timeouts a leader stays before it hands over of its own accord. */
const calmTimeouts = 10;

/** Hands leadership to `to`. The same target again changes nothing; another takes its place. */
export function start(core: Core, to: NodeId): void {
  if (core.role !== "leader" || to === core.id || core.transfer?.targetId === to) return;
  // A learner, or nobody that we know, could not win.
  if (!core.configuration.voters.includes(to)) return;
  end(core, "aborted");
  core.transfer = { targetId: to, sinceTick: core.now, sent: false };
  if (core.observing) observe(core, to, "started");
  push(core);
}

/** The target campaigns as soon as it has the whole log; again if the message may be lost. */
export function push(core: Core): void {
  const { transfer } = core;
  if (transfer === null) return;
  const { targetId } = transfer;
  if (core.peers.get(targetId)!.matchIndex !== core.log.lastIndex) return;
  sendTimeoutNow(core, targetId);
  if (!transfer.sent && core.observing) observe(core, targetId, "sent");
  transfer.sent = true;
}

export function sendTimeoutNow(core: Core, to: NodeId): void {
  // Its votes will pass by the voters' loyalty to this leader, on which a lease rests.
  core.reads.leaseVoid = true;
  core.send(to, { type: "timeout-now", term: core.term });
}

/** Called at each tick of a leader: after an election timeout it takes proposals again. */
export function tick(core: Core): void {
  const { transfer } = core;
  if (transfer === null) return;
  if (core.now - transfer.sinceTick >= core.options.electionTicksMax) end(core, "aborted");
}

export function end(core: Core, phase: "aborted" | "done"): void {
  if (core.transfer === null) return;
  const { targetId } = core.transfer;
  core.transfer = null;
  core.calmSinceTick = core.now;
  if (core.observing) observe(core, targetId, phase);
}

/**
 * At each heartbeat: hands over to the voter of the highest priority, if that is above this
 * leader's, has caught up, and it has been calm for a while. So a cluster returns to where its
 * operator wants the leader, and a node that comes and goes does not take it along each time.
 */
export function prefer(core: Core): void {
  const { priority, electionTicksMax, entriesPerAppendMax } = core.options;
  const calmTicks = core.now - core.calmSinceTick;
  if (core.transfer !== null || calmTicks < calmTimeouts * electionTicksMax) return;
  let [best, highest] = [core.id, priority];
  for (const nodeId of core.configuration.voters) {
    const peer = core.peers.get(nodeId);
    if (peer === undefined || peer.priority <= highest || !peer.isActive(core.now)) continue;
    if (peer.isWithin(entriesPerAppendMax, core.log.lastIndex)) {
      [best, highest] = [nodeId, peer.priority];
    }
  }
  start(core, best);
}

function observe(core: Core, targetId: NodeId, phase: TransferPhase): void {
  core.observe({ kind: "transfer-changed", targetId, phase });
}
