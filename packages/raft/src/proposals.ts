import type { Core } from "./core.ts";
import { appendOwn } from "./replication.ts";
import type { Entry, Proposal, ProposalRefusal, RequestId } from "./types.ts";

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

function refusal(core: Core, byteLength: number): ProposalRefusal | null {
  if (core.role !== "leader") return "not-leader";
  if (core.transfer !== null) return "transferring";
  // With nothing uncommitted even a command beyond the limit is taken, or it never could be.
  const { uncommittedBytes, options } = core;
  const full = uncommittedBytes > 0 && uncommittedBytes + byteLength > options.uncommittedBytesMax;
  return full ? "overloaded" : null;
}

function refuse(core: Core, id: RequestId, reason: ProposalRefusal): void {
  core.effects.push({ kind: "proposal-refused", id, reason, leaderId: core.leaderId });
}
