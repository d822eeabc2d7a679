import { Metadata, status as Status } from "@grpc/grpc-js";
import { bytesOf, prefixEnd } from "@raftarium/kv";
import {
  Cluster,
  Compare_CompareResult,
  Compare_CompareTarget,
  KV,
  Maintenance,
} from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { MembershipService, StateMachineService } from "@raftarium/protocol/machine";
import { describe, expect, test } from "vitest";
import { clusterIdOf } from "./index.ts";
import { errorOf, serveScriptedNode } from "./testing.ts";
import type { ServedNode } from "./testing.ts";

const key = bytesOf("fruit");

function put(node: ServedNode, value: string) {
  return callUnary(node.client, KV.method.put, { key, value: bytesOf(value) });
}

function get(node: ServedNode, serializable = false) {
  return callUnary(node.client, KV.method.range, { key, serializable });
}

async function pair() {
  const follower = await serveScriptedNode(1);
  const leader = await serveScriptedNode(2);
  follower.leaderId = 2;
  follower.addresses[2] = leader.address;
  return {
    follower,
    leader,
    async [Symbol.asyncDispose]() {
      await follower[Symbol.asyncDispose]();
      await leader[Symbol.asyncDispose]();
    },
  };
}

describe("a node that leads", () => {
  test("puts, reads and deletes, and tells in the header who answered", async () => {
    await using node = await serveScriptedNode(3);
    node.term = 7;
    const written = await put(node, "pear");
    expect(written.header).toMatchObject({
      clusterId: clusterIdOf("test"),
      memberId: 3n,
      revision: 2n,
      raftTerm: 7n,
    });
    expect(written.prevKv).toBeUndefined();
    const { kvs, count, more, header } = await get(node);
    expect(kvs).toMatchObject([
      { key, value: bytesOf("pear"), createRevision: 2n, modRevision: 2n, version: 1n, lease: 0n },
    ]);
    expect([count, more, header?.raftTerm]).toEqual([1n, false, 7n]);
    const deleted = await callUnary(node.client, KV.method.deleteRange, {
      key,
      rangeEnd: prefixEnd(key),
      prevKv: true,
    });
    expect(deleted).toMatchObject({ deleted: 1n, prevKvs: [{ key, value: bytesOf("pear") }] });
    expect((await get(node)).kvs).toEqual([]);
  });

  test("carries out a txn by its compares", async () => {
    await using node = await serveScriptedNode(1);
    const txn = () =>
      callUnary(node.client, KV.method.txn, {
        compare: [
          {
            key,
            target: Compare_CompareTarget.CREATE,
            result: Compare_CompareResult.EQUAL,
            targetUnion: { case: "createRevision", value: 0n },
          },
        ],
        success: [{ request: { case: "requestPut", value: { key, value: bytesOf("new") } } }],
        failure: [{ request: { case: "requestRange", value: { key } } }],
      });
    expect(await txn()).toMatchObject({
      succeeded: true,
      responses: [{ response: { case: "responsePut", value: { header: { revision: 2n } } } }],
    });
    expect(await txn()).toMatchObject({
      succeeded: false,
      responses: [{ response: { case: "responseRange", value: { kvs: [{ version: 1n }] } } }],
    });
  });

  test("answers a read-only txn without a log entry", async () => {
    await using node = await serveScriptedNode(1);
    const answer = await callUnary(node.client, KV.method.txn, {
      success: [{ request: { case: "requestRange", value: { key } } }],
    });
    expect([answer.succeeded, answer.responses.length, node.proposalCount]).toEqual([true, 1, 0]);
  });

  test("compacts, and refuses what is older", async () => {
    await using node = await serveScriptedNode(1);
    await put(node, "a");
    await put(node, "b");
    await callUnary(node.client, KV.method.compact, { revision: 3n });
    const old = callUnary(node.client, KV.method.range, { key, revision: 2n });
    expect(await errorOf(old)).toEqual([
      Status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision has been compacted",
      "failed",
    ]);
    const again = callUnary(node.client, KV.method.compact, { revision: 9n });
    expect(await errorOf(again)).toEqual([
      Status.OUT_OF_RANGE,
      "etcdserver: mvcc: required revision is a future revision",
      "failed",
    ]);
  });

  test("refuses a malformed request without proposing it", async () => {
    await using node = await serveScriptedNode(1);
    const refused = [
      [callUnary(node.client, KV.method.put, {}), "etcdserver: key is not provided"],
      [callUnary(node.client, KV.method.txn, { success: [{}] }), "etcdserver: key not found"],
      [
        callUnary(node.client, KV.method.put, { key, value: new Uint8Array(1.5 * 1024 * 1024) }),
        "etcdserver: request is too large",
      ],
    ] as const;
    for (const [call, text] of refused) {
      expect(await errorOf(call)).toEqual([Status.INVALID_ARGUMENT, text, "failed"]);
    }
    expect(node.proposalCount).toBe(0);
    expect(node.observed.slice(0, 2)).toMatchObject([
      { kind: "request-started", description: "=", write: true },
      {
        kind: "request-finished",
        outcome: "failed",
        detail: "etcdserver: key is not provided",
      },
    ]);
  });

  test("says that the outcome is unknown when it lost leadership with the entry in the log", async () => {
    await using node = await serveScriptedNode(1);
    node.onPropose = (_command, done, accepted) => {
      accepted(1, 1);
      done({ kind: "unknown", leaderId: null });
    };
    expect(await errorOf(put(node, "x"))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: request timed out, possibly due to previous leader failure",
      "unknown",
    ]);
    expect(node.proposalCount).toBe(1);
  });

  test("proposes again what another leader's entry superseded", async () => {
    await using node = await serveScriptedNode(1);
    node.onPropose = (_command, done, accepted) => {
      accepted(1, 1);
      node.onPropose = null;
      done({ kind: "superseded", leaderId: null });
    };
    expect((await put(node, "x")).header?.revision).toBe(2n);
    expect(node.proposalCount).toBe(2);
  });

  test("gives up at the time limit: unknown with the entry in the log, failed without", async () => {
    await using node = await serveScriptedNode(1, { requestTimeoutMs: () => 1 });
    node.onPropose = (_command, _done, accepted) => accepted(1, 1);
    expect(await errorOf(put(node, "x"))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: request timed out",
      "unknown",
    ]);
    node.onPropose = null;
    node.leaderId = null;
    expect(await errorOf(put(node, "x"))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: no leader",
      "failed",
    ]);
    expect(await errorOf(get(node))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: no leader",
      "failed",
    ]);
  });

  test("refuses what is not under way before the client's own deadline passes", async () => {
    await using node = await serveScriptedNode(1);
    node.leaderId = null;
    const deadline = Date.now() + 1000;
    const call = callUnary(node.client, KV.method.put, { key }, { deadline });
    expect(await errorOf(call)).toEqual([Status.UNAVAILABLE, "etcdserver: no leader", "failed"]);
  });

  test("answers what waits when it stops", async () => {
    await using node = await serveScriptedNode(1);
    const accepted = new Promise<void>((resolve) => {
      node.onPropose = (_command, _done, tell) => {
        tell(1, 1);
        resolve();
      };
    });
    const waiting = errorOf(put(node, "x"));
    await accepted;
    node.services.close();
    expect(await waiting).toEqual([Status.UNAVAILABLE, "etcdserver: server stopped", "unknown"]);
  });

  test("tells what it is asked, and what came of it", async () => {
    await using node = await serveScriptedNode(1);
    await put(node, "pear");
    await get(node);
    expect(node.observed).toMatchObject([
      { kind: "request-started", requestId: "1.1.1", description: "fruit=pear", write: true },
      { kind: "request-proposed", requestId: "1.1.1", index: 1, term: 1 },
      { kind: "request-finished", requestId: "1.1.1", outcome: "ok" },
      { kind: "request-started", requestId: "1.1.2", description: "get fruit", write: false },
      { kind: "request-finished", requestId: "1.1.2", outcome: "ok" },
    ]);
  });

  test("says that it serves no machine of a user's own", async () => {
    await using node = await serveScriptedNode(1);
    const call = callUnary(node.client, StateMachineService.method.propose, { command: key });
    expect((await errorOf(call))[0]).toBe(Status.UNIMPLEMENTED);
  });
});

describe("a node that follows", () => {
  test("forwards a write, and both nodes tell of one request", async () => {
    await using nodes = await pair();
    const answer = await put(nodes.follower, "pear");
    expect(answer.header).toMatchObject({ memberId: 1n, revision: 2n });
    expect(nodes.follower.observed).toMatchObject([
      { kind: "request-started", requestId: "1.1.1" },
      { kind: "request-forwarded", requestId: "1.1.1", leaderId: 2 },
      { kind: "request-finished", requestId: "1.1.1", outcome: "ok" },
    ]);
    expect(nodes.leader.observed).toMatchObject([
      { kind: "request-proposed", requestId: "1.1.1", index: 1, term: 1 },
    ]);
  });

  test("hands on what the leader's machine refused", async () => {
    await using nodes = await pair();
    const call = callUnary(nodes.follower.client, KV.method.put, { key, ignoreValue: true });
    expect(await errorOf(call)).toEqual([
      Status.INVALID_ARGUMENT,
      "etcdserver: key not found",
      "failed",
    ]);
  });

  test("looks for the leader again when the asked one says that it does not lead", async () => {
    await using nodes = await pair();
    nodes.leader.leaderId = null;
    nodes.leader.onPropose = (_command, done) => {
      nodes.leader.onPropose = null;
      nodes.leader.leaderId = 2;
      done({ kind: "refused", reason: "not-leader", leaderId: null });
    };
    expect((await put(nodes.follower, "pear")).header?.revision).toBe(2n);
    expect(nodes.leader.proposalCount).toBe(2);
  });

  test("never forwards what was forwarded to it", async () => {
    await using nodes = await pair();
    await using third = await serveScriptedNode(3);
    nodes.leader.leaderId = 3;
    nodes.leader.addresses[3] = third.address;
    nodes.leader.onPropose = (_command, done) => {
      nodes.follower.leaderId = 3;
      nodes.follower.addresses[3] = third.address;
      done({ kind: "refused", reason: "not-leader", leaderId: 3 });
    };
    expect((await put(nodes.follower, "pear")).header?.revision).toBe(2n);
    expect([nodes.leader.proposalCount, third.proposalCount]).toEqual([1, 1]);
    expect(nodes.leader.observed.filter(({ kind }) => kind === "request-forwarded")).toEqual([]);
  });

  test("sends a forwarded write once, and says so when its outcome is unknown", async () => {
    await using nodes = await pair();
    await put(nodes.follower, "first");
    nodes.leader.onPropose = () => {
      // The connection breaks with the write on it.
      void nodes.leader[Symbol.asyncDispose]();
    };
    expect(await errorOf(put(nodes.follower, "second"))).toEqual([
      Status.UNAVAILABLE,
      expect.stringMatching(/^etcdserver: (request timed out, possibly|server stopped)/),
      "unknown",
    ]);
    expect(nodes.leader.proposalCount).toBe(2);
  });

  test("does not get a forwarded write over a cut link", async () => {
    await using follower = await serveScriptedNode(1, { requestTimeoutMs: () => 300 });
    await using leader = await serveScriptedNode(2, { isCut: (source) => source === 1 });
    follower.leaderId = 2;
    follower.addresses[2] = leader.address;
    expect(await errorOf(put(follower, "x"))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: request timed out",
      "unknown",
    ]);
    expect(leader.proposalCount).toBe(0);
  });

  test("does not get the answer to a forwarded write over a cut link", async () => {
    const cut = { requestTimeoutMs: () => 300, isCut: (source: number) => source === 2 };
    await using follower = await serveScriptedNode(1, cut);
    await using leader = await serveScriptedNode(2);
    follower.leaderId = 2;
    follower.addresses[2] = leader.address;
    expect(await errorOf(put(follower, "x"))).toEqual([
      Status.UNAVAILABLE,
      "etcdserver: request timed out",
      "unknown",
    ]);
    expect(leader.machine.stats().revision).toBe(2);
  });

  test("answers a serializable read from what it has, and waits for a linearizable one", async () => {
    await using nodes = await pair();
    nodes.follower.leaderId = null;
    expect((await get(nodes.follower, true)).kvs).toEqual([]);
    let refusals = 0;
    nodes.follower.onRead = (done) => {
      refusals += 1;
      if (refusals === 2) nodes.follower.onRead = null;
      nodes.follower.leaderId = 2;
      done({ kind: "refused", reason: "no-leader", leaderId: null });
    };
    expect((await get(nodes.follower)).kvs).toEqual([]);
    expect(refusals).toBe(2);
  });
});

describe("cluster and maintenance", () => {
  test("lists the members", async () => {
    await using node = await serveScriptedNode(2);
    const { members } = await callUnary(node.client, Cluster.method.memberList, {});
    expect(members.map(({ ID, isLearner }) => [ID, isLearner])).toEqual([
      [1n, false],
      [2n, false],
      [3n, false],
    ]);
    expect(members[1]).toMatchObject({
      name: "node-2",
      peerURLs: [`http://${node.address}`],
      clientURLs: [`http://${node.address}`],
    });
  });

  test("names what is wrong with a change of the members", async () => {
    await using node = await serveScriptedNode(2);
    const add = (url: string) =>
      callUnary(node.client, Cluster.method.memberAdd, { peerURLs: [url], isLearner: true });
    const nonsense = ["nonsense", "http://127.0.0.1:99999", "http://%zz:7101", "http://a@b:7101"];
    for (const url of [...nonsense, "http://[1::2::3]:7101", "http://300.1.1.1:7101"]) {
      expect(await errorOf(add(url)), url).toEqual([
        Status.INVALID_ARGUMENT,
        "etcdserver: given member URLs are invalid",
        "failed",
      ]);
    }
    expect(await errorOf(add(`http://${node.address}`))).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: Peer URLs already exists",
      "failed",
    ]);
    const remove = callUnary(node.client, Cluster.method.memberRemove, { ID: 9n });
    expect(await errorOf(remove)).toEqual([
      Status.NOT_FOUND,
      "etcdserver: member not found",
      "failed",
    ]);
    const promote = callUnary(node.client, Cluster.method.memberPromote, { ID: 1n });
    expect(await errorOf(promote)).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: can only promote a learner member",
      "failed",
    ]);
  });

  test("refuses a change after which too few of the voters would run", async () => {
    await using node = await serveScriptedNode(2);
    const changes: string[] = [];
    node.onChange = ({ kind }) => changes.push(kind);
    const add = (isLearner: boolean) =>
      callUnary(node.client, Cluster.method.memberAdd, {
        peerURLs: ["http://127.0.0.1:1"],
        isLearner,
      });
    const remove = (ID: bigint) => callUnary(node.client, Cluster.method.memberRemove, { ID });
    node.active = [3];
    const text = "etcdserver: re-configuration failed due to not enough started members: ";
    expect(await errorOf(add(false))).toEqual([
      Status.FAILED_PRECONDITION,
      `${text}2 of the 4 voters would run; start them, or add the new one as a learner and promote it once it runs`,
      "failed",
    ]);
    expect(await errorOf(remove(3n))).toEqual([
      Status.FAILED_PRECONDITION,
      `${text}1 of the 2 voters would run; bring others back first`,
      "failed",
    ]);
    expect(changes).toEqual([]);
    // A learner holds nobody up, and who is dead may always go.
    await add(true);
    await remove(1n);
    node.active = [1, 3];
    await add(false);
    await remove(3n);
    expect(changes).toEqual(["add-learner", "remove", "replace", "remove"]);
    // Who doesn't lead can't know; the leader sees.
    node.active = [];
    node.leaderId = 1;
    await remove(3n);
    expect(changes).toHaveLength(5);
  });

  test("makes exactly these members voters, the others learners", async () => {
    await using node = await serveScriptedNode(2);
    node.learners = [4];
    const changes: unknown[] = [];
    node.onChange = (change) => changes.push(change);
    const set = (...nodeIds: bigint[]) =>
      callUnary(node.client, MembershipService.method.setVoters, { nodeIds });
    expect(await errorOf(set())).toEqual([
      Status.INVALID_ARGUMENT,
      "cannot set the voters: expected at least one member, got none",
      "failed",
    ]);
    expect((await errorOf(set(2n, 9n)))[1]).toBe("etcdserver: member not found");
    // A learner that is not heard is no voter that runs.
    expect((await errorOf(set(2n, 4n)))[1]).toContain("1 of the 2 voters would run");
    node.active = [1, 3, 4];
    await set(2n, 4n, 4n);
    expect(changes).toEqual([
      { kind: "replace", voters: [2, 4], learners: [1, 3], addresses: node.addresses },
    ]);
    node.behind = 1001;
    expect((await errorOf(set(2n, 4n)))[1]).toContain("in sync with leader");
    // Who votes already may lag: the others need not wait for it.
    await set(1n, 2n, 3n);
    expect(changes).toHaveLength(2);
  });

  test("says why the core refuses a change", async () => {
    await using node = await serveScriptedNode(2);
    node.learners = [4];
    const promote = callUnary(node.client, Cluster.method.memberPromote, { ID: 4n });
    expect(await errorOf(promote)).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: can only promote a learner member which is in sync with leader",
      "failed",
    ]);
    const remove = callUnary(node.client, Cluster.method.memberRemove, { ID: 3n });
    expect((await errorOf(remove))[1]).toBe(
      "etcdserver: re-configuration failed due to not enough started members: node 3 is the only voter; add another first",
    );
  });

  test("gives a new member an id that no node ever had, or the one that is asked for", async () => {
    await using node = await serveScriptedNode(2);
    const added: unknown[] = [];
    node.onChange = (change) => added.push(change);
    node.addresses[9] = "";
    const add = (isLearner: boolean, id?: string) => {
      const metadata = new Metadata();
      if (id !== undefined) metadata.set("raftarium-member-id", id);
      const request = { peerURLs: ["http://127.0.0.1:1"], isLearner };
      return callUnary(node.client, Cluster.method.memberAdd, request, { metadata });
    };
    expect((await add(true)).member?.ID).toBe(10n);
    expect((await add(true, "12")).member?.ID).toBe(12n);
    await add(false, "12");
    expect(added).toEqual([
      { kind: "add-learner", nodeId: 10, address: "127.0.0.1:1" },
      { kind: "add-learner", nodeId: 12, address: "127.0.0.1:1" },
      {
        kind: "replace",
        voters: [1, 2, 3, 12],
        learners: [],
        addresses: { 2: node.address, 9: "", 12: "127.0.0.1:1" },
      },
    ]);
    expect(await errorOf(add(true, "3"))).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: member ID already exist",
      "failed",
    ]);
    expect(await errorOf(add(true, "7"))).toEqual([
      Status.FAILED_PRECONDITION,
      "cannot add node 7: a node that is gone may have had this id; expected 10 or more",
      "failed",
    ]);
    expect((await errorOf(add(true, "-3")))[0]).toBe(Status.INVALID_ARGUMENT);
  });

  test("tells how the node is", async () => {
    await using node = await serveScriptedNode(2);
    await put(node, "x");
    expect(await callUnary(node.client, Maintenance.method.status, {})).toMatchObject({
      header: { memberId: 2n, revision: 2n },
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      leader: 2n,
      raftIndex: 1n,
      raftTerm: 1n,
      dbSize: 12_345n,
      errors: [],
    });
  });

  test("moves the leader only from the leader, and only to a voter", async () => {
    await using node = await serveScriptedNode(2);
    const move = (targetID: bigint) =>
      callUnary(node.client, Maintenance.method.moveLeader, { targetID });
    expect(await errorOf(move(9n))).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: bad leader transferee",
      "failed",
    ]);
    await move(1n);
    expect(node.leaderId).toBe(1);
    expect(await errorOf(move(3n))).toEqual([
      Status.FAILED_PRECONDITION,
      "etcdserver: not leader",
      "failed",
    ]);
  });
});
