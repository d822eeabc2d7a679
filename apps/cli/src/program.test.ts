import { Server, ServerCredentials, status as Status } from "@grpc/grpc-js";
import { Cluster, KV, Maintenance } from "@raftarium/protocol/etcd";
import { MembershipService } from "@raftarium/protocol/machine";
import { StatusError, addService } from "@raftarium/protocol/grpc";
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import { Metadata } from "@grpc/grpc-js";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Code, ConnectError } from "@connectrpc/connect";
import { PlaygroundService } from "@raftarium/protocol/playground";
import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { main } from "./program.ts";

interface Run {
  readonly exitCode: number;
  readonly output: string;
  readonly complaints: string;
}

async function run(
  argv: readonly string[],
  input = "",
  terminal = false,
  signal = new AbortController().signal,
): Promise<Run> {
  const output: Uint8Array[] = [];
  let complaints = "";
  const io: Io = {
    terminal,
    write: (chunk) =>
      void output.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk),
    complain: (text) => {
      complaints += `${text}\n`;
    },
    readInput: () => Promise.resolve(new TextEncoder().encode(input)),
    signal,
  };
  const exitCode = await main(argv, io);
  return { exitCode, output: Buffer.concat(output).toString(), complaints };
}

type Kv = ServiceImplementation<typeof KV>;

/** A node of a cluster with the methods that a test needs; the others fail the test. */
async function serve(methods: Partial<Kv>, act: (endpoints: string) => Promise<void>) {
  const server = new Server();
  const refuse = (_call: unknown, done: (error: Error) => void): void =>
    done(new StatusError(Status.UNIMPLEMENTED, "not in this test"));
  const kv = { range: refuse, put: refuse, deleteRange: refuse, txn: refuse, compact: refuse };
  addService(server, KV, { ...kv, ...methods });
  addService(server, Cluster, {
    memberList: (_call, done) =>
      done(null, { members: [{ ID: 1n, name: "node-1", peerURLs: ["http://h:1"] }] }),
    memberAdd: (call, done) => {
      const { peerURLs, isLearner } = call.request;
      const [id = "0"] = call.metadata.get("raftarium-member-id");
      const member = { ID: BigInt(String(id)), name: "new", peerURLs, isLearner };
      done(null, { member, members: [member] });
    },
    memberRemove: refuse,
    memberUpdate: refuse,
    memberPromote: refuse,
  });
  addService(server, MembershipService, {
    setVoters: (call, done) =>
      call.request.nodeIds.join() === "1,2"
        ? done(null, {})
        : done(refused(Status.NOT_FOUND, "etcdserver: member not found", "failed")),
  });
  addService(server, Maintenance, {
    status: (_call, done) =>
      done(null, {
        header: { memberId: 1n, revision: 9n },
        leader: 1n,
        raftTerm: 4n,
        raftIndex: 8n,
      }),
    moveLeader: (call, done) =>
      call.request.targetID === 2n
        ? done(null, {})
        : done(refused(Status.FAILED_PRECONDITION, "etcdserver: bad leader transferee", "failed")),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    await act(`127.0.0.1:${port}`);
  } finally {
    server.forceShutdown();
  }
}

function refused(code: Status, text: string, outcome: string): StatusError {
  const metadata = new Metadata();
  metadata.set("raftarium-outcome", outcome);
  return new StatusError(code, text, metadata);
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("exit codes", () => {
  test("0: done", () =>
    serve({ put: (_call, done) => done(null, { header: { revision: 2n } }) }, async (endpoints) => {
      expect(await run(["--endpoints", endpoints, "put", "fruit", "pear"])).toEqual({
        exitCode: EXIT.ok,
        output: "OK\n",
        complaints: "",
      });
    }));

  test("1: definitely not done", () =>
    serve(
      {
        put: (_call, done) =>
          done(refused(Status.INVALID_ARGUMENT, "etcdserver: key is not provided", "failed")),
      },
      async (endpoints) => {
        const result = await run(["--endpoints", endpoints, "put", "", "pear"]);
        expect(result.exitCode).toBe(EXIT.failed);
        expect(result.complaints).toContain("invalid argument: etcdserver: key is not provided");
      },
    ));

  test("2: the outcome is unknown, and the write is not sent again", async () => {
    let calls = 0;
    const put: Kv["put"] = (_call, done) => {
      calls += 1;
      done(refused(Status.UNAVAILABLE, "etcdserver: request timed out", "unknown"));
    };
    await serve({ put }, async (endpoints) => {
      const result = await run(["--endpoints", endpoints, "put", "fruit", "pear"]);
      expect(result.exitCode).toBe(EXIT.unknown);
      expect(result.complaints).toContain("may have taken effect");
      expect(calls).toBe(1);
    });
  });

  test("2: a put that nobody answers in time", () =>
    serve({ put: () => {} }, async (endpoints) => {
      const result = await run(["--endpoints", endpoints, "--timeout", "200ms", "put", "a", "b"]);
      expect(result.exitCode).toBe(EXIT.unknown);
    }));

  test("1: a get that nobody answers in time changes nothing", () =>
    serve({ range: () => {} }, async (endpoints) => {
      const result = await run(["--endpoints", endpoints, "--timeout", "200ms", "get", "a"]);
      expect(result.exitCode).toBe(EXIT.failed);
    }));

  test("2: a put that is interrupted; 1: a get that is", async () => {
    let interruption = new AbortController();
    const interrupt = (): void => interruption.abort();
    await serve({ put: interrupt, range: interrupt }, async (endpoints) => {
      const put = ["--endpoints", endpoints, "put", "fruit", "pear"];
      const interrupted = await run(put, "", false, interruption.signal);
      expect(interrupted).toMatchObject({ exitCode: EXIT.unknown });
      expect(interrupted.complaints).toContain("It may have taken effect");
      interruption = new AbortController();
      const get = ["--endpoints", endpoints, "get", "fruit"];
      expect((await run(get, "", false, interruption.signal)).exitCode).toBe(EXIT.failed);
    });
  });

  test("1: a message larger than a node can take was never looked at", () =>
    serve({}, async (endpoints) => {
      const put = ["--endpoints", `${endpoints},127.0.0.1:1`, "--output", "json", "put", "large"];
      const { exitCode, output } = await run(put, "x".repeat(5_000_000));
      expect(exitCode).toBe(EXIT.failed);
      expect(JSON.parse(output)).toMatchObject({ outcome: "failed", attempts: 1 });
    }));

  test.each(["127.0.0.1:99999", "here", "a/b:1", "300.1.1.1:7101"])(
    "64: %s is no endpoint",
    async (endpoint) => {
      const { exitCode, complaints } = await run(["--endpoints", endpoint, "get", "fruit"]);
      expect(exitCode).toBe(EXIT.usage);
      expect(complaints).toContain(`expected host:port,host:port…, got '${endpoint}'`);
    },
  );

  test("1: nothing listens, and the text says where it looked", async () => {
    const result = await run(["--endpoints", "127.0.0.1:1", "--timeout", "50ms", "put", "a", "b"]);
    expect(result.exitCode).toBe(EXIT.failed);
    expect(result.complaints).toMatch(/ECONNREFUSED.*127\.0\.0\.1:1/);
  });

  test.each([
    [[], "expected a command or --action"],
    [["sing"], "unknown command 'sing'"],
    [["put"], "missing required argument 'key'"],
    [["--timeout", "soon", "get", "a"], "expected a duration such as 500ms or 5s, got soon"],
    [["--endpoints", "nowhere", "get", "a"], "expected host:port,host:port…, got 'nowhere'"],
    [["--output", "xml", "get", "a"], "expected one of text, json, got xml"],
    [["get", "a", "--limit", "0"], "expected a whole number from 1 up, got 0"],
    [["--action", "add", "--key", "k"], "--action add needs --value"],
    [["--action", "fly", "--key", "k"], "expected one of add, get, delete, got fly"],
    [["txn", "--if", "fruit is pear"], "cannot read the condition 'fruit is pear'"],
    [["txn", "--then", "put fruit"], "cannot read the operation 'put fruit'"],
    [["crash", "one"], "expected a whole number from 1 up, got one"],
    [["partition", "1;2"], "expected node ids such as 1,2, got 1;2"],
    [["speed", "7"], "expected a number from 0.001 to 1, got 7"],
  ])("64: %j makes no sense", async (argv, text) => {
    const result = await run(argv);
    expect(result.exitCode).toBe(EXIT.usage);
    expect(result.complaints).toContain(text);
  });

  test.each([["--help"], ["put", "--help"], ["member", "--help"]])("0: %s", async (...argv) => {
    const result = await run(argv);
    expect(result.exitCode).toBe(EXIT.ok);
    expect(result.output).toContain("Usage: raft-client");
  });
});

describe("what goes out and what is printed", () => {
  const stored: Kv["range"] = (call, done) => {
    const value = bytes("pear\u001B[31m");
    done(null, {
      header: { revision: 5n, raftTerm: 2n, memberId: 3n },
      kvs: [{ key: call.request.key, value, createRevision: 2n, modRevision: 5n, version: 3n }],
      count: 1n,
    });
  };

  test("a value goes out as it is, except to a terminal that it could steer", () =>
    serve({ range: stored }, async (endpoints) => {
      const piped = await run(["--endpoints", endpoints, "get", "fruit"]);
      expect(piped.output).toBe("pear\u001B[31m\n");
      const shown = await run(["--endpoints", endpoints, "get", "fruit"], "", true);
      expect(shown.output).toBe(`0x${Buffer.from("pear\u001B[31m").toString("hex")}\n`);
    }));

  test("json holds all that is known", () =>
    serve({ range: stored }, async (endpoints) => {
      const { output } = await run(["--endpoints", endpoints, "--output", "json", "get", "fruit"]);
      expect(JSON.parse(output)).toEqual({
        outcome: "ok",
        revision: 5,
        term: 2,
        nodeId: 3,
        kvs: [
          {
            key: "fruit",
            value: "pear\u001B[31m",
            createRevision: 2,
            modRevision: 5,
            version: 3,
          },
        ],
        count: 1,
        more: false,
      });
    }));

  test("json tells of a failure too", async () => {
    const argv = ["--endpoints", "127.0.0.1:1", "--timeout", "20ms", "--output", "json"];
    const { output, exitCode } = await run([...argv, "get", "a"]);
    expect(JSON.parse(output)).toMatchObject({ outcome: "failed", code: "unavailable" });
    expect(exitCode).toBe(EXIT.failed);
  });

  test("--action add, get and delete do what put, get and del do", async () => {
    const asked: unknown[] = [];
    const methods: Partial<Kv> = {
      put: (call, done) => {
        asked.push(["put", call.request.key, call.request.value]);
        done(null, {});
      },
      range: (call, done) => {
        asked.push(["get", call.request.key]);
        done(null, { kvs: [{ key: call.request.key, value: bytes("V") }], count: 1n });
      },
      deleteRange: (call, done) => {
        asked.push(["del", call.request.key]);
        done(null, { deleted: 1n });
      },
    };
    await serve(methods, async (endpoints) => {
      const action = (...argv: string[]) => run(["--endpoints", endpoints, "--action", ...argv]);
      expect((await action("add", "--key", "K", "--value", "V")).output).toBe("OK\n");
      expect((await action("get", "--key", "K")).output).toBe("V\n");
      expect((await action("delete", "--key", "K")).output).toBe("1\n");
    });
    expect(asked).toEqual([
      ["put", bytes("K"), bytes("V")],
      ["get", bytes("K")],
      ["del", bytes("K")],
    ]);
  });

  test("put takes its value from standard input", async () => {
    let value: Uint8Array | undefined;
    const put: Kv["put"] = (call, done) => {
      ({ value } = call.request);
      done(null, {});
    };
    await serve({ put }, async (endpoints) => {
      await run(["--endpoints", endpoints, "put", "k"], "from a pipe");
    });
    expect(value).toEqual(bytes("from a pipe"));
  });

  test("get --prefix asks for the range of all keys with that prefix", async () => {
    const ranges: unknown[] = [];
    const range: Kv["range"] = ({ request }, done) => {
      ranges.push([
        [...request.key],
        [...request.rangeEnd],
        request.serializable,
        request.revision,
      ]);
      done(null, {});
    };
    await serve({ range }, async (endpoints) => {
      const options = ["--serializable", "--rev", "7"];
      await run(["--endpoints", endpoints, "get", "ab", "--prefix", ...options]);
      await run(["--endpoints", endpoints, "get", "", "--prefix"]);
      await run(["--endpoints", endpoints, "get", "a", "c"]);
    });
    expect(ranges).toEqual([
      [[97, 98], [97, 99], true, 7n],
      [[0], [0], false, 0n],
      [[97], [99], false, 0n],
    ]);
  });

  test("txn reads conditions and operations as people write them", async () => {
    let request: unknown;
    const txn: Kv["txn"] = (call, done) => {
      ({ request } = call);
      done(null, {
        succeeded: true,
        responses: [{ response: { case: "responsePut", value: {} } }],
      });
    };
    await serve({ txn }, async (endpoints) => {
      const conditions = ["--if", "value(fruit) != 'a pear'", "--if", "version(fruit) > 3"];
      const operations = ["--then", 'put fruit "red apple"', "--else", "del a/ --prefix"];
      const { output } = await run(["--endpoints", endpoints, "txn", ...conditions, ...operations]);
      expect(output).toBe("SUCCESS\nOK\n");
    });
    expect(request).toMatchObject({
      compare: [
        { result: 3, target: 3, key: bytes("fruit"), targetUnion: { value: bytes("a pear") } },
        { result: 1, target: 0, key: bytes("fruit"), targetUnion: { value: 3n } },
      ],
      success: [{ request: { value: { key: bytes("fruit"), value: bytes("red apple") } } }],
      failure: [{ request: { value: { key: bytes("a/"), rangeEnd: bytes("a0") } } }],
    });
  });

  test("status tells of nodes that answer and of those that don't", () =>
    serve({}, async (endpoints) => {
      const result = await run(["--endpoints", `${endpoints},127.0.0.1:1`, "status"]);
      expect(result.exitCode).toBe(EXIT.ok);
      expect(result.output).toMatch(/leader +4 +8 +0 +9/);
      expect(result.output).toContain("ECONNREFUSED");
      const nobody = await run(["--endpoints", "127.0.0.1:1", "status"]);
      expect(nobody.exitCode).toBe(EXIT.failed);
    }));

  test("status --watch goes on until it is interrupted", () =>
    serve({}, async (endpoints) => {
      const interruption = new AbortController();
      setImmediate(() => interruption.abort());
      const watch = ["--endpoints", endpoints, "status", "--watch"];
      expect(await run(watch, "", false, interruption.signal)).toMatchObject({ exitCode: EXIT.ok });
    }));

  test("member list", () =>
    serve({}, async (endpoints) => {
      const { output } = await run(["--endpoints", endpoints, "member", "list"]);
      expect(output).toMatch(/^1 +node-1 +http:\/\/h:1 +voter$/m);
    }));
});

test("member add says where the new node listens, and under which id", () =>
  serve({}, async (endpoints) => {
    const argv = ["member", "add", "127.0.0.1:7106", "--id", "6", "--learner"];
    const { output } = await run(["--endpoints", endpoints, ...argv]);
    expect(output).toMatch(/^6 +new +http:\/\/127.0.0.1:7106 +learner$/m);
  }));

test("member voters makes one change, and shows who takes part", () =>
  serve({}, async (endpoints) => {
    const voters = (ids: string) => run(["--endpoints", endpoints, "member", "voters", ids]);
    expect((await voters("1,2")).output).toMatch(/^1 +node-1 +http:\/\/h:1 +voter$/m);
    expect(await voters("1,9")).toMatchObject({
      exitCode: EXIT.failed,
      complaints: expect.stringContaining("member not found") as string,
    });
    expect(await voters("1;2")).toMatchObject({ exitCode: EXIT.usage });
  }));

test("move-leader asks the node that leads", () =>
  serve({}, async (endpoints) => {
    const move = (nodeId: string) => run(["--endpoints", endpoints, "move-leader", nodeId]);
    expect(await move("2")).toMatchObject({ exitCode: EXIT.ok, output: "Node 2 leads.\n" });
    expect(await move("9")).toMatchObject({
      exitCode: EXIT.failed,
      complaints: expect.stringContaining("bad leader transferee") as string,
    });
  }));

describe("the playground", () => {
  async function playground(act: (url: string, calls: unknown[]) => Promise<void>) {
    const calls: unknown[] = [];
    const handler = connectNodeAdapter({
      routes: ({ service }) => {
        service(PlaygroundService, {
          getCluster: () => ({
            speed: 0.05,
            nodes: [
              { id: 1n, address: "h:1", pid: 42, health: 2, role: 4, term: 3n, leaderId: 1n },
            ],
            links: [{ source: 1n, target: 2n, cut: true }],
          }),
          crashNode: ({ nodeId }) => {
            if (nodeId === 9n) {
              throw new ConnectError("cannot crash node 9: no such node", Code.NotFound);
            }
            calls.push(["crash", nodeId]);
            return {};
          },
          setLink: ({ source, target, cut, delayMs, messageKinds }) => {
            calls.push(["link", source, target, cut, delayMs, messageKinds]);
            return {};
          },
          addNode: () => ({ nodeId: 6n }),
          wipeNode: ({ nodeId }) => ({ nodeId: nodeId + 4n }),
          removeNode: ({ nodeId }) => {
            calls.push(["remove", nodeId]);
            return {};
          },
          setDisk: ({ nodeId, delayMs, fail, full }) => {
            calls.push(["disk", nodeId, delayMs, fail, full]);
            return {};
          },
          setClock: ({ nodeId, rate }) => {
            calls.push(["clock", nodeId, rate]);
            return {};
          },
          partition: ({ groups }) => {
            calls.push(["partition", groups.map(({ nodeIds }) => nodeIds)]);
            return {};
          },
        });
      },
    });
    const server = createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test("does what it is asked", () =>
    playground(async (url, calls) => {
      const options = ["--playground", url];
      expect((await run([...options, "crash", "2"])).output).toBe("node 2 crashed\n");
      await run([...options, "link", "1", "2", "--cut", "--both", "--kinds", "vote,append"]);
      await run([...options, "link", "1", "2", "--delay", "1s"]);
      await run([...options, "partition", "1,2", "3"]);
      expect(calls).toEqual([
        ["crash", 2n],
        ["link", 1n, 2n, true, 0, [3, 1]],
        ["link", 2n, 1n, true, 0, [3, 1]],
        ["link", 1n, 2n, false, 1000, []],
        ["partition", [[1n, 2n], [3n]]],
      ]);
    }));

  test("adds, removes and wipes nodes, and spoils disks and clocks", () =>
    playground(async (url, calls) => {
      const options = ["--playground", url];
      expect((await run([...options, "add"])).output).toBe("node 6 added\n");
      expect((await run([...options, "wipe", "2"])).output).toBe(
        "node 2 wiped: it is node 6 now\n",
      );
      expect((await run([...options, "remove", "3"])).output).toBe("node 3 removed\n");
      expect((await run([...options, "disk", "1"])).output).toBe("disk of node 1 sound\n");
      await run([...options, "disk", "1", "--delay", "200ms", "--full"]);
      await run([...options, "disk", "1", "--fail"]);
      await run([...options, "clock", "1", "1.5"]);
      expect((await run([...options, "clock", "1", "0"])).exitCode).toBe(EXIT.usage);
      expect(calls).toEqual([
        ["remove", 3n],
        ["disk", 1n, 0, false, false],
        ["disk", 1n, 200, false, true],
        ["disk", 1n, 0, true, false],
        ["clock", 1n, 1.5],
      ]);
    }));

  test("shows the cluster", () =>
    playground(async (url) => {
      const { output } = await run(["--playground", url, "cluster"]);
      expect(output).toMatch(/^1 +h:1 +42 +running +leader +3 +1 +0 +0$/m);
      expect(output).toContain("speed 0.05\ncut: 1 to 2\n");
    }));

  test("says what it refused", () =>
    playground(async (url) => {
      const result = await run(["--playground", url, "crash", "9"]);
      expect(result.exitCode).toBe(EXIT.failed);
      expect(result.complaints).toContain("cannot crash node 9: no such node");
    }));
});
