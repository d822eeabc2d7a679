/** Puts a node together: disk, state machine, core, transport, services; and takes it apart. */
import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from "@grpc/grpc-js";
import { FaultyDisk, openDisk, type OpenedDisk } from "@raftarium/disk";
import { startRaftNode, type NodeApi, type StateMachine } from "@raftarium/node";
import { addService, createHealth, createReflection } from "@raftarium/protocol/grpc";
import { NodeControlService } from "@raftarium/protocol/control";
import { Health } from "@raftarium/protocol/health";
import { ObserverService } from "@raftarium/protocol/observer";
import { RaftService } from "@raftarium/protocol/raft";
import { ServerReflection } from "@raftarium/protocol/reflection";
import { openStorage, type OpenedStorage } from "@raftarium/storage";
import {
  createTransport,
  LinkGate,
  SERVER_OPTIONS,
  type PeerTransport,
} from "@raftarium/transport";
import { nowUs } from "./clock.ts";
import type { NodeConfig } from "./config.ts";
import { controlService } from "./control-service.ts";
import { Controls, REAL_TIME } from "./controls.ts";
import { hasLived, nextIncarnation } from "./incarnation.ts";
import type { Log } from "./log.ts";
import { machineOf } from "./machine-loader.ts";
import type { Metrics } from "./metrics.ts";
import { nodeOptions } from "./node-options.ts";
import { ObservationHub } from "./observation-hub.ts";
import { observerService } from "./observer-service.ts";
import { addClientServices, type Hosted } from "./services/index.ts";
import { leaveOnSignals } from "./leaving.ts";
import { Peers } from "./peers.ts";
import { startYielding } from "./yielding.ts";

/** How long those who were just answered have to hear it, when the node leaves. */
const DRAIN_MS_MAX = 200;

export interface ProcessOptions {
  readonly config: NodeConfig;
  readonly configFile: string;
  readonly playground: boolean;
  readonly log: Log;
}

/**
 * Starts the node and prints one JSON line on standard output once it listens. What goes wrong
 * before that rejects, with a message for people; what goes wrong later ends the process.
 */
export async function startProcess(options: ProcessOptions): Promise<void> {
  const { config, configFile, playground, log } = options;
  endOnDefects(log);
  // A founder of a new cluster has nobody to give way to.
  const yielding = hasLived(config.dataDir) || config.join ? startYielding() : null;
  // grpc-js writes its own lines for people; what matters of them is told by our log.
  setLogVerbosity(logVerbosity.NONE);
  const opened = await promised<OpenedDisk>((done) => openDisk(config.dataDir, done));
  let controls: Controls | null = null;
  const faultyDisk = playground
    ? new FaultyDisk(opened.disk, (delayMs, task) => {
        setTimeout(task, delayMs / (controls?.speed ?? 1));
      })
    : null;
  const storage = await promised<OpenedStorage>((done) =>
    openStorage(
      {
        disk: faultyDisk ?? opened.disk,
        cluster: config.cluster,
        nodeId: config.id,
        segmentBytes: config.limits.segmentBytes,
        onFatal: (error) => fail(log, error.message),
      },
      done,
    ),
  );
  if (storage.torn !== null)
    log.warn({ torn: storage.torn }, "cut off what a crash left unfinished");

  // Only now: the directory is this node's.
  const incarnation = nextIncarnation(config.dataDir);

  const { hosted, replicated } = await machineOf(config, configFile);
  const server = new Server({ ...SERVER_OPTIONS });
  const gate = playground
    ? new LinkGate({
        nodeId: config.id,
        nowUs,
        random: Math.random,
        beforeReceive: () => controls?.checkStall(),
      })
    : null;
  let node: NodeApi<never> | null = null;
  const configured = new Map(config.peers.map(({ id, address }) => [id, address]));
  const transport = createTransport({
    cluster: config.cluster,
    nodeId: config.id,
    incarnation,
    peers: configured,
    gate,
    onEnvelope(envelope) {
      yielding?.heard(envelope);
      node?.receive(envelope);
    },
    onUnreachable: (peerId) => node?.unreachable(peerId),
    onRefused: (refusal) => log.warn(refusal, "refused a connection"),
  });

  const peers = new Peers({
    configured,
    setPeers: (members) => transport.setPeers(members),
    told: () => node?.status().progress.map(({ nodeId }) => nodeId) ?? [],
  });
  const raftNode = await new Promise<NodeApi<never>>((resolve) => {
    const ports = {
      storage,
      machine: replicated as StateMachine<never>,
      scheduler: { nowUs, defer: (task: () => void): void => void setImmediate(task) },
      transport,
    };
    startRaftNode(
      nodeOptions(config, incarnation, (configuration) => peers.changed(configuration)),
      ports,
      resolve,
    );
  });
  node = raftNode;
  yielding?.untilCaughtUp(() => raftNode.status());
  // What its log says of the members, which may be newer than its file.
  peers.changed(raftNode.configuration());
  // Without a port to read them from nothing is counted, and nothing of it is loaded.
  const metrics =
    config.metrics === undefined
      ? null
      : (await import("./metrics.ts")).createMetrics(raftNode, storage, transport);

  const hub = new ObservationHub(observedNode(raftNode, transport));
  const controlled = new Controls({ config, node: raftNode, gate, disk: faultyDisk, hub, log });
  controls = controlled;
  const health = createHealth();
  const services = addClientServices(
    server,
    {
      clusterName: config.cluster,
      nodeId: config.id,
      incarnation,
      requestTimeoutMs: () => config.timing.requestTimeoutMs / controlled.speed,
      observing: () => hub.observed,
      tellsOfRequest: (named) => hub.tellsOfRequest(named),
      diskBytes: () => storage.stats().diskBytes,
      ...(metrics !== null && {
        requestEnded: (method, code, seconds) => metrics.requestEnded(method, code, seconds),
      }),
      ...(playground && { isCut: (source) => controlled.isCut(source) }),
    },
    { ...hosted, node: raftNode } as unknown as Hosted,
  );
  transport.addTo(server);
  addService(server, ObserverService, observerService(hub));
  addService(server, Health, health.implementation);
  const descriptors = [...services.descriptors, ObserverService, RaftService, Health];
  if (playground) {
    addService(server, NodeControlService, controlService(controlled));
    descriptors.push(NodeControlService);
  }
  addService(server, ServerReflection, createReflection(descriptors));

  const address = await listen(server, config);
  const metricsServer = metrics === null ? null : await listenForMetrics(metrics, config);
  transport.start();
  health.setServing("", true);
  for (const descriptor of services.descriptors) health.setServing(descriptor.typeName, true);
  if (!playground) controlled.configure(REAL_TIME);
  log.info({ address, incarnation }, "listening");
  process.stdout.write(
    `${JSON.stringify({ event: "listening", address, id: config.id, incarnation })}\n`,
  );

  leaveOnSignals({
    log,
    node: raftNode,
    async close() {
      health.setServing("", false);
      health.close();
      controlled.stop();
      services.close();
      raftNode.stop();
      hub.close();
      transport.close();
      metricsServer?.close();
      await drained(server);
      await new Promise<void>((resolve) => storage.close(resolve));
      opened.unlock();
    },
  });
  if (playground) endWithPipe(log);
}

/** The hub sees node and transport as one; a view is followed by how the connections stand. */
function observedNode(
  node: NodeApi<never>,
  transport: PeerTransport,
): ConstructorParameters<typeof ObservationHub>[0] {
  return {
    view: () => node.view(),
    gather: (on) => node.gather(on),
    tellGathered: () => node.tellGathered(),
    setObserver(observer) {
      node.setObserver(observer);
      if (observer === null) transport.setObserver(null);
    },
    observe(body) {
      node.observe(body);
      if (body.kind === "node-view") transport.setObserver((other) => node.observe(other));
    },
  };
}

/** Resolves once the server is down: at once if nobody waits for an answer. */
function drained(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const hurry = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, DRAIN_MS_MAX);
    server.tryShutdown(() => {
      clearTimeout(hurry);
      resolve();
    });
  });
}

/** @throws Error naming the address and what to do if it can't be listened on. */
function listen(server: Server, config: NodeConfig): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(config.listen, ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) {
        resolve(config.listen.replace(/:\d+$/, `:${port}`));
        return;
      }
      reject(cannotListen(config.id, "listen on", config.listen, error));
    });
  });
}

/** @throws Error as `listen` does. */
function listenForMetrics(
  served: Metrics,
  { id, metrics }: NodeConfig,
): Promise<{ close(): void }> {
  const address = metrics?.listen ?? "";
  return served.serve(address).catch((error: Error) => {
    throw cannotListen(id, "serve metrics on", address, error);
  });
}

function cannotListen(nodeId: number, doing: string, address: string, error: Error): Error {
  const found = error.message.includes("EADDRINUSE")
    ? "another process listens there; end that one, or choose another address"
    : `${error.message}; choose another address`;
  return new Error(`cannot start node ${nodeId}: expected to ${doing} ${address}, but ${found}`);
}

function promised<T>(
  start: (done: (error: { readonly message: string } | null, value: T | null) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error !== null) reject(new Error(error.message, { cause: error }));
      else resolve(value as T);
    });
  });
}

/** Design 4.13: the first failed write or sync ends the process; nothing is tried again. */
function fail(log: Log, message: string): never {
  log.fatal(message);
  process.exit(1);
}

/** A broken invariant must not go on: what it would do next is unknown. */
function endOnDefects(log: Log): void {
  const end = (error: unknown): never => {
    log.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    process.exit(70);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

/** The playground holds our standard input open: when it ends, however it ends, so do we. */
function endWithPipe(log: Log): void {
  process.stdin.on("close", () => {
    log.warn("the playground is gone");
    process.exit(0);
  });
  process.stdin.resume();
}
