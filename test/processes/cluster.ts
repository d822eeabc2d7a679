/** Real raft-node processes, as a person would start them: one YAML file each. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentials, Client } from "@grpc/grpc-js";
import { build } from "esbuild";
import { stringify } from "yaml";
import { Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { end, eventually, freePorts, run, type Running } from "./spawn.ts";

export interface Member {
  readonly id: number;
  readonly address: string;
  readonly config: string;
  readonly client: Client;
  /** null: not running. */
  process: Running | null;
}

export interface TestCluster {
  readonly members: readonly Member[];
  start(id: number): void;
  kill(id: number): Promise<void>;
  member(id: number): Member;
  /** The one leader that all running members agree on. */
  leader(): Promise<Member>;
  close(): Promise<void>;
}

/** A node that was away is found again soon: by default a client waits longer and longer. */
const QUICK_TO_RETURN = {
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 500,
};

/** As `pnpm raft-node` and the playground start one (docs/configuration.md, Memory). */
const NODE_FLAGS = ["--max-semi-space-size=16"];

/** Bundles raft-node once, so that starting a process is quick. Returns the file. */
export async function bundleNode(directory: string): Promise<string> {
  const outfile = join(directory, "raft-node.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "../../apps/node/src/main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "error",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  return outfile;
}

/**
 * Writes the configurations of `count` nodes under `directory` and starts them all.
 *
 * @param settings more of the configuration, for every node
 */
export async function startCluster(
  directory: string,
  count: number,
  settings: object = {},
): Promise<TestCluster> {
  mkdirSync(directory, { recursive: true });
  const program = await bundleNode(directory);
  const ports = await freePorts(count);
  const peers = ports.map((port, index) => ({ id: index + 1, address: `127.0.0.1:${port}` }));
  const members = peers.map(({ id, address }): Member => {
    const config = join(directory, `node${id}.yaml`);
    const dataDir = join(directory, `node-${id}`);
    writeFileSync(
      config,
      stringify({ cluster: "test", id, listen: address, dataDir, peers, ...settings }),
    );
    const client = new Client(address, credentials.createInsecure(), QUICK_TO_RETURN);
    return { id, address, config, client, process: null };
  });

  const cluster: TestCluster = {
    members,
    member(id) {
      const member = members.find((each) => each.id === id);
      if (member === undefined) throw new Error(`no node ${id}`);
      return member;
    },
    start(id) {
      const member = cluster.member(id);
      member.process = run(process.execPath, [...NODE_FLAGS, program, "--config", member.config]);
    },
    async kill(id) {
      const member = cluster.member(id);
      member.process?.child.kill("SIGKILL");
      await member.process?.ended;
      member.process = null;
    },
    leader() {
      const running = members.filter((member) => member.process !== null);
      return eventually("a leader that all agree on", async () => {
        const leaders = await Promise.all(
          running.map(async ({ client }) => {
            const status = await callUnary(
              client,
              Maintenance.method.status,
              {},
              { deadline: Date.now() + 1000 },
            );
            return status.leader;
          }),
        );
        const [first = 0n] = leaders;
        if (first === 0n || leaders.some((leader) => leader !== first)) return undefined;
        return running.find((member) => BigInt(member.id) === first);
      });
    },
    async close() {
      await Promise.all(
        members.map(async (member) => {
          member.client.close();
          if (member.process !== null) await end(member.process);
        }),
      );
    },
  };
  for (const { id } of members) cluster.start(id);
  return cluster;
}
