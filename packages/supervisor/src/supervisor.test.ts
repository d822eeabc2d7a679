import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { humanReadable } from "./last-words.ts";
import { freePorts, requireFreePort } from "./ports.ts";
import { createSupervisor, unknownNode, type ProcessView, type Supervisor } from "./supervisor.ts";

const fakeNode = fileURLToPath(import.meta.resolve("./fixtures/fake-node.ts"));

let directory = "";
let supervisor: Supervisor;
let changes: ProcessView[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-supervisor-"));
  changes = [];
  supervisor = createSupervisor({
    onChange: (view) => changes.push(view),
    stopGraceMsMax: 200,
    startMsMax: 10_000,
  });
});

afterEach(async () => {
  await supervisor.close();
  rmSync(directory, { recursive: true, force: true });
});

function add(nodeId: number, ...wants: string[]): void {
  supervisor.add({
    nodeId,
    address: `127.0.0.1:${7100 + nodeId}`,
    command: process.execPath,
    args: [fakeNode, ...wants],
    logFile: join(directory, `node-${nodeId}.log`),
  });
}

test("a started node is starting, then running, with the incarnation that it counts itself", async () => {
  add(1);
  const view = await supervisor.start(1);
  expect(changes.map((change) => change.health)).toEqual(["starting", "running"]);
  expect(view).toMatchObject({ health: "running", incarnation: 7, cause: "", lastWords: "" });
  expect(isAlive(view.pid)).toBe(true);
});

test("a crash is a SIGKILL, seen with its cause and the last words", async () => {
  add(1);
  const { pid } = await supervisor.start(1);
  await supervisor.crash(1);
  expect(supervisor.view(1)).toMatchObject({
    health: "crashed",
    pid: 0,
    cause: "SIGKILL",
    lastWords: "opening the log",
  });
  expect(isAlive(pid)).toBe(false);
});

test("a paused node stands still, and can be resumed, crashed or stopped", async () => {
  add(1);
  const { pid } = await supervisor.start(1);
  supervisor.pause(1);
  expect(supervisor.view(1).health).toBe("paused");
  await until("the process is stopped", () => processState(pid) === "T");
  supervisor.resume(1);
  await until("the process goes on", () => processState(pid) !== "T");
  expect(supervisor.view(1).health).toBe("running");

  supervisor.pause(1);
  await supervisor.crash(1);
  expect(supervisor.view(1)).toMatchObject({ health: "crashed", cause: "SIGKILL" });

  await supervisor.start(1);
  supervisor.pause(1);
  await supervisor.stop(1);
  expect(supervisor.view(1)).toMatchObject({ health: "stopped", cause: "exit 0" });
});

test("a node that does not answer SIGTERM is killed after the grace", async () => {
  add(1, "deaf");
  const { pid } = await supervisor.start(1);
  await supervisor.stop(1);
  expect(supervisor.view(1)).toMatchObject({
    health: "stopped",
    cause: "SIGKILL",
    lastWords: "asked to stop",
  });
  expect(isAlive(pid)).toBe(false);
});

test.runIf(process.platform === "linux")(
  "a node that somebody else stops or lets go on is seen to be paused and running",
  async () => {
    add(1);
    const { pid } = await supervisor.start(1);
    process.kill(pid, "SIGSTOP");
    await until("it is seen to be paused", () => supervisor.view(1).health === "paused");
    process.kill(pid, "SIGCONT");
    await until("it is seen to run", () => supervisor.view(1).health === "running");
    expect(changes.map(({ health }) => health)).toEqual([
      "starting",
      "running",
      "paused",
      "running",
    ]);
  },
);

test("closing ends them all, paused and deaf ones too, and calls them stopped", async () => {
  add(1);
  add(2);
  add(3, "deaf");
  await Promise.all([1, 2, 3].map((nodeId) => supervisor.start(nodeId)));
  supervisor.pause(2);
  const pids = supervisor.views().map(({ pid }) => pid);
  await supervisor.close();
  expect(supervisor.views().map(({ health, cause }) => `${health} ${cause}`)).toEqual([
    "stopped exit 0",
    "stopped SIGKILL",
    "stopped SIGKILL",
  ]);
  expect(pids.some(isAlive)).toBe(false);
});

test("a node that ends before it listens is reported with its exit code and last words", async () => {
  add(4, "fail");
  await expect(supervisor.start(4)).rejects.toThrow(
    "cannot start node 4: expected it to listen on 127.0.0.1:7104, but it ended (exit 3): " +
      "cannot start: segment 1 is damaged at byte 42",
  );
  expect(supervisor.view(4)).toMatchObject({ health: "crashed", cause: "exit 3", pid: 0 });
});

test("a node that never says that it listens is ended", async () => {
  const impatient = createSupervisor({ onChange: () => {}, startMsMax: 300 });
  impatient.add({
    nodeId: 1,
    address: "127.0.0.1:7101",
    command: process.execPath,
    args: [fakeNode, "mute"],
    logFile: join(directory, "mute.log"),
  });
  await expect(impatient.start(1)).rejects.toMatchObject({ code: "start-failed" });
  await impatient.close();
});

test("a program that does not exist is reported, not thrown past anybody", async () => {
  supervisor.add({
    nodeId: 1,
    address: "127.0.0.1:7101",
    command: join(directory, "no-such-program"),
    args: [],
    logFile: join(directory, "node-1.log"),
  });
  await expect(supervisor.start(1)).rejects.toThrow("it ended (ENOENT)");
});

test("what makes no sense in the present health is refused with what it is", async () => {
  add(1);
  await expect(supervisor.crash(1)).rejects.toThrow(
    "cannot crash node 1: expected it to be starting or running or paused, but it is stopped",
  );
  const { pid } = await supervisor.start(1);
  await expect(supervisor.start(1)).rejects.toThrow(`but it is running (pid ${pid})`);
  expect(() => supervisor.resume(1)).toThrow("expected it to be paused");
  await expect(supervisor.crash(9)).rejects.toMatchObject({ code: "unknown-node" });
});

test("an unknown node id is answered with the ids there are", () => {
  expect(unknownNode([1, 2, 3, 4, 5], 9)).toBe("expected a node id from 1 to 5, got 9");
  expect(unknownNode([4, 1], 2n)).toBe("expected one of the node ids 1, 4, got 2");
  expect(unknownNode([3], 9)).toBe("expected node id 3, got 9");
});

test(
  "no orphan: supervisor killed by SIGKILL, its nodes deaf and one of them paused",
  { timeout: 20_000 },
  async () => {
    const program = fileURLToPath(import.meta.resolve("./fixtures/supervised.ts"));
    const host = spawn(process.execPath, [program, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pids = JSON.parse(await firstLine(host)) as number[];
    try {
      expect(pids.map(isAlive)).toEqual([true, true, true]);
      host.kill("SIGKILL");
      await until("all nodes are gone", () => !pids.some(isAlive));
    } finally {
      host.kill("SIGKILL");
      for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
    }
  },
);

test("free ports are all different, and a taken one is named with what to do", async () => {
  const ports = await freePorts(5);
  expect(new Set(ports).size).toBe(5);
  const server = createServer();
  const taken = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  await expect(requireFreePort(taken, "node 1", "choose others with --port")).rejects.toThrow(
    `cannot listen on 127.0.0.1:${taken} for node 1: expected a free port, but another program ` +
      "listens there; choose others with --port",
  );
  await new Promise((resolve) => {
    server.close(resolve);
  });
  await requireFreePort(taken, "node 1", "choose others with --port");
});

test("last words are a log line's message, or the line itself", () => {
  expect(humanReadable('{"level":30,"msg":"became leader"}')).toBe("became leader");
  expect(humanReadable('{"msg":"disk","err":{"message":"EIO"}}')).toBe("disk: EIO");
  expect(humanReadable("Error: out of memory")).toBe("Error: out of memory");
  expect(humanReadable("42")).toBe("42");
});

/** False for a zombie too: nobody may have collected it yet. */
function isAlive(pid: number): boolean {
  const state = processState(pid);
  return state !== null && state !== "Z" && state !== "X";
}

/** One letter, as in ps(1): T is stopped, Z a zombie. Null: there is no such process. */
function processState(pid: number): string | null {
  try {
    if (process.platform !== "linux") {
      return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" })[0] ?? "";
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return null;
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited 10 s in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once("exit", () => reject(new Error(`ended after saying: ${text}`)));
  });
}
