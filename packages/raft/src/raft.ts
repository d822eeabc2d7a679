/** One step: the input goes to the rule that it concerns, then everything is settled. */
import { assert, unreachable } from "./assert.ts";
import {
  configurationAt,
  forgetConfigurations,
  recoveredConfigurations,
} from "./configurations.ts";
import { Core } from "./core.ts";
import {
  campaign,
  checkQuorum,
  countOwnVote,
  isLoyal,
  rejectVote,
  takeRequestVote,
  takeTimeoutNow,
  takeVoteResponse,
  tickElection,
} from "./election.ts";
import { takeAppend } from "./follower.ts";
import { requestChange, settleMembership } from "./membership.ts";
import { validateOptions } from "./options.ts";
import { flush, persisted } from "./persistence.ts";
import { propose } from "./proposals.ts";
import {
  beforeHeartbeat,
  requestRead,
  settleReads,
  takeReadIndex,
  takeReadIndexResponse,
  tickReads,
} from "./reads.ts";
import { settleRestore, takeInstallSnapshot } from "./receiving.ts";
import {
  broadcastHeartbeat,
  maybeCommit,
  observeProgress,
  sendAppends,
  takeAppendResponse,
} from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import { neededAfter, retrySnapshots, takeSnapshotChunk, takeSnapshotResponse } from "./sending.ts";
import { statusOf } from "./status.ts";
import { endTransfer, pushTransfer, startTransfer, tickTransfer } from "./transfer.ts";
import type {
  Input,
  LogIndex,
  Message,
  NodeId,
  Raft,
  RaftOptions,
  SnapshotMetadata,
} from "./types.ts";

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
  const core = new Core(options, recoveredConfigurations(options));
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
      tick(core);
      break;
    case "message":
      receive(core, input.from, input.message);
      break;
    case "propose":
      propose(core, input.proposals);
      break;
    case "persisted":
      persisted(core, input.ticket);
      settleRestore(core);
      countOwnVote(core);
      if (core.role === "leader") maybeCommit(core);
      break;
    case "applied":
      applied(core, input.index);
      break;
    case "read":
      requestRead(core, input.id);
      break;
    case "change-configuration":
      requestChange(core, input.id, input.change);
      break;
    case "transfer-leadership":
      startTransfer(core, input.to);
      break;
    case "campaign":
      campaign(core, "was told to campaign");
      break;
    case "snapshot-saved":
      snapshotSaved(core, input.index);
      break;
    case "snapshot-chunk":
      takeSnapshotChunk(core, input);
      break;
    case "unreachable": {
      const progress = core.peers.get(input.nodeId);
      if (progress?.state === "replicate") progress.becomeProbe(progress.matchIndex + 1);
      break;
    }
    default:
      unreachable(input, "input");
  }
}

/** What follows from a step, in the order in which it must be done. */
function settle(core: Core): void {
  settleMembership(core);
  settleReads(core);
  flush(core);
  if (core.role === "leader") {
    sendAppends(core);
    if (core.observing) observeProgress(core);
  }
  if (core.applyingIndex < core.commitIndex && core.restoring === null) {
    const entries = core.log.slice(core.applyingIndex + 1, core.commitIndex);
    core.applyingIndex = core.commitIndex;
    core.effects.push({ kind: "apply", entries });
  }
}

function tick(core: Core): void {
  core.now++;
  if (core.role !== "leader") {
    tickElection(core);
    tickReads(core);
    return;
  }
  tickTransfer(core);
  core.heartbeatElapsedTicks++;
  if (core.heartbeatElapsedTicks >= core.options.heartbeatTicks) {
    core.heartbeatElapsedTicks = 0;
    beforeHeartbeat(core);
    broadcastHeartbeat(core);
    pushTransfer(core);
    retrySnapshots(core);
  }
  if (core.options.checkQuorum) checkQuorum(core);
}

function receive(core: Core, from: NodeId, message: Message): void {
  if (from === core.id) return;
  if (message.term < core.term) {
    takeEarlierTerm(core, from, message);
    return;
  }
  if (message.term > core.term && !enterLaterTerm(core, from, message)) return;
  switch (message.type) {
    case "request-vote":
      takeRequestVote(core, from, message);
      break;
    case "request-vote-response":
      takeVoteResponse(core, from, message);
      break;
    case "append-entries":
      if (hearLeader(core, from)) takeAppend(core, from, message);
      break;
    case "install-snapshot":
      if (hearLeader(core, from)) takeInstallSnapshot(core, from, message);
      break;
    case "append-entries-response":
      if (core.role !== "leader") break;
      takeAppendResponse(core, from, message);
      if (core.transfer?.targetId === from && !core.transfer.sent) pushTransfer(core);
      break;
    case "install-snapshot-response":
      if (core.role === "leader") takeSnapshotResponse(core, from, message);
      break;
    case "timeout-now":
      takeTimeoutNow(core);
      break;
    case "read-index":
      takeReadIndex(core, from, message);
      break;
    case "read-index-response":
      takeReadIndexResponse(core, from, message);
      break;
    default:
      unreachable(message, "message");
  }
}

/** Any later term is entered (section 5.1), with two exceptions. False: nothing more to do. */
function enterLaterTerm(core: Core, from: NodeId, message: Message): boolean {
  if (message.type === "request-vote") {
    if (!message.leadershipTransfer && isLoyal(core)) {
      if (message.preVote) rejectVote(core, from, true);
      return false;
    }
    // A pre-vote asks what would be; nobody is in that term yet.
    if (message.preVote) return true;
  }
  if (message.type === "request-vote-response" && message.preVote && message.voteGranted) {
    return true;
  }
  if (core.transfer?.targetId === from) endTransfer(core, "done");
  const leads = message.type === "append-entries" || message.type === "install-snapshot";
  const reason = leads
    ? `${from} leads term ${message.term}`
    : `heard of term ${message.term} from ${from}`;
  becomeFollower(core, message.term, leads ? from : null, reason);
  return true;
}

/**
 * Who lags behind gets an answer with this term (section 5.1). Without it a node that campaigned
 * while it was cut off could neither be led nor, by loyal voters, be heard.
 */
function takeEarlierTerm(core: Core, from: NodeId, message: Message): void {
  const { term } = core;
  switch (message.type) {
    case "request-vote":
      rejectVote(core, from, message.preVote);
      break;
    case "append-entries":
      core.promise(from, {
        type: "append-entries-response",
        term,
        success: false,
        matchIndex: 0,
        hintIndex: 0,
        hintTerm: 0,
        rejectedIndex: message.prevLogIndex,
        readRound: 0,
        heartbeat: message.entries.length === 0,
      });
      break;
    case "install-snapshot":
      core.promise(from, {
        type: "install-snapshot-response",
        term,
        snapshotIndex: message.snapshot.index,
        nextOffset: 0,
        done: false,
      });
      break;
    case "read-index":
      core.send(from, {
        type: "read-index-response",
        term,
        requestId: message.requestId,
        index: 0,
      });
      break;
    case "request-vote-response":
      takeVoteResponse(core, from, message);
      break;
    case "append-entries-response":
    case "install-snapshot-response":
    case "timeout-now":
    case "read-index-response":
      break;
    default:
      unreachable(message, "message");
  }
}

/** The sender leads this term. False if that cannot be: there is another leader. */
function hearLeader(core: Core, from: NodeId): boolean {
  if (core.leaderId !== null && core.leaderId !== from) return false;
  becomeFollower(core, core.term, from, `${from} leads term ${core.term}`);
  core.resetElectionTimer();
  return true;
}

function applied(core: Core, index: LogIndex): void {
  assert(index <= core.applyingIndex, "applied more than was handed out");
  if (index > core.appliedIndex) core.appliedIndex = index;
}

function snapshotMetadata(core: Core, index: LogIndex): SnapshotMetadata | null {
  const term = core.log.term(index);
  if (index < (core.snapshot?.index ?? 1) || index > core.appliedIndex || term === null)
    return null;
  const { configuration, index: configurationIndex } = configurationAt(core, index);
  return { index, term, configuration, configurationIndex };
}

/** The log before the snapshot may go, but for some entries that slow followers may need. */
function snapshotSaved(core: Core, index: LogIndex): void {
  if (index <= (core.snapshot?.index ?? 0)) return;
  const snapshot = snapshotMetadata(core, index);
  assert(snapshot !== null, "a snapshot of what was not applied");
  core.snapshot = snapshot;
  forgetConfigurations(core, index);
  const { trailingEntries } = core.options;
  const throughIndex = Math.max(
    Math.min(index - trailingEntries, neededAfter(core)),
    index - trailingEntriesHeld * trailingEntries,
  );
  if (throughIndex <= core.log.baseIndex) return;
  core.log.compactThrough(throughIndex);
  core.effects.push({ kind: "compact", throughIndex });
  if (core.observing) {
    core.observe({
      kind: "log-compacted",
      throughIndex,
      snapshotIndex: index,
      snapshotTerm: snapshot.term,
    });
  }
}
