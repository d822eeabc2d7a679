/**
 * All arithmetic of majorities, for simple and joint configurations (paper, section 6; thesis
 * 4.3): in a joint configuration every decision needs a majority of each half, never one of the
 * union.
 */
import type { Configuration, NodeId, NodeIds } from "./types.ts";

type ValueOf = (nodeId: NodeId) => number;
type Votes = ReadonlyMap<NodeId, boolean>;

export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

export function isVoter(configuration: Configuration, nodeId: NodeId): boolean {
  return configuration.voters.includes(nodeId) || configuration.votersOutgoing.includes(nodeId);
}

export function isMember(configuration: Configuration, nodeId: NodeId): boolean {
  return isVoter(configuration, nodeId) || configuration.learners.includes(nodeId);
}

/** Ids from 1 up, each once, as a voter or as a learner; without voters there is nobody. */
export function isSound({ voters, votersOutgoing, learners }: Configuration): boolean {
  const members = [...voters, ...learners];
  const everybody = [...members, ...votersOutgoing];
  return (
    new Set(members).size === members.length &&
    new Set(votersOutgoing).size === votersOutgoing.length &&
    everybody.every((nodeId) => Number.isSafeInteger(nodeId) && nodeId >= 1) &&
    (voters.length > 0 || everybody.length === 0)
  );
}

/** The voters of both halves, each once, in ascending order. */
export function votersOf(configuration: Configuration): NodeId[] {
  return ascending(new Set([...configuration.voters, ...configuration.votersOutgoing]));
}

/** Voters of both halves and learners, each once, in ascending order. */
export function membersOf(configuration: Configuration): NodeId[] {
  return ascending(new Set([...votersOf(configuration), ...configuration.learners]));
}

/**
 * The highest value that a quorum has reached, where `valueOf` tells how far each voter is
 * (matchIndex, read round, tick last heard...). 0 without voters: nothing can be decided.
 */
export function quorumValue(configuration: Configuration, valueOf: ValueOf): number {
  const { voters, votersOutgoing } = configuration;
  const incoming = majorityValue(voters, valueOf);
  if (votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(votersOutgoing, valueOf));
}

/** How an election stands, given the answers so far (true: granted). */
export function tally(configuration: Configuration, votes: Votes): "won" | "lost" | "pending" {
  const granted = (unanswered: boolean) =>
    quorumValue(configuration, (nodeId) => Number(votes.get(nodeId) ?? unanswered));
  if (granted(false) === 1) return "won";
  return granted(true) === 0 ? "lost" : "pending";
}

/** In descending order, everybody before the middle has reached at least the value there. */
function majorityValue(voters: NodeIds, valueOf: ValueOf): number {
  const values: number[] = [];
  // Sorted by hand: a leader does this at each acknowledgement, and `sort` costs more than the rest.
  for (const nodeId of voters) {
    const value = valueOf(nodeId);
    let place = values.length;
    for (; place > 0 && values[place - 1]! < value; place--) values[place] = values[place - 1]!;
    values[place] = value;
  }
  return values[Math.floor(voters.length / 2)] ?? 0;
}

export function ascending(ids: Iterable<NodeId>): NodeId[] {
  return [...ids].toSorted((a, b) => a - b);
}
