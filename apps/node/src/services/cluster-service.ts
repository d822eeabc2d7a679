/** etcdserverpb.Cluster: who takes part. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";
import type {
  Configuration,
  ConfigurationChange,
  LogIndex,
  NodeApi,
  NodeId,
  ProposalOutcome,
  Term,
} from "@raftarium/node";
import { Cluster } from "@raftarium/protocol/etcd";
import type { MemberAddRequest, MemberSchema } from "@raftarium/protocol/etcd";
import type { ServiceImplementation, StatusError } from "@raftarium/protocol/grpc";
import { headerToWire } from "@raftarium/protocol/kv";
import { isAddress } from "../address.ts";
import { failed } from "./failure.ts";
import type { Identity } from "./identity.ts";
import { MEMBER_ID_HEADER } from "./request.ts";
import type { Reads } from "./reads.ts";
import type { WriteKind, Writes } from "./writes.ts";

type Member = MessageInitShape<typeof MemberSchema>;
export type MembershipApi = Pick<
  NodeApi<unknown>,
  "configuration" | "changeConfiguration" | "status"
>;

export const NOT_IN_SYNC =
  "etcdserver: can only promote a learner member which is in sync with leader";

/** Each change must leave a majority that runs: else it could never be committed, nor taken back. */
const NOT_ENOUGH = "etcdserver: re-configuration failed due to not enough started members";

export function clusterService(
  node: MembershipApi,
  identity: Identity,
  reads: Reads,
  writes: Writes,
): ServiceImplementation<typeof Cluster> {
  // Responses about members carry no revision, as in etcd.
  const header = (): ReturnType<typeof headerToWire> => headerToWire(0, identity.now());
  const members = (): Member[] => membersOf(node.configuration());
  const list = (): MessageInitShape<typeof Cluster.method.memberList.output> => ({
    header: header(),
    members: members(),
  });
  const known = (id: bigint): NodeId | StatusError => memberOf(node.configuration(), id);

  const change = <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    answer: (change: ConfigurationChange) => MessageInitShape<O>,
  ): WriteKind<I, O, ConfigurationChange, null> => {
    let made: ConfigurationChange | null = null;
    return {
      method,
      propose(command, done, onAccepted) {
        made = command;
        proposeChange(node, command, done, onAccepted);
      },
      describe: describeChange,
      invalid: invalidChange,
      answer: () => answer(made as ConfigurationChange),
    };
  };

  return {
    memberList(call, done) {
      const serializable = !call.request.linearizable;
      reads.read(
        { method: "MemberList", serializable, describe: () => "members", look: list },
        call,
        done,
      );
    },
    memberAdd(call, done) {
      const [given] = call.metadata.get(MEMBER_ID_HEADER);
      const nodeId = given === undefined ? unusedId(node.configuration()) : Number(given);
      const added = additionOf(node.configuration(), nodeId, call.request);
      if (added instanceof Error) {
        done(added);
        return;
      }
      const stalled = added.kind === "replace" ? stallOf(node, added.voters, "add") : null;
      if (stalled !== null) {
        done(stalled);
        return;
      }
      const kind = change(Cluster.method.memberAdd, () => ({
        header: header(),
        member: members().find(({ ID }) => ID === BigInt(nodeId)) ?? { ID: BigInt(nodeId) },
        members: members(),
      }));
      writes.write(kind, added, call, done);
    },
    memberRemove(call, done) {
      const nodeId = known(call.request.ID);
      if (typeof nodeId !== "number") {
        done(nodeId);
        return;
      }
      const left = node.configuration().voters.filter((voter) => voter !== nodeId);
      const stalled = left.length === 0 ? null : stallOf(node, left, "remove");
      if (stalled !== null) {
        done(stalled);
        return;
      }
      const kind = change(Cluster.method.memberRemove, () => ({
        header: header(),
        members: members(),
      }));
      writes.write(kind, { kind: "remove", nodeId }, call, done);
    },
    memberUpdate(_call, done) {
      const text = "cannot update a member: an address is fixed; remove it and add a new one";
      done(failed(Status.UNIMPLEMENTED, text));
    },
    memberPromote(call, done) {
      const nodeId = known(call.request.ID);
      if (typeof nodeId !== "number") {
        done(nodeId);
        return;
      }
      if (!node.configuration().learners.includes(nodeId)) {
        const text = "etcdserver: can only promote a learner member";
        done(failed(Status.FAILED_PRECONDITION, text));
        return;
      }
      const kind = change(Cluster.method.memberPromote, () => ({
        header: header(),
        members: members(),
      }));
      writes.write(kind, { kind: "promote", nodeId }, call, done);
    },
  };
}

export function proposeChange(
  node: Pick<MembershipApi, "changeConfiguration">,
  change: ConfigurationChange,
  done: (outcome: ProposalOutcome<null>) => void,
  onAccepted: (index: LogIndex, term: Term) => void,
): void {
  node.changeConfiguration(change, (outcome) => {
    if (outcome.kind === "applied") onAccepted(outcome.index, outcome.term);
    done(outcome);
  });
}

export function membersOf(configuration: Configuration): Member[] {
  // During a joint change those that are on their way out no longer count.
  const { voters, learners, addresses } = configuration;
  return [...voters, ...learners]
    .toSorted((left, right) => left - right)
    .map((id) => {
      const address = addresses[id];
      const urls = address === undefined ? [] : [`http://${address}`];
      return {
        ID: BigInt(id),
        name: `node-${id}`,
        peerURLs: urls,
        clientURLs: urls,
        isLearner: learners.includes(id),
      };
    });
}

export function memberOf(configuration: Configuration, id: bigint): NodeId | StatusError {
  const nodeId = Number(id);
  const { voters, learners } = configuration;
  if (voters.includes(nodeId) || learners.includes(nodeId)) return nodeId;
  return failed(Status.NOT_FOUND, "etcdserver: member not found");
}

const URL_PATTERN = /^http:\/\/([^/]+)\/?$/;

/** An id that no node has or ever had: the configuration remembers the highest one. */
function unusedId({ voters, learners, addresses }: Configuration): NodeId {
  return Math.max(...voters, ...learners, ...Object.keys(addresses).map(Number)) + 1;
}

/** The change that brings a node in: as a learner, or as a voter at once. */
function additionOf(
  configuration: Configuration,
  nodeId: NodeId,
  { peerURLs, isLearner }: Pick<MemberAddRequest, "peerURLs" | "isLearner">,
): ConfigurationChange | StatusError {
  const address = URL_PATTERN.exec(peerURLs[0] ?? "")?.[1];
  // Every node dials it, again after every restart: nonsense must not get into the log.
  if (peerURLs.length !== 1 || address === undefined || !isAddress(address)) {
    return failed(Status.INVALID_ARGUMENT, "etcdserver: given member URLs are invalid");
  }
  if (!Number.isSafeInteger(nodeId) || nodeId < 1) {
    const text = `cannot add a member: expected ${MEMBER_ID_HEADER} to be from 1 up, got ${nodeId}`;
    return failed(Status.INVALID_ARGUMENT, text);
  }
  const { voters, learners, addresses } = configuration;
  if (voters.includes(nodeId) || learners.includes(nodeId)) {
    return failed(Status.FAILED_PRECONDITION, "etcdserver: member ID already exist");
  }
  const unused = unusedId(configuration);
  if (nodeId < unused) {
    const text = `cannot add node ${nodeId}: a node that is gone may have had this id; expected ${unused} or more`;
    return failed(Status.FAILED_PRECONDITION, text);
  }
  if (Object.values(addresses).includes(address)) {
    return failed(Status.FAILED_PRECONDITION, "etcdserver: Peer URLs already exists");
  }
  if (isLearner) return { kind: "add-learner", nodeId, address };
  return {
    kind: "replace",
    voters: [...voters, nodeId],
    learners,
    addresses: { ...addresses, [nodeId]: address },
  };
}

/**
 * Why these voters could not commit anything, as far as the leader hears of them; null: they could,
 * or this node doesn't lead, and the one that does will see. A new one counts as not started.
 */
export function stallOf(
  node: Pick<MembershipApi, "status">,
  voters: readonly NodeId[],
  what: "add" | "remove",
): StatusError | null {
  const { role, id, progress } = node.status();
  if (role !== "leader") return null;
  const active = progress.filter(({ recentlyActive }) => recentlyActive);
  const heard = [id, ...active.map(({ nodeId }) => nodeId)];
  const count = voters.filter((voter) => heard.includes(voter)).length;
  if (count * 2 > voters.length) return null;
  const advice =
    what === "add"
      ? "start them, or add the new one as a learner and promote it once it runs"
      : "bring others back first";
  const text = `${NOT_ENOUGH}: ${count} of the ${voters.length} voters would run; ${advice}`;
  return failed(Status.FAILED_PRECONDITION, text);
}

/** Why the core refuses what made sense by the members as this node knew them. */
export function invalidChange(change: ConfigurationChange): StatusError {
  switch (change.kind) {
    case "promote":
      return failed(Status.FAILED_PRECONDITION, NOT_IN_SYNC);
    case "remove": {
      const text = `${NOT_ENOUGH}: node ${change.nodeId} is the only voter; add another first`;
      return failed(Status.FAILED_PRECONDITION, text);
    }
    case "add-learner":
    case "replace":
      return failed(
        Status.FAILED_PRECONDITION,
        "cannot change the membership: expected a change that fits the members as they are now; " +
          "look at them, and ask again",
      );
  }
}

export function describeChange(change: ConfigurationChange): string {
  switch (change.kind) {
    case "add-learner":
      return `add learner ${change.nodeId}`;
    case "promote":
      return `promote ${change.nodeId}`;
    case "remove":
      return `remove ${change.nodeId}`;
    case "replace":
      return `make ${change.voters.join(", ")} the voters`;
  }
}
