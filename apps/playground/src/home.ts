/** Where a playground keeps what its nodes write, and the nodes' configuration files there. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SupervisorError, freePorts, requireFreePort, type NodeSpec } from "@raftarium/supervisor";
import { readMembers, writeMembers, type Address, type Members } from "./members-file.ts";

export interface HomeOptions {
  readonly nodeCount: number;
  /** The page's; the nodes take the next ones. */
  readonly port: number;
  /** Take any free ports for the nodes. */
  readonly anyPorts: boolean;
  /** What docs/configuration.md calls features.leaseReads, on all nodes ... */
  readonly leaseReads: boolean;
  /** ... and features.priority 1, on this one; null: on none. */
  readonly preferred: number | null;
  /** Null: a fresh place of our own under `freshDir`. */
  readonly dataDir: string | null;
  readonly freshDir: string;
}

export interface Home {
  readonly directory: string;
  /** The nodes that live here now. */
  nodes(): readonly NodeHome[];
  /** Where one more node can listen. Rejects with a sentence if no port is free. */
  freeAddress(): Promise<string>;
  /** Makes a place for a node that joins the cluster. */
  add(nodeId: number, address: string): NodeHome;
  /** Deletes all that a node ever wrote. */
  remove(nodeId: number): void;
  /** Removes what is of no use to anybody after the end. */
  leave(): void;
}

export interface NodeHome {
  readonly nodeId: number;
  readonly address: string;
  readonly configFile: string;
  readonly logFile: string;
  /** One of the voters of the first start. */
  readonly founder: boolean;
}

const CLUSTER = "playground";
/** Who uses a place that nobody will look for; see `sweep`. */
const OWNER_FILE = "playground.pid";
/** How far above the page's port a free one is looked for. */
const PORTS_TRIED_MAX = 100;
const PORT_MAX = 65_535;

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
  let members = keptMembers(directory, options.nodeCount) ?? (await newMembers(options));
  for (const { id, address } of members.nodes) {
    await requireFreePort(
      portOf(address),
      `node ${id}`,
      "end that program, or choose other ports with --port",
    );
  }
  const changed = (nodes: Members["nodes"]) => {
    members = { ...members, nodes };
    writeMembers(directory, members);
  };
  changed(members.nodes);
  const configure = (node: Address) => configureNode(directory, node, members, options);
  for (const node of members.nodes) configure(node);
  return {
    directory,
    nodes: () => members.nodes.map((node) => nodeHome(directory, node, members)),
    freeAddress: () => freeAddress(options, members),
    add(id, address) {
      changed([...members.nodes, { id, address }]);
      return configure({ id, address });
    },
    remove(nodeId) {
      changed(members.nodes.filter(({ id }) => id !== nodeId));
      const { configFile, logFile } = nodeHome(directory, { id: nodeId, address: "" }, members);
      const force = { recursive: true, force: true };
      for (const path of [dataDirOf(directory, nodeId), configFile, logFile]) rmSync(path, force);
    },
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
    // A young generation of 16 MiB: docs/configuration.md, Memory.
    args: [
      "--max-semi-space-size=16",
      "--enable-source-maps",
      program,
      "--config",
      node.configFile,
      "--playground",
    ],
    logFile: node.logFile,
  };
}

function nodeHome(directory: string, { id, address }: Address, { founders }: Members): NodeHome {
  const at = (ending: string) => join(directory, `node-${id}.${ending}`);
  const founder = founders.some((each) => each.id === id);
  return { nodeId: id, address, configFile: at("yaml"), logFile: at("log"), founder };
}

function dataDirOf(directory: string, nodeId: number): string {
  return join(directory, `node-${nodeId}`);
}

function configureNode(
  directory: string,
  member: Address,
  members: Members,
  { leaseReads, preferred }: Pick<HomeOptions, "leaseReads" | "preferred">,
): NodeHome {
  const home = nodeHome(directory, member, members);
  const peers = home.founder ? members.founders : members.nodes;
  const quote = JSON.stringify;
  const lines = [
    "# Written by the playground at each start.",
    `cluster: ${CLUSTER}`,
    `id: ${member.id}`,
    `listen: ${quote(member.address)}`,
    `dataDir: ${quote(dataDirOf(directory, member.id))}`,
    ...(home.founder ? [] : ["join: true"]),
    "features:",
    `  leaseReads: ${leaseReads}`,
    `  priority: ${member.id === preferred ? 1 : 0}`,
    "peers:",
    ...peers.map((peer) => `  - { id: ${peer.id}, address: ${quote(peer.address)} }`),
  ];
  writeFileSync(home.configFile, `${lines.join("\n")}\n`);
  return home;
}

async function newMembers({ nodeCount, port, anyPorts }: HomeOptions): Promise<Members> {
  const ports = anyPorts
    ? await freePorts(nodeCount)
    : Array.from({ length: nodeCount }, (_, index) => port + 1 + index);
  const nodes = ports.map((nodePort, index) => ({
    id: index + 1,
    address: `127.0.0.1:${nodePort}`,
  }));
  return { nodes, founders: nodes };
}

async function freeAddress({ port, anyPorts }: HomeOptions, { nodes }: Members): Promise<string> {
  const taken = new Set(nodes.map(({ address }) => portOf(address)));
  const next = Array.from({ length: PORTS_TRIED_MAX }, (_, index) => port + 1 + index);
  for (const candidate of anyPorts ? await freePorts(nodes.length + 1) : next) {
    if (taken.has(candidate) || candidate > PORT_MAX) continue;
    try {
      await requireFreePort(candidate, "a new node", "");
      return `127.0.0.1:${candidate}`;
    } catch (error) {
      if (!(error instanceof SupervisorError)) throw error;
    }
  }
  throw new Error(`expected a free port from ${port + 1} to ${port + PORTS_TRIED_MAX}, found none`);
}

function keptMembers(directory: string, nodeCount: number): Members | null {
  const members = readMembers(directory);
  if (members === null || members.founders.length === nodeCount) return members;
  throw new Error(
    `cannot use ${directory}: expected --nodes ${members.founders.length}, as it was written ` +
      `with, got ${nodeCount}; choose another --data-dir for a cluster of another size`,
  );
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
