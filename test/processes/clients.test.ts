/** Clients as people have them, as processes: raft-client, and etcd's own where it is installed. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleNode, startCluster, type TestCluster } from "./cluster.ts";
import { end, eventually, freePorts, run, type Running } from "./spawn.ts";

const directory = mkdtempSync(join(tmpdir(), "raftarium-clients-"));
const program = join(import.meta.dirname, "../../apps/cli/src/main.ts");
const etcdctlInstalled = spawnSync("etcdctl", ["version"]).status === 0;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(join(directory, "cluster"), 3);
  await cluster.leader();
});

afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly exitCode: number | string;
  readonly output: string;
}

async function finish(running: Running): Promise<Ended> {
  running.child.stdin?.end();
  const exitCode = await running.ended;
  return { exitCode, output: running.output() };
}

function endpoints(): string {
  return cluster.members.map(({ address }) => address).join(",");
}

function raftClient(...argv: string[]): Promise<Ended> {
  return finish(run(process.execPath, [program, "--endpoints", endpoints(), ...argv]));
}

describe("raft-client", () => {
  test("adds a key and gets it, by any node", async () => {
    expect(await raftClient("--action", "add", "--key", "K", "--value", "V")).toEqual({
      exitCode: 0,
      output: "OK\n",
    });
    for (const { address } of cluster.members) {
      const argv = [program, "--endpoints", address, "--action", "get", "--key", "K"];
      expect(await finish(run(process.execPath, argv))).toEqual({ exitCode: 0, output: "V\n" });
    }
  });

  test("writes on after the leader's crash, and what was written is there", async () => {
    const crashed = await cluster.leader();
    expect((await raftClient("put", "before", "1")).exitCode).toBe(0);
    await cluster.kill(crashed.id);
    // Whoever is asked first: a dead node, or a follower that has yet to find a leader.
    expect(await raftClient("put", "after", "2")).toEqual({ exitCode: 0, output: "OK\n" });
    expect((await raftClient("get", "before")).output).toBe("1\n");
    cluster.start(crashed.id);
    await cluster.leader();
  });

  test("says that nothing was done while no majority runs, and never that all is well", async () => {
    const [first, second] = cluster.members.map(({ id }) => id);
    await cluster.kill(first as number);
    await cluster.kill(second as number);
    const put = await raftClient("--timeout", "3s", "put", "lonely", "1");
    // The last node may have been the leader: then the write is in its log, its fate open.
    expect([1, 2]).toContain(put.exitCode);
    const get = await raftClient("--timeout", "3s", "get", "before");
    expect(get.exitCode).toBe(1);
    const stale = await raftClient("get", "--serializable", "before");
    expect(stale).toEqual({ exitCode: 0, output: "1\n" });
    cluster.start(first as number);
    cluster.start(second as number);
    await cluster.leader();
    // If it was said to be undone, it is; if its fate was open, the state tells.
    const found = await raftClient("get", "lonely");
    if (put.exitCode === 1) expect(found.output).toContain("no such key");
    else expect(found.output).toMatch(/^1\n$|no such key/);
  });

  test("brings a node in as a learner, makes it a voter, and takes it out again", async () => {
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const place = join(directory, "joining");
    mkdirSync(place);
    const config = join(place, "node4.yaml");
    const peers = cluster.members.map(({ id, address: of }) => ({ id, address: of }));
    const dataDir = join(place, "data");
    const settings = { cluster: "test", id: 4, listen: address, dataDir, peers, join: true };
    writeFileSync(config, stringify(settings));

    await raftClient("put", "joined", "yes");
    const added = await raftClient("member", "add", address, "--id", "4", "--learner");
    expect(added.output).toMatch(/^4 +node-4 +http:\S+ +learner$/m);
    const joining = run(process.execPath, [await bundleNode(place), "--config", config]);
    try {
      const alone = ["--endpoints", address, "get", "--serializable", "joined"];
      await eventually("the learner has what was written before it came", async () => {
        const { output } = await finish(run(process.execPath, [program, ...alone]));
        return output === "yes\n" ? true : undefined;
      });
      const promoted = await eventually("the learner is promoted", async () => {
        const attempt = await raftClient("member", "promote", "4");
        return attempt.exitCode === 0 ? attempt : undefined;
      });
      expect(promoted.output).toMatch(/^4 +node-4 +http:\S+ +voter$/m);
      const status = await raftClient("--endpoints", address, "status");
      expect(status.output).toMatch(/ 4 +(follower|leader) /);
      const removed = await raftClient("member", "remove", "4");
      expect([removed.exitCode, removed.output]).toEqual([0, expect.not.stringMatching(/^4 /m)]);
    } finally {
      await end(joining);
    }
    expect((await raftClient("put", "joined", "no longer")).exitCode).toBe(0);
  });

  test("takes a voter at once, by joint consensus; what could not go on is refused", async () => {
    const refused = async (...argv: string[]): Promise<string> => {
      const { exitCode, output } = await raftClient("member", ...argv);
      expect(exitCode, argv.join(" ")).toBe(1);
      return output;
    };
    const [port = 0] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const leader = await cluster.leader();
    const [dead = 0, alive = 0] = cluster.members
      .map(({ id }) => id)
      .filter((id) => id !== leader.id);
    expect(await refused("remove", "99")).toContain("member not found");
    expect(await refused("promote", `${alive}`)).toContain("can only promote a learner");
    expect(await refused("add", leader.address)).toContain("Peer URLs already exists");
    expect(await refused("add", "nonsense")).toContain("member URLs are invalid");
    // A learner that is not even there has not caught up.
    const learner = await raftClient("member", "add", address, "--learner");
    const id = /^(\d+) .* learner$/m.exec(learner.output)?.[1] ?? "";
    expect(await refused("promote", id)).toContain("in sync with leader");
    expect((await raftClient("move-leader", id)).output).toContain("bad leader transferee");
    expect((await raftClient("member", "remove", id)).exitCode).toBe(0);

    await cluster.kill(dead);
    // One counts as running until it was silent for the shortest election timeout.
    const missedMs = performance.now() + 1000;
    await eventually("it is missed", () => (performance.now() > missedMs ? true : undefined));
    expect(await refused("add", address)).toContain("2 of the 4 voters would run");
    expect(await refused("remove", `${alive}`)).toContain("1 of the 2 voters would run");
    cluster.start(dead);
    await cluster.leader();
    // Three of four go on without the one that is not there yet.
    const added = await eventually("all three are heard", async () => {
      const attempt = await raftClient("member", "add", address);
      return attempt.exitCode === 0 ? attempt : undefined;
    });
    expect(added.output).toMatch(/ voter$/m);
    const voter = /^(\d+) .*$/m.exec(added.output.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? "";
    expect(Number(voter)).toBeGreaterThan(Number(id));
    expect((await raftClient("put", "joint", "yes")).exitCode).toBe(0);
    expect((await raftClient("member", "remove", voter)).exitCode).toBe(0);

    // Any change at once, here and back: one votes, and the leader is not the one.
    const lonely = await raftClient("member", "voters", `${alive}`);
    expect(lonely.output.match(/ learner$/gm)).toHaveLength(2);
    expect((await cluster.leader()).id).toBe(alive);
    expect((await raftClient("put", "lonely", "yes")).exitCode).toBe(0);
    expect(await refused("voters", "99")).toContain("member not found");
    await eventually("all vote again", async () => {
      const { exitCode } = await raftClient("member", "voters", "1,2,3");
      return exitCode === 0 ? true : undefined;
    });
    const other = (await cluster.leader()).id === alive ? dead : alive;
    expect(await raftClient("move-leader", `${other}`)).toEqual({
      exitCode: 0,
      output: `Node ${other} leads.\n`,
    });
  });
});

describe.skipIf(!etcdctlInstalled)("etcdctl", () => {
  async function etcdctl(argv: string[], input?: string): Promise<string> {
    const running = run("etcdctl", ["--endpoints", endpoints(), ...argv]);
    if (input !== undefined) running.child.stdin?.write(input);
    const { exitCode, output } = await finish(running);
    expect([exitCode, output]).toEqual([0, output]);
    return output;
  }

  test("puts, gets, deletes, compacts and compares", async () => {
    expect(await etcdctl(["put", "ctl/fruit", "pear"])).toBe("OK\n");
    expect(await etcdctl(["put", "--prev-kv", "ctl/fruit", "apple"])).toBe("OK\nctl/fruit\npear\n");
    expect(await etcdctl(["get", "--prefix", "ctl/"])).toBe("ctl/fruit\napple\n");
    const input = 'value("ctl/fruit") = "apple"\n\nput ctl/fruit fig\n\nget ctl/fruit\n\n';
    expect(await etcdctl(["txn"], input)).toContain("SUCCESS\n\nOK\n");
    expect(await etcdctl(["del", "--prefix", "ctl/"])).toBe("1\n");
    expect(await etcdctl(["compaction", "2"])).toBe("compacted revision 2\n");
  });

  test("sees members, status and health, and moves the leader", async () => {
    expect((await etcdctl(["member", "list"])).trimEnd().split("\n")).toHaveLength(3);
    const [, ...rows] = JSON.parse(await etcdctl(["endpoint", "status", "-w", "json"])) as {
      readonly Status: { readonly leader: number; readonly version: string };
    }[];
    expect(rows).toHaveLength(2);
    expect(await etcdctl(["endpoint", "health"])).toMatch(/(is healthy[^]*){3}/);
    const leader = await cluster.leader();
    const target = cluster.members.find(({ id }) => id !== leader.id)?.id ?? 0;
    expect(await etcdctl(["move-leader", String(target)])).toBe(
      `Leadership transferred from ${leader.id} to ${target}\n`,
    );
    expect((await cluster.leader()).id).toBe(target);
  });
});
