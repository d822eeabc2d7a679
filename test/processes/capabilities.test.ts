/** What a node's configuration can ask of the core, in real processes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceError } from "@grpc/grpc-js";
import { KV, Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { startCluster, type Member, type TestCluster } from "./cluster.ts";
import { eventually } from "./spawn.ts";

let directory: string;
let cluster: TestCluster;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-capabilities-"));
});

afterEach(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function put({ client }: Member, key: string, value: Uint8Array): Promise<unknown> {
  return callUnary(client, KV.method.put, { key: bytes(key), value });
}

async function get({ client }: Member, key: string): Promise<string | undefined> {
  const { kvs } = await callUnary(client, KV.method.range, { key: bytes(key) });
  return kvs[0] === undefined ? undefined : new TextDecoder().decode(kvs[0].value);
}

test("the leader hands over to a node of higher priority, also when that was away", async () => {
  // Ten of the longest election timeouts are four seconds.
  const timing = { heartbeatMs: 30, electionTimeoutMinMs: 200, electionTimeoutMaxMs: 400 };
  cluster = await startCluster(join(directory, "cluster"), 3, { timing });
  const preferred = cluster.members.find((member) => member.id === 2) as Member;
  await cluster.leader();
  await cluster.kill(2);
  const config = parse(readFileSync(preferred.config, "utf8")) as object;
  writeFileSync(preferred.config, stringify({ ...config, features: { priority: 1 } }));
  cluster.start(2);
  const leads = async (): Promise<true | undefined> =>
    (await cluster.leader()) === preferred ? true : undefined;
  await eventually("node 2 leads", leads, 60_000);
  await put(preferred, "k", bytes("v"));
  for (const member of cluster.members) expect(await get(member, "k")).toBe("v");
});

test("with lease reads every node reads what was acknowledged, also after the leader died", async () => {
  cluster = await startCluster(join(directory, "cluster"), 3, { features: { leaseReads: true } });
  const first = await cluster.leader();
  for (let count = 0; count < 20; count += 1) {
    await put(first, "k", bytes(`${count}`));
    for (const member of cluster.members) expect(await get(member, "k")).toBe(`${count}`);
  }
  await cluster.kill(first.id);
  const second = await cluster.leader();
  expect(second.id).not.toBe(first.id);
  await put(second, "k", bytes("after"));
  for (const member of cluster.members) {
    if (member !== first) expect(await get(member, "k")).toBe("after");
  }
});

test("what can't be committed is refused beyond the limit, and taken again afterwards", async () => {
  const limits = { uncommittedBytesMax: 4096 };
  cluster = await startCluster(join(directory, "cluster"), 3, { limits });
  const leader = await cluster.leader();
  const others = cluster.members.filter((member) => member !== leader);
  for (const { process } of others) process?.child.kill("SIGSTOP");
  const value = new Uint8Array(1000);
  const attempts = Array.from({ length: 20 }, (_, at) => put(leader, `k${at}`, value));
  const errors = await Promise.all(
    attempts.map((attempt) =>
      attempt.then(
        () => null,
        (error: unknown) => error as ServiceError,
      ),
    ),
  );
  for (const { process } of others) process?.child.kill("SIGCONT");
  const refused = errors.filter((error) => error?.details === "etcdserver: too many requests");
  // Some are in the log, and nobody knows of them; the rest is refused, and did nothing.
  expect(refused.length).toBeGreaterThanOrEqual(15);
  for (const error of refused) {
    expect(error?.metadata.get("raftarium-outcome")).toEqual(["failed"]);
  }
  const next = await eventually("a leader", () => cluster.leader());
  await eventually("writes are taken again", () =>
    put(next, "again", value).then(
      () => true,
      () => undefined,
    ),
  );
  const status = await callUnary(next.client, Maintenance.method.status, {});
  expect(status.leader).not.toBe(0n);
});
