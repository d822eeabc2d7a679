/** A path of a search as text that a person can follow, step by step. */
import type { Message } from "@raftarium/raft";
import type { NodeState, Nodes, SentMessage, Step, Transition } from "./nodes.ts";
import type { Found, Happening } from "./search.ts";
import { NODE_IDS } from "./symmetry.ts";
import { entryText } from "./nodes.ts";

/** Lines without line ends. */
export function tellStory(nodes: Nodes, { path, violation }: Found): string[] {
  const states = NODE_IDS.map((nodeId) => nodes.states[nodes.first(nodeId)]!);
  const lines: string[] = [];
  for (const [at, happening] of path.entries()) {
    const number = String(at + 1).padStart(4);
    if (happening.kind === "drop") {
      lines.push(`${number}  lost: ${describeMessage(nodes.messages[happening.message]!)}`);
      continue;
    }
    const { place, step } = happening;
    const before = states[place]!;
    const transition = nodes.transition(before.number, step);
    const after = nodes.states[transition.to]!;
    states[place] = after;
    lines.push(`${number}  ${describe(nodes, happening, before)}`);
    for (const result of resultsOf(nodes, step, before, after, transition)) {
      lines.push(`      → ${result}`);
    }
  }
  lines.push("", `      ${violation.invariant}: ${violation.explanation}`, "");
  for (const state of states) lines.push(`      ${describeNode(state)}`);
  lines.push(LEGEND);
  return lines;
}

const LEGEND = "      (1- is the entry that begins term 1; 2a is client command a in term 2)";

function describe(
  nodes: Nodes,
  { step, keep }: Happening & { readonly kind: "step" },
  { nodeId, pendingCount }: NodeState,
): string {
  switch (step.kind) {
    case "time-out":
      return `node ${nodeId} times out`;
    case "heartbeat":
      return `node ${nodeId} sends heartbeats`;
    case "persisted":
      return `the disk of node ${nodeId} has written`;
    case "request":
      return `a client sends command ${String.fromCharCode(96 + step.command)} to node ${nodeId}`;
    case "read":
      return `a client asks node ${nodeId} to read; index ${step.floor} is committed`;
    case "crash":
      return (
        `node ${nodeId} crashes and starts again` +
        (pendingCount === 0 ? "" : `; of ${pendingCount} writes under way ${step.kept} got to disk`)
      );
    case "deliver": {
      const twice = keep ? " (and a copy stays under way)" : "";
      return `${describeMessage(nodes.messages[step.message]!)}${twice}`;
    }
  }
}

/** `1 → 2 append-entries, term 3: 1a 2- after index 1 of term 1, commit 1`. */
function describeMessage({ from, to, message }: SentMessage): string {
  return `${from} → ${to} ${message.type}, term ${message.term}${detailsOf(message)}`;
}

function detailsOf(message: Message): string {
  switch (message.type) {
    case "request-vote": {
      const kind = message.preVote ? " (pre-vote)" : "";
      return `${kind}: its log ends at index ${message.lastLogIndex}, term ${message.lastLogTerm}`;
    }
    case "request-vote-response":
      return `${message.preVote ? " (pre-vote)" : ""}: ${message.voteGranted ? "yes" : "no"}`;
    case "append-entries": {
      const { entries, prevLogIndex, prevLogTerm, leaderCommit } = message;
      const what = entries.length === 0 ? "heartbeat" : entries.map(entryText).join(" ");
      const after = `index ${prevLogIndex}, term ${prevLogTerm}`;
      return `: ${what} after ${after}; commit ${leaderCommit}`;
    }
    case "append-entries-response":
      return message.success
        ? `: has everything up to index ${message.matchIndex}`
        : `: refused after index ${message.rejectedIndex}`;
    case "read-index-response":
      return message.index === 0 ? ": no" : `: index ${message.index}`;
    default:
      return "";
  }
}

function resultsOf(
  nodes: Nodes,
  step: Step,
  before: NodeState,
  after: NodeState,
  { sent, answered }: Transition,
): string[] {
  const { nodeId, term, role } = after;
  const results: string[] = [];
  const isNewRole = role !== before.role || term !== before.term || step.kind === "crash";
  if (isNewRole) results.push(`node ${nodeId} is ${role} of term ${term}`);
  if (after.votedFor !== null && (after.votedFor !== before.votedFor || term !== before.term)) {
    results.push(`node ${nodeId} votes for ${after.votedFor} in term ${term}`);
  }
  if (after.logNumber !== before.logNumber) {
    results.push(`log of node ${nodeId}: ${after.log.join(" ") || "empty"}`);
  }
  if (after.commitIndex > before.commitIndex) {
    results.push(`node ${nodeId} commits up to index ${after.commitIndex}`);
  }
  for (const index of answered) results.push(`node ${nodeId} answers a read as of index ${index}`);
  for (const message of sent) results.push(`sends ${describeMessage(nodes.messages[message]!)}`);
  return results;
}

function describeNode({ nodeId, role, term, log, diskLog, commitIndex }: NodeState): string {
  const logText = log.join(" ") || "empty";
  const diskText = diskLog.join(" ") || "empty";
  return (
    `node ${nodeId}: ${role} of term ${term}, commit ${commitIndex}, log ${logText}` +
    (logText === diskText ? "" : `, on disk ${diskText}`)
  );
}
