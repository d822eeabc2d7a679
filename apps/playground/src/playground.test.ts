/**
 * The door, the RPCs and the nodes' configuration, with real processes that stand in for nodes
 * and a page of three words. What real nodes make of it is tested in test/.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createFold, type Observation } from "@raftarium/observer";
import { KV } from "@raftarium/protocol/etcd";
import { Health, ObserverService, Role, type Place } from "@raftarium/protocol/observer";
import { PlaygroundService } from "@raftarium/protocol/playground";
import { StepAction } from "@raftarium/protocol/control";
import { nowUs } from "./clock.ts";
import { createClientHistory } from "./client-history.ts";
import { createCluster, type Cluster } from "./cluster.ts";
import { listenDoor, type Door, type Page } from "./door.ts";
import { createFeed, type Feed } from "./feed.ts";
import { withHistory } from "./history-route.ts";
import { nodeSpec, prepareHome, type NodeHome } from "./home.ts";
import { createMembership } from "./membership.ts";

let directory = "";
let door: Door;
let feed: Feed;
let cluster: Cluster;
let playground: Client<typeof PlaygroundService>;
let kv: Client<typeof KV>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-playground-"));
  door = await listenDoor(0);
  const home = await prepareHome({
    nodeCount: 3,
    port: door.port,
    anyPorts: true,
    dataDir: directory,
    leaseReads: true,
    preferred: 2,
    freshDir: directory,
  });
  feed = createFeed({ nowUs });
  const program = fileURLToPath(import.meta.resolve("./fixtures/fake-node.ts"));
  const specOf = (node: NodeHome) => nodeSpec(node, program);
  cluster = createCluster({ nodes: home.nodes().map(specOf), feed, speed: 0.5 });
  const membership = createMembership({ cluster, feed, home, specOf });
  const page: Page = {
    handle: (_request, response) => void response.end("this is it"),
    upgrade: (_request, socket) => void socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"),
    close: async () => {},
  };
  const history = createClientHistory(nowUs);
  const served = { cluster, membership, feed, history };
  door.open(served, withHistory(page, history, feed));
  await cluster.start();
  const baseUrl = `http://127.0.0.1:${door.port}`;
  playground = createClient(
    PlaygroundService,
    createConnectTransport({ baseUrl, httpVersion: "1.1" }),
  );
  kv = createClient(KV, createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }));
}, 20_000);

afterAll(async () => {
  feed.close();
  await cluster.close();
  await door.close();
  rmSync(directory, { recursive: true, force: true });
});

/** All nodes run, all links are well. */
beforeEach(async () => {
  for (const { nodeId, health } of cluster.processes()) {
    if (health === "paused") await cluster.resume(nodeId);
    else if (health !== "running") await cluster.restart(nodeId);
  }
  await cluster.heal();
});

interface Told {
  readonly nodeId: number;
  readonly speed: number;
  readonly frozen: boolean;
  readonly links: readonly string[];
}

/** What a node was last told by Configure, as it says itself. */
async function told(nodeId: number): Promise<Told> {
  const headers = { "raftarium-node-id": String(nodeId) };
  const { kvs } = await kv.range({ key: new TextEncoder().encode("told") }, { headers });
  return JSON.parse(new TextDecoder().decode(kvs[0]?.value)) as Told;
}

async function until<T>(what: string, look: () => Promise<T>, good: (seen: T) => boolean) {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (good(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`waited 10 s in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

async function refused(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error("it was not refused"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw error;
  return `${Code[error.code]}: ${error.rawMessage}`;
}

test("GetCluster tells processes and what their nodes say", async () => {
  const { nodes } = await until(
    "node 1 is seen to lead",
    () => playground.getCluster({}),
    (seen) => seen.nodes[0]?.role === Role.LEADER,
  );
  expect(nodes).toHaveLength(3);
  const first = nodes[0];
  expect(first).toMatchObject({
    id: 1n,
    health: Health.RUNNING,
    incarnation: 1n,
    term: 3n,
    leaderId: 1n,
    commitIndex: 12n,
    appliedIndex: 11n,
    lastIndex: 12n,
  });
  expect(first?.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(first?.pid).toBeGreaterThan(1);
});

test("the cluster takes the asked speed once it has its first leader, and every node is told", async () => {
  const speeds = await until(
    "all are told",
    () => Promise.all([1, 2, 3].map(told)),
    (seen) => seen.every(({ speed }) => speed === 0.5),
  );
  expect(speeds.map(({ frozen }) => frozen)).toEqual([false, false, false]);
});

test("crash, restart, pause, resume and stop change the process and its health", async () => {
  const health = async () => (await playground.getCluster({})).nodes[1]?.health;
  await playground.crashNode({ nodeId: 2n });
  expect(await health()).toBe(Health.CRASHED);
  await playground.restartNode({ nodeId: 2n });
  expect(await health()).toBe(Health.RUNNING);
  await playground.pauseNode({ nodeId: 2n });
  expect(await health()).toBe(Health.PAUSED);
  await playground.resumeNode({ nodeId: 2n });
  expect(await health()).toBe(Health.RUNNING);
  await playground.stopNode({ nodeId: 2n });
  expect(await health()).toBe(Health.STOPPED);
});

test("a cut that was made while a node was down or paused is told to it when it is back", async () => {
  await playground.crashNode({ nodeId: 2n });
  await playground.pauseNode({ nodeId: 3n });
  await playground.partition({ groups: [{ nodeIds: [1n] }, { nodeIds: [2n, 3n] }] });
  expect((await told(1)).links).toEqual(["2>1", "3>1"]);
  await playground.restartNode({ nodeId: 2n });
  await playground.resumeNode({ nodeId: 3n });
  expect((await told(2)).links).toEqual(["1>2"]);
  expect((await told(3)).links).toEqual(["1>3"]);
  await playground.heal({});
  expect(await Promise.all([1, 2, 3].map(async (id) => (await told(id)).links))).toEqual([
    [],
    [],
    [],
  ]);
});

test("a link's fault is told to its target alone", async () => {
  await playground.setLink({ source: 1n, target: 3n, delayMs: 20, dropRate: 0.5 });
  expect((await told(3)).links).toEqual(["1>3"]);
  expect((await told(1)).links).toEqual([]);
  const { links } = await playground.getCluster({});
  expect(links).toMatchObject([{ source: 1n, target: 3n, delayMs: 20, dropRate: 0.5, cut: false }]);
});

test("freeze, step and thaw", async () => {
  const step = { nodeId: 1n, action: StepAction.DELIVER };
  expect(await refused(playground.step(step))).toBe(
    "FailedPrecondition: cannot step node 1: expected the cluster to be frozen, but time runs",
  );
  await playground.freeze({});
  expect((await told(1)).frozen).toBe(true);
  expect(await refused(playground.step(step))).toBe(
    "NotFound: node 1 could not step: there is no such message here",
  );
  await playground.thaw({});
  expect((await told(1)).frozen).toBe(false);
});

test("what can't be done is refused with a sentence", async () => {
  const nobody = "NotFound: expected a node id from 1 to 3, got 9";
  expect(await refused(playground.crashNode({ nodeId: 9n }))).toBe(nobody);
  expect(await refused(playground.campaign({ nodeId: 9n }))).toBe(nobody);
  expect(await refused(playground.setLink({ source: 9n, target: 1n }))).toBe(nobody);
  expect(await refused(playground.partition({ groups: [{ nodeIds: [9n] }] }))).toBe(nobody);
  expect(await refused(playground.pauseNode({}))).toContain("got 0");
  expect(await refused(playground.setSpeed({ speed: 2 }))).toBe(
    "InvalidArgument: cannot set the speed: expected a number from 0.001 to 1 (1 is real time), got 2",
  );
  expect(await refused(playground.setSpeed({ speed: Number.NaN }))).toContain("got NaN");
  expect(await refused(playground.setLink({ source: 1n, target: 2n, dropRate: 1.5 }))).toContain(
    "InvalidArgument: cannot set the link from 1 to 2: expected drop_rate",
  );
  expect(await refused(playground.setLink({ source: 1n, target: 1n }))).toContain(
    "InvalidArgument",
  );
  expect(await refused(playground.transferLeadership({ nodeId: 1n }))).toContain(
    "FailedPrecondition: cannot hand leadership to node 1: it is the leader already",
  );
  await playground.crashNode({ nodeId: 2n });
  expect(await refused(playground.crashNode({ nodeId: 2n }))).toBe(
    "FailedPrecondition: cannot crash node 2: expected it to be starting or running or paused, " +
      "but it is crashed (SIGKILL)",
  );
  expect(await refused(playground.campaign({ nodeId: 2n }))).toContain("but it is crashed");
});

test("the client API goes to the node that the header names, else to the leader", async () => {
  expect((await told(3)).nodeId).toBe(3);
  let answeredBy: string | null = null;
  const { kvs } = await kv.range(
    { key: new TextEncoder().encode("x") },
    { onHeader: (headers) => (answeredBy = headers.get("raftarium-node-id")) },
  );
  expect((JSON.parse(new TextDecoder().decode(kvs[0]?.value)) as Told).nodeId).toBe(1);
  expect(answeredBy).toBe("1");

  await playground.crashNode({ nodeId: 1n });
  const other = await until(
    "another node answers",
    () => kv.range({ key: new TextEncoder().encode("x") }),
    () => true,
  );
  expect((JSON.parse(new TextDecoder().decode(other.kvs[0]?.value)) as Told).nodeId).not.toBe(1);
});

test("a node's own refusal comes through as it is; a node that can't answer is named", async () => {
  const key = new TextEncoder().encode("refuse");
  expect(await refused(kv.range({ key }))).toBe("OutOfRange: etcdserver: mvcc: required revision");
  const to = (id: string) => kv.range({ key }, { headers: { "raftarium-node-id": id } });
  expect(await refused(to("nine"))).toContain("InvalidArgument: cannot choose a node");
  expect(await refused(to("9"))).toBe("NotFound: expected a node id from 1 to 3, got 9");
  await playground.crashNode({ nodeId: 2n });
  expect(await refused(to("2"))).toBe(
    "FailedPrecondition: cannot ask node 2: expected it to be running, but it is crashed",
  );
});

test("the merged stream begins with the present state and then tells what happens", async () => {
  const observer = createClient(
    ObserverService,
    createGrpcWebTransport({ baseUrl: `http://127.0.0.1:${door.port}`, httpVersion: "1.1" }),
  );
  const ending = new AbortController();
  const kinds: string[] = [];
  let first = true;
  try {
    for await (const { observations } of observer.observe({}, { signal: ending.signal })) {
      kinds.push(...observations.map(({ nodeId, body }) => `${nodeId} ${body.case}`));
      if (first) await playground.crashNode({ nodeId: 3n });
      first = false;
      const end = observations.find(({ nodeId, body }) => {
        return nodeId === 3n && body.case === "healthChanged" && body.value.cause === "SIGKILL";
      });
      if (end !== undefined) ending.abort();
    }
  } catch (error) {
    expect(ConnectError.from(error).code).toBe(Code.Canceled);
  }
  expect(kinds.slice(0, 6)).toEqual([
    "0 speedChanged",
    "0 linksChanged",
    "1 healthChanged",
    "1 diskChanged",
    "1 clockChanged",
    "1 nodeView",
  ]);
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(path: string, headers: Record<string, string>, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port: door.port,
        host: "127.0.0.1",
        path,
        method: body === undefined ? "GET" : "POST",
        headers,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode, body: text }));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

test("foreign pages are refused on every route: page, RPC, websocket", async () => {
  const json = { "content-type": "application/json" };
  const crash = "/raftarium.playground.v1.PlaygroundService/CrashNode";
  const own = `localhost:${door.port}`;
  const upgrade = { connection: "Upgrade", upgrade: "websocket" };
  expect(await ask("/", { host: own })).toEqual({ status: 200, body: "this is it" });
  expect((await ask("/", { host: own, ...upgrade })).status).toBe(200);
  for (const headers of [
    { host: `evil.example:${door.port}` },
    { host: own, origin: "http://evil.example" },
    { host: own, "sec-fetch-site": "cross-site" },
  ]) {
    expect((await ask("/", headers)).status).toBe(403);
    expect((await ask(crash, { ...headers, ...json }, '{"nodeId":"1"}')).status).toBe(403);
    expect((await ask("/", { ...headers, ...upgrade })).status).toBe(403);
  }
  const { nodes } = await playground.getCluster({});
  expect(nodes.map((node) => node.health)).toEqual([
    Health.RUNNING,
    Health.RUNNING,
    Health.RUNNING,
  ]);
});

test("plain JSON works, as with curl", async () => {
  const headers = { host: `localhost:${door.port}`, "content-type": "application/json" };
  const path = "/raftarium.playground.v1.PlaygroundService/GetCluster";
  const { status, body } = await ask(path, headers, "{}");
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({
    nodes: [{ id: "1", health: "HEALTH_RUNNING" }, {}, {}],
  });
});

test("the clients' history is there to be read, and drawn", async () => {
  const page = `http://127.0.0.1:${door.port}/history`;
  const lines = await (await fetch(`${page}.jsonl`)).text();
  expect(lines).toContain('"key":"refuse"');
  expect(await (await fetch(`${page}.html`)).text()).toContain("What clients asked");
});

test("the recording begins with the state at its beginning, and leads to the present", async () => {
  await playground.crashNode({ nodeId: 3n });
  await until(
    "the crash is recorded",
    () => Promise.resolve(feed.view()),
    ({ nodes }) => nodes[2]?.health === "crashed",
  );
  const { status, body } = await ask("/recording.jsonl", { host: `localhost:${door.port}` });
  expect(status).toBe(200);
  const fold = createFold();
  for (const line of body.trimEnd().split("\n")) fold.apply(JSON.parse(line) as Observation);
  const { nodes, speed, lostCount } = fold.snapshot();
  expect({ speed, lostCount }).toEqual({ speed: 0.5, lostCount: 0 });
  expect(nodes.map(({ health, role }) => `${health} ${role}`)).toEqual(
    feed.view().nodes.map(({ health, role }) => `${health} ${role}`),
  );
});

test("a stream says where it begins in the recording, and what was before can be asked for", async () => {
  const host = `localhost:${door.port}`;
  let begun: Place | undefined;
  const baseUrl = `http://127.0.0.1:${door.port}`;
  const transport = createGrpcWebTransport({ baseUrl, httpVersion: "1.1" });
  for await (const response of createClient(ObserverService, transport).observe({})) {
    begun = response.place;
    break;
  }
  const before = await ask(`/recording.jsonl?until=${begun?.recordedCount}`, { host });
  expect(before.status).toBe(200);
  expect(before.body.trimEnd().split("\n").length).toBeGreaterThan(10);
  for (const until of ["-1", "1.5", "", "soon", "999999999999"]) {
    const { status, body } = await ask(`/recording.jsonl?until=${until}`, { host });
    expect([until, status]).toEqual([until, 400]);
    expect(body).toContain(`up to ${feed.recordedCount()}`);
  }
});

test("what is asked of all nodes, or of one, is in their configuration", () => {
  const features = cluster.processes().map(({ nodeId }) => {
    const text = readFileSync(join(directory, `node-${nodeId}.yaml`), "utf8");
    return [/leaseReads: (\w+)/.exec(text)?.[1], /priority: (\d)/.exec(text)?.[1]];
  });
  expect(features).toEqual([
    ["true", "0"],
    ["true", "1"],
    ["true", "0"],
  ]);
});

test("a port that is taken is named, with what to do", async () => {
  await expect(listenDoor(door.port)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${door.port} for the page: expected a free port, but another ` +
      "program listens there; choose another with --port",
  );
});
