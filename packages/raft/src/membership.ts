/**
 * Membership changes (paper, section 6; thesis, chapter 4): a new member is a learner first and
 * is promoted when it has caught up; one voter at a time by a simple change, anything else by
 * joint consensus. One change at a time, and none before this leader has committed an entry of
 * its own term (the bug of 2015 in single-server changes).
 */
import { encodeConfiguration } from "./configuration.ts";
import { observeConfiguration, refreshPeers } from "./configurations.ts";
import type { Core } from "./core.ts";
import { ascending, isJoint, isMember, isSound, isVoter, membersOf } from "./quorum.ts";
import { announceCommit, appendOwn, refuse, sendAppends } from "./replication.ts";
import { becomeFollower } from "./election.ts";
import { sendTimeoutNow } from "./transfer.ts";
import type { Addresses, Configuration, ConfigurationChange, NodeId, NodeIds } from "./types.ts";
import type { RequestId } from "./types.ts";

export function request(core: Core, id: RequestId, change: ConfigurationChange): void {
  if (core.role !== "leader") return refuse(core, id, "not-leader");
  if (core.transfer !== null) return refuse(core, id, "transferring");
  const settled =
    core.commitIndex >= core.termStartIndex &&
    core.configurationIndex <= core.commitIndex &&
    !isJoint(core.configuration);
  if (!settled) return refuse(core, id, "configuration-pending");
  const next = afterChange(core, change);
  const sound = next !== null && next.voters.length > 0 && isSound(next);
  if (!sound) return refuse(core, id, "invalid");
  const { index, term } = append(core, next);
  core.effects.push({ kind: "proposal-accepted", id, index, term });
}

/** At the end of each step: what follows once the configuration in force is committed. */
export function settle(core: Core): void {
  if (core.configurationIndex > core.commitIndex) return;
  const news = core.configurationIndexTold < core.configurationIndex;
  core.configurationIndexTold = core.configurationIndex;
  if (news && core.observing) observeConfiguration(core, true);
  if (core.role !== "leader" || core.commitIndex < core.termStartIndex) return;
  if (news) {
    // Whom the change removed gets to know that it is committed; then nothing more.
    sendAppends(core);
    announceCommit(core);
    refreshPeers(core);
  }
  if (isJoint(core.configuration)) {
    // Also a new leader, for a change that its predecessor began.
    append(core, { ...core.configuration, votersOutgoing: [] });
  } else if (!isVoter(core.configuration, core.id)) {
    handOver(core);
  }
}

/** Null if the change makes no sense; what comes of it may be unsound, too. */
function afterChange(core: Core, change: ConfigurationChange): Configuration | null {
  const { voters, learners, addresses } = core.configuration;
  switch (change.kind) {
    case "add-learner": {
      const { nodeId, address } = change;
      return simple(voters, [...learners, nodeId], { ...addresses, [nodeId]: address });
    }
    case "promote": {
      const { nodeId } = change;
      if (!learners.includes(nodeId) || !hasCaughtUp(core, nodeId)) return null;
      return simple([...voters, nodeId], without(learners, nodeId), addresses);
    }
    case "remove": {
      const { nodeId } = change;
      if (!isMember(core.configuration, nodeId)) return null;
      return simple(without(voters, nodeId), without(learners, nodeId), addresses);
    }
    case "replace": {
      const next = simple(change.voters, change.learners, { ...addresses, ...change.addresses });
      const sameVoters = ascending(next.voters).join() === ascending(voters).join();
      return sameVoters ? next : { ...next, votersOutgoing: voters };
    }
  }
}

function simple(voters: NodeIds, learners: NodeIds, addresses: Addresses): Configuration {
  return { voters, votersOutgoing: [], learners, addresses };
}

/** Keeps the addresses of members, in the old half of a joint configuration, too. */
function withAddresses(configuration: Configuration): Configuration {
  const addresses: Record<NodeId, string> = {};
  const highest = Math.max(0, ...Object.keys(configuration.addresses).map(Number));
  if (highest > 0) addresses[highest] = "";
  for (const nodeId of membersOf(configuration)) {
    const address = configuration.addresses[nodeId];
    if (address !== undefined) addresses[nodeId] = address;
  }
  return { ...configuration, addresses };
}

/** A learner that is a whole append behind would, as a voter, hold up the commitment. */
function hasCaughtUp(core: Core, nodeId: NodeId): boolean {
  const { entriesPerAppendMax } = core.options;
  return core.peers.get(nodeId)!.isWithin(entriesPerAppendMax, core.log.lastIndex);
}

function append(core: Core, configuration: Configuration) {
  const next = withAddresses(configuration);
  const entry = appendOwn(core, "configuration", encodeConfiguration(next));
  if (core.observing) core.observe({ kind: "log-appended", entries: [entry] });
  return entry;
}

/**
 * A leader that its own change removed leads until that is committed, without counting itself,
 * then makes the voter with the longest log campaign, and steps down (section 6).
 */
function handOver(core: Core): void {
  const matchOf = (nodeId: NodeId) => core.peers.get(nodeId)!.matchIndex;
  const { voters } = core.configuration;
  sendTimeoutNow(core, voters.toSorted((a, b) => matchOf(b) - matchOf(a))[0]!);
  becomeFollower(core, core.term, null, "the configuration without it is committed");
}

function without(list: NodeIds, nodeId: NodeId): NodeId[] {
  return list.filter((member) => member !== nodeId);
}
