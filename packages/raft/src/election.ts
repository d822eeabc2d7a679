/** Leader election: when to campaign, whom to vote for (paper 5.2 and 5.4.1; thesis 4.2.3, 9.6). */
import { isPromotable } from "./configurations.ts";
import type { Core } from "./core.ts";
import { hardStateDurable } from "./persistence.ts";
import { quorumValue, tally } from "./quorum.ts";
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from "./roles.ts";
import { observeVotes } from "./roles.ts";
import type { NodeId, RequestVote, RequestVoteResponse } from "./types.ts";

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
    if (core.votedFor === null) {
      core.votedFor = from;
      core.hardStateDirty = true;
    }
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
  if (core.role !== (message.preVote ? "pre-candidate" : "candidate")) return;
  const termExpected = message.preVote && message.voteGranted ? core.term + 1 : core.term;
  // Who refuses a pre-vote may be in an earlier term.
  const refusedBefore = message.preVote && !message.voteGranted && message.term < core.term;
  if (message.term !== termExpected && !refusedBefore) return;
  recordVote(core, from, message.voteGranted);
}

/** A candidate counts its own vote, too, once that is durable. */
export function countOwnVote(core: Core): void {
  if (core.role === "candidate" && hardStateDurable(core)) recordVote(core, core.id, true);
}

/** Steps down if no quorum was heard for an election timeout (thesis 6.2). */
export function checkQuorum(core: Core): void {
  const { electionTicksMax } = core.options;
  const heardTick = quorumValue(core.configuration, (nodeId) =>
    nodeId === core.id ? core.now : (core.peers.get(nodeId)?.lastHeardTick ?? 0),
  );
  const silentTicks = core.now - heardTick;
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
