/** SIGTERM and SIGINT: hand leadership over, then leave cleanly. */
import type { NodeApi, PeerProgress } from "@raftarium/node";
import type { Log } from "./log.ts";

/** How long the handing over may take before the node leaves all the same. */
const HANDOVER_MS_MAX = 1500;
const POLL_MS = 10;
/** Leaving takes at most 3 s in all. */
const LEAVE_MS_MAX = 2800;

export interface Leaving {
  readonly log: Log;
  readonly node: Pick<NodeApi<never>, "status" | "transferLeadership">;
  readonly close: () => Promise<void>;
}

export function leaveOnSignals({ log, node, close }: Leaving): void {
  let leaving = false;
  const leave = (signal: NodeJS.Signals): void => {
    if (leaving) process.exit(1);
    leaving = true;
    log.info({ signal }, "leaving");
    setTimeout(() => process.exit(1), LEAVE_MS_MAX).unref();
    void handOver(node)
      .then(close)
      .then(() => process.exit(0));
  };
  process.on("SIGTERM", leave);
  process.on("SIGINT", leave);
}

/** Resolves once this node does not lead any more, or after a while. */
async function handOver(node: Leaving["node"]): Promise<void> {
  const { role, progress, configuration, id } = node.status();
  if (role !== "leader") return;
  const successor = progress
    .filter(({ nodeId, recentlyActive }) => recentlyActive && configuration.voters.includes(nodeId))
    .filter(({ nodeId }) => nodeId !== id)
    .toSorted((a, b) => rank(b) - rank(a) || b.matchIndex - a.matchIndex)[0];
  if (successor === undefined) return;
  node.transferLeadership(successor.nodeId);
  const until = performance.now() + HANDOVER_MS_MAX;
  while (node.status().role === "leader" && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whom the operator prefers, of those that keep up; of equals, the longest log goes first. */
function rank({ state, priority }: PeerProgress): number {
  return state === "replicate" ? priority : -1;
}
