/**
 * The cluster as the playground keeps it: its processes, and what must be true of speed, freeze,
 * links, disks and clocks. The nodes are told on every change, and when they start or resume,
 * before they may send; the playground's word is the truth.
 */
import { ConnectError } from "@connectrpc/connect";
import { createLinkTable, type DiskFault, type Link } from "@raftarium/faults";
import { leaderOf, type ClusterView, type Observation } from "@raftarium/observer";
import { linkToWire } from "@raftarium/protocol";
import type { StepRequest } from "@raftarium/protocol/control";
import {
  createSupervisor,
  unknownNode,
  type NodeSpec,
  type ProcessView,
} from "@raftarium/supervisor";
import type { Feed } from "./feed.ts";
import { createMachines } from "./machines.ts";
import { openNodeLink, type NodeLink } from "./node-link.ts";
import { PlaygroundError } from "./playground-error.ts";
import { asked, sensible, supervised } from "./refusals.ts";
import { createTeller } from "./teller.ts";

export const SPEED_MIN = 0.001;
export const SPEED_MAX = 1;

export interface ClusterOptions {
  readonly nodes: readonly NodeSpec[];
  readonly feed: Feed;
  /** From the first leader on; until then the cluster runs at speed 1. */
  readonly speed: number;
}

export interface Routed {
  readonly nodeId: number;
  readonly link: NodeLink;
}

/** All that name a node throw (or reject with) PlaygroundError "not-found" if there is none. */
export interface Cluster {
  /** Starts all nodes. Rejects if one of them can't be started. */
  start(): Promise<void>;
  crash(nodeId: number): Promise<void>;
  restart(nodeId: number): Promise<void>;
  pause(nodeId: number): Promise<void>;
  resume(nodeId: number): Promise<void>;
  stop(nodeId: number): Promise<void>;
  /** Makes a node known; `restart` starts it. */
  add(spec: NodeSpec): void;
  /** From now on (or not any more) a node is asked only if it is named: it is on its way out. */
  setLeaving(nodeId: number, leaving: boolean): void;
  /** Ends a node's process and forgets the node. */
  remove(nodeId: number): Promise<void>;
  setDisk(nodeId: number, disk: DiskFault): Promise<void>;
  setClock(nodeId: number, rate: number): Promise<void>;
  setLink(link: Link): Promise<void>;
  partition(groups: readonly (readonly number[])[]): Promise<void>;
  heal(): Promise<void>;
  setSpeed(speed: number): Promise<void>;
  setFrozen(frozen: boolean): Promise<void>;
  step(nodeId: number, request: Pick<StepRequest, "action" | "messageId">): Promise<void>;
  campaign(nodeId: number): Promise<void>;
  transferLeadership(nodeId: number): Promise<void>;
  process(nodeId: number): ProcessView;
  processes(): readonly ProcessView[];
  links(): readonly Link[];
  speed(): number;
  frozen(): boolean;
  /** The connection to a running node; that of the leader, else of any, for `null`. */
  route(nodeId: number | null): Routed;
  /** The connection to the leader; null: nobody is known to lead. */
  leader(): Routed | null;
  close(): Promise<void>;
}

export function createCluster(options: ClusterOptions): Cluster {
  const { feed } = options;
  const nodeIds = (): number[] => supervisor.views().map(({ nodeId }) => nodeId);
  const links = createLinkTable(nodeIds);
  const machines = createMachines(feed, nodeIds);
  const nodeLinks = new Map<number, NodeLink>();
  const leaving = new Set<number>();
  let speed = 1;
  let frozen = false;
  let awaitingFirstLeader = true;

  const supervisor = createSupervisor({ onChange });
  const configure = createTeller({
    linkTo: (nodeId) =>
      supervisor.view(nodeId).health === "running" ? nodeLinks.get(nodeId) : undefined,
    tell: async (nodeId, link) => {
      const toNode = links.links().filter(({ target }) => target === nodeId);
      const wire = { speed, frozen, links: toNode.map(linkToWire), ...machines.of(nodeId) };
      await link.control.configure(wire);
    },
  });
  for (const spec of options.nodes) supervisor.add(spec);
  feed.onChange(onView);

  function onChange(view: ProcessView): void {
    const { nodeId, incarnation, health, pid, address, cause, lastWords } = view;
    if (health !== "running" && health !== "paused") closeLink(nodeId);
    // It goes on after a pause: by our word (then this is shared), or by somebody else's.
    else if (health === "running") void configure(nodeId).catch(() => {});
    feed.setSilent(nodeId, health !== "running");
    if (pid === 0) machines.ended(view);
    feed.tell(nodeId, incarnation, {
      kind: "health-changed",
      health,
      pid,
      address,
      cause,
      lastWords,
    });
  }

  function onView(view: ClusterView): void {
    if (!awaitingFirstLeader || leaderOf(view) === undefined) return;
    awaitingFirstLeader = false;
    if (options.speed !== speed) void setSpeed(options.speed).catch(() => {});
  }

  function closeLink(nodeId: number): void {
    nodeLinks.get(nodeId)?.close();
    nodeLinks.delete(nodeId);
  }

  function openLink(nodeId: number): void {
    closeLink(nodeId);
    const link = openNodeLink({
      address: supervisor.view(nodeId).address,
      onObservations: (observations: readonly Observation[]) => feed.receive(nodeId, observations),
      // A node that noticed a pause waits for its configuration.
      onView: () => void configure(nodeId).catch(() => {}),
    });
    nodeLinks.set(nodeId, link);
  }

  /** Those that run; a node that ends meanwhile will be told when it starts again. */
  async function configureAll(told: readonly number[] = nodeIds()): Promise<void> {
    const failures: string[] = [];
    await Promise.all(
      told.map(async (nodeId) => {
        try {
          await configure(nodeId);
        } catch (error) {
          if (!nodeIds().includes(nodeId)) return;
          if (supervisor.view(nodeId).health !== "running") return;
          failures.push(`node ${nodeId} (${ConnectError.from(error).message})`);
        }
      }),
    );
    if (failures.length === 0) return;
    throw new PlaygroundError(
      "failed",
      `it is in force, but not yet known to ${failures.join(", ")}; they will be told again`,
    );
  }

  async function startNode(nodeId: number): Promise<void> {
    await supervised(() => supervisor.start(nodeId));
    if (supervisor.view(nodeId).health !== "running") return;
    openLink(nodeId);
    await asked(nodeId, "take its configuration", () => configure(nodeId));
  }

  async function resume(nodeId: number): Promise<void> {
    await supervised(() => supervisor.resume(nodeId));
    await asked(nodeId, "take its configuration after a pause", () => configure(nodeId));
  }

  async function stop(nodeId: number): Promise<void> {
    requireNode(nodeId);
    if (supervisor.view(nodeId).health === "paused") await resume(nodeId);
    leaving.add(nodeId);
    await supervised(() => supervisor.stop(nodeId)).finally(() => leaving.delete(nodeId));
  }

  async function remove(nodeId: number): Promise<void> {
    requireNode(nodeId);
    const { health, incarnation } = supervisor.view(nodeId);
    await supervised(async () => {
      if (health === "running") await supervisor.stop(nodeId);
      else if (health === "paused" || health === "starting") await supervisor.crash(nodeId);
      supervisor.remove(nodeId);
    });
    closeLink(nodeId);
    machines.forget(nodeId);
    links.prune();
    feed.tell(0, 1, { kind: "links-changed", links: links.links() });
    feed.tell(nodeId, incarnation, { kind: "node-removed" });
  }

  function requireNode(nodeId: number): void {
    if (nodeIds().includes(nodeId)) return;
    throw new PlaygroundError("not-found", unknownNode(nodeIds(), nodeId));
  }

  async function linksChanged(change: () => void): Promise<void> {
    sensible(change);
    feed.tell(0, 1, { kind: "links-changed", links: links.links() });
    await configureAll();
  }

  async function setSpeed(wanted: number): Promise<void> {
    if (!(wanted >= SPEED_MIN && wanted <= SPEED_MAX)) {
      throw new PlaygroundError(
        "invalid",
        `cannot set the speed: expected a number from ${SPEED_MIN} to ${SPEED_MAX} ` +
          `(1 is real time), got ${wanted}`,
      );
    }
    awaitingFirstLeader = false;
    speed = wanted;
    await timeChanged();
  }

  async function timeChanged(): Promise<void> {
    feed.tell(0, 1, { kind: "speed-changed", speed, frozen });
    await configureAll();
  }

  function requireRunning(nodeId: number, verb: string): NodeLink {
    requireNode(nodeId);
    const { health } = supervisor.view(nodeId);
    const link = nodeLinks.get(nodeId);
    if (health === "running" && link !== undefined) return link;
    throw new PlaygroundError(
      "not-now",
      `cannot ${verb} node ${nodeId}: expected it to be running, but it is ${health}`,
    );
  }

  function leaderNow(): number | undefined {
    return leaderOf(feed.view())?.nodeId;
  }

  function linkOf(nodeId: number): NodeLink | undefined {
    const running = nodeIds().includes(nodeId) && supervisor.view(nodeId).health === "running";
    return running ? nodeLinks.get(nodeId) : undefined;
  }

  function route(nodeId: number | null): Routed {
    if (nodeId !== null) return { nodeId, link: requireRunning(nodeId, "ask") };
    const leaderId = leaderNow();
    const staying = nodeIds().filter((candidate) => !leaving.has(candidate));
    for (const candidate of staying.toSorted((a, b) => +(b === leaderId) - +(a === leaderId))) {
      const link = linkOf(candidate);
      if (link !== undefined) return { nodeId: candidate, link };
    }
    throw new PlaygroundError("not-now", "cannot ask any node: none is running; restart one");
  }

  return {
    async start() {
      feed.tell(0, 1, { kind: "speed-changed", speed, frozen });
      await Promise.all(nodeIds().map(startNode));
    },
    crash: (nodeId) => supervised(() => supervisor.crash(nodeId)),
    restart: startNode,
    pause: (nodeId) => supervised(() => supervisor.pause(nodeId)),
    resume,
    stop,
    add: (spec) => supervisor.add(spec),
    setLeaving(nodeId, isLeaving) {
      if (isLeaving) leaving.add(nodeId);
      else leaving.delete(nodeId);
    },
    remove,
    async setDisk(nodeId, disk) {
      requireNode(nodeId);
      machines.set(supervisor.view(nodeId), { kind: "disk", nodeId, disk });
      await configureAll([nodeId]);
    },
    async setClock(nodeId, rate) {
      requireNode(nodeId);
      machines.set(supervisor.view(nodeId), { kind: "clock", nodeId, clock: { rate } });
      await configureAll([nodeId]);
    },
    async setLink(link) {
      requireNode(link.source);
      requireNode(link.target);
      await linksChanged(() => links.set(link));
    },
    async partition(groups) {
      groups.flat().forEach(requireNode);
      await linksChanged(() => links.partition(groups));
    },
    heal: () => linksChanged(() => links.heal()),
    setSpeed,
    async setFrozen(wanted) {
      frozen = wanted;
      await timeChanged();
    },
    async step(nodeId, request) {
      const link = requireRunning(nodeId, "step");
      if (!frozen) {
        throw new PlaygroundError(
          "not-now",
          `cannot step node ${nodeId}: expected the cluster to be frozen, but time runs`,
        );
      }
      await asked(nodeId, "step", () => link.control.step(request));
    },
    async campaign(nodeId) {
      const link = requireRunning(nodeId, "time out");
      await asked(nodeId, "campaign", () => link.control.campaign({}));
    },
    async transferLeadership(nodeId) {
      requireRunning(nodeId, "hand leadership to");
      const leaderId = leaderNow();
      if (leaderId === undefined) {
        throw new PlaygroundError(
          "not-now",
          `cannot hand leadership to node ${nodeId}: expected a leader that could, but there is none`,
        );
      }
      if (leaderId === nodeId) {
        throw new PlaygroundError(
          "not-now",
          `cannot hand leadership to node ${nodeId}: it is the leader already`,
        );
      }
      const link = requireRunning(leaderId, "ask");
      await asked(leaderId, "hand leadership over", () =>
        link.control.transferLeadership({ nodeId: BigInt(nodeId) }),
      );
    },
    process(nodeId) {
      requireNode(nodeId);
      return supervisor.view(nodeId);
    },
    processes: () => supervisor.views(),
    links: () => links.links(),
    speed: () => speed,
    frozen: () => frozen,
    route,
    leader() {
      const nodeId = leaderNow();
      const link = nodeId === undefined ? undefined : linkOf(nodeId);
      return nodeId === undefined || link === undefined ? null : { nodeId, link };
    },
    async close() {
      nodeIds().forEach(closeLink);
      await supervisor.close();
    },
  };
}
