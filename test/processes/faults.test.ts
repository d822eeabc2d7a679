/**
 * Real processes under load: killed, paused and partitioned. Not deterministic: it can only show
 * that nothing was lost this time. The simulation is where such things are proven.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
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

describe("under load, no acknowledged write is lost when", () => {
  test("the leader is killed, again and again", async () => {
    const writers = new Writers(playground, "kill", 8);
    await writers.more(50);
    for (let time = 0; time < 3; time += 1) {
      const leader = await playground.leader();
      await playground.call("CrashNode", { nodeId: leader.id });
      await playground.leader([leader.id]);
      await writers.more(50);
      await playground.call("RestartNode", { nodeId: leader.id });
    }
    await writers.stop();
    await converged();
    await writers.expectNothingLost();
  });

  test("the leader is paused and wakes up deposed", async () => {
    const writers = new Writers(playground, "pause", 8);
    await writers.more(50);
    const leader = await playground.leader();
    await playground.call("PauseNode", { nodeId: leader.id });
    await playground.leader([leader.id]);
    await writers.more(50);
    await playground.call("ResumeNode", { nodeId: leader.id });
    await writers.more(50);
    await writers.stop();
    await converged();
    await writers.expectNothingLost();
  });

  test("the leader is cut off with a minority, then healed", async () => {
    const writers = new Writers(playground, "cut", 8);
    await writers.more(50);
    const leader = await playground.leader();
    const others = (await playground.nodes()).map(({ id }) => id).filter((id) => id !== leader.id);
    const [companion = "", ...majority] = others;
    await playground.call("Partition", {
      groups: [{ nodeIds: [leader.id, companion] }, { nodeIds: majority }],
    });
    const next = await playground.leader([leader.id, companion]);
    expect(majority).toContain(next.id);
    const before = writers.acknowledged.size;
    await playground.put("through-the-majority", "yes", next.id);
    await playground.call("Heal");
    await writers.more(50);
    expect(writers.acknowledged.size).toBeGreaterThan(before);
    await writers.stop();
    await converged();
    await writers.expectNothingLost();
    expect(await playground.get("through-the-majority")).toBe("yes");
  });
});
