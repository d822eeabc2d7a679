import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { KV, Maintenance, PutResponseSchema } from "@raftarium/protocol/etcd";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createRaftClient } from "./client.ts";
import type { Endpoint } from "./client.ts";

const KEY = new Uint8Array([1]);

type Answer = () => unknown;

/** Endpoints that answer puts and gets as told; `asked` has who was asked, in order. */
function scripted(answers: Record<string, Answer>): { endpoints: Endpoint[]; asked: string[] } {
  const asked: string[] = [];
  const endpoints = Object.entries(answers).map(([name, answer]) => {
    const act = (): never => {
      asked.push(name);
      return answer() as never;
    };
    const transport = createRouterTransport(({ service }) => {
      service(KV, { put: act, range: act });
    });
    return { name, transport };
  });
  return { endpoints, asked };
}

function refuse(code: Code, text: string, outcome?: string): Answer {
  return () => {
    throw new ConnectError(
      text,
      code,
      outcome === undefined ? {} : { "raftarium-outcome": outcome },
    );
  };
}

const ok: Answer = () => ({});
const noLeader = refuse(Code.Unavailable, "etcdserver: no leader", "failed");
const lost = refuse(Code.Unavailable, "etcdserver: request timed out", "unknown");

function clientOf(endpoints: Endpoint[], timeoutMs = 5000) {
  return createRaftClient({ endpoints, timeoutMs, retryMs: 1 });
}

describe("writes", () => {
  test("go to the next node when the asked one has certainly done nothing", async () => {
    const { endpoints, asked } = scripted({ a: noLeader, b: ok });
    const result = await clientOf(endpoints).put({ key: KEY });
    expect(result).toMatchObject({ outcome: "ok", endpoint: "b", attempts: 2 });
    expect(asked).toEqual(["a", "b"]);
  });

  test("stay with the node that answered", async () => {
    const { endpoints, asked } = scripted({ a: noLeader, b: ok });
    const client = clientOf(endpoints);
    await client.put({ key: KEY });
    await client.put({ key: KEY });
    expect(asked).toEqual(["a", "b", "b"]);
  });

  test.each([
    ["the node says so", lost],
    ["the connection broke", refuse(Code.Unavailable, "socket hang up")],
    ["a stream ended", refuse(Code.Aborted, "ended")],
    ["a deadline passed", refuse(Code.DeadlineExceeded, "too late")],
  ])("are never sent again when the outcome is unknown: %s", async (_title, answer) => {
    const { endpoints, asked } = scripted({ a: answer, b: ok });
    const result = await clientOf(endpoints).put({ key: KEY });
    expect(result).toMatchObject({ outcome: "unknown", endpoint: "a", attempts: 1 });
    expect(asked).toEqual(["a"]);
  });

  test("are not sent again when the request itself is refused", async () => {
    const { endpoints, asked } = scripted({ a: refuse(Code.InvalidArgument, "bad key"), b: ok });
    expect(await clientOf(endpoints).put({ key: KEY })).toEqual({
      outcome: "failed",
      code: "invalid argument",
      message: "bad key",
      endpoint: "a",
      attempts: 1,
    });
    expect(asked).toEqual(["a"]);
  });

  test("fail, definitely, when nobody can take them in time", async () => {
    const { endpoints, asked } = scripted({ a: noLeader, b: noLeader });
    const result = await clientOf(endpoints, 20).put({ key: KEY });
    expect(result).toMatchObject({ outcome: "failed", message: "etcdserver: no leader" });
    expect(asked.length).toBeGreaterThan(2);
  });

  test("go on when no connection came about", async () => {
    const { endpoints } = scripted({ b: ok });
    const refused: Pick<Transport, "unary"> = {
      unary: () => {
        const cause = Object.assign(new Error("refused"), { syscall: "connect" });
        return Promise.reject(new ConnectError("refused", Code.Unavailable, {}, undefined, cause));
      },
    };
    const a = { name: "a", transport: refused as Transport };
    const result = await clientOf([a, ...endpoints]).put({ key: KEY });
    expect(result).toMatchObject({ outcome: "ok", endpoint: "b", attempts: 2 });
  });
});

test("a cluster that nobody can connect to is given up sooner", async () => {
  const unary = (): Promise<never> => {
    const cause = Object.assign(new Error("refused"), { syscall: "connect" });
    return Promise.reject(new ConnectError("refused", Code.Unavailable, {}, undefined, cause));
  };
  const transport = { unary } as unknown as Transport;
  const names = ["a", "b"];
  const client = createRaftClient({
    endpoints: names.map((name) => ({ name, transport })),
    timeoutMs: 600_000,
    connectMs: 20,
    retryMs: 1,
  });
  // A clock that moves whenever it is read: however slow the machine, there are a few attempts.
  let nowMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (nowMs += 1));
  onTestFinished(() => clock.mockRestore());
  const result = await client.put({ key: KEY });
  expect(result).toMatchObject({ outcome: "failed", message: "refused" });
  expect((result as { attempts: number }).attempts).toBeGreaterThan(2);
  expect(nowMs).toBeLessThan(30);
});

describe("reads", () => {
  test("are asked again whatever happened", async () => {
    const { endpoints, asked } = scripted({ a: lost, b: refuse(Code.Aborted, "x"), c: ok });
    expect(await clientOf(endpoints).range({ key: KEY })).toMatchObject({ outcome: "ok" });
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("leave a node that does not answer", async () => {
    const never = (): Promise<never> => new Promise(() => {});
    const { endpoints, asked } = scripted({ a: never, b: ok });
    const client = createRaftClient({ endpoints, readAttemptMs: 5 });
    expect(await client.range({ key: KEY })).toMatchObject({ outcome: "ok", endpoint: "b" });
    expect(asked).toEqual(["a", "b"]);
  });

  test("wait longer in each round, for a cluster in slow motion", async () => {
    const waits: number[] = [];
    const unary: Transport["unary"] = (_method, _signal, timeoutMs = 0) => {
      waits.push(timeoutMs);
      return Promise.reject(new ConnectError("too slow", Code.DeadlineExceeded));
    };
    const transport = { unary } as unknown as Transport;
    const endpoints = ["a", "b"].map((name) => ({ name, transport }));
    const client = createRaftClient({ endpoints, readAttemptMs: 100, retryMs: 1 });
    await client.range({ key: KEY }, { attemptsMax: 6 });
    expect(waits).toEqual([100, 100, 200, 200, 400, 400]);
  });

  test("ask only the endpoint that is named", async () => {
    const { endpoints, asked } = scripted({ a: ok, b: ok });
    await clientOf(endpoints).range({ key: KEY }, { endpoint: "b" });
    expect(asked).toEqual(["b"]);
  });

  test("end when they are aborted", async () => {
    const { endpoints } = scripted({ a: noLeader });
    const result = clientOf(endpoints).range({ key: KEY }, { signal: AbortSignal.timeout(5) });
    expect(await result).toMatchObject({ outcome: "failed" });
  });
});

test("finds the leader of the latest term", async () => {
  const node = (name: string, memberId: bigint, leader: bigint, raftTerm: bigint): Endpoint => ({
    name,
    transport: createRouterTransport(({ service }) => {
      service(Maintenance, { status: () => ({ header: { memberId }, leader, raftTerm }) });
    }),
  });
  const stale = node("stale", 1n, 1n, 3n);
  const follower = node("follower", 2n, 3n, 4n);
  const leader = node("leader", 3n, 3n, 4n);
  expect(await clientOf([stale, follower, leader]).findLeader()).toBe("leader");
  expect(await clientOf([follower]).findLeader()).toBeNull();
});

test("hands out the whole response", async () => {
  const { endpoints } = scripted({
    a: () => create(PutResponseSchema, { header: { revision: 7n } }),
  });
  const result = await clientOf(endpoints).put({ key: KEY });
  expect(result).toMatchObject({ value: { header: { revision: 7n } } });
});
