/**
 * Real processes under load: killed, paused and partitioned. Not deterministic: it can only show
 * that nothing was lost this time, and that everything that clients were told has an explanation.
 * The simulation is where such things are proven.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SharingClients } from "./history.ts";
import { startPlayground, type Playground } from "./playground.ts";
import { eventually } from "./spawn.ts";
import { Writers } from "./writers.ts";

let playground: Playground;

beforeAll(async () => {
  playground = await startPlayground(["--nodes", "5", "--speed", "1"]);
});

afterAll(() => playground.close());

afterEach(async () => expect(await playground.violations()).toEqual([]));

/** All nodes run and have applied the same. */
function converged(): Promise<true> {
  return eventually("all nodes at the same applied index", async () => {
    const nodes = await playground.nodes();
    const [first] = nodes;
    const same = nodes.every(
      (node) => node.health === "HEALTH_RUNNING" && node.appliedIndex === first?.appliedIndex,
    );
    return same ? true : undefined;
  });
}

async function sharingClients(name: string): Promise<SharingClients> {
  const nodes = await playground.nodes();
  return new SharingClients(
    playground,
    name,
    nodes.map(({ id }) => id),
  );
}

describe("under load, no acknowledged write is lost and all answers are linearizable when", () => {
  test("the leader is killed, again and again", async () => {
    const writers = new Writers(playground, "kill", 8);
    const clients = await sharingClients("kill");
    await writers.more(50);
    await clients.more(30);
    for (let time = 0; time < 3; time += 1) {
      const leader = await playground.leader();
      const restarted = clients.fault(`node ${leader.id} killed`);
      await playground.call("CrashNode", { nodeId: leader.id });
      await playground.leader([leader.id]);
      await writers.more(50);
      await clients.more(20);
      await playground.call("RestartNode", { nodeId: leader.id });
      restarted();
    }
    await Promise.all([writers.stop(), clients.stop()]);
    await converged();
    await clients.expectLinearizable();
    await writers.expectNothingLost();
  });

  test("the leader is paused and wakes up deposed", async () => {
    const writers = new Writers(playground, "pause", 8);
    const clients = await sharingClients("pause");
    await writers.more(50);
    await clients.more(30);
    const leader = await playground.leader();
    const resumed = clients.fault(`node ${leader.id} paused`);
    await playground.call("PauseNode", { nodeId: leader.id });
    await playground.leader([leader.id]);
    await writers.more(50);
    await clients.more(30);
    await playground.call("ResumeNode", { nodeId: leader.id });
    resumed();
    await writers.more(50);
    await clients.more(30);
    await Promise.all([writers.stop(), clients.stop()]);
    await converged();
    await clients.expectLinearizable();
    await writers.expectNothingLost();
  });

  test("the leader is cut off with a minority, then healed", async () => {
    const writers = new Writers(playground, "cut", 8);
    const clients = await sharingClients("cut");
    await writers.more(50);
    await clients.more(30);
    const leader = await playground.leader();
    const others = (await playground.nodes()).map(({ id }) => id).filter((id) => id !== leader.id);
    const [companion = "", ...majority] = others;
    const healed = clients.fault(`nodes ${leader.id} and ${companion} cut off`);
    await playground.call("Partition", {
      groups: [{ nodeIds: [leader.id, companion] }, { nodeIds: majority }],
    });
    const next = await playground.leader([leader.id, companion]);
    expect(majority).toContain(next.id);
    const before = writers.acknowledged.size;
    await playground.put("through-the-majority", "yes", next.id);
    await clients.more(100);
    await playground.call("Heal");
    healed();
    await writers.more(50);
    await clients.more(30);
    expect(writers.acknowledged.size).toBeGreaterThan(before);
    await Promise.all([writers.stop(), clients.stop()]);
    await converged();
    await clients.expectLinearizable();
    await writers.expectNothingLost();
    expect(await playground.get("through-the-majority")).toBe("yes");
  });
});
