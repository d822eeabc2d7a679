/** What a playground can do to its cluster: processes, links, time. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { MessageKind } from "@raftarium/protocol/observer";
import { Health, Role } from "@raftarium/protocol/observer";
import { PlaygroundService } from "@raftarium/protocol/playground";
import type { GetClusterResponse } from "@raftarium/protocol/playground";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { table } from "./text.ts";

const { method } = PlaygroundService;

/** One call of the playground that answers with nothing but its success. */
function ask<I extends DescMessage, O extends DescMessage>(
  session: Session,
  called: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  done: string,
): Promise<ExitCode> {
  return session.withPlayground(async (client) =>
    session.report(
      await client.call(called, request, "write", { attemptsMax: 1 }),
      () => done,
      () => ({}),
    ),
  );
}

const BY_NODE = {
  crash: { method: method.crashNode, done: "crashed" },
  restart: { method: method.restartNode, done: "restarted" },
  pause: { method: method.pauseNode, done: "paused" },
  resume: { method: method.resumeNode, done: "resumed" },
  stop: { method: method.stopNode, done: "stopped" },
  remove: { method: method.removeNode, done: "removed" },
  transfer: { method: method.transferLeadership, done: "asked to lead" },
  campaign: { method: method.campaign, done: "timed out: campaigning" },
} as const;

export type NodeAction = keyof typeof BY_NODE;

export function actOnNode(session: Session, action: NodeAction, nodeId: number): Promise<ExitCode> {
  const { method: called, done } = BY_NODE[action];
  // All of these requests have the same one field.
  const anyMethod = called as typeof method.crashNode;
  return ask(session, anyMethod, { nodeId: BigInt(nodeId) }, `node ${nodeId} ${done}`);
}

/** Answers with the new node's id once it votes. */
export function add(session: Session): Promise<ExitCode> {
  return session.withPlayground(async (client) =>
    session.report(
      await client.call(method.addNode, {}, "write", { attemptsMax: 1 }),
      ({ nodeId }) => `node ${nodeId} added`,
      ({ nodeId }) => ({ nodeId: Number(nodeId) }),
    ),
  );
}

/** Answers with the id under which the node comes back. */
export function wipe(session: Session, wiped: number): Promise<ExitCode> {
  return session.withPlayground(async (client) =>
    session.report(
      await client.call(method.wipeNode, { nodeId: BigInt(wiped) }, "write", { attemptsMax: 1 }),
      ({ nodeId }) => `node ${wiped} wiped: it is node ${nodeId} now`,
      ({ nodeId }) => ({ nodeId: Number(nodeId) }),
    ),
  );
}

export interface DiskOptions {
  readonly delay?: number;
  readonly fail?: boolean;
  readonly full?: boolean;
}

/** No option at all: a sound disk. */
export function disk(session: Session, nodeId: number, options: DiskOptions): Promise<ExitCode> {
  const { delay: delayMs = 0, fail = false, full = false } = options;
  const request = { nodeId: BigInt(nodeId), delayMs, fail, full };
  const sound = delayMs === 0 && !fail && !full;
  return ask(session, method.setDisk, request, `disk of node ${nodeId} ${sound ? "sound" : "set"}`);
}

export function clock(session: Session, nodeId: number, rate: number): Promise<ExitCode> {
  const request = { nodeId: BigInt(nodeId), rate };
  return ask(session, method.setClock, request, `clock of node ${nodeId} runs at ${rate}`);
}

export interface LinkOptions {
  readonly cut?: boolean;
  readonly delay?: number;
  readonly jitter?: number;
  readonly drop?: number;
  readonly duplicate?: number;
  readonly kinds?: readonly MessageKindName[];
  readonly both?: boolean;
}

export const MESSAGE_KINDS = {
  append: MessageKind.APPEND,
  heartbeat: MessageKind.HEARTBEAT,
  vote: MessageKind.VOTE,
  "pre-vote": MessageKind.PRE_VOTE,
  snapshot: MessageKind.SNAPSHOT,
  transfer: MessageKind.TRANSFER,
  "read-index": MessageKind.READ_INDEX,
} as const;

export type MessageKindName = keyof typeof MESSAGE_KINDS;

/** No option at all heals the link. */
export async function link(
  session: Session,
  source: number,
  target: number,
  options: LinkOptions,
): Promise<ExitCode> {
  const { cut = false, delay = 0, jitter = 0, drop = 0, duplicate = 0, kinds = [] } = options;
  const fault = {
    cut,
    delayMs: delay,
    jitterMs: jitter,
    dropRate: drop,
    duplicateRate: duplicate,
    messageKinds: kinds.map((kind) => MESSAGE_KINDS[kind]),
  };
  const healed = !cut && [delay, jitter, drop, duplicate].every((value) => value === 0);
  const directions =
    options.both === true
      ? [
          [source, target],
          [target, source],
        ]
      : [[source, target]];
  let exitCode: ExitCode = 0;
  for (const [from = 0, to = 0] of directions) {
    const request = { source: BigInt(from), target: BigInt(to), ...fault };
    const done = `link ${from} to ${to} ${healed ? "healed" : "set"}`;
    exitCode = await ask(session, method.setLink, request, done);
    if (exitCode !== 0) break;
  }
  return exitCode;
}

/** Cuts every link between different groups. */
export function partition(
  session: Session,
  groups: readonly (readonly number[])[],
): Promise<ExitCode> {
  const request = { groups: groups.map((ids) => ({ nodeIds: ids.map(BigInt) })) };
  const done = `partitioned: ${groups.map((ids) => ids.join(",")).join(" | ")}`;
  return ask(session, method.partition, request, done);
}

export function heal(session: Session): Promise<ExitCode> {
  return ask(session, method.heal, {}, "all links healed");
}

export function speed(session: Session, value: number): Promise<ExitCode> {
  return ask(session, method.setSpeed, { speed: value }, `speed ${value}`);
}

export function freeze(session: Session): Promise<ExitCode> {
  return ask(session, method.freeze, {}, "frozen");
}

export function thaw(session: Session): Promise<ExitCode> {
  return ask(session, method.thaw, {}, "thawed");
}

export function cluster(session: Session): Promise<ExitCode> {
  return session.withPlayground(async (client) =>
    session.report(
      await client.call(method.getCluster, {}, "read", { attemptsMax: 1 }),
      clusterText,
      (response) => ({
        speed: response.speed,
        frozen: response.frozen,
        nodes: response.nodes.map((each) => ({
          nodeId: Number(each.id),
          address: each.address,
          pid: each.pid,
          incarnation: Number(each.incarnation),
          health: wordOf(Health, each.health),
          role: wordOf(Role, each.role),
          term: Number(each.term),
          leaderId: Number(each.leaderId),
          commitIndex: Number(each.commitIndex),
          appliedIndex: Number(each.appliedIndex),
          lastIndex: Number(each.lastIndex),
        })),
      }),
    ),
  );
}

/** PRE_CANDIDATE as "pre-candidate". */
function wordOf(names: Readonly<Record<string, number>>, value: number): string {
  const [name = "unknown"] = Object.entries(names).find(([, each]) => each === value) ?? [];
  return name.toLowerCase().replaceAll("_", "-");
}

function clusterText({ nodes, speed: factor, frozen, links }: GetClusterResponse): string {
  const rows = nodes.map((each) => [
    String(each.id),
    each.address,
    each.pid === 0 ? "-" : String(each.pid),
    wordOf(Health, each.health),
    wordOf(Role, each.role),
    String(each.term),
    each.leaderId === 0n ? "-" : String(each.leaderId),
    String(each.commitIndex),
    String(each.lastIndex),
  ]);
  const header = [
    "NODE",
    "ADDRESS",
    "PID",
    "HEALTH",
    "ROLE",
    "TERM",
    "LEADER",
    "COMMITTED",
    "LAST",
  ];
  const cuts = links.filter(({ cut }) => cut).map(({ source, target }) => `${source} to ${target}`);
  const notes = [
    `speed ${factor}${frozen ? ", frozen" : ""}`,
    ...(cuts.length > 0 ? [`cut: ${cuts.join(", ")}`] : []),
  ];
  return [table(header, rows), ...notes].join("\n");
}
