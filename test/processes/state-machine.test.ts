/** A user's own state machine (examples/counter), on real nodes, reached over gRPC. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status as Status, type ServiceError } from "@grpc/grpc-js";
import { KV } from "@raftarium/protocol/etcd";
import { callServerStream, callUnary } from "@raftarium/protocol/grpc";
import { StateMachineService } from "@raftarium/protocol/machine";
import { ObserverService, type NodeView } from "@raftarium/protocol/observer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type Member, type TestCluster } from "./cluster.ts";
import { eventually } from "./spawn.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const directory = mkdtempSync(join(tmpdir(), "raftarium-machine-"));
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster(directory, 3, {
    stateMachine: join(import.meta.dirname, "../../examples/counter/counter.ts"),
    // So that a restart goes by a snapshot, and a node that was away gets one.
    limits: { snapshotEntries: 5, trailingEntries: 0 },
  });
  await cluster.leader();
});

afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

async function propose(member: Member, command: string): Promise<string> {
  const deadline = Date.now() + 20_000;
  const request = { command: encoder.encode(command) };
  const { method } = StateMachineService;
  return decoder.decode(
    (await callUnary(member.client, method.propose, request, { deadline })).result,
  );
}

async function ask(member: Member, name: string, serializable = false): Promise<string> {
  const deadline = Date.now() + 20_000;
  const request = { question: encoder.encode(name), serializable };
  const { method } = StateMachineService;
  return decoder.decode(
    (await callUnary(member.client, method.query, request, { deadline })).answer,
  );
}

function viewOf(member: Member): Promise<NodeView> {
  return new Promise((resolve, reject) => {
    const stream = callServerStream(member.client, ObserverService.method.observe, {});
    stream.on("error", reject);
    stream.on("data", ({ observations }: { observations: { body?: unknown }[] }) => {
      for (const { body } of observations as { body: { case?: string; value?: unknown } }[]) {
        if (body.case !== "nodeView") continue;
        resolve((body.value as { view: NodeView }).view);
        stream.removeListener("error", reject).on("error", () => {});
        stream.cancel();
        return;
      }
    });
  });
}

test("every node takes commands, and every node answers linearizably", async () => {
  let sum = 0;
  for (const member of cluster.members) {
    sum += member.id;
    expect(await propose(member, `add apples ${member.id}`)).toBe(String(sum));
    for (const other of cluster.members) expect(await ask(other, "apples")).toBe(String(sum));
  }
});

test("what the machine refuses is a result, and leaves no trace", async () => {
  const leader = await cluster.leader();
  expect(await propose(leader, "add plums -1")).toBe("cannot take 1 from plums: it has 0");
  expect(await propose(leader, "sing")).toBe("cannot carry out 'sing': expected add NAME AMOUNT");
  expect(await ask(leader, "plums")).toBe("0");
});

test("people see its commands and its state in its own words", async () => {
  const leader = await cluster.leader();
  await propose(leader, "add pears 7");
  const view = await viewOf(leader);
  expect(view.rows.map(({ key, value }) => [key, value])).toContainEqual(["pears", "7"]);
  expect(view.entries.map(({ description }) => description)).toContain("add pears 7");
});

test("the key-value API says that this is another machine", async () => {
  const leader = await cluster.leader();
  const refused = callUnary(leader.client, KV.method.put, { key: encoder.encode("k") });
  const error = await refused.catch((reason: unknown) => reason as ServiceError);
  expect(error).toMatchObject({
    code: Status.UNIMPLEMENTED,
    details: "this cluster runs a state machine of its own: ask StateMachineService",
  });
});

test("it survives the crash of its leader; who was away catches up by a snapshot", async () => {
  const crashed = await cluster.leader();
  expect(await propose(crashed, "add nuts 1")).toBe("1");
  await cluster.kill(crashed.id);
  const next = await cluster.leader();
  for (let value = 2; value <= 20; value += 1) {
    expect(await propose(next, "add nuts 1")).toBe(String(value));
  }
  cluster.start(crashed.id);
  await eventually("the restarted node has caught up", async () =>
    (await ask(crashed, "nuts", true)) === "20" ? true : undefined,
  );
  // It could not have come by the entries: its leader has none of them any more.
  expect(Number((await viewOf(next)).firstIndex)).toBeGreaterThan(5);
  expect(await ask(crashed, "nuts")).toBe("20");
  expect(await ask(crashed, "apples")).toBe("6");
});
