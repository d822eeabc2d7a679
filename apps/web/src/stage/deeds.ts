/** What can be done to a node now, and why the rest would do nothing. */
import {
  leaderOf,
  linkKey,
  type ClusterNode,
  type ClusterView,
  type LinkView,
} from "@raftarium/observer";
import type { CommandResult, Commands } from "../commands.ts";

export interface Deed {
  readonly name: string;
  /** A word beside it: the signal that is sent. */
  readonly hint: string;
  /** Why it would have no effect now; null: it would. */
  readonly reason: string | null;
  /** What a person should know once it is done; empty: what was done shows itself. */
  readonly afterwards: string;
  readonly run: () => Promise<CommandResult>;
}

function isAlive(node: ClusterNode): boolean {
  return node.health === "running" || node.health === "paused" || node.health === "starting";
}

function isAlone(view: ClusterView, node: ClusterNode): boolean {
  return view.nodes.every(
    (other) =>
      other === node ||
      (view.links.get(linkKey(node.nodeId, other.nodeId))?.cut === true &&
        view.links.get(linkKey(other.nodeId, node.nodeId))?.cut === true),
  );
}

/** The cut directions of its links. */
function cutLinks(view: ClusterView, { nodeId }: ClusterNode): readonly LinkView[] {
  return [...view.links.values()].filter(
    (link) => link.cut && (link.source === nodeId || link.target === nodeId),
  );
}

/** Makes them carry messages again; whatever else is wrong with them stays. */
async function uncut(links: readonly LinkView[], commands: Commands): Promise<CommandResult> {
  const answers = await Promise.all(
    links.map(({ source, target, ...fault }) =>
      commands.setLink(source, target, { ...fault, cut: false, messageKinds: [] }),
    ),
  );
  return answers.find(({ ok }) => !ok) ?? { ok: true, message: "" };
}

/**
 * Voters that hear a leader refuse: who asks them now asks in vain (the pre-vote of the thesis,
 * 9.6, and 4.2.3). Empty: nobody leads, or nobody hears the asking.
 */
function loyaltyWords(view: ClusterView, node: ClusterNode): string {
  const leader = leaderOf(view);
  if (leader === undefined || leader.nodeId === node.nodeId || isAlone(view, node)) return "";
  if (leader.health !== "running") return "";
  return (
    `Node ${node.nodeId} asks the others now whether it would win. Those that hear node ` +
    `${leader.nodeId}, the leader, will refuse: pause, crash or isolate it first.`
  );
}

function runningReason(node: ClusterNode): string | null {
  if (node.health === "running") return null;
  return isAlive(node) ? `it is ${node.health}` : "it has no process";
}

function transferReason(view: ClusterView, node: ClusterNode): string | null {
  const leader = leaderOf(view);
  if (leader === undefined) return "nobody leads";
  if (leader.nodeId === node.nodeId) return "it leads";
  if (node.role === "learner") return "a learner cannot lead";
  return runningReason(node);
}

/** Those that are left must agree to a change of the members, and go on without this one. */
function leavingReason(view: ClusterView, node: ClusterNode): string | null {
  const leader = leaderOf(view);
  if (view.frozen) return "time is frozen";
  if (leader === undefined) return "nobody leads";
  const { voters } = leader.configuration;
  return voters.length === 1 && voters[0] === node.nodeId ? "no other node votes" : null;
}

type MakeDeed = (
  name: string,
  hint: string,
  reason: string | null,
  run: () => Promise<CommandResult>,
) => Deed;

/** A member's vote is given or taken by joint consensus, and it stays a member. */
function voteDeed(view: ClusterView, node: ClusterNode, deed: MakeDeed, commands: Commands): Deed {
  const { voters = [], learners = [] } = leaderOf(view)?.configuration ?? {};
  const [name, wanted] = learners.includes(node.nodeId)
    ? ["Let it vote", [...voters, node.nodeId]]
    : ["Take its vote", voters.filter((nodeId) => nodeId !== node.nodeId)];
  return deed(name, "joint consensus", leavingReason(view, node), () => commands.setVoters(wanted));
}

/** In the order of the menu. */
export function deedsOf(view: ClusterView, node: ClusterNode, commands: Commands): readonly Deed[] {
  const { nodeId } = node;
  const alive = isAlive(node);
  const dead = alive ? null : "it has no process";
  const others = view.nodes.filter((other) => other !== node).map((other) => other.nodeId);
  const deed = (
    name: string,
    hint: string,
    reason: string | null,
    run: () => Promise<CommandResult>,
    afterwards = "",
  ): Deed => ({ name, hint, reason: commands.unavailable ?? reason, afterwards, run });
  const cuts = cutLinks(view, node);
  const loyalty = loyaltyWords(view, node);
  return [
    deed("Crash", "SIGKILL", dead, () => commands.crash(nodeId)),
    deed("Restart", "", alive ? "it has a process" : null, () => commands.restart(nodeId)),
    deed("Pause", "SIGSTOP", node.health === "paused" ? "it is paused" : dead, () =>
      commands.pause(nodeId),
    ),
    deed(
      "Resume",
      "SIGCONT",
      node.health === "paused" ? null : alive ? "it is not paused" : dead,
      () => commands.resume(nodeId),
    ),
    deed(
      "Stop",
      node.role === "leader" && others.length > 0 ? "SIGTERM: it hands over first" : "SIGTERM",
      runningReason(node),
      () => commands.stop(nodeId),
    ),
    deed(
      "Isolate",
      "",
      others.length === 0 ? "it has no peers" : isAlone(view, node) ? "it is cut off" : null,
      () => commands.isolate(nodeId, others),
    ),
    deed("Join again", "", cuts.length === 0 ? "none of its links is cut" : null, () =>
      uncut(cuts, commands),
    ),
    deed(
      "Time out now",
      loyalty === "" ? "" : "the others hear a leader",
      node.role === "leader"
        ? "it leads"
        : node.role === "learner"
          ? "a learner has no vote"
          : runningReason(node),
      () => commands.campaign(nodeId),
      loyalty,
    ),
    deed("Transfer leadership here", "", transferReason(view, node), () =>
      commands.transferLeadership(nodeId),
    ),
    voteDeed(view, node, deed, commands),
    deed("Wipe its disk", "", leavingReason(view, node), () => commands.wipe(nodeId)),
    deed("Remove from the cluster", "", leavingReason(view, node), () => commands.remove(nodeId)),
  ];
}

/** The hammer's one blow: what lives is killed, what is dead comes back. */
export function strike(node: ClusterNode, commands: Commands): Promise<CommandResult> {
  return isAlive(node) ? commands.crash(node.nodeId) : commands.restart(node.nodeId);
}
