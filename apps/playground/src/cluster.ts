/**
 * The cluster as the playground keeps it: its processes, and what must be true of speed, freeze
 * and links. The nodes are told on every change, and when they start or resume, before they may
 * send; the playground's word is the truth.
 */
import { ConnectError } from "@connectrpc/connect";
import { FaultError, createLinkTable, type Link } from "@raftarium/faults";
import { leaderOf, type ClusterView, type Observation } from "@raftarium/observer";
import { linkToWire } from "@raftarium/protocol";
import type { StepRequest } from "@raftarium/protocol/control";
import {
  SupervisorError,
  createSupervisor,
  unknownNode,
  type NodeSpec,
  type ProcessView,
} from "@raftarium/supervisor";
import type { Feed } from "./feed.ts";
import { openNodeLink, type NodeLink } from "./node-link.ts";
import { PlaygroundError } from "./playground-error.ts";
import { createTeller } from "./teller.ts";

export const SPEED_MIN = 0.001;
export const SPEED_MAX = 1;

export interface ClusterOptions {
  readonly nodes: readonly NodeSpec[];
  readonly feed: Feed;
  /** From the first leader on; until then the cluster runs at speed 1. */
  readonly speed: number;
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
  setLink(link: Link): Promise<void>;
  partition(groups: readonly (readonly number[])[]): Promise<void>;
  heal(): Promise<void>;
  setSpeed(speed: number): Promise<void>;
  setFrozen(frozen: boolean): Promise<void>;
  step(nodeId: number, request: Pick<StepRequest, "action" | "messageId">): Promise<void>;
  campaign(nodeId: number): Promise<void>;
  transferLeadership(nodeId: number): Promise<void>;
  processes(): readonly ProcessView[];
  links(): readonly Link[];
  speed(): number;
  frozen(): boolean;
  /** The connection to a running node; that of the leader, else of any, for `null`. */
  route(nodeId: number | null): { readonly nodeId: number; readonly link: NodeLink };
  close(): Promise<void>;
}

export function createCluster(options: ClusterOptions): Cluster {
  const { feed } = options;
  const nodeIds = options.nodes.map(({ nodeId }) => nodeId);
  const links = createLinkTable(() => nodeIds);
  const nodeLinks = new Map<number, NodeLink>();
  let speed = 1;
  let frozen = false;
  let awaitingFirstLeader = true;

  const supervisor = createSupervisor({ onChange });
  const configure = createTeller({
    linkTo: (nodeId) =>
      supervisor.view(nodeId).health === "running" ? nodeLinks.get(nodeId) : undefined,
    tell: async (nodeId, link) => {
      const toNode = links.links().filter(({ target }) => target === nodeId);
      await link.control.configure({ speed, frozen, links: toNode.map(linkToWire) });
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

  /** All running nodes; a node that ends meanwhile will be told when it starts again. */
  async function configureAll(): Promise<void> {
    const failures: string[] = [];
    await Promise.all(
      nodeIds.map(async (nodeId) => {
        try {
          await configure(nodeId);
        } catch (error) {
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
    await supervised(() => supervisor.stop(nodeId));
  }

  function requireNode(nodeId: number): void {
    if (nodeIds.includes(nodeId)) return;
    throw new PlaygroundError("not-found", unknownNode(nodeIds, nodeId));
  }

  async function linksChanged(change: () => void): Promise<void> {
    try {
      change();
    } catch (error) {
      if (error instanceof FaultError) throw new PlaygroundError("invalid", error.message);
      throw error;
    }
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

  function route(nodeId: number | null): { nodeId: number; link: NodeLink } {
    if (nodeId !== null) return { nodeId, link: requireRunning(nodeId, "ask") };
    const leaderId = leaderNow();
    for (const candidate of leaderId === undefined ? nodeIds : [leaderId, ...nodeIds]) {
      const link = nodeLinks.get(candidate);
      const running = supervisor.view(candidate).health === "running";
      if (running && link !== undefined) return { nodeId: candidate, link };
    }
    throw new PlaygroundError("not-now", "cannot ask any node: none is running; restart one");
  }

  return {
    async start() {
      feed.tell(0, 1, { kind: "speed-changed", speed, frozen });
      await Promise.all(nodeIds.map(startNode));
    },
    crash: (nodeId) => supervised(() => supervisor.crash(nodeId)),
    restart: startNode,
    pause: (nodeId) => supervised(() => supervisor.pause(nodeId)),
    resume,
    stop,
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
    processes: () => supervisor.views(),
    links: () => links.links(),
    speed: () => speed,
    frozen: () => frozen,
    route,
    async close() {
      nodeIds.forEach(closeLink);
      await supervisor.close();
    },
  };
}

/** SupervisorError to PlaygroundError. */
async function supervised(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error;
    switch (error.code) {
      case "unknown-node":
        throw new PlaygroundError("not-found", error.message);
      case "wrong-health":
        throw new PlaygroundError("not-now", error.message);
      case "start-failed":
      case "port-in-use":
        throw new PlaygroundError("failed", error.message);
    }
  }
}

/** What a node itself refused keeps its own code and words; one that is silent is named. */
async function asked(nodeId: number, what: string, ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    throw new ConnectError(`node ${nodeId} could not ${what}: ${rawMessage}`, code);
  }
}
