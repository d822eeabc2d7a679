/** The server over real sockets: grpc-js's client where it can say it, bare HTTP/2 where it can't. */
import { connect } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import type { ClientDuplexStream, ServiceError, UntypedHandleCall } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { framed } from "./framing.ts";
import { GrpcServer } from "./server.ts";
import { StatusError } from "./status-error.ts";

const PATIENCE = { timeout: 8000, interval: 5 };
const MESSAGE_BYTES_MAX = 100_000;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

const asIs = (bytes: Buffer): Buffer => bytes;
/** Refuses what begins with an exclamation mark, both ways. */
const checked = (bytes: Buffer): Buffer => {
  if (bytes.toString().startsWith("!")) throw new Error("an exclamation mark");
  return bytes;
};
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Service/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: checked,
  responseSerialize: checked,
  responseDeserialize: asIs,
});
const UNARY = method("Unary", false, false);
const LIST = method("List", false, true);
const CHAT = method("Chat", true, true);

type Handlers = Record<"unary" | "list" | "chat", (call: never, done: never) => void>;

async function start(
  handlers: Partial<Handlers>,
): Promise<{ server: GrpcServer; address: string }> {
  const server = new GrpcServer({ messageBytesMax: MESSAGE_BYTES_MAX, windowBytes: 65_535 });
  const unused = (): never => {
    throw new Error("not expected to be called");
  };
  const { unary = unused, list = unused, chat = unused } = handlers;
  server.addService({ unary: UNARY, list: LIST, chat: CHAT }, {
    unary,
    list,
    chat,
  } as unknown as Record<string, UntypedHandleCall>);
  cleanups.push(() => server.close());
  return { server, address: `127.0.0.1:${await server.listen("127.0.0.1", 0)}` };
}

function clientOf(address: string): Client {
  const client = new Client(address, credentials.createInsecure());
  cleanups.push(() => client.close());
  return client;
}

function ask(
  client: Client,
  request: string | Buffer,
  metadata = new Metadata(),
  options: object = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(request as string);
    const { path } = UNARY;
    client.makeUnaryRequest(path, asIs, asIs, bytes, metadata, options, (error, answer) =>
      error === null ? resolve(String(answer)) : reject(error),
    );
  });
}

interface Unary {
  readonly request: Buffer;
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getDeadline(): number;
  on(event: "cancelled", listener: () => void): void;
}
type Done = (error: Partial<ServiceError> | null, answer?: Buffer) => void;

const echo = (call: Unary, done: Done): void => done(null, call.request);

interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a client says that minds no rules; `pieces` go out one after the other. */
function raw(address: string, headers: OutgoingHttpHeaders, pieces: Buffer[]): Promise<RawAnswer> {
  const session: ClientHttp2Session = connect(`http://${address}`);
  cleanups.push(() => session.destroy());
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": UNARY.path,
      "content-type": "application/grpc",
      ...headers,
    });
    let found: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const body: Buffer[] = [];
    stream.on("response", (arrived) => {
      found = arrived;
    });
    stream.on("trailers", (arrived) => {
      trailers = arrived;
    });
    stream.on("data", (bytes: Buffer) => body.push(bytes));
    stream.on("end", () =>
      resolve({ headers: found, trailers, body: Buffer.concat(body).toString() }),
    );
    stream.on("error", reject);
    const next = (at: number): void => {
      const piece = pieces[at];
      if (piece === undefined) stream.end();
      else stream.write(piece, () => setImmediate(() => next(at + 1)));
    };
    next(0);
  });
}

describe("one request, one answer", () => {
  test("many at once, each gets its own", async () => {
    const { address } = await start({ unary: echo });
    const client = clientOf(address);
    const requests = Array.from({ length: 300 }, (_, at) => `${at} ${"x".repeat(at * 7)}`);
    expect(await Promise.all(requests.map((request) => ask(client, request)))).toEqual(requests);
  });

  test("messages longer than the window, both ways, and the longest that is allowed", async () => {
    const { address } = await start({ unary: echo });
    const request = "y".repeat(MESSAGE_BYTES_MAX);
    expect(await ask(clientOf(address), request)).toBe(request);
  });

  test("a request cut anywhere", async () => {
    const { address } = await start({ unary: echo });
    const bytes = framed(Buffer.from("hello"));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const { body, trailers } = await raw(address, {}, [
        bytes.subarray(0, cut),
        bytes.subarray(cut),
      ]);
      expect(body).toBe(bytes.toString());
      expect(trailers["grpc-status"]).toBe("0");
    }
  });

  test("an error is the status, with its text in any script and its metadata", async () => {
    const metadata = new Metadata();
    metadata.set("why", "because");
    const { address } = await start({
      unary: (_call: Unary, done: Done) =>
        done(new StatusError(status.OUT_OF_RANGE, "50 % of “é”\n\ud800", metadata)),
    });
    const error = await ask(clientOf(address), "").catch(
      (caught: unknown) => caught as ServiceError,
    );
    expect(error).toMatchObject({ code: status.OUT_OF_RANGE, details: "50 % of “é”\n\ufffd" });
    expect((error as ServiceError).metadata.get("why")).toEqual(["because"]);
  });

  test("an answer after the answer is ignored", async () => {
    const { address } = await start({
      unary: (_call: Unary, done: Done) => {
        done(null, Buffer.from("first"));
        done(null, Buffer.from("second"));
        done({ code: status.ABORTED, details: "third" });
      },
    });
    expect(await ask(clientOf(address), "")).toBe("first");
  });

  test.each<[string, string, (call: Unary, done: Done) => void, number, RegExp]>([
    [
      "a handler that throws",
      "a",
      () => {
        throw new Error("broken");
      },
      status.INTERNAL,
      /^broken$/,
    ],
    [
      "a request that does not parse",
      "!",
      echo,
      status.INTERNAL,
      /cannot read the request of .*Unary: got 1 bytes/,
    ],
    [
      "an answer that can't be written",
      "a",
      (_call, done) => done(null, Buffer.from("!")),
      status.INTERNAL,
      /cannot write the answer .* an exclamation mark/,
    ],
    [
      "a message that is too long",
      "z".repeat(MESSAGE_BYTES_MAX + 1),
      echo,
      status.RESOURCE_EXHAUSTED,
      /at most 100000 bytes, got 100001/,
    ],
  ])("%s", async (_name, request, unary, code, details) => {
    const { address } = await start({ unary: unary });
    await expect(ask(clientOf(address), request)).rejects.toMatchObject({
      code,
      details: expect.stringMatching(details),
    });
  });

  test("who asks what is not served here is told", async () => {
    const { address } = await start({});
    const { headers } = await raw(address, { ":path": "/test.Service/Nothing" }, []);
    expect(headers).toMatchObject({ ":status": 200, "grpc-status": String(status.UNIMPLEMENTED) });
    expect(headers["grpc-message"]).toMatch(/cannot call \/test.Service\/Nothing/);
  });

  test.each<[string, OutgoingHttpHeaders]>([
    ["GET", { ":method": "GET" }],
    ["JSON", { "content-type": "application/json" }],
  ])("%s is no gRPC", async (_name, headers) => {
    const { address } = await start({});
    expect((await raw(address, headers, [])).headers[":status"]).toBe(415);
  });

  test.each<[string, Buffer[], OutgoingHttpHeaders, number, RegExp]>([
    ["no message", [], {}, status.UNIMPLEMENTED, /expected one message, got none/],
    [
      "half a message",
      [framed(Buffer.from("abc")).subarray(0, 7)],
      {},
      status.UNIMPLEMENTED,
      /got none/,
    ],
    [
      "two messages",
      [framed(Buffer.from("a")), framed(Buffer.from("b"))],
      {},
      status.UNIMPLEMENTED,
      /got more/,
    ],
    [
      "unknown compression",
      [Buffer.from([1, 0, 0, 0, 1, 7])],
      { "grpc-encoding": "snappy" },
      status.UNIMPLEMENTED,
      /got snappy/,
    ],
    [
      "broken compression",
      [Buffer.from([1, 0, 0, 0, 1, 7])],
      { "grpc-encoding": "gzip" },
      status.INTERNAL,
      /cannot decompress/,
    ],
  ])("%s", async (_name, pieces, headers, code, message) => {
    const { address } = await start({});
    const found = await raw(address, headers, pieces);
    expect(found.headers["grpc-status"]).toBe(String(code));
    expect(decodeURI(String(found.headers["grpc-message"]))).toMatch(message);
  });

  test("a compressed request, and one that would be too long", async () => {
    const { address } = await start({ unary: echo });
    const compressed = (text: string): Buffer => {
      const bytes = framed(gzipSync(text));
      bytes[0] = 1;
      return bytes;
    };
    const headers = { "grpc-encoding": "gzip" };
    expect((await raw(address, headers, [compressed("hello")])).body.slice(5)).toBe("hello");
    const bomb = compressed("0".repeat(MESSAGE_BYTES_MAX + 1));
    expect(bomb.length).toBeLessThan(1000);
    const refused = await raw(address, headers, [bomb]);
    expect(refused.headers["grpc-status"]).toBe(String(status.RESOURCE_EXHAUSTED));
  });

  test("metadata and the deadline reach the handler", async () => {
    const seen: Unary[] = [];
    const { address } = await start({
      unary: (call: Unary, done: Done) => {
        seen.push(call);
        done(null, call.request);
      },
    });
    const client = clientOf(address);
    const metadata = new Metadata();
    metadata.set("name", "value");
    const before = Date.now();
    await ask(client, "", metadata, { deadline: before + 60_000 });
    await ask(client, "");
    expect(seen[0]?.metadata.getMap()).toMatchObject({ name: "value" });
    expect(seen[0]?.metadata.getMap()).not.toHaveProperty("grpc-timeout");
    expect(seen[0]?.getDeadline()).toBeGreaterThan(before + 50_000);
    expect(seen[0]?.getDeadline()).toBeLessThan(Date.now() + 60_001);
    expect(seen[1]?.getDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test("a client that gives up is noticed, one that is answered is not taken for one", async () => {
    const calls: Unary[] = [];
    let cancelledCount = 0;
    let finish: Done = () => undefined;
    const { address } = await start({
      unary: (call: Unary, done: Done) => {
        calls.push(call);
        call.on("cancelled", () => (cancelledCount += 1));
        if (String(call.request) === "wait") finish = done;
        else done(null, call.request);
      },
    });
    const client = clientOf(address);
    await ask(client, "hello");
    const given = ask(client, "wait", new Metadata(), { deadline: Date.now() + 200 });
    await expect(given).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await vi.waitFor(() => expect(cancelledCount).toBe(1), PATIENCE);
    expect(calls.map(({ cancelled }) => cancelled)).toEqual([false, true]);
    finish(null, Buffer.from("too late"));
    expect(await ask(client, "again")).toBe("again");
  });
});

interface Stream extends ClientDuplexStream<Buffer, Buffer> {
  readonly request: Buffer;
  readonly cancelled: boolean;
}

describe("one request, many answers", () => {
  const list = (address: string, request: string) => {
    const call = clientOf(address).makeServerStreamRequest(
      LIST.path,
      asIs,
      asIs,
      Buffer.from(request),
    );
    const received: string[] = [];
    call.on("data", (bytes: Buffer) => received.push(bytes.toString()));
    const over = new Promise<number>((resolve) =>
      call.on("status", ({ code }: { code: number }) => resolve(code)),
    );
    call.on("error", () => undefined);
    return { call, received, over };
  };

  test("all arrive, in order, then the end", async () => {
    const { address } = await start({
      list: (call: Stream) => {
        for (let at = 0; at < 500; at += 1)
          call.write(Buffer.from(`${String(call.request)} ${at}`));
        call.end();
      },
    });
    const { received, over } = list(address, "n");
    expect(await over).toBe(status.OK);
    expect(received).toEqual(Array.from({ length: 500 }, (_, at) => `n ${at}`));
  });

  test("an error after some answers, and one before any", async () => {
    const { address } = await start({
      list: (call: Stream) => {
        if (String(call.request) === "some") call.write(Buffer.from("one"));
        call.emit("error", new StatusError(status.ABORTED, "enough"));
      },
    });
    const some = list(address, "some");
    expect(await some.over).toBe(status.ABORTED);
    expect(some.received).toEqual(["one"]);
    expect(await list(address, "none").over).toBe(status.ABORTED);
  });

  test("a reader that is slow holds the writer up; when it leaves, the writer is told", async () => {
    let full = false;
    let cancelled = false;
    let closed = false;
    const { address } = await start({
      list: (call: Stream) => {
        const pour = (): void => {
          if (cancelled) return;
          while (call.write(Buffer.alloc(50_000)));
          full = true;
        };
        call.on("drain", pour);
        call.on("cancelled", () => (cancelled = call.cancelled));
        call.on("close", () => (closed = true));
        pour();
      },
    });
    const { call } = list(address, "");
    call.pause();
    await vi.waitFor(() => expect(full).toBe(true), PATIENCE);
    call.cancel();
    await vi.waitFor(() => expect([cancelled, closed]).toEqual([true, true]), PATIENCE);
  });
});

describe("many requests, many answers", () => {
  const chat = (address: string) => {
    const call = clientOf(address).makeBidiStreamRequest(CHAT.path, asIs, asIs);
    const received: string[] = [];
    call.on("data", (bytes: Buffer) => received.push(bytes.toString()));
    const over = new Promise<{ code: number; details: string }>((resolve) =>
      call.on("status", resolve),
    );
    call.on("error", () => undefined);
    return { call, received, over };
  };
  const answering = (call: Stream): void => {
    call.on("data", (bytes: Buffer) => call.write(Buffer.from(`re: ${bytes.toString()}`)));
    call.on("end", () => call.end());
  };

  test("go both ways until the client ends", async () => {
    const { address } = await start({ chat: answering });
    const { call, received, over } = chat(address);
    const sent = Array.from({ length: 400 }, (_, at) => `${at} ${"z".repeat(at)}`);
    for (const text of sent) call.write(Buffer.from(text));
    call.end();
    expect(await over).toMatchObject({ code: status.OK });
    expect(received).toEqual(sent.map((text) => `re: ${text}`));
  });

  test("a request that does not parse ends it", async () => {
    const { address } = await start({ chat: answering });
    const { call, over } = chat(address);
    call.write(Buffer.from("!"));
    expect(await over).toMatchObject({ code: status.INTERNAL, details: "an exclamation mark" });
  });

  test("so does one that is too long", async () => {
    const { address } = await start({ chat: answering });
    const { call, over } = chat(address);
    call.write(Buffer.alloc(MESSAGE_BYTES_MAX + 1));
    expect(await over).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  test("a handler that does not read holds the client up", async () => {
    let read: (() => void) | null = null;
    const taken: number[] = [];
    const { address } = await start({
      chat: (call: Stream) => {
        call.pause();
        read = () => call.on("data", (bytes: Buffer) => taken.push(bytes.length)).resume();
      },
    });
    const { call } = chat(address);
    let handedOver = 0;
    for (let at = 0; at < 100; at += 1) call.write(Buffer.alloc(20_000), () => (handedOver += 1));
    await vi.waitFor(() => expect(read).not.toBeNull(), PATIENCE);
    await vi.waitFor(() => expect(handedOver).toBeGreaterThan(0), PATIENCE);
    expect(handedOver).toBeLessThan(100);
    (read as (() => void) | null)?.();
    await vi.waitFor(() => expect(taken).toHaveLength(100), PATIENCE);
  });
});

describe("the server itself", () => {
  test("drains: calls under way are answered, then all is over; new ones are not taken", async () => {
    let finish: Done = () => undefined;
    const { server, address } = await start({
      unary: (_call: Unary, done: Done) => (finish = done),
    });
    const client = clientOf(address);
    const answer = ask(client, "");
    await vi.waitFor(() => expect(finish.length).toBe(2), PATIENCE);
    let drained = false;
    const over = server.drain(60_000).then(() => (drained = true));
    await expect(ask(clientOf(address), "new")).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(drained).toBe(false);
    finish(null, Buffer.from("done"));
    expect(await answer).toBe("done");
    await over;
  });

  test("does not wait for ever for those under way", async () => {
    let called = false;
    const { server, address } = await start({ unary: () => (called = true) });
    const answer = ask(clientOf(address), "");
    const failed = expect(answer).rejects.toMatchObject({ code: expect.any(Number) });
    await vi.waitFor(() => expect(called).toBe(true), PATIENCE);
    await server.drain(10);
    server.close();
    await failed;
  });

  test("says where it can't listen, and what it can't serve", async () => {
    const { server, address } = await start({});
    const other = new GrpcServer({ messageBytesMax: 1, windowBytes: 65_535 });
    const port = Number(address.split(":")[1]);
    await expect(other.listen("127.0.0.1", port)).rejects.toThrow(/EADDRINUSE/);
    expect(() => other.addService({ unary: UNARY }, {})).toThrow(/Unary: expected a handler/);
    const handler = (() => undefined) as unknown as UntypedHandleCall;
    expect(() => server.addService({ unary: UNARY }, { unary: handler })).toThrow(/already/);
    const upload = { ...UNARY, requestStream: true };
    expect(() => other.addService({ upload }, { upload: handler })).toThrow(/client-streaming/);
  });

  test("outlives whoever speaks something else", async () => {
    const { address } = await start({ unary: echo });
    await expect(fetch(`http://${address}/`)).rejects.toThrow();
    expect(await ask(clientOf(address), "still here")).toBe("still here");
  });
});
