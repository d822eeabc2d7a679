/** Sessions over gRPC: headers, forwarding and refusals, with a node that does as it is told. */
import { Metadata, status as Status } from "@grpc/grpc-js";
import { bytesOf } from "@raftarium/kv";
import { Cluster, KV } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { SessionService } from "@raftarium/protocol/machine";
import { describe, expect, test } from "vitest";
import { TEXT } from "./failure.ts";
import { errorOf, serveScriptedNode } from "./testing.ts";
import type { ServedNode } from "./testing.ts";

const key = bytesOf("fruit");

async function open(node: ServedNode): Promise<bigint> {
  return (await callUnary(node.client, SessionService.method.openSession, {})).session;
}

function inSession(headers: Readonly<Record<string, string>>): { readonly metadata: Metadata } {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return { metadata };
}

function put(node: ServedNode, session: bigint, sequence: number, answered = 0) {
  const headers = {
    "raftarium-session": `${session}`,
    "raftarium-sequence": `${sequence}`,
    "raftarium-answered": `${answered}`,
  };
  const request = { key, value: bytesOf(`${sequence}`), prevKv: true };
  return callUnary(node.client, KV.method.put, request, inSession(headers));
}

describe("a write of a session", () => {
  test("that is sent again has the answer of the first time", async () => {
    await using node = await serveScriptedNode(1);
    const session = await open(node);
    const first = await put(node, session, 1);
    const second = await put(node, session, 2);
    expect(second.prevKv).toMatchObject({ value: bytesOf("1"), version: 1n });
    expect(await put(node, session, 2)).toEqual(second);
    expect(await put(node, session, 1)).toEqual(first);
    const { kvs } = await callUnary(node.client, KV.method.range, { key });
    expect(kvs).toMatchObject([{ value: bytesOf("2"), version: 2n }]);
  });

  test("is one of a session at the leader, too, when a follower forwards it", async () => {
    await using follower = await serveScriptedNode(1);
    await using leader = await serveScriptedNode(2);
    follower.leaderId = 2;
    follower.addresses[2] = leader.address;
    const session = await open(follower);
    await put(follower, session, 1);
    await put(leader, session, 1);
    const { kvs } = await callUnary(leader.client, KV.method.range, { key });
    expect(kvs).toMatchObject([{ version: 1n }]);
  });

  test("may have been carried out, if the session is not open any more", async () => {
    await using node = await serveScriptedNode(1);
    const session = await open(node);
    await put(node, session, 1);
    await callUnary(node.client, SessionService.method.closeSession, { session });
    const refused = [Status.FAILED_PRECONDITION, TEXT.sessionExpired, "unknown"];
    expect(await errorOf(put(node, session, 1))).toEqual(refused);
    expect(await errorOf(put(node, 999n, 1))).toEqual(refused);
  });

  test("whose answer the client said it has gets no other", async () => {
    await using node = await serveScriptedNode(1);
    const session = await open(node);
    await put(node, session, 1);
    await put(node, session, 2, 1);
    expect(await errorOf(put(node, session, 1))).toEqual([
      Status.ALREADY_EXISTS,
      TEXT.answerForgotten,
      "unknown",
    ]);
  });

  test("with headers that make no sense is refused, and says which", async () => {
    await using node = await serveScriptedNode(1);
    const session = { "raftarium-session": "1" };
    const cases: [headers: Record<string, string>, text: string][] = [
      [session, "raftarium-sequence: expected a whole number from 1 up, got nothing"],
      [
        { "raftarium-session": "one", "raftarium-sequence": "1" },
        "raftarium-session: expected a whole number from 1 up, got one",
      ],
      [
        { ...session, "raftarium-sequence": "1", "raftarium-answered": "-1" },
        "raftarium-answered: expected a whole number from 0 up, got -1",
      ],
    ];
    for (const [headers, text] of cases) {
      const call = callUnary(node.client, KV.method.put, { key }, inSession(headers));
      expect(await errorOf(call)).toEqual([Status.INVALID_ARGUMENT, text, "failed"]);
    }
    expect(node.proposalCount).toBe(0);
  });

  test("that the sessions don't cover is refused: it could be carried out twice", async () => {
    await using node = await serveScriptedNode(1);
    const headers = inSession({ "raftarium-session": "1", "raftarium-sequence": "1" });
    const call = callUnary(node.client, Cluster.method.memberRemove, { ID: 3n }, headers);
    expect(await errorOf(call)).toEqual([
      Status.INVALID_ARGUMENT,
      "MemberRemove: expected no session, got 1",
      "failed",
    ]);
  });
});
