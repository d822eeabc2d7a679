import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { checkLinearizable } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import {
  PutRequestSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "@raftarium/protocol/etcd";
import { beforeEach, expect, test } from "vitest";
import { createClientHistory, type ClientHistory } from "./client-history.ts";

const bytes = (text: string) => Buffer.from(text);
let timeUs = 0;
let history: ClientHistory;
beforeEach(() => {
  timeUs = 100;
  history = createClientHistory(() => (timeUs += 1));
});

const put = (key: string, value: string, answer = (): Promise<object> => Promise.resolve({})) =>
  history.record("put", create(PutRequestSchema, { key: bytes(key), value: bytes(value) }), answer);
const get = (
  key: string,
  value: string | null,
  more: MessageInitShape<typeof RangeRequestSchema> = {},
) => {
  const kvs = value === null ? [] : [{ key: bytes(key), value: bytes(value) }];
  return history.record("range", create(RangeRequestSchema, { key: bytes(key), ...more }), () =>
    Promise.resolve(create(RangeResponseSchema, { kvs })),
  );
};

test("keeps what was asked and answered, as one client's as long as one waits for the other", async () => {
  await put("x", "1");
  await get("x", "1");
  expect(history.operations()).toEqual([
    {
      client: 1,
      action: { kind: "put", key: "x", value: "1" },
      call: 1000,
      return: 2000,
      outcome: "ok",
    },
    {
      client: 1,
      action: { kind: "get", key: "x", value: "1" },
      call: 3000,
      return: 4000,
      outcome: "ok",
    },
  ]);
});

test("a refusal is a failure, anything else unknown; then the client is another", async () => {
  const refused = new ConnectError("no", Code.Unavailable, { "raftarium-outcome": "failed" });
  await expect(put("x", "1", () => Promise.reject(refused))).rejects.toBe(refused);
  const lost = new ConnectError("gone", Code.Unavailable);
  await expect(put("x", "2", () => Promise.reject(lost))).rejects.toBe(lost);
  await get("x", null);
  expect(history.operations().map(({ client, outcome }) => [client, outcome])).toEqual([
    [1, "fail"],
    [1, "unknown"],
    [2, "ok"],
  ]);
});

test("a stale read is found", async () => {
  await put("x", "1");
  await put("x", "2");
  await get("x", "1");
  expect(checkLinearizable(history.operations()).verdict).toBe("illegal");
});

test("reads that promise less are left out", async () => {
  await put("x", "1");
  await get("x", null, { serializable: true });
  await get("x", null, { revision: 1n });
  expect(history.operations()).toHaveLength(1);
});

test("nothing is said of keys that others write", async () => {
  await put("x", "1");
  await get("x", "of somebody else");
  await put("y", "1");
  expect(history.foreignKeys()).toEqual(["x"]);
  expect(history.operations().map(({ action }) => action)).toEqual([
    { kind: "put", key: "y", value: "1" },
  ]);
});

test("a node that was killed is a band, to its end or to the end", () => {
  const health = { pid: 1, address: "", cause: "", lastWords: "" };
  const told = (timeUs: number, nodeId: number, state: "crashed" | "running") => ({
    nodeId,
    incarnation: 1,
    sequence: 0,
    timeUs,
    body: { kind: "health-changed" as const, health: state, ...health },
  });
  expect(
    history.faults([told(111, 1, "crashed"), told(121, 1, "running"), told(131, 2, "crashed")]),
  ).toEqual([
    { label: "node 1 killed", from: 10_000, to: 20_000 },
    { label: "node 2 killed", from: 30_000, to: null },
  ]);
});

test("links that are cut are a band, until others are", () => {
  const told = (timeUs: number, ...cuts: readonly (readonly [number, number])[]): Observation => {
    const well = { delayMs: 5, jitterMs: 0, dropRate: 0, duplicateRate: 0, messageKinds: [] };
    const links = cuts.map(([source, target]) => ({ ...well, source, target, cut: true }));
    const slow = { ...well, source: 2, target: 3, cut: false };
    const body = { kind: "links-changed" as const, links: [...links, slow] };
    return { nodeId: 0, incarnation: 1, sequence: 1, timeUs, body };
  };
  expect(
    history.faults([told(111, [1, 2]), told(116, [1, 2]), told(121), told(131, [2, 1], [1, 2])]),
  ).toEqual([
    { label: "cut: 1→2", from: 10_000, to: 20_000 },
    { label: "cut: 2→1, 1→2", from: 30_000, to: null },
  ]);
});
