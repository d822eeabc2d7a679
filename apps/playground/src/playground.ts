/** Puts the parts together and takes them apart again. */
import { join } from "node:path";
import { leaderOf, type ClusterView } from "@raftarium/observer";
import { createObservationChecker } from "@raftarium/checker";
import { bundleNode } from "./bundle.ts";
import { nowUs } from "./clock.ts";
import { createClientHistory } from "./client-history.ts";
import { createCluster } from "./cluster.ts";
import { listenDoor } from "./door.ts";
import { createFeed, type Feed } from "./feed.ts";
import { withHistory } from "./history-route.ts";
import { nodeSpec, prepareHome, type NodeHome } from "./home.ts";
import { createMembership } from "./membership.ts";
import type { PlaygroundOptions } from "./options.ts";
import { builtPage, devPage } from "./page.ts";
import { watch } from "./watch.ts";

export interface Playground {
  readonly port: number;
  /** Resolves once all nodes run and one leads. Rejects if a node can't be started. */
  readonly ready: Promise<void>;
  /** Ends everything. Never rejects. */
  close(): Promise<void>;
}

/** @param options.root the repository's root directory. */
export async function startPlayground(
  options: PlaygroundOptions & {
    readonly root: string;
    /** Takes what a person should know and nothing else fails of. */
    readonly report: (text: string) => void;
  },
): Promise<Playground> {
  const { root, nodeCount, dataDir, speed } = options;
  // The door first: a port that is taken is told before anything else is begun.
  const door = await listenDoor(options.port);
  // Begun first: it takes the longest, and needs nothing of the rest.
  const making = options.dev ? devPage(root) : builtPage(root, options.report);
  making.catch(() => {});
  const [home, program] = await Promise.all([
    prepareHome({
      nodeCount,
      dataDir,
      leaseReads: options.leaseReads,
      preferred: options.preferred,
      port: door.port,
      anyPorts: options.port === 0,
      freshDir: join(root, ".raftarium"),
    }),
    bundleNode(root),
  ]);
  const feed = createFeed({ nowUs });
  const history = createClientHistory(nowUs);
  watch(feed, createObservationChecker());
  feed.onChange((_view, shown) => history.observe(shown));
  const specOf = (node: NodeHome) => nodeSpec(node, program);
  const nodes = home.nodes().map(specOf);
  const cluster = createCluster({ nodes, feed, speed });
  const membership = createMembership({ cluster, feed, home, specOf });
  const opened = making.then((page) => {
    const served = { cluster, membership, feed, history };
    door.open(served, withHistory(page, history, feed));
  });
  const allKnown = when(feed, (view) => countKnown(view) === nodes.length);
  // While the election timers run, the processors have nothing else to do.
  const warmed = Promise.all([making, allKnown]).then(([page]) => page.warm?.());
  const led = allKnown.then(() => when(feed, (view) => leaderOf(view) !== undefined));
  const ready = Promise.all([opened, warmed, cluster.start(), led]).then(() => membership.resume());
  // Whoever awaits `ready` hears of it; an end before that is no accident.
  ready.catch(() => {});
  return {
    port: door.port,
    ready,
    async close() {
      membership.close();
      feed.close();
      await Promise.allSettled([cluster.close(), opened.then(() => door.close())]);
      home.leave();
    },
  };
}

function countKnown(view: ClusterView): number {
  return view.nodes.filter((node) => node.known).length;
}

/** Resolves as soon as a view is so. */
function when(feed: Feed, isSo: (view: ClusterView) => boolean): Promise<void> {
  return new Promise((resolve) => {
    let over = false;
    feed.onChange((view) => {
      if (over || !isSo(view)) return;
      over = true;
      resolve();
    });
  });
}
