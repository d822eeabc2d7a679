/** How a playground ends: whatever happens to it, no process of its nodes stays behind. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startPlayground, type Playground } from "./playground.ts";
import { eventually, run } from "./spawn.ts";

const main = join(import.meta.dirname, "../../apps/playground/src/main.ts");
const started: Playground[] = [];
const directories: string[] = [];

async function start(...args: string[]): Promise<Playground> {
  const playground = await startPlayground(["--nodes", "3", "--speed", "1", ...args]);
  started.push(playground);
  return playground;
}

function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-ends-"));
  directories.push(directory);
  return directory;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((playground) => playground.close()));
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** False for a zombie too: nobody may have collected it yet. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

async function pids(playground: Playground): Promise<number[]> {
  return (await playground.nodes()).map(({ pid = 0 }) => pid);
}

function gone(nodes: readonly number[]): Promise<true> {
  return eventually("all nodes gone", () => (nodes.some(isAlive) ? undefined : true), 10_000);
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s: it ends with exit code 0, a paused node included",
  async (signal) => {
    const playground = await start();
    const nodes = await pids(playground);
    await playground.call("PauseNode", { nodeId: "2" });
    expect(nodes.map(isAlive)).toEqual([true, true, true]);
    playground.running.child.kill(signal);
    expect(await playground.running.ended).toBe(0);
    await gone(nodes);
  },
);

test("SIGKILL: it can do nothing any more, and still no node stays behind, not even a paused one", async () => {
  const playground = await start();
  const nodes = await pids(playground);
  await playground.call("PauseNode", { nodeId: "2" });
  playground.running.child.kill("SIGKILL");
  expect(await playground.running.ended).toBe("SIGKILL");
  await gone(nodes);
});

test("with --data-dir, what was written is there after a SIGKILL and a new start", async () => {
  const directory = emptyDirectory();
  const before = await start("--data-dir", directory);
  await before.put("fruit", "pear");
  const nodes = await before.nodes();
  before.running.child.kill("SIGKILL");
  await before.running.ended;
  await gone(nodes.map(({ pid = 0 }) => pid));

  const after = await start("--data-dir", directory);
  expect(await after.get("fruit")).toBe("pear");
  const again = await after.nodes();
  expect(again.map(({ incarnation }) => incarnation)).toEqual(["2", "2", "2"]);
  expect(again.map(({ address }) => address)).toEqual(nodes.map(({ address }) => address));
  await after.close();

  const other = run(process.execPath, [main, "--port=0", "--nodes=5", "--data-dir", directory]);
  expect(await other.ended).toBe(1);
  expect(other.output()).toContain("expected --nodes 3, as it was written with, got 5");
});

test("a port that is taken, for the page or for a node, is named with what to do", async () => {
  const server = createServer();
  const taken = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  for (const [wanted, purpose] of [
    [taken, "the page"],
    [taken - 1, "node 1"],
  ] as const) {
    const playground = run(process.execPath, [main, `--port=${wanted}`]);
    expect(await playground.ended).toBe(1);
    expect(playground.output()).toBe(
      `cannot listen on 127.0.0.1:${taken} for ${purpose}: expected a free port, but another ` +
        "program listens there; " +
        (purpose === "the page"
          ? "choose another with --port\n"
          : "end that program, or choose other ports with --port\n"),
    );
  }
  await new Promise((resolve) => void server.close(resolve));
});

test("a wrong flag is named, and nothing is started", async () => {
  const playground = run(process.execPath, [main, "--nodes", "12"]);
  expect(await playground.ended).toBe(1);
  expect(playground.output()).toContain("Expected a whole number from 1 to 9, got '12'.");
});
