/**
 * The port is grpc-js's; any gRPC client must be able to talk to it. Here: grpc-js's own client,
 * connect-node's, and buf curl, which knows nothing but what reflection tells it.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Client, Server, ServerCredentials, credentials, status } from "@grpc/grpc-js";
import {
  StatusError,
  addService,
  callServerStream,
  callUnary,
  createHealth,
  createReflection,
  unary,
} from "@raftarium/protocol/grpc";
import type { HealthService } from "@raftarium/protocol/grpc";
import type { HealthCheckResponse } from "@raftarium/protocol/health";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@raftarium/protocol/health";
import { KV } from "@raftarium/protocol/etcd";
import { PlaygroundService } from "@raftarium/protocol/playground";
import { ServerReflection } from "@raftarium/protocol/reflection";
import { afterEach, beforeEach, expect, test } from "vitest";

let server: Server;
let health: HealthService;
let address: string;

beforeEach(async () => {
  server = new Server();
  health = createHealth();
  health.setServing("", true);
  addService(server, Health, health.implementation);
  addService(
    server,
    ServerReflection,
    createReflection([KV, PlaygroundService, Health, ServerReflection]),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  address = `127.0.0.1:${port}`;
});

afterEach(async () => {
  health.close();
  // Completes only when no call is left: a leaked stream fails the test that leaked it.
  await new Promise<void>((resolve, reject) => {
    server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
  });
});

test("a grpc-js client checks health, and is told what an unknown service is", async () => {
  const client = new Client(address, credentials.createInsecure());
  try {
    const answer = await callUnary(client, Health.method.check, { service: "" });
    expect(answer.status).toBe(ServingStatus.SERVING);
    await expect(callUnary(client, Health.method.check, { service: "nobody" })).rejects.toThrow(
      expect.objectContaining({
        code: status.NOT_FOUND,
        details: 'cannot check "nobody": expected one of ""',
      }),
    );
  } finally {
    client.close();
  }
});

test("a grpc-js client can cancel a call by a signal", async () => {
  const client = new Client(address, credentials.createInsecure());
  try {
    const call = callUnary(client, Health.method.check, {}, { signal: AbortSignal.abort() });
    await expect(call).rejects.toThrow(expect.objectContaining({ code: status.CANCELLED }));
  } finally {
    client.close();
  }
});

test("a grpc-js client watches health change", async () => {
  const client = new Client(address, credentials.createInsecure());
  const call = callServerStream(client, Health.method.watch, { service: "kv" });
  const seen: number[] = [];
  try {
    await new Promise<void>((resolve) => {
      call.on("error", () => resolve());
      call.on("data", (answer: HealthCheckResponse) => {
        seen.push(answer.status);
        if (seen.length === 1) health.setServing("kv", true);
        else call.cancel();
      });
    });
  } finally {
    client.close();
  }
  expect(seen).toEqual([ServingStatus.SERVICE_UNKNOWN, ServingStatus.SERVING]);
});

test("what a handler throws is the status: as it is, or INTERNAL with its message", async () => {
  let thrown: unknown = null;
  const fail = unary((): never => {
    throw thrown;
  });
  addService(server, KV, { range: fail, put: fail, deleteRange: fail, txn: fail, compact: fail });
  const client = new Client(address, credentials.createInsecure());
  try {
    thrown = new StatusError(status.OUT_OF_RANGE, "cannot read revision 9: expected at most 3 — é");
    await expect(callUnary(client, KV.method.range, {})).rejects.toThrow(
      expect.objectContaining({
        code: status.OUT_OF_RANGE,
        details: "cannot read revision 9: expected at most 3 — é",
      }),
    );
    thrown = new Error("a bug");
    await expect(callUnary(client, KV.method.put, {})).rejects.toThrow(
      expect.objectContaining({ code: status.INTERNAL, details: "a bug" }),
    );
  } finally {
    client.close();
  }
});

test("a connect-node client checks health and watches it change", async () => {
  const transport = createGrpcTransport({ baseUrl: `http://${address}` });
  const client = createClient(Health, transport);
  expect((await client.check({})).status).toBe(ServingStatus.SERVING);
  const refused = client.check({ service: "nobody" });
  await expect(refused).rejects.toSatisfy(
    (error) => error instanceof ConnectError && error.code === Code.NotFound,
  );

  const abort = new AbortController();
  const seen: number[] = [];
  const watch = async (): Promise<void> => {
    for await (const { status: now } of client.watch({}, { signal: abort.signal })) {
      seen.push(now);
      if (seen.length === 1) health.setServing("", false);
      else abort.abort();
    }
  };
  await expect(watch()).rejects.toThrow();
  expect(seen).toEqual([ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
});

const run = promisify(execFile);
const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const curl = ["curl", "--reflect", "--protocol", "grpc", "--http2-prior-knowledge"];

test("buf curl finds services, methods and messages by reflection", async () => {
  const listed = await run(buf, [...curl, "--list-services", `http://${address}`]);
  expect(listed.stdout.trim().split("\n").toSorted()).toEqual([
    "etcdserverpb.KV",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "raftarium.playground.v1.PlaygroundService",
  ]);
  const methods = await run(buf, [...curl, "--list-methods", `http://${address}`]);
  expect(methods.stdout).toContain("raftarium.playground.v1.PlaygroundService/SetLink");
  const url = `http://${address}/grpc.health.v1.Health/Check`;
  const checked = await run(buf, [...curl, "-d", '{"service":""}', url]);
  expect(JSON.parse(checked.stdout)).toEqual({ status: "SERVING" });
});

test("buf curl is told that a service is not served here", async () => {
  const url = `http://${address}/mvccpb.Nothing/Get`;
  await expect(run(buf, [...curl, url])).rejects.toThrow(/mvccpb\.Nothing/);
});
