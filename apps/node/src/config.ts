/** A node's configuration file: YAML, checked by a schema; every mistake is named with its path. */
import { readFileSync } from "node:fs";
import { FRAME_BYTES_MAX } from "@raftarium/transport";
import { parseDocument } from "yaml";
import * as z from "zod";
import { hasAddressForm, isAddress } from "./address.ts";

const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber => {
  const error = `a whole number from ${min} to ${max === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};
const text = (what: string): z.ZodString => z.string({ error: what }).min(1, { error: what });
const flag = z.boolean({ error: "true or false" });
const address = z.string({ error: "an address such as 127.0.0.1:7101" }).refine(isAddress, {
  error: ({ input }) =>
    hasAddressForm(String(input))
      ? "an address with a port from 0 to 65535"
      : "an address such as 127.0.0.1:7101",
});
const mapping = <Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? "a mapping" : undefined),
  });

const MIB = 1024 * 1024;
/** An entry, and the entries of one append, with all that is around them, fit one message. */
const ENTRY_BYTES_MAX = FRAME_BYTES_MAX / 2;

const timingSchema = mapping({
  /** The core's unit of time. */
  tickMs: whole(1, 1000).default(10),
  heartbeatMs: whole(1, 60_000).default(50),
  electionTimeoutMinMs: whole(2, 600_000).default(300),
  electionTimeoutMaxMs: whole(2, 600_000).default(600),
  /** How long a client's request may wait for its outcome. */
  requestTimeoutMs: whole(1, 600_000).default(5000),
});

const limitsSchema = mapping({
  /** Of one client request, keys and values included. etcd's limit by default. */
  requestBytesMax: whole(1, ENTRY_BYTES_MAX).default(1.5 * MIB),
  uncommittedBytesMax: whole(1).default(64 * MIB),
  entriesPerAppendMax: whole(1, 65_536).default(4096),
  bytesPerAppendMax: whole(1, ENTRY_BYTES_MAX).default(MIB),
  inflightAppendsMax: whole(1, 65_536).default(256),
  inflightBytesMax: whole(1).default(16 * MIB),
  /** A snapshot is taken after so many entries, or so many bytes of commands. */
  snapshotEntries: whole(1).default(50_000),
  snapshotBytes: whole(1).default(32 * MIB),
  snapshotChunkBytes: whole(1024, 4 * MIB).default(256 * 1024),
  /** Entries kept behind a snapshot for followers that lag a little. */
  trailingEntries: whole(0).default(5000),
  segmentBytes: whole(64 * 1024, 1024 * MIB).default(4 * MIB),
  /** kv: revisions kept before the leader proposes a compaction. */
  historyRevisionsMax: whole(1).default(10_000),
});

const featuresSchema = mapping({
  preVote: flag.default(true),
  checkQuorum: flag.default(true),
  /** Reads without a round while the lease holds. Not linearizable if clocks run wrong. */
  leaseReads: flag.default(false),
  /** A leader hands over to a voter of a higher priority. */
  priority: whole(0).default(0),
});

const configSchema = mapping({
  cluster: text("the cluster's name"),
  id: whole(1),
  listen: address,
  /** Relative to the working directory. */
  dataDir: text("a directory"),
  /** The voters of the first start, this node included. */
  peers: z
    .array(mapping({ id: whole(1), address }), { error: "a list of { id, address }" })
    .min(1, { error: "a list of at least one { id, address }" }),
  /** Start outside of the cluster, and wait to be added to it by a member. */
  join: flag.default(false),
  timing: timingSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  features: featuresSchema.prefault({}),
  /** `kv`, or a module of your own, relative to this file. */
  stateMachine: text("kv, or the path of a module").default("kv"),
  metrics: mapping({ listen: address }).optional(),
  log: mapping({
    level: z
      .enum(["trace", "debug", "info", "warn", "error", "silent"], {
        error: "one of trace, debug, info, warn, error, silent",
      })
      .default("info"),
  }).prefault({}),
});

export type NodeConfig = z.output<typeof configSchema>;

/** A configuration that can't be used. Its message has a line for each mistake. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(file: string, mistakes: readonly string[]) {
    super(`cannot use ${file}:\n${mistakes.map((mistake) => `  ${mistake}`).join("\n")}`);
  }
}

/**
 * Reads and checks a configuration file.
 *
 * @throws ConfigError naming the path of every mistake, what was expected and what was found.
 */
export function loadConfig(file: string): NodeConfig {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(file, [`expected a readable file: ${(error as Error).message}`]);
  }
  return parseConfig(source, file);
}

export function parseConfig(source: string, file: string): NodeConfig {
  const document = parseDocument(source);
  if (document.errors.length > 0) {
    throw new ConfigError(
      file,
      document.errors.map((error) => `not YAML: ${error.message.split("\n")[0] ?? ""}`),
    );
  }
  const value: unknown = document.toJS();
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    throw new ConfigError(
      file,
      parsed.error.issues.flatMap((issue) => mistakesOf(issue, value)),
    );
  }
  const mistakes = contradictions(parsed.data);
  if (mistakes.length > 0) throw new ConfigError(file, mistakes);
  return parsed.data;
}

function mistakesOf(issue: z.core.$ZodIssue, value: unknown): string[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path);
    return issue.keys.map(
      (key) =>
        `${pathText([...issue.path, key])}: unknown key; expected one of ${known.join(", ")}`,
    );
  }
  const found = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  const shown = found === undefined ? "nothing" : JSON.stringify(found);
  return [`${pathText(issue.path)}: expected ${issue.message}, got ${shown}`];
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  const sections: Record<string, z.ZodRawShape> = {
    "": configSchema.shape,
    timing: timingSchema.shape,
    limits: limitsSchema.shape,
    features: featuresSchema.shape,
    metrics: { listen: address },
    log: { level: text("") },
    peers: { id: whole(1), address },
  };
  return Object.keys(sections[String(path[0] ?? "")] ?? {});
}

function pathText(path: readonly PropertyKey[]): string {
  const whole = path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
  return whole === "" ? "the file" : whole;
}

/** A time as the core counts it. */
export function ticksOf(ms: number, tickMs: number): number {
  return Math.max(1, Math.round(ms / tickMs));
}

/** What each value by itself can't tell. */
function contradictions(config: NodeConfig): string[] {
  const mistakes: string[] = [];
  const { heartbeatMs, electionTimeoutMinMs, electionTimeoutMaxMs, tickMs } = config.timing;
  // The core rounds to ticks: what is just enough in milliseconds may be too little.
  const heartbeatTicks = ticksOf(heartbeatMs, tickMs);
  const twiceMs = 2 * Math.max(heartbeatMs, heartbeatTicks * tickMs);
  if (
    electionTimeoutMinMs < 2 * heartbeatMs ||
    ticksOf(electionTimeoutMinMs, tickMs) < 2 * heartbeatTicks
  ) {
    mistakes.push(
      `timing.electionTimeoutMinMs: expected at least twice timing.heartbeatMs (${twiceMs}), ` +
        `got ${electionTimeoutMinMs}`,
    );
  }
  if (electionTimeoutMaxMs <= electionTimeoutMinMs) {
    mistakes.push(
      `timing.electionTimeoutMaxMs: expected more than timing.electionTimeoutMinMs ` +
        `(${electionTimeoutMinMs}), got ${electionTimeoutMaxMs}`,
    );
  } else if (ticksOf(electionTimeoutMaxMs, tickMs) === ticksOf(electionTimeoutMinMs, tickMs)) {
    // All timeouts would be the same, and all votes split.
    mistakes.push(
      `timing.electionTimeoutMaxMs: expected at least one timing.tickMs (${tickMs}) more than ` +
        `timing.electionTimeoutMinMs (${electionTimeoutMinMs}), got ${electionTimeoutMaxMs}`,
    );
  }
  if (heartbeatMs < tickMs) {
    mistakes.push(
      `timing.heartbeatMs: expected at least timing.tickMs (${tickMs}), got ${heartbeatMs}`,
    );
  }
  const seen = new Map<number | string, number>();
  for (const [position, peer] of config.peers.entries()) {
    for (const [field, found] of Object.entries(peer)) {
      const before = seen.get(found);
      if (before !== undefined) {
        mistakes.push(
          `peers[${position}].${field}: expected one that no other peer has, got ` +
            `${JSON.stringify(found)}, which is peers[${before}]'s`,
        );
      }
      seen.set(found, position);
    }
  }
  const member = config.peers.some((peer) => peer.id === config.id);
  if (!member && !config.join) {
    mistakes.push(
      `peers: expected node ${config.id} itself among them (or join: true), got ` +
        config.peers.map((peer) => peer.id).join(", "),
    );
  }
  if (config.features.leaseReads && !config.features.checkQuorum) {
    mistakes.push(
      "features.checkQuorum: expected true, since features.leaseReads needs it, got false",
    );
  }
  return mistakes;
}
