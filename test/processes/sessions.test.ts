/** Exactly-once with real processes: leaders die and freeze under writes that are sent again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { createRaftClient, openSession } from "@raftarium/client";
import type { RaftClient, WriteSession } from "@raftarium/client";
import { KV } from "@raftarium/protocol/etcd";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type TestCluster } from "./cluster.ts";
import { run } from "./spawn.ts";

const WRITERS = 8;
/** Killed, then frozen, turn by turn. */
const TURNS = 4;

const directory = mkdtempSync(join(tmpdir(), "raftarium-sessions-"));
const managers: Http2SessionManager[] = [];
let cluster: TestCluster;
let client: RaftClient;

beforeAll(async () => {
  // Snapshots often: what they hold of the sessions counts as much as what the log holds.
  const limits = { snapshotEntries: 100, trailingEntries: 10 };
  cluster = await startCluster(join(directory, "cluster"), 3, { limits });
  await cluster.leader();
  client = createRaftClient({
    timeoutMs: 60_000,
    readAttemptMs: 1000,
    endpoints: cluster.members.map(({ address: name }) => {
      const baseUrl = `http://${name}`;
      const sessionManager = new Http2SessionManager(baseUrl);
      managers.push(sessionManager);
      return { name, transport: createGrpcTransport({ baseUrl, sessionManager }) };
    }),
  });
});

afterAll(async () => {
  for (const manager of managers) manager.abort();
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function opened(): Promise<WriteSession> {
  const outcome = await openSession(client);
  if (outcome.outcome !== "ok") throw new Error(outcome.message);
  return outcome.value;
}

/** How often each key was put. */
async function versions(prefix: string): Promise<number[]> {
  const key = bytes(`${prefix}/`);
  const answer = await client.range({ key, rangeEnd: bytes(`${prefix}0`) });
  if (answer.outcome !== "ok") throw new Error(answer.message);
  return answer.value.kvs.map(({ version }) => Number(version));
}

test("what is sent again is carried out once, whatever happens to the leader", async () => {
  const session = await opened();
  const stopping = new AbortController();
  let repeated = 0;
  const counts = Array.from({ length: WRITERS }, () => 0);
  const writing = counts.map(async (_, writer) => {
    while (!stopping.signal.aborted) {
      const put = await session.put({ key: bytes(`w/${writer}`), value: bytes("x") });
      if (put.outcome !== "ok") throw new Error(`${put.outcome}: ${put.message}`);
      counts[writer] = (counts[writer] ?? 0) + 1;
      if (put.attempts > 1) repeated += 1;
    }
  });
  for (let turn = 0; turn < TURNS; turn += 1) {
    const before = counts.reduce((sum, count) => sum + count, 0);
    const leader = await cluster.leader();
    await expect
      .poll(() => counts.reduce((sum, count) => sum + count, 0), { timeout: 30_000 })
      .toBeGreaterThan(before + 100);
    if (turn % 2 === 0) {
      await cluster.kill(leader.id);
      cluster.start(leader.id);
    } else {
      leader.process?.child.kill("SIGSTOP");
      const after = counts.reduce((sum, count) => sum + count, 0);
      await expect
        .poll(() => counts.reduce((sum, count) => sum + count, 0), { timeout: 30_000 })
        .toBeGreaterThan(after + WRITERS);
      leader.process?.child.kill("SIGCONT");
    }
  }
  stopping.abort();
  await Promise.all(writing);
  expect(await versions("w")).toEqual(counts);
  expect(repeated).toBeGreaterThan(0);
});

test("an answer outlives all processes, in the log and in the snapshot", async () => {
  const session = await opened();
  const other = await opened();
  const first = await session.put({ key: bytes("s/1"), value: bytes("x"), prevKv: true });
  if (first.outcome !== "ok") throw new Error(first.message);
  // Enough for a snapshot behind which the session's entry is gone.
  for (let count = 0; count < 250; count += 1) {
    await other.put({ key: bytes("noise"), value: bytes(`${count}`) });
  }
  for (const { id } of cluster.members) await cluster.kill(id);
  for (const { id } of cluster.members) cluster.start(id);
  await cluster.leader();
  const headers = {
    "raftarium-session": `${session.id}`,
    "raftarium-sequence": "1",
    "raftarium-answered": "0",
  };
  const request = { key: bytes("s/1"), value: bytes("x"), prevKv: true };
  const again = await client.call(KV.method.put, request, "repeatable", { headers });
  expect(again).toMatchObject({ outcome: "ok" });
  if (again.outcome !== "ok") return;
  expect(again.value.header?.revision).toBe(first.value.header?.revision);
  expect(again.value.prevKv).toBeUndefined();
  expect(await versions("s")).toEqual([1]);
});

test("raft-client writes once on request", async () => {
  const program = join(import.meta.dirname, "../../apps/cli/src/main.ts");
  const endpoints = cluster.members.map(({ address }) => address).join(",");
  const asked = run(process.execPath, [
    program,
    "--endpoints",
    endpoints,
    "put",
    "--once",
    "c/1",
    "x",
  ]);
  asked.child.stdin?.end();
  expect([await asked.ended, asked.output()]).toEqual([0, "OK\n"]);
  expect(await versions("c")).toEqual([1]);
});
