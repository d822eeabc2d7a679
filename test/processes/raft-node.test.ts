/** raft-node as a person starts it by hand: no playground at all. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Metadata, credentials, status as Status, type ServiceError } from "@grpc/grpc-js";
import { KV, Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster, type Member, type TestCluster } from "./cluster.ts";
import { eventually, freePorts, run } from "./spawn.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const main = join(import.meta.dirname, "../../apps/node/src/main.ts");

let directory: string;
let metricsAddress: string;
let cluster: TestCluster;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-node-"));
  const [port = 0] = await freePorts(1);
  metricsAddress = `127.0.0.1:${port}`;
  cluster = await startCluster(directory, 3);
  await cluster.leader();
});

afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

/** How a process that does not stay ends: its code and what it said. */
async function failing(args: readonly string[]): Promise<{ code: unknown; said: string }> {
  const running = run(process.execPath, [main, ...args]);
  const code = await running.ended;
  return { code, said: running.output() };
}

function configOf(member: Member, change: (text: string) => string): string {
  const file = join(directory, `changed-${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, change(readFileSync(member.config, "utf8")));
  return file;
}

/** Raw bytes to a method, whatever they are. */
function callRaw(client: Client, path: string, request: Buffer): Promise<ServiceError | Buffer> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (sent: Buffer) => sent,
      (answer: Buffer) => answer,
      request,
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error, answer) => resolve(error ?? answer ?? Buffer.alloc(0)),
    );
  });
}

/** Linux, and with CAP_SYS_NICE: elsewhere nothing is lowered that could not be raised again. */
function mayRaisePriority(): boolean {
  if (process.platform !== "linux") return false;
  try {
    setPriority(1);
    setPriority(0);
    return true;
  } catch {
    return false;
  }
}

/** Of all threads of a member's process: nice values, 0 is normal and 19 the lowest. */
function niceness({ process: running }: Member): Set<number> {
  const threads = `/proc/${running?.pid}/task`;
  return new Set(
    readdirSync(threads).map((thread) => {
      const stat = readFileSync(join(threads, thread, "stat"), "utf8");
      // proc_pid_stat(5): the 19th field, of which two stand before the closing bracket.
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
    }),
  );
}

describe("a cluster by hand", () => {
  test("SIGTERM hands leadership over, leaves cleanly, and loses nothing", async () => {
    const leader = await cluster.leader();
    await callUnary(leader.client, KV.method.put, { key: bytes("kept"), value: bytes("yes") });
    leader.process?.child.kill("SIGTERM");
    expect(await leader.process?.ended).toBe(0);
    leader.process = null;
    const next = await cluster.leader();
    const { kvs } = await callUnary(next.client, KV.method.range, { key: bytes("kept") });
    expect(kvs.map(({ value }) => new TextDecoder().decode(value))).toEqual(["yes"]);
    cluster.start(leader.id);
    const lastIndex = (await callUnary(next.client, Maintenance.method.status, {})).raftIndex;
    await eventually("the node to have caught up", async () => {
      const status = await callUnary(leader.client, Maintenance.method.status, {});
      return status.raftAppliedIndex >= lastIndex ? true : undefined;
    });
  });

  test.skipIf(!mayRaisePriority())("a node that comes back gives way, then not", async () => {
    const follower = cluster.members.find((member) => member.process !== null) as Member;
    const normal = () => {
      const found = niceness(follower);
      return (found.size === 1 && found.has(0)) || undefined;
    };
    await eventually("nothing to catch up with", normal);
    await cluster.kill(follower.id);
    cluster.start(follower.id);
    await eventually("the lowest priority", () => niceness(follower).has(19) || undefined);
    await eventually("every thread's own priority", normal);
    await cluster.leader();
  });

  test("a second process on one data directory ends at once, and the first goes on", async () => {
    const member = cluster.member(1);
    const config = configOf(member, (text) => text.replace(/listen: .*/, "listen: 127.0.0.1:0"));
    const { code, said } = await failing(["--config", config]);
    expect(code).toBe(1);
    expect(said).toContain("another process uses it");
    await callUnary(member.client, Maintenance.method.status, {});
  });

  test("a port in use is told with its address", async () => {
    const member = cluster.member(2);
    const config = configOf(member, (text) =>
      text.replace(/dataDir: .*/, `dataDir: ${join(directory, "elsewhere")}`),
    );
    const { code, said } = await failing(["--config", config]);
    expect(code).toBe(1);
    expect(said).toContain(`expected to listen on ${member.address}, but another process listens`);
  });

  test("a port in use for metrics is told, too", async () => {
    const member = cluster.member(2);
    const config = configOf(
      member,
      (text) =>
        text
          .replace(/dataDir: .*/, `dataDir: ${join(directory, "metrics")}`)
          .replace(/listen: .*/, "listen: 127.0.0.1:0") +
        `metrics: { listen: ${member.address} }\n`,
    );
    const { code, said } = await failing(["--config", config]);
    expect(code).toBe(1);
    expect(said).toContain(`expected to serve metrics on ${member.address}, but another process`);
  });

  test("the data directory of another node is refused, and left as it is", async () => {
    const member = cluster.member(3);
    await cluster.kill(3);
    const starts = (): string =>
      readFileSync(join(/^dataDir: (.*)$/m.exec(text)?.[1] ?? "", "incarnation"), "utf8");
    const text = readFileSync(member.config, "utf8");
    const before = starts();
    const config = configOf(member, (own) => own.replace(/^id: 3$/m, "id: 2"));
    const { code, said } = await failing(["--config", config]);
    const after = starts();
    cluster.start(3);
    expect(code).toBe(1);
    expect(said).toContain('expected files of node 2 of cluster "test"');
    expect(after).toBe(before);
  });

  test("mistakes in the configuration are named, and exit with 64", async () => {
    const member = cluster.member(1);
    const config = configOf(member, (text) =>
      `${text}colour: red\n`.replace(/^id: 1$/m, "id: one"),
    );
    const { code, said } = await failing(["--config", config]);
    expect(code).toBe(64);
    expect(said).toContain('id: expected a whole number from 1 to 2^53 - 1, got "one"');
    expect(said).toContain("colour: unknown key; expected one of cluster,");
    expect((await failing([])).said).toContain("expected --config FILE");
  });
});

describe("bad requests", () => {
  test("a value over the limit is refused, and nothing is written", async () => {
    const { client } = await cluster.leader();
    const before = await callUnary(client, KV.method.range, { key: bytes("large") });
    const put = callUnary(client, KV.method.put, {
      key: bytes("large"),
      value: new Uint8Array(2 * 1024 * 1024),
    });
    await expect(put).rejects.toMatchObject({
      code: Status.INVALID_ARGUMENT,
      details: "etcdserver: request is too large",
    });
    const after = await callUnary(client, KV.method.range, { key: bytes("large") });
    expect(after.header?.revision).toBe(before.header?.revision);
    expect(after.kvs).toEqual([]);
  });

  test("an answer may be larger than any request", async () => {
    const leader = await cluster.leader();
    const value = new Uint8Array(1024 * 1024);
    for (const digit of "0123456789") {
      await callUnary(leader.client, KV.method.put, { key: bytes(`many-${digit}`), value });
    }
    const client = new Client(leader.address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
    });
    const many = { key: bytes("many-"), rangeEnd: bytes("many.") };
    const { kvs } = await callUnary(client, KV.method.range, many);
    client.close();
    expect(kvs.filter((kv) => kv.value.length === value.length)).toHaveLength(10);
  });

  test("an empty key is refused as etcd does", async () => {
    const { client } = await cluster.leader();
    const put = callUnary(client, KV.method.put, { key: bytes(""), value: bytes("x") });
    await expect(put).rejects.toMatchObject({ details: "etcdserver: key is not provided" });
  });

  test("bytes that are no message are refused, and the node goes on", async () => {
    const { client } = await cluster.leader();
    for (const request of [Buffer.from([0xff, 0xff, 0xff]), Buffer.from([0x0a, 0x7f, 0x01])]) {
      const answer = await callRaw(client, "/etcdserverpb.KV/Put", request);
      expect(answer).toHaveProperty("code");
    }
    const unknown = await callRaw(client, "/etcdserverpb.KV/Nonsense", Buffer.alloc(0));
    expect(unknown).toMatchObject({ code: Status.UNIMPLEMENTED });
    await callUnary(client, KV.method.put, { key: bytes("alive"), value: bytes("yes") });
  });
});

test("metrics are served where the configuration says", async () => {
  const member = cluster.member(2);
  await cluster.kill(2);
  writeFileSync(
    member.config,
    `${readFileSync(member.config, "utf8")}metrics: { listen: ${metricsAddress} }\n`,
  );
  cluster.start(2);
  await eventually("metrics of a node that has applied something", async () => {
    const text = await (await fetch(`http://${metricsAddress}/metrics`)).text();
    return Number(/^raftarium_applied_index (\d+)$/m.exec(text)?.[1]) > 0 ? true : undefined;
  });
});
