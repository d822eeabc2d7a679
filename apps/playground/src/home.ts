/** Where a playground keeps what its nodes write, and the nodes' configuration files there. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePorts, requireFreePort, type NodeSpec } from "@raftarium/supervisor";

export interface HomeOptions {
  readonly nodeCount: number;
  /** The page's; the nodes take the next ones. */
  readonly port: number;
  /** Take any free ports for the nodes. */
  readonly anyPorts: boolean;
  /** Null: a fresh place of our own under `freshDir`. */
  readonly dataDir: string | null;
  readonly freshDir: string;
}

export interface Home {
  readonly directory: string;
  readonly nodes: readonly NodeHome[];
  /** Removes what is of no use to anybody after the end. */
  leave(): void;
}

export interface NodeHome {
  readonly nodeId: number;
  readonly address: string;
  readonly configFile: string;
  readonly logFile: string;
}

interface Members {
  readonly nodes: readonly { readonly id: number; readonly address: string }[];
}

const CLUSTER = "playground";
/** Who uses a place that nobody will look for; see `sweep`. */
const OWNER_FILE = "playground.pid";
/** What a kept directory says of its nodes: they keep their addresses. */
const MEMBERS_FILE = "members.json";

/**
 * Makes the place ready: directories, one configuration file per node, free ports. Throws with a
 * sentence if a port is taken, or if the directory was written by a cluster of another size.
 */
export async function prepareHome(options: HomeOptions): Promise<Home> {
  const fresh = options.dataDir === null;
  const directory = resolve(options.dataDir ?? join(options.freshDir, String(options.port)));
  if (fresh) rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  if (fresh && options.anyPorts) {
    sweep(options.freshDir);
    writeFileSync(join(directory, OWNER_FILE), String(process.pid));
  }
  const members = readMembers(directory, options.nodeCount) ?? (await newMembers(options));
  for (const { id, address } of members.nodes) {
    await requireFreePort(
      portOf(address),
      `node ${id}`,
      "end that program, or choose other ports with --port",
    );
  }
  writeFileSync(join(directory, MEMBERS_FILE), `${JSON.stringify(members, null, 2)}\n`);
  return {
    directory,
    nodes: members.nodes.map(({ id, address }) => prepareNode(directory, id, address, members)),
    leave() {
      // Under a port that nobody chose, nobody will look for it.
      if (fresh && options.anyPorts) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Removes the places under ports that nobody chose of playgrounds that were killed. */
function sweep(freshDir: string): void {
  for (const name of readdirSync(freshDir)) {
    const owner = join(freshDir, name, OWNER_FILE);
    if (!existsSync(owner) || isAlive(Number(readFileSync(owner, "utf8")))) continue;
    rmSync(join(freshDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** How to start a node that lives here. */
export function nodeSpec(node: NodeHome, program: string): NodeSpec {
  return {
    nodeId: node.nodeId,
    address: node.address,
    command: process.execPath,
    args: ["--enable-source-maps", program, "--config", node.configFile, "--playground"],
    logFile: node.logFile,
  };
}

function prepareNode(directory: string, id: number, address: string, members: Members): NodeHome {
  const configFile = join(directory, `node-${id}.yaml`);
  const quote = JSON.stringify;
  const lines = [
    "# Written by the playground at each start.",
    `cluster: ${CLUSTER}`,
    `id: ${id}`,
    `listen: ${quote(address)}`,
    `dataDir: ${quote(join(directory, `node-${id}`))}`,
    "peers:",
    ...members.nodes.map((peer) => `  - { id: ${peer.id}, address: ${quote(peer.address)} }`),
  ];
  writeFileSync(configFile, `${lines.join("\n")}\n`);
  return { nodeId: id, address, configFile, logFile: join(directory, `node-${id}.log`) };
}

async function newMembers({ nodeCount, port, anyPorts }: HomeOptions): Promise<Members> {
  const ports = anyPorts
    ? await freePorts(nodeCount)
    : Array.from({ length: nodeCount }, (_, index) => port + 1 + index);
  return {
    nodes: ports.map((nodePort, index) => ({ id: index + 1, address: `127.0.0.1:${nodePort}` })),
  };
}

function readMembers(directory: string, nodeCount: number): Members | null {
  const file = join(directory, MEMBERS_FILE);
  if (!existsSync(file)) return null;
  const members = parseMembers(readFileSync(file, "utf8"));
  if (members === null) {
    throw new Error(
      `cannot use ${directory}: expected ${MEMBERS_FILE} as the playground wrote it, got ` +
        "something else; choose another --data-dir",
    );
  }
  if (members.nodes.length !== nodeCount) {
    throw new Error(
      `cannot use ${directory}: expected --nodes ${members.nodes.length}, as it was written ` +
        `with, got ${nodeCount}; choose another --data-dir for a cluster of another size`,
    );
  }
  return members;
}

function parseMembers(text: string): Members | null {
  try {
    const { nodes } = JSON.parse(text) as { nodes?: unknown };
    if (!Array.isArray(nodes)) return null;
    const wellFormed = nodes.every(
      (node: { id?: unknown; address?: unknown }) =>
        typeof node.id === "number" && /^127\.0\.0\.1:\d+$/.test(String(node.address)),
    );
    return wellFormed ? { nodes: nodes as Members["nodes"] } : null;
  } catch {
    return null;
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
