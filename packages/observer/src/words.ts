/** How a node, and how the cluster is, in words that a person would use. */
import type { Configuration, NodeId, Role, Term } from "@raftarium/raft";
import { committedIndex, leaderOf, linkKey, type ClusterNode, type ClusterView } from "./view.ts";

/** A piece of a sentence. With a term, it wears that term's colour. */
export interface Words {
  readonly text: string;
  readonly term: Term | null;
}

const ROLE_WORDS: Record<Role, string> = {
  follower: "follower",
  "pre-candidate": "asking for pre-votes",
  candidate: "asking for votes",
  leader: "leader",
  learner: "learner",
};

const SIGNALS: Record<string, string> = {
  SIGKILL: "killed (9)",
  SIGTERM: "terminated (15)",
  SIGINT: "interrupted (2)",
  SIGABRT: "aborted (6)",
  SIGSEGV: "broke down (11)",
};

/** One or a few words for what a node is doing: "follower", "asking for votes", "killed (9)". */
export function nodeWord(node: ClusterNode): string {
  switch (node.health) {
    case "crashed":
      return SIGNALS[node.cause] ?? (node.cause === "" ? "crashed" : `crashed (${node.cause})`);
    case "stopped":
      return "stopped";
    case "starting":
      return "starting";
    case "paused":
      return `${ROLE_WORDS[node.role]}, paused`;
    case "running":
      return node.known || node.term > 0 ? ROLE_WORDS[node.role] : "starting";
  }
}

/** How a screen reader names a node: "Node 1, leader, term 3, running". */
export function nodeLabel(node: ClusterNode): string {
  return `Node ${node.nodeId}, ${node.role}, term ${node.term}, ${node.health}`;
}

/** "1", "1 and 2", "1, 2 and 3". */
export function listWords(items: readonly (string | number)[]): string {
  if (items.length <= 1) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Whether messages pass from one node to the other and back, as far as processes and cuts go. */
function connected(view: ClusterView, a: NodeId, b: NodeId): boolean {
  const cut = (source: NodeId, target: NodeId) => {
    const link = view.links.get(linkKey(source, target));
    return link !== undefined && link.cut && link.messageKinds.length === 0;
  };
  return !cut(a, b) && !cut(b, a);
}

/** The members that vote, from the newest configuration told; all nodes if none was. */
export function votersOf(view: ClusterView): readonly NodeId[] {
  const leader = leaderOf(view);
  const told = leader ?? view.nodes.find((node) => node.configuration.voters.length > 0);
  const voters = told?.configuration.voters ?? [];
  return voters.length > 0 ? voters : view.nodes.map((node) => node.nodeId);
}

/** "1, 2, 3, learning 4"; in joint consensus "1, 4, 5, jointly with 1, 2, 3". */
export function membersWords({ voters, votersOutgoing, learners }: Configuration): string {
  const jointly = votersOutgoing.length === 0 ? "" : `, jointly with ${votersOutgoing.join(", ")}`;
  const learning = learners.length === 0 ? "" : `, learning ${learners.join(", ")}`;
  return `${voters.join(", ")}${jointly}${learning}`;
}

/** In joint consensus (section 6) the voters of before, of whom a majority must agree, too. */
function outgoingOf(view: ClusterView): readonly NodeId[] {
  return leaderOf(view)?.configuration.votersOutgoing ?? [];
}

/** Whether this node reaches, itself included, a majority of the voters; of both sets, if joint. */
export function reachesMajority(view: ClusterView, node: ClusterNode): boolean {
  const reaches = (voter: NodeId): boolean => {
    if (voter === node.nodeId) return node.health === "running";
    const other = view.nodes.find((candidate) => candidate.nodeId === voter);
    return other?.health === "running" && connected(view, node.nodeId, voter);
  };
  return [votersOf(view), outgoingOf(view)].every(
    (voters) => voters.length === 0 || voters.filter(reaches).length * 2 > voters.length,
  );
}

function plain(text: string): Words {
  return { text, term: null };
}

function termWords(term: Term): Words {
  return { text: `term ${term}`, term };
}

function entriesWord(count: number): string {
  return count === 1 ? "1 entry" : `${count} entries`;
}

function countsSentence(view: ClusterView): string {
  const alive = view.nodes.filter((node) => node.health === "running");
  const running = alive.length;
  const apart = alive.filter((node) => !reachesMajority(view, node)).map((node) => node.nodeId);
  const cut =
    apart.length === 0
      ? ""
      : `, ${apart.length === 1 ? "node" : "nodes"} ${listWords(apart)} cut off`;
  const committed = entriesWord(committedIndex(view));
  const all =
    running === view.nodes.length ? `All ${running}` : `${running} of ${view.nodes.length}`;
  const learners = leaderOf(view)?.configuration.learners ?? [];
  const learning =
    learners.length === 0
      ? ""
      : `, ${learners.length === 1 ? "node" : "nodes"} ${listWords(learners)} learning`;
  return `. ${all} running${cut}${learning}, ${committed} committed.`;
}

/** Another that believes it leads: it was paused, or cut off. */
function staleLeader(view: ClusterView, leader: ClusterNode): ClusterNode | undefined {
  return view.nodes.find(
    (node) => node.role === "leader" && node.health === "running" && node !== leader,
  );
}

function leaderSentence(view: ClusterView, leader: ClusterNode): readonly Words[] {
  const name = `Node ${leader.nodeId}`;
  if (!reachesMajority(view, leader)) {
    return [
      plain(`${name} still leads `),
      termWords(leader.term),
      plain(", but reaches no majority: nothing can be committed."),
    ];
  }
  const words = [plain(`${name} leads `), termWords(leader.term)];
  const stale = staleLeader(view, leader);
  if (stale !== undefined) {
    return [
      ...words,
      plain(`. Node ${stale.nodeId} still believes that it leads `),
      termWords(stale.term),
      plain("."),
    ];
  }
  const outgoing = outgoingOf(view);
  if (outgoing.length > 0) {
    const [before, after] = [outgoing.join(", "), votersOf(view).join(", ")];
    const both = `. Joint consensus: a majority of ${before} and one of ${after}.`;
    return [...words, plain(both)];
  }
  return [...words, plain(".")];
}

function electionSentence(view: ClusterView): readonly Words[] {
  const running = view.nodes.filter((node) => node.health === "running");
  const voters = votersOf(view);
  const needed = Math.floor(voters.length / 2) + 1;
  const alive = running.filter((node) => voters.includes(node.nodeId)).length;
  if (alive < needed) {
    return [
      plain(
        `No leader: ${alive} of ${voters.length} ${alive === 1 ? "is" : "are"} running, ` +
          `and ${needed} must agree.`,
      ),
    ];
  }
  const asking = running.filter(
    (node) => node.role === "candidate" || node.role === "pre-candidate",
  );
  const term = Math.max(0, ...asking.map((node) => node.term));
  const first = asking.filter((node) => node.term === term);
  if (first.length === 0)
    return [plain("No leader. The first timer to run out starts an election.")];
  const names = listWords(first.map((node) => node.nodeId));
  const subject = first.length === 1 ? `Node ${names} asks` : `Nodes ${names} ask`;
  if (first.every((node) => node.role === "pre-candidate")) {
    return [plain(`No leader. ${subject} whether an election would be won.`)];
  }
  return [plain(`No leader. ${subject} for votes in `), termWords(term), plain(".")];
}

/** One sentence (or two) that say how the cluster is. */
export function sentenceOf(view: ClusterView): readonly Words[] {
  const headline = headlineOf(view);
  const leader = leaderOf(view);
  const well = view.violations.length === 0 && leader !== undefined;
  if (!well || !reachesMajority(view, leader) || staleLeader(view, leader)) return headline;
  if (outgoingOf(view).length > 0) return headline;
  return [...headline.slice(0, -1), plain(countsSentence(view))];
}

/** The same without what changes with every write: for those who have it read out to them. */
export function headlineOf(view: ClusterView): readonly Words[] {
  if (view.nodes.length === 0) return [plain("Waiting for the cluster.")];
  const violation = view.violations.at(-1);
  if (violation !== undefined) {
    return [plain(`A promise is broken: ${violation.invariant}. ${violation.explanation}`)];
  }
  const leader = leaderOf(view);
  const words = leader === undefined ? electionSentence(view) : leaderSentence(view, leader);
  return view.frozen ? [plain("Frozen. "), ...words] : words;
}
