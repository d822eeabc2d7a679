/** What becoming a follower, a candidate or a leader means (paper, Figures 2 and 4). */
import { assert } from "./assert.ts";
import { refreshPeers } from "./configurations.ts";
import type { Core } from "./core.ts";
import { tally, votersOf } from "./quorum.ts";
import * as reads from "./reads.ts";
import { appendOwn } from "./replication.ts";
import * as transfer from "./transfer.ts";
import type { NodeId, RequestVote, Term } from "./types.ts";

type Leader = NodeId | null;

const noData = new Uint8Array(0);

/** @param reason In plain words, for people. */
export function becomeFollower(core: Core, term: Term, leaderId: Leader, reason: string): void {
  const { restingRole } = core;
  if (term === core.term && core.role === restingRole && core.leaderId === leaderId) return;
  transfer.end(core, "aborted");
  // The election timer of a follower runs on when it learns of a later term: only a leader or a
  // vote resets it, or a candidate that can't win could keep everybody else from trying.
  const wasResting = core.role === "follower" || core.role === "learner";
  enterTerm(core, term);
  core.role = restingRole;
  core.leaderId = leaderId;
  core.votes.clear();
  core.peers.clear();
  core.uncommittedBytes = 0;
  reads.drop(core);
  if (core.observing) core.observeRole(reason);
  if (!wasResting) core.resetElectionTimer();
}

/** Asks whether an election could be won, without disturbing anybody (thesis 9.6). */
export function becomePreCandidate(core: Core, reason: string): void {
  assert(core.role !== "leader", "a leader does not campaign");
  stand(core, "pre-candidate", reason);
  core.votes.set(core.id, true);
  if (core.observing) observeVotes(core);
  if (tally(core.configuration, core.votes) === "won") {
    becomeCandidate(core, false, "no other vote is needed");
    return;
  }
  // It promises nothing, so it need not wait for the disk.
  const request = voteRequest(core, true, false);
  for (const nodeId of otherVoters(core)) core.send(nodeId, request);
}

/** Starts an election: a new term, its own vote, and requests to everybody (section 5.2). */
export function becomeCandidate(core: Core, leadershipTransfer: boolean, reason: string): void {
  assert(core.role !== "leader", "a leader does not campaign");
  enterTerm(core, core.term + 1);
  core.votedFor = core.id;
  stand(core, "candidate", reason);
  const request = voteRequest(core, false, leadershipTransfer);
  for (const nodeId of otherVoters(core)) core.promise(nodeId, request);
}

function stand(core: Core, role: "pre-candidate" | "candidate", reason: string): void {
  core.role = role;
  core.leaderId = null;
  core.votes.clear();
  reads.drop(core);
  core.resetElectionTimer();
  if (core.observing) core.observeRole(reason);
}

/** Won. A no-op commits what earlier terms left behind (section 8). */
export function becomeLeader(core: Core): void {
  assert(core.role === "candidate", "only a candidate wins");
  assert(core.votedFor === core.id, "a leader voted for itself");
  core.role = "leader";
  core.leaderId = core.id;
  core.electionElapsedTicks = 0;
  core.heartbeatElapsedTicks = 0;
  core.calmSinceTick = core.now;
  core.uncommittedBytes = core.log.byteCount(core.commitIndex + 1, core.log.lastIndex);
  core.peers.clear();
  refreshPeers(core);
  reads.resetLease(core);
  if (core.observing) core.observeRole(`won with the votes of ${listOf(core, core.votesOf(true))}`);
  const entry = appendOwn(core, "no-op", noData);
  core.termStartIndex = entry.index;
  if (core.observing) core.observe({ kind: "log-appended", entries: [entry] });
}

export function observeVotes(core: Core): void {
  const preVote = core.role === "pre-candidate";
  const term = preVote ? core.term + 1 : core.term;
  const [granted, rejected] = [core.votesOf(true), core.votesOf(false)];
  core.observe({ kind: "votes-changed", term, preVote, granted, rejected });
}

function enterTerm(core: Core, term: Term): void {
  assert(term >= core.term, "terms never fall");
  if (term === core.term) return;
  core.term = term;
  core.votedFor = null;
  core.hardStateDirty = true;
}

function voteRequest(core: Core, preVote: boolean, leadershipTransfer: boolean): RequestVote {
  return {
    type: "request-vote",
    term: preVote ? core.term + 1 : core.term,
    preVote,
    lastLogIndex: core.log.lastIndex,
    lastLogTerm: core.log.lastTerm,
    leadershipTransfer,
  };
}

function otherVoters(core: Core): NodeId[] {
  return votersOf(core.configuration).filter((nodeId) => nodeId !== core.id);
}

function listOf(core: Core, nodeIds: readonly NodeId[]): string {
  const names = nodeIds
    .toSorted((a, b) => a - b)
    .map((nodeId) => (nodeId === core.id ? "itself" : String(nodeId)));
  const last = names.pop() ?? "nobody";
  return names.length === 0 ? last : `${names.join(", ")} and ${last}`;
}
