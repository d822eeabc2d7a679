/**
 * All arithmetic of majorities, for simple and joint configurations (paper, section 6; thesis
 * 4.3): in a joint configuration every decision needs a majority of each half, never one of the
 * union.
 */
import type { Configuration, NodeId, NodeIds } from "./types.ts";

export type VoteResult = "won" | "lost" | "pending";
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
  if (voters.length === 0) return 0;
  const incoming = majorityValue(voters, valueOf);
  if (votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(votersOutgoing, valueOf));
}

/** How an election stands, given the answers so far (true: granted). */
export function tally(configuration: Configuration, votes: Votes): VoteResult {
  const incoming = tallyHalf(configuration.voters, votes);
  if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing = tallyHalf(configuration.votersOutgoing, votes);
  if (incoming === "lost" || outgoing === "lost") return "lost";
  return incoming === "won" && outgoing === "won" ? "won" : "pending";
}

/** Reused between calls: configurations are small, and this runs for every acknowledgement. */
const scratch: number[] = [];

function majorityValue(voters: NodeIds, valueOf: ValueOf): number {
  const count = voters.length;
  for (let i = 0; i < count; i++) {
    const value = valueOf(voters[i]!);
    let place = i;
    while (place > 0 && scratch[place - 1]! < value) {
      scratch[place] = scratch[place - 1]!;
      place--;
    }
    scratch[place] = value;
  }
  // In descending order, everybody before this place has reached at least its value.
  return scratch[Math.floor(count / 2)]!;
}

function tallyHalf(voters: NodeIds, votes: Votes): VoteResult {
  const needed = Math.floor(voters.length / 2) + 1;
  let granted = 0;
  let rejected = 0;
  for (const voter of voters) {
    const vote = votes.get(voter);
    if (vote === true) granted++;
    else if (vote === false) rejected++;
  }
  if (granted >= needed) return "won";
  return voters.length - rejected < needed ? "lost" : "pending";
}

export function ascending(ids: Iterable<NodeId>): NodeId[] {
  return [...ids].toSorted((a, b) => a - b);
}
