/**
 * Members that come and go while clients write. Real processes and real time: not deterministic;
 * how long anything took is printed, and judged by what an election took in the same run.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Cluster, KV, Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { startCluster, type TestCluster } from "./cluster.ts";
import { expectShortWindows } from "./leaderless.ts";
import { startPlayground, type NodeStatus, type Playground } from "./playground.ts";
import { eventually } from "./spawn.ts";
import { Pulse, Writers } from "./writers.ts";

const started: { close(): Promise<void> }[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.close()));
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true, force: true });
  }
});

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-members-"));
  directories.push(directory);
  return directory;
}

async function start(...args: string[]): Promise<Playground> {
  const playground = await startPlayground(["--speed", "1", ...args]);
  started.push(playground);
  return playground;
}

/** A change of the members may take as long as a busy machine needs. */
function change(playground: Playground, method: string, body: object = {}) {
  return playground.call<{ nodeId: string }>(method, body, 60_000);
}

async function ids(playground: Playground): Promise<string[]> {
  return (await playground.nodes()).map(({ id }) => id);
}

async function refused(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "it was not refused",
    (error: Error) => error.message,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

test("a cluster of one grows to five and shrinks to three while clients write", async () => {
  const playground = await start("--nodes", "1");
  const writers = new Writers(playground, "grow", 8);
  const pulse = new Pulse(emptyDirectory());
  await writers.more(20);
  const begunMs = performance.now();
  for (const expected of ["2", "3", "4", "5"]) {
    expect((await change(playground, "AddNode")).nodeId).toBe(expected);
    await writers.more(20);
  }
  const grownMs = performance.now();
  expect(await ids(playground)).toEqual(["1", "2", "3", "4", "5"]);
  const roles = async () => (await playground.nodes()).map(({ role }) => role);
  expect((await roles()).filter((role) => role === "ROLE_FOLLOWER")).toHaveLength(4);

  // The leader first: it hands over.
  const first = await playground.leader();
  await change(playground, "RemoveNode", { nodeId: first.id });
  const next = await playground.leader([first.id]);
  await writers.more(20);
  const other = (await ids(playground)).find((id) => id !== next.id) ?? "";
  await change(playground, "RemoveNode", { nodeId: other });
  await writers.more(20);
  const longestMs = writers.longestSilence(begunMs);
  const pauseMs = pulse.longestPause(begunMs);

  // The yardstick: a leader that is killed, so that an election timeout must pass.
  const victim = await playground.leader();
  const crashedMs = performance.now();
  await playground.call("CrashNode", { nodeId: victim.id });
  await playground.leader([victim.id]);
  await writers.more(20);
  const electionMs = writers.longestSilence(crashedMs);
  await playground.call("RestartNode", { nodeId: victim.id });
  await writers.stop();
  await pulse.stop();

  print(
    `grew to five in ${Math.round(grownMs - begunMs)} ms; at most ${Math.round(longestMs)} ms ` +
      `without an acknowledged write, ${Math.round(electionMs)} ms when the leader was killed; the machine stood still for ${Math.round(pauseMs)} ms`,
  );
  expect(await ids(playground)).toHaveLength(3);
  expect(longestMs).toBeLessThan(electionMs + 3 * pauseMs);
  // Only the leader that was removed left a window, and it handed over.
  await expectShortWindows(playground, pauseMs);
  await writers.expectNothingLost();
  expect(await playground.violations()).toEqual([]);
});

test("a wiped node comes back as a new member, with what the others know", async () => {
  const playground = await start("--nodes", "3");
  await playground.put("kept", "yes");
  const before = (await playground.nodes())[1] as NodeStatus;
  expect(before.id).toBe("2");
  expect((await change(playground, "WipeNode", { nodeId: "2" })).nodeId).toBe("4");
  expect(await ids(playground)).toEqual(["1", "3", "4"]);
  const after = (await playground.nodes())[2] as NodeStatus;
  expect(after).toMatchObject({ address: before.address, incarnation: "1" });
  expect(after.pid).not.toBe(before.pid);
  expect(await playground.get("kept", "4")).toBe("yes");
  // It votes: with it, one of the others can be spared.
  const leader = await playground.leader();
  const spared = ["1", "3"].find((id) => id !== leader.id) ?? "";
  await playground.call("CrashNode", { nodeId: spared });
  await playground.put("kept", "still");
  expect(await playground.violations()).toEqual([]);
});

test("what would end the cluster is refused with a sentence", async () => {
  const playground = await start("--nodes", "1");
  expect(await refused(change(playground, "RemoveNode", { nodeId: "1" }))).toContain(
    "cannot remove node 1: expected another voter to go on without it, but it is the only one",
  );
  expect(await refused(change(playground, "WipeNode", { nodeId: "1" }))).toContain(
    "cannot wipe node 1: expected another voter",
  );
  expect(await refused(change(playground, "RemoveNode", { nodeId: "7" }))).toContain(
    "expected node id 1, got 7",
  );
  await change(playground, "AddNode");
  await change(playground, "AddNode");
  await playground.leader();
  const follower = (await playground.nodes()).find(({ role }) => role === "ROLE_FOLLOWER")?.id;
  const other = (await playground.nodes()).find(
    ({ role, id }) => role === "ROLE_FOLLOWER" && id !== follower,
  )?.id;
  await playground.call("CrashNode", { nodeId: follower });
  expect(await refused(change(playground, "RemoveNode", { nodeId: other }))).toMatch(
    /cannot remove node \d: expected a majority of the voters that are left \(\d and \d\) to run, but only 1 of 2 do/,
  );
  await playground.call("Freeze");
  expect(await refused(change(playground, "AddNode"))).toContain("it is frozen; thaw it first");
  await playground.call("Thaw");
  // One that is dead can be removed: the others agree to it.
  await change(playground, "RemoveNode", { nodeId: follower });
  await playground.put("after", "yes");
});

test("links and speed hold for a new node at once; its members are kept with the data", async () => {
  const directory = emptyDirectory();
  const arguments_ = ["--nodes", "3", "--data-dir", directory];
  const first = await start(...arguments_);
  await first.put("kept", "yes");
  await first.call("SetSpeed", { speed: 0.5 });
  await change(first, "AddNode");
  await change(first, "AddNode");
  expect(await first.call("GetCluster")).toMatchObject({ speed: 0.5 });
  await change(first, "RemoveNode", { nodeId: "5" });
  await change(first, "RemoveNode", { nodeId: "1" });
  const addresses = (nodes: readonly NodeStatus[]) => nodes.map(({ address }) => address);
  const before = addresses(await first.nodes());
  await first.close();

  const second = await start(...arguments_);
  expect(await ids(second)).toEqual(["2", "3", "4"]);
  expect(addresses(await second.nodes())).toEqual(before);
  expect(await second.get("kept", "4")).toBe("yes");
  expect((await change(second, "AddNode")).nodeId).toBe("6");
});

/** How the node is, as it says itself. */
function statusOf(cluster: TestCluster, id: number) {
  const deadline = Date.now() + 2000;
  return callUnary(cluster.member(id).client, Maintenance.method.status, {}, { deadline });
}

test("nodes that were removed and live on disturb nobody, whether they know it or not", async () => {
  const directory = emptyDirectory();
  // Long enough that no busy machine makes anybody campaign for another reason.
  const timing = { electionTimeoutMinMs: 1500, electionTimeoutMaxMs: 3000 };
  const cluster = await startCluster(directory, 5, { timing });
  started.push(cluster);
  const leader = await cluster.leader();
  const [knows = 0, sleeps = 0] = cluster.members
    .map(({ id }) => id)
    .filter((id) => id !== leader.id);
  const sleeper = cluster.member(sleeps).process?.child;
  const remove = (id: number) =>
    callUnary(
      leader.client,
      Cluster.method.memberRemove,
      { ID: BigInt(id) },
      { deadline: Date.now() + 20_000 },
    );
  const put = (key: string) =>
    callUnary(
      leader.client,
      KV.method.put,
      { key: Buffer.from(key), value: Buffer.from("x") },
      { deadline: Date.now() + 10_000 },
    );
  sleeper?.kill("SIGSTOP");
  await remove(sleeps);
  await remove(knows);
  await eventually("who was removed knows that it has no leader any more", async () =>
    (await statusOf(cluster, knows)).leader === 0n ? true : undefined,
  );
  const { raftTerm } = await statusOf(cluster, leader.id);
  sleeper?.kill("SIGCONT");
  await eventually("who slept through its removal hears no leader, either", async () =>
    (await statusOf(cluster, sleeps)).leader === 0n ? true : undefined,
  );
  // Two election timeouts, in which either may try what it likes.
  const untilMs = performance.now() + 2 * timing.electionTimeoutMaxMs;
  for (let count = 0; performance.now() < untilMs; count += 1) await put(`k${count}`);
  const after = await statusOf(cluster, leader.id);
  expect({ leader: after.leader, term: after.raftTerm }).toEqual({
    leader: BigInt(leader.id),
    term: raftTerm,
  });
});
