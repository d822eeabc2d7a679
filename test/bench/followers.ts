/**
 * What a follower costs the others: one that was down for 100,000 entries and catches up by
 * snapshot, and one that is paused for a minute.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { ObserverService } from "@raftarium/protocol/observer";
import type { Member, TestCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/spawn.ts";
import { runLoad } from "./load.ts";

export interface FollowerFigures {
  /** Again and again: one return takes so short a time that what else the machine does tells. */
  readonly catchUps: readonly CatchUp[];
  readonly paused: {
    readonly beforePerSecond: number;
    readonly pausedPerSecond: number;
    readonly kept: number;
    /** The leader's resident memory: before, at the end of the pause, at most. */
    readonly beforeMb: number;
    readonly afterMb: number;
    readonly mostMb: number;
  };
}

interface CatchUp {
  readonly entriesMissed: number;
  /**
   * Acknowledged puts a second, all in one run of the load: while it was down; while its process
   * started; while it caught up; afterwards, with all nodes up.
   */
  readonly downPerSecond: number;
  readonly startingPerSecond: number;
  readonly catchingUpPerSecond: number;
  readonly afterwardsPerSecond: number;
  /** From its start until it had caught up, over afterwards. */
  readonly kept: number;
  /**
   * While another process did nothing but take a processor: how much of the loss is the sharing
   * of one machine. Over what it was without either.
   */
  readonly beside: number;
  readonly startingSeconds: number;
  readonly catchingUpSeconds: number;
  /** The leader had not the entries any more that it lacked. */
  readonly bySnapshot: boolean;
}

const ENTRIES = 100_000;
const CLIENTS = 256;
/** How often a follower goes down and comes back. */
const RETURNS = 3;
const PIECE_SECONDS = 5;
const PAUSE_SECONDS = 60;
/** How long the process that only takes the processor does so. */
const BUSY_MS = 2000;
/** With all nodes up, for comparison. */
const AFTERWARDS_MS = 10_000;
/** Entries by which a follower may lag under load and still be called caught up. */
const BEHIND_MAX = 2_000;

type Say = (line: string) => void;

export async function measureFollowers(cluster: TestCluster, say: Say): Promise<FollowerFigures> {
  await load(await cluster.leader(), PIECE_SECONDS);
  const catchUps: CatchUp[] = [];
  while (catchUps.length < RETURNS) {
    const catchUp = await measureCatchUp(cluster, say);
    catchUps.push(catchUp);
    for (const line of describeCatchUp(catchUp)) say(line);
  }
  return { catchUps, paused: await measurePause(cluster, say) };
}

/** Acknowledged puts a second. */
async function load({ address }: Member, seconds: number): Promise<number> {
  const shape = { operation: "put", clients: CLIENTS, valueBytes: 256, keys: 10_000 } as const;
  return (await runLoad({ ...shape, address, seconds })).operationsPerSecond;
}

async function appliedIndex(member: Member): Promise<number> {
  const deadline = Date.now() + 5_000;
  const status = await callUnary(member.client, Maintenance.method.status, {}, { deadline });
  return Number(status.raftAppliedIndex);
}

/** Some node that doesn't lead. */
async function followerOf(cluster: TestCluster): Promise<Member> {
  const leader = await cluster.leader();
  return cluster.members.find((member) => member !== leader) as Member;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measureCatchUp(cluster: TestCluster, say: Say): Promise<CatchUp> {
  const leader = await cluster.leader();
  const follower = await followerOf(cluster);
  const diedAt = await appliedIndex(leader);
  await cluster.kill(follower.id);
  let answers = 0;
  const ending = new AbortController();
  const shape = { operation: "put", clients: CLIENTS, valueBytes: 256, keys: 10_000 } as const;
  const loading = runLoad({
    ...shape,
    address: leader.address,
    seconds: Number.POSITIVE_INFINITY,
    signal: ending.signal,
    onAnswer: () => {
      answers += 1;
    },
  });
  const mark = (): Mark => ({ atMs: performance.now(), answers });

  await until("the load is under way", () => answers > 1000);
  const killed = mark();
  await until("enough entries are missing", async () => {
    return (await appliedIndex(leader)) >= diedAt + ENTRIES;
  });
  const entriesMissed = (await appliedIndex(leader)) - diedAt;
  const bySnapshot = (await firstIndex(leader)) > diedAt + BEHIND_MAX;
  const missing = mark();
  say(`node ${follower.id} was down: ${rate(perSecond(killed, missing))}`);
  await busyProcess();
  const started = mark();
  cluster.start(follower.id);
  await until("the follower answers", async () => (await appliedIndex(follower)) >= 0);
  const answering = mark();
  await until("the follower has caught up", async () => {
    return (await appliedIndex(follower)) + BEHIND_MAX > (await appliedIndex(leader));
  });
  const caughtUp = mark();
  await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
  const end = mark();
  ending.abort();
  await loading;
  const afterwardsPerSecond = perSecond(caughtUp, end);
  return {
    entriesMissed,
    downPerSecond: perSecond(killed, missing),
    beside: perSecond(missing, started) / perSecond(killed, missing),
    startingPerSecond: perSecond(started, answering),
    catchingUpPerSecond: perSecond(answering, caughtUp),
    afterwardsPerSecond,
    kept: perSecond(started, caughtUp) / afterwardsPerSecond,
    startingSeconds: (answering.atMs - started.atMs) / 1000,
    catchingUpSeconds: (caughtUp.atMs - answering.atMs) / 1000,
    bySnapshot,
  };
}

function busyProcess(): Promise<void> {
  const program = `const until = Date.now() + ${BUSY_MS}; while (Date.now() < until);`;
  const child = spawn(process.execPath, ["-e", program], { stdio: "ignore" });
  return new Promise((resolve) => {
    child.on("exit", () => resolve());
  });
}

interface Mark {
  readonly atMs: number;
  readonly answers: number;
}

function perSecond(from: Mark, to: Mark): number {
  return ((to.answers - from.answers) / (to.atMs - from.atMs)) * 1000;
}

/** Asks again and again; an error counts as no. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await eventually(what, async () => ((await holds()) ? true : undefined), 120_000);
}

/** The first entry that a node's log still holds. */
async function firstIndex({ address }: Member): Promise<number> {
  const transport = createGrpcTransport({ baseUrl: `http://${address}` });
  for await (const { observations } of createClient(ObserverService, transport).observe({})) {
    for (const { body } of observations) {
      if (body.case !== "nodeView") continue;
      const found = Number(body.value.view?.firstIndex ?? 0n);
      // Leaving the loop ends the stream: nothing is told any more while we measure.
      return found;
    }
  }
  throw new Error(`expected a view of ${address}, got none`);
}

/** Linux only: VmRSS, MB. */
function residentMb(member: Member): number {
  const status = readFileSync(`/proc/${member.process?.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function measurePause(cluster: TestCluster, say: Say): Promise<FollowerFigures["paused"]> {
  const leader = await cluster.leader();
  const follower = await followerOf(cluster);
  const before: number[] = [];
  for (let piece = 0; piece < 3; piece += 1) before.push(await load(leader, PIECE_SECONDS));
  const beforeMb = residentMb(leader);
  let mostMb = beforeMb;
  const paused: number[] = [];
  const until = performance.now() + PAUSE_SECONDS * 1000;
  follower.process?.child.kill("SIGSTOP");
  while (performance.now() < until) {
    paused.push(await load(leader, PIECE_SECONDS));
    mostMb = Math.max(mostMb, residentMb(leader));
    say(
      `node ${follower.id} is paused: ${paused.at(-1)?.toFixed(0)} puts a second, ` +
        `the leader has ${residentMb(leader).toFixed(0)} MB`,
    );
  }
  const afterMb = residentMb(leader);
  follower.process?.child.kill("SIGCONT");
  return {
    beforePerSecond: median(before),
    pausedPerSecond: median(paused),
    kept: median(paused) / median(before),
    beforeMb,
    afterMb,
    mostMb,
  };
}

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
const rate = (perSecond: number): string => `${perSecond.toFixed(0)}/s`;

function describeCatchUp(catchUp: CatchUp): string[] {
  return [
    `down for ${catchUp.entriesMissed} entries; its process started in ` +
      `${catchUp.startingSeconds.toFixed(1)} s and caught up in ` +
      `${catchUp.catchingUpSeconds.toFixed(1)} s ` +
      (catchUp.bySnapshot ? "by snapshot" : "WITHOUT a snapshot"),
    `  puts: ${rate(catchUp.downPerSecond)} while it was down, ` +
      `${rate(catchUp.startingPerSecond)} while it started, ` +
      `${rate(catchUp.catchingUpPerSecond)} while it caught up, ` +
      `${rate(catchUp.afterwardsPerSecond)} afterwards, with all up (kept ${percent(catchUp.kept)})`,
    `  beside a process that only takes a processor they keep ${percent(catchUp.beside)}`,
  ];
}

export function describeFollowers({ catchUps, paused }: FollowerFigures): string[] {
  return [
    `while a follower came back the others kept ${percent(median(catchUps.map(({ kept }) => kept)))}, ` +
      `the median of ${catchUps.length}`,
    `paused for ${PAUSE_SECONDS} s`,
    `  puts: ${rate(paused.beforePerSecond)} before, ${rate(paused.pausedPerSecond)} meanwhile ` +
      `(${percent(paused.kept)})`,
    `  the leader's memory: ${paused.beforeMb.toFixed(0)} MB before, ` +
      `${paused.afterMb.toFixed(0)} MB at the end, ${paused.mostMb.toFixed(0)} MB at most`,
  ];
}
