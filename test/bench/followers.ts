/**
 * What a follower costs the others: one that was down for 100,000 entries and catches up by
 * snapshot, and one that is paused for a minute.
 */
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
  readonly catchUp: {
    readonly entriesMissed: number;
    /** Acknowledged puts a second: while it was down, while it caught up, and afterwards. */
    readonly downPerSecond: number;
    readonly catchingUpPerSecond: number;
    readonly afterwardsPerSecond: number;
    /** Catching up over down: the others had as few copies to send as they could. */
    readonly kept: number;
    readonly seconds: number;
    /** Whether a leader's snapshot was received. */
    readonly bySnapshot: boolean;
  };
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

const ENTRIES = 100_000;
const CLIENTS = 256;
const PIECE_SECONDS = 5;
const PAUSE_SECONDS = 60;
/** Entries by which a follower may lag under load and still be called caught up. */
const BEHIND_MAX = 2_000;

type Say = (line: string) => void;

export async function measureFollowers(cluster: TestCluster, say: Say): Promise<FollowerFigures> {
  await load(await cluster.leader(), PIECE_SECONDS);
  return { catchUp: await measureCatchUp(cluster, say), paused: await measurePause(cluster, say) };
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

async function measureCatchUp(cluster: TestCluster, say: Say): Promise<FollowerFigures["catchUp"]> {
  const leader = await cluster.leader();
  const follower = await followerOf(cluster);
  const diedAt = await appliedIndex(leader);
  await cluster.kill(follower.id);
  const down: number[] = [];
  while ((await appliedIndex(leader)) < diedAt + ENTRIES) {
    down.push(await load(leader, PIECE_SECONDS));
    say(`node ${follower.id} is down: ${down.at(-1)?.toFixed(0)} puts a second`);
  }
  const entriesMissed = (await appliedIndex(leader)) - diedAt;

  const back = performance.now();
  cluster.start(follower.id);
  const snapshots = watchSnapshots(follower);
  const caughtUp = eventually(
    "the follower has caught up",
    async () =>
      (await appliedIndex(follower)) + BEHIND_MAX > (await appliedIndex(leader)) ? true : undefined,
    600_000,
  );
  const over = new AbortController();
  const ended = caughtUp.then(() => {
    over.abort();
    return (performance.now() - back) / 1000;
  });
  const catchingUp: number[] = [];
  // The piece in which it ends counts, too.
  do catchingUp.push(await load(leader, 1));
  while (!over.signal.aborted);
  const seconds = await ended;
  const bySnapshot = await snapshots.stop();
  const afterwards = [await load(leader, PIECE_SECONDS), await load(leader, PIECE_SECONDS)];
  const mean = catchingUp.reduce((sum, value) => sum + value, 0) / catchingUp.length;
  return {
    entriesMissed,
    downPerSecond: median(down),
    catchingUpPerSecond: mean,
    afterwardsPerSecond: median(afterwards),
    kept: mean / median(down),
    seconds,
    bySnapshot,
  };
}

/** Whether the node says that it received a snapshot, until it is stopped. */
function watchSnapshots(member: Member): { stop(): Promise<boolean> } {
  const ending = new AbortController();
  let seen = false;
  const transport = createGrpcTransport({ baseUrl: `http://${member.address}` });
  const watching = (async () => {
    while (!ending.signal.aborted) {
      try {
        const stream = createClient(ObserverService, transport).observe(
          {},
          { signal: ending.signal },
        );
        for await (const { observations } of stream) {
          seen ||= observations.some(({ body }) => body.case === "restored");
        }
      } catch {
        // It does not listen yet, or this is the end.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  })();
  return {
    async stop() {
      ending.abort();
      await watching;
      return seen;
    },
  };
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

export function describeFollowers({ catchUp, paused }: FollowerFigures): string[] {
  return [
    `down for ${catchUp.entriesMissed} entries, then caught up in ${catchUp.seconds.toFixed(1)} s ` +
      (catchUp.bySnapshot ? "by snapshot" : "WITHOUT a snapshot"),
    `  puts: ${rate(catchUp.downPerSecond)} while it was down, ` +
      `${rate(catchUp.catchingUpPerSecond)} while it caught up ` +
      `(${percent(catchUp.kept)}), ${rate(catchUp.afterwardsPerSecond)} afterwards`,
    `paused for ${PAUSE_SECONDS} s`,
    `  puts: ${rate(paused.beforePerSecond)} before, ${rate(paused.pausedPerSecond)} meanwhile ` +
      `(${percent(paused.kept)})`,
    `  the leader's memory: ${paused.beforeMb.toFixed(0)} MB before, ` +
      `${paused.afterMb.toFixed(0)} MB at the end, ${paused.mostMb.toFixed(0)} MB at most`,
  ];
}
