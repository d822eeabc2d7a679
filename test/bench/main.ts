/**
 * `pnpm bench`: three durable nodes as processes under load; with `--against etcd`, etcd's own
 * three processes beside them, alternating round by round, and the ratios.
 */
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCluster, type TestCluster } from "../processes/cluster.ts";
import { benchCore, describeCore } from "./core.ts";
import { startEtcd, type EtcdCluster } from "./etcd.ts";
import { measureFailover } from "./failover.ts";
import { describeFollowers, measureFollowers } from "./followers.ts";
import { benchHistory } from "./history.ts";
import { measureMemory } from "./memory.ts";
import { measureObservers } from "./observers.ts";
import { median, runLoad, type LoadResult, type Operation } from "./load.ts";

const HELP = `pnpm bench [options]: throughput and latency of three durable nodes

  --against etcd    run etcd's own three processes in the same run, and print ratios
  --clients LIST    clients at a time (default 1,64,256,1000)
  --operations LIST put, get (default put,get)
  --seconds S       of each measurement (default 4)
  --rounds N        alternating rounds; the median counts (default 3)
  --no-failover     leave out the failover measurement
  --memory          instead: resident memory, idle and after a million puts
  --followers       instead: what a follower costs that was down, or that is paused
  --observers       instead: what a page that watches costs the nodes
  --core            instead: the core alone, in memory, three nodes in one process
  --history         instead: how long raft-client check-history takes, good histories and bad
  --seeds N         of each kind of history (default 1)
  --only TEXT       only the histories with this in their names
  --json            one JSON document on standard output`;

const { values } = parseArgs({
  options: {
    against: { type: "string" },
    clients: { type: "string", default: "1,64,256,1000" },
    operations: { type: "string", default: "put,get" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    "no-failover": { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    followers: { type: "boolean", default: false },
    observers: { type: "boolean", default: false },
    core: { type: "boolean", default: false },
    history: { type: "boolean", default: false },
    seeds: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

interface Row {
  readonly operation: Operation;
  readonly clients: number;
  readonly raftarium: LoadResult;
  readonly etcd: LoadResult | null;
  /** Raftarium's throughput over etcd's, and its p50 over etcd's. */
  readonly throughputRatio: number | null;
  readonly p50Ratio: number | null;
}

const say = (line: string): void => {
  if (!values.json) process.stdout.write(`${line}\n`);
};

const show = ({ operationsPerSecond, p50Ms, p99Ms, errors }: LoadResult): string =>
  `${operationsPerSecond.toFixed(0).padStart(7)}/s  p50 ${p50Ms.toFixed(2).padStart(7)} ms  ` +
  `p99 ${p99Ms.toFixed(2).padStart(7)} ms${errors > 0 ? `  ${errors} errors` : ""}`;

async function measure(ours: TestCluster, etcd: EtcdCluster | null): Promise<Row[]> {
  const rows: Row[] = [];
  const leader = await ours.leader();
  const seconds = Number(values.seconds);
  const shape = { seconds, valueBytes: 256, keys: 10_000 };
  // Once for both, so that nobody is measured cold.
  const addresses = [leader.address, ...(etcd === null ? [] : [etcd.leaderAddress])];
  for (const address of addresses) {
    await runLoad({ ...shape, address, operation: "put", clients: 64 });
  }
  for (const operation of values.operations.split(",") as Operation[]) {
    for (const clients of values.clients.split(",").map(Number)) {
      const mine: LoadResult[] = [];
      const theirs: LoadResult[] = [];
      for (let round = 0; round < Number(values.rounds); round += 1) {
        mine.push(await runLoad({ ...shape, address: leader.address, operation, clients }));
        if (etcd === null) continue;
        theirs.push(await runLoad({ ...shape, address: etcd.leaderAddress, operation, clients }));
      }
      const raftarium = median(mine);
      const other = etcd === null ? null : median(theirs);
      const row: Row = {
        operation,
        clients,
        raftarium,
        etcd: other,
        throughputRatio: other && raftarium.operationsPerSecond / other.operationsPerSecond,
        p50Ratio: other && raftarium.p50Ms / other.p50Ms,
      };
      rows.push(row);
      say(`${operation} ${String(clients).padStart(4)} clients  raftarium ${show(raftarium)}`);
      if (other !== null) {
        say(`                   etcd      ${show(other)}`);
        say(
          `                   ratio     throughput ${row.throughputRatio?.toFixed(2)}, ` +
            `p50 ${row.p50Ratio?.toFixed(2)}`,
        );
      }
    }
  }
  return rows;
}

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  if (values.against !== undefined && values.against !== "etcd") {
    throw new Error(`--against: expected etcd, got ${values.against}`);
  }
  if (values.core) {
    const figures = benchCore();
    for (const line of describeCore(figures)) say(line);
    if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
    return;
  }
  if (values.history) {
    const rows = await benchHistory({ seeds: Number(values.seeds), only: values.only }, say);
    if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const directory = join(process.cwd(), ".raftarium", `bench-${process.pid}`);
  say(`${cpus().length} x ${cpus()[0]?.model ?? "?"}, Node.js ${process.version}, fdatasync on`);
  if (values.observers) {
    await observers(directory);
    return;
  }
  let ours: TestCluster | null = null;
  let etcd: EtcdCluster | null = null;
  try {
    ours = await startCluster(join(directory, "raftarium"), 3, { log: { level: "warn" } });
    if (values.memory) {
      const figures = await measureMemory(ours, say);
      say(
        `idle ${megabytes(figures.idleMb)}, after ${figures.puts} puts ${megabytes(figures.loadedMb)}`,
      );
      if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
      return;
    }
    if (values.followers) {
      const figures = await measureFollowers(ours, say);
      for (const line of describeFollowers(figures)) say(line);
      if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
      return;
    }
    if (values.against === "etcd") etcd = await startEtcd(join(directory, "etcd"), 3);
    const rows = await measure(ours, etcd);
    const failover = values["no-failover"] ? null : await measureFailover(ours);
    if (failover !== null) {
      say(
        `failover: SIGKILL of the leader to the next acknowledged write: ` +
          `${failover.gapsMs.map((gap) => gap.toFixed(0)).join(", ")} ms ` +
          `(longest election timeout ${failover.electionTimeoutMsMax} ms)`,
      );
    }
    if (values.json) process.stdout.write(`${JSON.stringify({ rows, failover }, null, 2)}\n`);
  } finally {
    await ours?.close();
    await etcd?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const megabytes = (values: readonly number[]): string =>
  `${values.map((mb) => mb.toFixed(0)).join(", ")} MB`;

async function observers(directory: string): Promise<void> {
  try {
    const figures = await measureObservers(directory, [64, 256]);
    for (const { clients, alone, watched, ratio, told, omitted, gaps } of figures) {
      say(`put ${String(clients).padStart(4)} clients  alone   ${show(alone)}`);
      say(`                  watched ${show(watched)}`);
      say(
        `                  ratio   ${ratio.toFixed(2)} ` +
          `(${told} told, ${omitted} only counted, ${gaps} gaps)`,
      );
    }
    if (values.json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
