/** raftarium.machine.v1.MembershipService: any change of who votes, at once. */
import type { MessageShape } from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";
import type { ConfigurationChange, NodeId } from "@raftarium/node";
import { StatusError } from "@raftarium/protocol/grpc";
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import { MembershipService } from "@raftarium/protocol/machine";
import {
  NOT_IN_SYNC,
  describeChange,
  invalidChange,
  memberOf,
  proposeChange,
  stallOf,
} from "./cluster-service.ts";
import type { MembershipApi } from "./cluster-service.ts";
import { failed } from "./failure.ts";
import type { WriteKind, Writes } from "./writes.ts";

const { setVoters } = MembershipService.method;

/** A learner that lacks more entries would, as a voter, hold up the others. */
const BEHIND_MAX = 1000;

export function membershipService(
  node: MembershipApi,
  writes: Writes,
): ServiceImplementation<typeof MembershipService> {
  const kind: WriteKind<
    typeof setVoters.input,
    typeof setVoters.output,
    ConfigurationChange,
    null
  > = {
    method: setVoters,
    propose: (change, done, onAccepted) => proposeChange(node, change, done, onAccepted),
    describe: describeChange,
    invalid: invalidChange,
    answer: () => ({}),
  };
  return {
    setVoters(call, done) {
      const change = changeTo(node, call.request);
      if (change instanceof StatusError) done(change);
      else writes.write(kind, change, call, done);
    },
  };
}

function changeTo(
  node: MembershipApi,
  { nodeIds }: MessageShape<typeof setVoters.input>,
): ConfigurationChange | StatusError {
  const configuration = node.configuration();
  const voters: NodeId[] = [];
  for (const id of nodeIds) {
    const nodeId = memberOf(configuration, id);
    if (typeof nodeId !== "number") return nodeId;
    if (!voters.includes(nodeId)) voters.push(nodeId);
  }
  if (voters.length === 0) {
    const text = "cannot set the voters: expected at least one member, got none";
    return failed(Status.INVALID_ARGUMENT, text);
  }
  if (voters.some((nodeId) => lagsBehind(node, nodeId))) {
    return failed(Status.FAILED_PRECONDITION, NOT_IN_SYNC);
  }
  const stalled = stallOf(node, voters, "remove");
  if (stalled !== null) return stalled;
  const members = [...configuration.voters, ...configuration.learners];
  const learners = members.filter((nodeId) => !voters.includes(nodeId));
  return { kind: "replace", voters, learners, addresses: configuration.addresses };
}

/** A learner, as the leader knows it; who doesn't lead can't tell, and the leader will. */
function lagsBehind(node: MembershipApi, nodeId: NodeId): boolean {
  const { role, lastIndex, progress, configuration } = node.status();
  if (role !== "leader" || !configuration.learners.includes(nodeId)) return false;
  const known = progress.find((peer) => peer.nodeId === nodeId);
  return known?.state !== "replicate" || lastIndex - known.matchIndex > BEHIND_MAX;
}
