/**
 * Leader election: when to campaign, whom to vote for (paper 5.2 and 5.4.1; thesis 4.2.3, 9.6), and
 * what becoming a follower, a candidate or a leader means (Figures 2 and 4).
 */
import { assert } from "./assert.ts";
import { isPromotable, refreshPeers } from "./configurations.ts";
import type { Core } from "./core.ts";
import { hardStateDurable } from "./persistence.ts";
import { tally, votersOf } from "./quorum.ts";
import * as reads from "./reads.ts";
import { appendOwn } from "./replication.ts";
import * as transfer from "./transfer.ts";
import type { NodeId, RequestVote, RequestVoteResponse, Term } from "./types.ts";

/** A tick on a node that does not lead. */
export function tick(core: Core): void {
  core.electionElapsedTicks++;
  if (core.electionElapsedTicks < core.electionTimeoutTicks) return;
  const silence = `heard no leader for ${core.electionElapsedTicks} ticks`;
  if (isPromotable(core)) {
    const again = core.role === "candidate" || core.role === "pre-candidate";
    campaign(core, again ? "the election before was not decided in time" : silence);
  } else {
    becomeFollower(core, core.term, null, silence);
    core.resetElectionTimer();
  }
}

/** Starts an election, unless this node leads already or may not lead. */
export function campaign(core: Core, reason: string): void {
  if (core.role === "leader" || !isPromotable(core)) return;
  if (core.options.preVote) becomePreCandidate(core, reason);
  else becomeCandidate(core, false, reason);
}

/** The leader wants this node to take over at once (thesis 3.10): no pre-vote. */
export function takeTimeoutNow(core: Core): void {
  if (core.role === "leader" || !isPromotable(core)) return;
  becomeCandidate(core, true, "the leader handed over to it");
}

/**
 * Is this node loyal to a leader that it heard less than the shortest election timeout ago? Then
 * it refuses votes, so that nobody deposes a leader that works (thesis 4.2.3). Rests on
 * checkQuorum: a leader that is not heard by a majority steps down of its own accord.
 */
export function isLoyal(core: Core): boolean {
  const { checkQuorum, leaseReads, electionTicksMin } = core.options;
  if (!checkQuorum) return false;
  // Before its restart a node may have heard a leader whose lease still rests on it.
  if (leaseReads && core.now < electionTicksMin) return true;
  return core.leaderId !== null && core.electionElapsedTicks < electionTicksMin;
}

/** Answers a request of this term or a later one; for a pre-vote the term is not entered. */
export function takeRequestVote(core: Core, from: NodeId, message: RequestVote): void {
  const { lastIndex, lastTerm } = core.log;
  const free =
    core.votedFor === from ||
    (core.votedFor === null && core.leaderId === null) ||
    (message.preVote && message.term > core.term);
  // Section 5.4.1: the later last term wins; with equal last terms, the longer log. A learner
  // votes, too, if it is asked: it may be a voter by now and not know.
  const upToDate =
    message.lastLogTerm > lastTerm ||
    (message.lastLogTerm === lastTerm && message.lastLogIndex >= lastIndex);
  if (!free || !upToDate) return rejectVote(core, from, message.preVote);
  if (!message.preVote) {
    core.votedFor = from;
    core.resetElectionTimer();
    if (core.observing) core.observeRole(`voted for ${from}`);
  }
  // A granted pre-vote repeats the term asked for: the candidate's, not this node's.
  const { term, preVote } = message;
  core.promise(from, { type: "request-vote-response", term, preVote, voteGranted: true });
}

/** Always answered, and with this node's own term: a candidate that lags behind learns it. */
export function rejectVote(core: Core, to: NodeId, preVote: boolean): void {
  core.promise(to, { type: "request-vote-response", term: core.term, preVote, voteGranted: false });
}

/** Counts an answer, if it belongs to the election under way. */
export function takeVoteResponse(core: Core, from: NodeId, message: RequestVoteResponse): void {
  const { term, preVote, voteGranted } = message;
  if (core.role !== (preVote ? "pre-candidate" : "candidate")) return;
  // Who grants a pre-vote repeats the term asked for; who refuses it may be in an earlier one.
  const isAnswer = preVote ? !voteGranted || term === core.term + 1 : term === core.term;
  if (isAnswer) recordVote(core, from, voteGranted);
}

/** A candidate counts its own vote, too, once that is durable. */
export function countOwnVote(core: Core): void {
  if (core.role === "candidate" && hardStateDurable(core)) recordVote(core, core.id, true);
}

/** Steps down if no quorum was heard for an election timeout (thesis 6.2). */
export function checkQuorum(core: Core): void {
  const { electionTicksMax } = core.options;
  const silentTicks = core.now - core.quorum(core.now, (peer) => peer.lastHeardTick);
  if (silentTicks < electionTicksMax) return;
  becomeFollower(core, core.term, null, `heard no majority for ${silentTicks} ticks`);
}

function recordVote(core: Core, from: NodeId, granted: boolean): void {
  // The first answer of each voter counts; a duplicate is not a second vote.
  if (core.votes.has(from)) return;
  core.votes.set(from, granted);
  if (core.observing) observeVotes(core);
  const result = tally(core.configuration, core.votes);
  if (result === "won") {
    if (core.role === "pre-candidate") becomeCandidate(core, false, "a majority would vote for it");
    else becomeLeader(core);
  } else if (result === "lost") {
    becomeFollower(core, core.term, null, "a majority refused its vote");
  }
}

// --- roles ---

/** @param reason In plain words, for people. */
export function becomeFollower(
  core: Core,
  term: Term,
  leaderId: NodeId | null,
  reason: string,
): void {
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
function becomePreCandidate(core: Core, reason: string): void {
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
function becomeCandidate(core: Core, leadershipTransfer: boolean, reason: string): void {
  enterTerm(core, core.term + 1);
  core.votedFor = core.id;
  stand(core, "candidate", reason);
  const request = voteRequest(core, false, leadershipTransfer);
  for (const nodeId of otherVoters(core)) core.promise(nodeId, request);
}

function stand(core: Core, role: "pre-candidate" | "candidate", reason: string): void {
  assert(core.role !== "leader", "a leader does not campaign");
  core.role = role;
  core.leaderId = null;
  core.votes.clear();
  reads.drop(core);
  core.resetElectionTimer();
  if (core.observing) core.observeRole(reason);
}

/** Won. A no-op commits what earlier terms left behind (section 8). */
function becomeLeader(core: Core): void {
  assert(core.role === "candidate", "only a candidate wins");
  assert(core.votedFor === core.id, "a leader voted for itself");
  core.role = "leader";
  core.leaderId = core.id;
  core.electionElapsedTicks = 0;
  core.heartbeatElapsedTicks = 0;
  core.calmSinceTick = core.now;
  core.uncommittedBytes = core.log.byteCount(core.commitIndex + 1, core.log.lastIndex);
  refreshPeers(core);
  if (core.observing) core.observeRole(`won with the votes of ${listOf(core, core.votesOf(true))}`);
  const entry = appendOwn(core, "no-op", new Uint8Array(0));
  core.termStartIndex = entry.index;
  if (core.observing) core.observe({ kind: "log-appended", entries: [entry] });
}

function observeVotes(core: Core): void {
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
  const last = names.pop()!;
  return names.length === 0 ? last : `${names.join(", ")} and ${last}`;
}
