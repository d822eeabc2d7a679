/** Puts the parts together and takes them apart again. */
import { join } from "node:path";
import { leaderOf } from "@raftarium/observer";
import { createObservationChecker } from "@raftarium/checker";
import { bundleNode } from "./bundle.ts";
import { nowUs } from "./clock.ts";
import { createCluster } from "./cluster.ts";
import { listenDoor } from "./door.ts";
import { createFeed, type Feed } from "./feed.ts";
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
  const [home, program] = await Promise.all([
    prepareHome({
      nodeCount,
      dataDir,
      port: door.port,
      anyPorts: options.port === 0,
      freshDir: join(root, ".raftarium"),
    }),
    bundleNode(root),
  ]);
  const feed = createFeed({ nowUs });
  watch(feed, createObservationChecker());
  const specOf = (node: NodeHome) => nodeSpec(node, program);
  const nodes = home.nodes().map(specOf);
  const cluster = createCluster({ nodes, feed, speed });
  const membership = createMembership({ cluster, feed, home, specOf });
  const opened = (options.dev ? devPage(root) : builtPage(root, options.report)).then((page) => {
    door.open({ cluster, membership, feed }, page);
    return page;
  });
  const up = Promise.all([opened, cluster.start(), firstLeader(feed, nodes.length)]);
  const ready = up.then(([page]) => {
    membership.resume();
    page.warm?.();
  });
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

/** Resolves once all nodes have told of themselves and one of them leads. */
function firstLeader(feed: Feed, nodeCount: number): Promise<void> {
  return new Promise((resolve) => {
    feed.onChange((view) => {
      const known = view.nodes.filter((node) => node.known).length;
      if (known === nodeCount && leaderOf(view) !== undefined) resolve();
    });
  });
}
