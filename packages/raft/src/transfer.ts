/** Leadership transfer (thesis 3.10): catch up, TimeoutNow, and give up after a while. */
import type { Core } from "./core.ts";
import type { NodeId } from "./types.ts";

type Phase = "started" | "sent" | "aborted" | "done";

/** Hands leadership to `to`. The same target again changes nothing; another takes its place. */
export function start(core: Core, to: NodeId): void {
  if (core.role !== "leader" || to === core.id || core.transfer?.targetId === to) return;
  // A learner, or nobody that we know, could not win.
  if (!core.configuration.voters.includes(to)) return;
  if (core.transfer !== null) end(core, "aborted");
  core.transfer = { targetId: to, sinceTick: core.now, sent: false };
  if (core.observing) observe(core, to, "started");
  push(core);
}

/** The target campaigns as soon as it has the whole log; again if the message may be lost. */
export function push(core: Core): void {
  const { transfer } = core;
  if (transfer === null) return;
  const { targetId } = transfer;
  if (core.peers.get(targetId)?.matchIndex !== core.log.lastIndex) return;
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
  const overdue = core.now - transfer.sinceTick >= core.options.electionTicksMax;
  if (overdue || !core.configuration.voters.includes(transfer.targetId)) {
    end(core, "aborted");
  }
}

export function end(core: Core, phase: "aborted" | "done"): void {
  if (core.transfer === null) return;
  const { targetId } = core.transfer;
  core.transfer = null;
  if (core.observing) observe(core, targetId, phase);
}

function observe(core: Core, targetId: NodeId, phase: Phase): void {
  core.observe({ kind: "transfer-changed", targetId, phase });
}
