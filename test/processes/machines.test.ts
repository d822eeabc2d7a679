/** Faults of one node's machine, in real processes: its disk and its clock. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createFold, nodeById, type ClusterNode, type Observation } from "@raftarium/observer";
import { startPlayground, type NodeStatus, type Playground } from "./playground.ts";
import { eventually } from "./spawn.ts";

let playground: Playground;

beforeAll(async () => {
  playground = await startPlayground(["--nodes", "3", "--speed", "1"]);
});

afterAll(() => playground.close());

afterEach(async () => expect(await playground.violations()).toEqual([]));

/** What the playground's stream tells of a node now. */
async function seen(id: string): Promise<ClusterNode> {
  const response = await fetch(`${playground.url}/recording.jsonl`);
  const fold = createFold();
  for (const line of (await response.text()).trimEnd().split("\n")) {
    fold.apply(JSON.parse(line) as Observation);
  }
  const node = nodeById(fold.snapshot(), Number(id));
  if (node === undefined) throw new Error(`nothing is told of node ${id}`);
  return node;
}

async function shown(id: string, condition: (node: ClusterNode) => boolean): Promise<void> {
  await eventually(`node ${id} is shown so: ${String(condition)}`, async () =>
    condition(await seen(id)) ? true : undefined,
  );
}

async function follower(): Promise<NodeStatus> {
  const leader = await playground.leader();
  const found = (await playground.nodes()).find(({ id }) => id !== leader.id);
  if (found === undefined) throw new Error("expected a follower");
  return found;
}

test("a slow disk makes each sync take longer; a sound one ends that", async () => {
  const { id } = await follower();
  await playground.call("SetDisk", { nodeId: id, delayMs: 200 });
  await shown(id, ({ disk }) => disk.delayMs === 200 && !disk.fail && !disk.full);
  await eventually("a slow sync", async () => {
    await playground.put("slow", "yes");
    return (await seen(id)).lastSyncUs >= 200_000 ? true : undefined;
  });
  await playground.call("SetDisk", { nodeId: id });
  await eventually("a quick sync", async () => {
    await playground.put("slow", "no");
    return (await seen(id)).lastSyncUs < 200_000 ? true : undefined;
  });
});

test("a disk that fails ends the node, once: the next process finds another disk", async () => {
  const leader = await playground.leader();
  await playground.put("before", "kept");
  await playground.call("SetDisk", { nodeId: leader.id, fail: true });
  // The write that meets it is of unknown outcome.
  await playground.put("during", "perhaps").catch(() => {});
  const ended = await eventually("the node has ended", async () => {
    const node = await seen(leader.id);
    return node.health === "crashed" ? node : undefined;
  });
  expect(ended.lastWords).toContain("EIO");
  await playground.leader([leader.id]);
  await playground.call("RestartNode", { nodeId: leader.id });
  await shown(leader.id, ({ disk }) => !disk.fail);
  await playground.put("after", "kept");
  expect(await playground.get("before", leader.id)).toBe("kept");
  expect(await playground.get("after", leader.id)).toBe("kept");
});

test("a full disk refuses writes definitely, and takes them again when there is space", async () => {
  const leader = await playground.leader();
  await playground.call("SetDisk", { nodeId: leader.id, full: true });
  const big = "x".repeat(1_000_000);
  // What is allocated already may still be used up.
  const refusal = await eventually("a write is refused", () =>
    playground.put("big", big).then(
      () => undefined,
      (error: Error) => error.message,
    ),
  );
  expect(refusal).toContain("space exceeded");
  expect(await playground.get("big")).toBe(big);
  await playground.call("SetDisk", { nodeId: leader.id });
  await eventually("writes are taken again", async () => {
    await playground.put("big", "small");
    return true;
  });
  expect(await playground.get("big")).toBe("small");
});

test("a fast clock ticks faster, and so the election timer of its node", async () => {
  const { id } = await follower();
  const tickUs = async () => (await seen(id)).timer?.tickUs;
  const right = await eventually("the election timer runs", tickUs);
  await playground.call("SetClock", { nodeId: id, rate: 2 });
  await shown(id, ({ clockRate }) => clockRate === 2);
  await eventually("ticks of half the length", async () =>
    (await tickUs()) === right / 2 ? true : undefined,
  );
  await playground.call("CrashNode", { nodeId: id });
  await playground.call("RestartNode", { nodeId: id });
  await eventually("the clock is as wrong after a restart", async () =>
    (await tickUs()) === right / 2 ? true : undefined,
  );
  await playground.call("SetClock", { nodeId: id, rate: 1 });
  await eventually("the clock is right again", async () =>
    (await tickUs()) === right ? true : undefined,
  );
});
