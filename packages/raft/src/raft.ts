/** One step: the input goes to the rule that it concerns, then everything is settled. */
import { assert } from "./assert.ts";
import * as configurations from "./configurations.ts";
import { Core } from "./core.ts";
import * as election from "./election.ts";
import { refuseAppend, takeAppend } from "./follower.ts";
import * as membership from "./membership.ts";
import { validateOptions } from "./options.ts";
import * as persistence from "./persistence.ts";
import * as reads from "./reads.ts";
import * as replication from "./replication.ts";
import * as snapshots from "./snapshots.ts";
import { statusOf } from "./status.ts";
import * as transfer from "./transfer.ts";
import type { Input, LogIndex, Message, NodeId, Raft, RaftOptions } from "./types.ts";
import type { SnapshotMetadata } from "./types.ts";

/** How many times trailingEntries a leader keeps at most, for followers that are catching up. */
const trailingEntriesHeld = 8;

/**
 * Creates a participant from what storage found (for a first start: nothing). The state machine
 * must stand at `recovered.snapshot`; entries after it are applied anew as they are committed.
 *
 * @throws RangeError if an option makes no sense.
 */
export function createRaft(options: RaftOptions): Raft {
  validateOptions(options);
  const core = new Core(options, configurations.recoveredConfigurations(options));
  core.resetElectionTimer();
  let stepping = false;
  return {
    step(input) {
      // Stays set when a step throws: after a broken invariant there is no next step.
      assert(!stepping, "step was called from within a step, or after one that failed");
      stepping = true;
      core.effects = [];
      take(core, input);
      settle(core);
      stepping = false;
      return core.effects;
    },
    status: () => statusOf(core),
    entries(from, to) {
      const first = Math.max(from, core.log.baseIndex + 1);
      const last = Math.min(to, core.log.lastIndex);
      return first > last ? [] : core.log.slice(first, last);
    },
    snapshotMetadata: (index) => snapshotMetadata(core, index),
    setObserving(observing) {
      core.observing = observing;
    },
  };
}

function take(core: Core, input: Input): void {
  switch (input.kind) {
    case "tick":
      return tick(core);
    case "message":
      return receive(core, input.from, input.message);
    case "propose":
      return replication.propose(core, input.proposals);
    case "persisted":
      return persisted(core, input.ticket);
    case "applied":
      return applied(core, input.index);
    case "read":
      return reads.request(core, input.id);
    case "change-configuration":
      return membership.request(core, input.id, input.change);
    case "transfer-leadership":
      return transfer.start(core, input.to);
    case "campaign":
      return election.campaign(core, "was told to campaign");
    case "snapshot-saved":
      return snapshotSaved(core, input.index);
    case "snapshot-chunk":
      return snapshots.takeChunk(core, input);
    case "unreachable":
      return replication.unreachable(core, input.nodeId);
  }
}

/** What follows from a step, in the order in which it must be done. */
function settle(core: Core): void {
  membership.settle(core);
  reads.settle(core);
  persistence.writeOut(core);
  persistence.release(core);
  replication.sendAppends(core);
  if (core.applyingIndex < core.commitIndex && core.restoring === null) {
    const entries = core.log.slice(core.applyingIndex + 1, core.commitIndex);
    core.applyingIndex = core.commitIndex;
    core.effects.push({ kind: "apply", entries });
  }
  // After the state machine, for which a client waits.
  replication.announceCommit(core);
  if (core.observing) replication.observeProgress(core);
  const { appliedIndex, applyingIndex, commitIndex, log } = core;
  const ordered = appliedIndex <= applyingIndex && applyingIndex <= commitIndex;
  assert(ordered && commitIndex <= log.lastIndex, "applied, committed and last index out of order");
}

function tick(core: Core): void {
  core.now++;
  if (core.role !== "leader") {
    election.tick(core);
    reads.tick(core);
    return;
  }
  transfer.tick(core);
  core.heartbeatElapsedTicks++;
  if (core.heartbeatElapsedTicks >= core.options.heartbeatTicks) {
    core.heartbeatElapsedTicks = 0;
    reads.beforeHeartbeat(core);
    replication.broadcastHeartbeat(core);
    transfer.prefer(core);
    transfer.push(core);
    snapshots.retry(core);
  }
  if (core.options.checkQuorum) election.checkQuorum(core);
}

function persisted(core: Core, ticket: number): void {
  persistence.persisted(core, ticket);
  snapshots.restore(core);
  election.countOwnVote(core);
  if (core.role === "leader") replication.maybeCommit(core);
}

function receive(core: Core, from: NodeId, message: Message): void {
  if (from === core.id) return;
  if (message.term < core.term) return takeEarlierTerm(core, from, message);
  if (message.term > core.term && !enterLaterTerm(core, from, message)) return;
  switch (message.type) {
    case "request-vote":
      return election.takeRequestVote(core, from, message);
    case "request-vote-response":
      return election.takeVoteResponse(core, from, message);
    case "append-entries":
      if (hearLeader(core, from)) takeAppend(core, from, message);
      return;
    case "install-snapshot":
      if (hearLeader(core, from)) snapshots.takeInstallSnapshot(core, from, message);
      return;
    case "append-entries-response":
      replication.takeAppendResponse(core, from, message);
      if (core.transfer?.targetId === from && !core.transfer.sent) transfer.push(core);
      return;
    case "install-snapshot-response":
      return snapshots.takeResponse(core, from, message);
    case "timeout-now":
      return election.takeTimeoutNow(core);
    case "read-index":
      return reads.takeReadIndex(core, from, message);
    case "read-index-response":
      return reads.takeReadIndexResponse(core, from, message);
  }
}

/** Any later term is entered (section 5.1), with two exceptions. False: nothing more to do. */
function enterLaterTerm(core: Core, from: NodeId, message: Message): boolean {
  const { type, term } = message;
  if (type === "request-vote") {
    if (!message.leadershipTransfer && election.isLoyal(core)) {
      if (message.preVote) election.rejectVote(core, from, true);
      return false;
    }
    // A pre-vote asks what would be; nobody is in that term yet.
    if (message.preVote) return true;
  }
  if (type === "request-vote-response" && message.preVote && message.voteGranted) return true;
  if (core.transfer?.targetId === from) transfer.end(core, "done");
  const leads = type === "append-entries" || type === "install-snapshot";
  const reason = leads ? `${from} leads term ${term}` : `heard of term ${term} from ${from}`;
  election.becomeFollower(core, term, leads ? from : null, reason);
  return true;
}

/**
 * Who lags behind gets an answer with this term (section 5.1). Without it a node that campaigned
 * while it was cut off could neither be led nor, by loyal voters, be heard.
 */
function takeEarlierTerm(core: Core, from: NodeId, message: Message): void {
  if (message.type === "request-vote") election.rejectVote(core, from, message.preVote);
  else if (message.type === "request-vote-response") election.takeVoteResponse(core, from, message);
  else if (message.type === "append-entries") refuseAppend(core, from, message, 0);
  else if (message.type === "install-snapshot") snapshots.refuseSnapshot(core, from, message);
  else if (message.type === "read-index") reads.answer(core, from, message.requestId, 0);
}

/** The sender leads this term. False if that cannot be: there is another leader. */
function hearLeader(core: Core, from: NodeId): boolean {
  if (core.leaderId !== null && core.leaderId !== from) return false;
  election.becomeFollower(core, core.term, from, `${from} leads term ${core.term}`);
  core.resetElectionTimer();
  return true;
}

function applied(core: Core, index: LogIndex): void {
  assert(index <= core.applyingIndex, "applied more than was handed out");
  core.appliedIndex = Math.max(core.appliedIndex, index);
}

function snapshotMetadata(core: Core, index: LogIndex): SnapshotMetadata | null {
  if (index < (core.snapshot?.index ?? 1) || index > core.appliedIndex) return null;
  const term = core.log.term(index)!;
  const { configuration, configurationIndex } = configurations.configurationAt(core, index);
  return { index, term, configuration, configurationIndex };
}

/** The log before the snapshot may go, but for some entries that slow followers may need. */
function snapshotSaved(core: Core, index: LogIndex): void {
  if (index <= (core.snapshot?.index ?? 0)) return;
  const snapshot = snapshotMetadata(core, index);
  assert(snapshot !== null, "a snapshot of what was not applied");
  core.snapshot = snapshot;
  configurations.forgetConfigurations(core, index);
  const { trailingEntries } = core.options;
  const throughIndex = Math.max(
    Math.min(index - trailingEntries, snapshots.neededAfter(core)),
    index - trailingEntriesHeld * trailingEntries,
  );
  if (throughIndex <= core.log.baseIndex) return;
  core.log.compactThrough(throughIndex);
  core.effects.push({ kind: "compact", throughIndex });
  if (!core.observing) return;
  const { term: snapshotTerm } = snapshot;
  core.observe({ kind: "log-compacted", throughIndex, snapshotIndex: index, snapshotTerm });
}
