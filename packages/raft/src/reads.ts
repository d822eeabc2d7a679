/**
 * Linearizable reads without a log entry (thesis 6.4). The leader notes commitIndex, makes sure
 * by a round of heartbeats begun after the read came that it is the leader still, and lets the
 * read go once the state machine is there. Rounds have numbers of the leader's own; an answer
 * counts for the round it names and those before. Reads that come while a round is out wait for
 * the next, so that a batch shares one.
 *
 * A follower asks its leader for an index, with an id never used before; one question at a time.
 */
import type { Core, PendingRead } from "./core.ts";
import { votersOf } from "./quorum.ts";
import { broadcastHeartbeat } from "./replication.ts";
import type { NodeId, NodeIds, ReadIndex, ReadIndexResponse } from "./types.ts";
import type { ReadRefusal, RequestId } from "./types.ts";

/** This node's own client wants to read. */
export function request(core: Core, id: RequestId): void {
  if (core.leaderId === null) refuse(core, id, "no-leader");
  else core.reads.waiting.push({ id, from: core.id, sinceTick: core.now });
}

/** A follower asks on behalf of its client. */
export function takeReadIndex(core: Core, from: NodeId, message: ReadIndex): void {
  if (core.role === "leader") {
    core.reads.waiting.push({ id: message.requestId, from, sinceTick: core.now });
  } else {
    answer(core, from, message.requestId, 0);
  }
}

/** The leader's answer to this follower's question; index 0: refused. */
export function takeReadIndexResponse(core: Core, from: NodeId, message: ReadIndexResponse): void {
  const { reads } = core;
  // An answer to an earlier question says nothing about reads that came later.
  if (from !== core.leaderId || message.requestId !== reads.question) return;
  const { asked } = reads;
  reads.asked = [];
  for (const read of asked) {
    if (message.index === 0) refuse(core, read.id, "not-leader");
    else reads.confirmed.push({ ...read, index: message.index });
  }
}

/** At the end of each step: confirms what can be, asks what is to be asked, lets go. */
export function settle(core: Core): void {
  const { reads } = core;
  if (core.role === "leader") {
    if (reads.asked.length > 0) confirmRound(core);
    if (reads.waiting.length > 0 && reads.asked.length === 0) startRound(core);
  } else if (reads.waiting.length > 0 && reads.asked.length === 0) {
    ask(core);
  }
  if (reads.confirmed.length > 0) letGo(core);
}

/**
 * The leader's heartbeat is due. It repeats the round that is out, should that have been lost;
 * reads that came since stay out of it, or a round that takes longer than a heartbeat would never
 * end. The lease is measured by it.
 */
export function beforeHeartbeat(core: Core): void {
  if (core.options.leaseReads) nextRound(core);
}

/** A tick on a node that does not lead: questions that got no answer are put again. */
export function tick(core: Core): void {
  const { reads, options } = core;
  if (core.now - reads.questionTick >= options.electionTicksMin) {
    reads.waiting = [...reads.asked, ...reads.waiting];
    reads.asked = [];
  }
  const oldestTick = core.now - 2 * options.electionTicksMax;
  const inTime = ({ id, sinceTick }: PendingRead) => {
    if (sinceTick > oldestTick) return true;
    refuse(core, id, "no-leader");
    return false;
  };
  // Those in `asked` are looked at when they come back to `waiting`.
  reads.waiting = reads.waiting.filter(inTime);
  reads.confirmed = reads.confirmed.filter(
    (read) => read.index <= core.commitIndex || inTime(read),
  );
}

/**
 * The leader or the term changed: nothing that was asked can be confirmed any more, and no lease
 * goes on. What is confirmed already stays good.
 */
export function drop(core: Core): void {
  const { reads } = core;
  const dropped = [...reads.asked, ...reads.waiting];
  reads.asked = [];
  reads.waiting = [];
  reads.question++;
  reads.roundTicks = [];
  reads.leaseTick = -Infinity;
  reads.leaseVoid = false;
  for (const read of dropped) {
    if (read.from === core.id) refuse(core, read.id, "leader-changed");
    else answer(core, read.from, read.id, 0);
  }
}

/** Only after an entry of this term is committed is commitIndex known to be the latest. */
function mayServe(core: Core): boolean {
  return core.commitIndex >= core.termStartIndex;
}

function startRound(core: Core): void {
  const { reads } = core;
  if (!mayServe(core)) return;
  if (holdsLease(core)) {
    const { waiting } = reads;
    reads.waiting = [];
    return confirm(core, waiting, core.commitIndex, []);
  }
  reads.asked = reads.waiting;
  reads.waiting = [];
  nextRound(core);
  reads.roundAsked = reads.round;
  reads.roundIndex = core.commitIndex;
  broadcastHeartbeat(core);
  confirmRound(core);
}

function nextRound(core: Core): void {
  const { reads, options } = core;
  reads.round++;
  if (!options.leaseReads) return;
  reads.roundTicks.push({ round: reads.round, tick: core.now });
  // What is older than any lease need not be remembered.
  const oldestTick = core.now - options.electionTicksMin;
  while (reads.roundTicks[0]!.tick < oldestTick) reads.roundTicks.shift();
}

function confirmedRound(core: Core): number {
  return core.quorum(core.reads.round, (peer) => peer.readRound);
}

function confirmRound(core: Core): void {
  const { reads } = core;
  if (confirmedRound(core) < reads.roundAsked) return;
  const asked = reads.asked;
  reads.asked = [];
  const answered = (nodeId: NodeId) => (core.peers.get(nodeId)?.readRound ?? 0) >= reads.roundAsked;
  const acknowledgedBy = core.observing ? votersOf(core.configuration).filter(answered) : [];
  confirm(core, asked, reads.roundIndex, acknowledgedBy);
}

function confirm(core: Core, all: readonly PendingRead[], index: number, acknowledgedBy: NodeIds) {
  for (const read of all) {
    if (read.from === core.id) core.reads.confirmed.push({ ...read, index });
    else answer(core, read.from, read.id, index);
  }
  if (core.observing) {
    core.observe({ kind: "read-confirmed", index, readCount: all.length, acknowledgedBy });
  }
}

/**
 * Lease reads: a quorum heard from this leader less than the shortest election timeout ago, and
 * while so no voter grants a vote. Right only as far as all clocks tick at nearly the same rate;
 * one tick is left for the phase between two clocks.
 */
function holdsLease(core: Core): boolean {
  const { reads, options } = core;
  if (!options.leaseReads || reads.leaseVoid) return false;
  const round = confirmedRound(core);
  while (reads.roundTicks.length > 0 && reads.roundTicks[0]!.round <= round) {
    reads.leaseTick = reads.roundTicks.shift()!.tick;
  }
  return core.now - reads.leaseTick < options.electionTicksMin - 1;
}

function ask(core: Core): void {
  const { reads } = core;
  if (core.leaderId === null) return;
  reads.asked = reads.waiting;
  reads.waiting = [];
  reads.question++;
  reads.questionTick = core.now;
  core.send(core.leaderId, { type: "read-index", term: core.term, requestId: reads.question });
}

function letGo(core: Core): void {
  const { reads } = core;
  for (const { id, index } of reads.confirmed) {
    if (index <= core.appliedIndex) core.effects.push({ kind: "read-ready", id, index });
  }
  reads.confirmed = reads.confirmed.filter((read) => read.index > core.appliedIndex);
}

function refuse(core: Core, id: RequestId, reason: ReadRefusal): void {
  core.effects.push({ kind: "read-refused", id, reason, leaderId: core.leaderId });
}

export function answer(core: Core, to: NodeId, requestId: RequestId, index: number): void {
  core.send(to, { type: "read-index-response", term: core.term, requestId, index });
}
