/** The playground's command line. */
import { Command, InvalidArgumentError } from "commander";
import { SPEED_MAX, SPEED_MIN } from "./cluster.ts";

export interface PlaygroundOptions {
  readonly nodeCount: number;
  /** 0: any. */
  readonly port: number;
  /** Null: a fresh place of our own. */
  readonly dataDir: string | null;
  readonly speed: number;
  /** Linearizable reads rest on a lease: stale if clocks run wrong. */
  readonly leaseReads: boolean;
  /** The node that shall lead where it can; null: none. */
  readonly preferred: number | null;
  /** The page straight from its sources, with hot reload. */
  readonly dev: boolean;
}

/** What the page has room for. */
export const NODES_MAX = 9;
const PORT_MAX = 65_535;

/**
 * @param args without the program's name.
 * @throws CommanderError: help was asked for (exitCode 0), or something is wrong (exitCode 1);
 *   what there is to say has then been written.
 */
export function parseOptions(args: readonly string[]): PlaygroundOptions {
  const command = new Command()
    .name("raftarium")
    .description(
      "A real Raft cluster that you can see and break: starts the nodes as processes of this\n" +
        "machine, and serves the page.",
    )
    .option("--nodes <count>", `how many nodes (1 to ${NODES_MAX})`, nodeCount, 5)
    .option("--port <port>", "the page's port; the nodes take the next ones (0: any)", port, 7100)
    .option("--data-dir <dir>", "keep the nodes' data here, and go on with what is there")
    .option(
      "--speed <factor>",
      `how fast time runs in the cluster, from ${SPEED_MIN} to ${SPEED_MAX} (real time), once it ` +
        "has its first leader",
      speed,
      0.05,
    )
    .option(
      "--lease-reads",
      "leaders answer reads without a round, by a lease; NOT linearizable if clocks run wrong",
      false,
    )
    .option("--prefer <node>", "hand leadership to this node after a calm while", preferred)
    .option("--dev", "serve the page from its sources, with hot reload", false)
    .allowExcessArguments(false)
    .exitOverride();
  command.parse([...args], { from: "user" });
  const options = command.opts<{
    nodes: number;
    port: number;
    dataDir?: string;
    speed: number;
    leaseReads: boolean;
    prefer?: number;
    dev: boolean;
  }>();
  if (options.port + options.nodes > PORT_MAX) {
    command.error(
      `error: --port ${options.port} leaves no room for ${options.nodes} nodes above it; expected ` +
        `at most ${PORT_MAX - options.nodes}`,
    );
  }
  return {
    nodeCount: options.nodes,
    port: options.port,
    dataDir: options.dataDir ?? null,
    speed: options.speed,
    leaseReads: options.leaseReads,
    preferred: options.prefer ?? null,
    dev: options.dev,
  };
}

function nodeCount(text: string): number {
  return whole(text, 1, NODES_MAX);
}

/** Also one that will be added. */
function preferred(text: string): number {
  return whole(text, 1, Number.MAX_SAFE_INTEGER);
}

function port(text: string): number {
  return whole(text, 0, PORT_MAX);
}

function whole(text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}, got '${text}'.`);
}

function speed(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= SPEED_MIN && value <= SPEED_MAX) return value;
  throw new InvalidArgumentError(
    `Expected a number from ${SPEED_MIN} to ${SPEED_MAX}, got '${text}'.`,
  );
}
