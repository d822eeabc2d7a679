/** The RPCs of the playground's door: its own, the merged observations, and the nodes' client API. */
import type { DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { linkFromWire, linkToWire, healths, observationToWire, roles } from "@raftarium/protocol";
import { Cluster as EtcdCluster, KV, Maintenance } from "@raftarium/protocol/etcd";
import { MembershipService, SessionService } from "@raftarium/protocol/machine";
import { ObserverService } from "@raftarium/protocol/observer";
import { PlaygroundService } from "@raftarium/protocol/playground";
import type { ClientHistory } from "./client-history.ts";
import type { Cluster } from "./cluster.ts";
import type { Feed, Place } from "./feed.ts";
import type { Membership } from "./membership.ts";
import { proxied } from "./node-proxy.ts";
import { PlaygroundError, type PlaygroundErrorCode } from "./playground-error.ts";

/** What is behind the door. */
export interface Served {
  readonly cluster: Cluster;
  readonly membership: Membership;
  readonly feed: Feed;
  readonly history: ClientHistory;
}

export function addServices(router: ConnectRouter, served: Served): void {
  const { cluster, feed, history } = served;
  router.service(PlaygroundService, playgroundService(served));
  router.service(ObserverService, {
    async *observe(_request, context: HandlerContext) {
      for await (const { observations, place } of feed.subscribe(context.signal)) {
        yield {
          observations: observations.map(observationToWire),
          ...(place === null ? {} : { place: placeToWire(place) }),
        };
      }
    },
  });
  router.service(KV, proxied(KV, cluster, history));
  const others = [
    EtcdCluster,
    Maintenance,
    SessionService,
    MembershipService,
  ] satisfies readonly DescService[];
  for (const service of others) {
    router.service(service, proxied(service, cluster));
  }
}

function placeToWire({ recordedCount, begunUs }: Place) {
  return { recordedCount: BigInt(recordedCount), begunUs: BigInt(begunUs) };
}

function playgroundService(served: Served): ServiceImpl<typeof PlaygroundService> {
  const { cluster, membership, feed } = served;
  return {
    getCluster: () => describeCluster(cluster, feed),
    crashNode: (request) => onNode(request, (nodeId) => cluster.crash(nodeId)),
    restartNode: (request) => onNode(request, (nodeId) => cluster.restart(nodeId)),
    pauseNode: (request) => onNode(request, (nodeId) => cluster.pause(nodeId)),
    resumeNode: (request) => onNode(request, (nodeId) => cluster.resume(nodeId)),
    stopNode: (request) => onNode(request, (nodeId) => cluster.stop(nodeId)),
    async wipeNode({ nodeId }) {
      return { nodeId: BigInt(await membership.wipe(nodeIdOf(nodeId))) };
    },
    async addNode() {
      return { nodeId: BigInt(await membership.add()) };
    },
    removeNode: (request) => onNode(request, (nodeId) => membership.remove(nodeId)),
    setDisk: (request) =>
      onNode(request, (nodeId) => {
        const { delayMs, fail, full } = request;
        return cluster.setDisk(nodeId, { delayMs, fail, full });
      }),
    setClock: (request) => onNode(request, (nodeId) => cluster.setClock(nodeId, request.rate)),
    async setLink(request) {
      await cluster.setLink(linkFromWire(request));
      return {};
    },
    async partition({ groups }) {
      await cluster.partition(groups.map(({ nodeIds }) => nodeIds.map(nodeIdOf)));
      return {};
    },
    async heal() {
      await cluster.heal();
      return {};
    },
    async setSpeed({ speed }) {
      await cluster.setSpeed(speed);
      return {};
    },
    async freeze() {
      await cluster.setFrozen(true);
      return {};
    },
    async thaw() {
      await cluster.setFrozen(false);
      return {};
    },
    step: (request) => onNode(request, (nodeId) => cluster.step(nodeId, request)),
    campaign: (request) => onNode(request, (nodeId) => cluster.campaign(nodeId)),
    transferLeadership: (request) =>
      onNode(request, (nodeId) => cluster.transferLeadership(nodeId)),
  };
}

async function onNode(
  request: { readonly nodeId: bigint },
  act: (nodeId: number) => Promise<void>,
): Promise<Record<string, never>> {
  await act(nodeIdOf(request.nodeId));
  return {};
}

function describeCluster(cluster: Cluster, feed: Feed) {
  const seen = new Map(feed.view().nodes.map((node) => [node.nodeId, node]));
  return {
    nodes: cluster.processes().map((process) => {
      const node = seen.get(process.nodeId);
      return {
        id: BigInt(process.nodeId),
        address: process.address,
        pid: process.pid,
        incarnation: BigInt(process.incarnation),
        health: healths.toWire(process.health),
        role: roles.toWire(node?.role ?? "follower"),
        term: BigInt(node?.term ?? 0),
        leaderId: BigInt(node?.leaderId ?? 0),
        commitIndex: BigInt(node?.commitIndex ?? 0),
        appliedIndex: BigInt(node?.appliedIndex ?? 0),
        lastIndex: BigInt(node?.lastIndex ?? 0),
      };
    }),
    links: cluster.links().map(linkToWire),
    speed: cluster.speed(),
    frozen: cluster.frozen(),
  };
}

/** Ids too large for a number name no node either; the cluster says so. */
function nodeIdOf(id: bigint): number {
  return Number(id);
}

const CODES: Readonly<Record<PlaygroundErrorCode, Code>> = {
  "not-found": Code.NotFound,
  invalid: Code.InvalidArgument,
  "not-now": Code.FailedPrecondition,
  failed: Code.Unavailable,
};

/** PlaygroundErrors become ConnectErrors; anything else that isn't one is a fault of ours. */
export const explainErrors: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (error instanceof PlaygroundError) throw new ConnectError(error.message, CODES[error.code]);
    throw error;
  }
};
