/** The client's half of a stream, against an HTTP/2 server that says what it likes. */
import { createServer } from "node:http2";
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { FRAME_BYTES_MAX } from "./exchange.ts";
import { PeerStream } from "./peer-stream.ts";

const PATIENCE = { timeout: 8000, interval: 5 };
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

/** `answer` is called with the stream; what the client sends is gathered in `received`. */
async function startServer(answer: (stream: ServerHttp2Stream) => void): Promise<{
  readonly address: string;
  readonly received: Buffer[];
  readonly server: Http2Server;
}> {
  const received: Buffer[] = [];
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => undefined);
    stream.on("data", (bytes: Buffer) => received.push(bytes));
    answer(stream);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, received, server };
}

function open(address: string): {
  readonly stream: PeerStream;
  readonly messages: string[];
  readonly ends: [number, string][];
} {
  const messages: string[] = [];
  const ends: [number, string][] = [];
  const stream = new PeerStream(address, "/service/Method", {
    onMessage: (bytes) => messages.push(bytes.toString()),
    onEnd: (code, details) => ends.push([code, details]),
  });
  cleanups.push(() => stream.close());
  return { stream, messages, ends };
}

const OK = { ":status": 200, "content-type": "application/grpc" };
const framed = (text: string): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
};

test("messages are found wherever the bytes are cut", async () => {
  const bytes = Buffer.concat([framed("one"), framed(""), framed("three")]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { address } = await startServer((stream) => {
      stream.respond(OK);
      stream.write(bytes.subarray(0, cut));
      setImmediate(() => stream.write(bytes.subarray(cut)));
    });
    const { messages } = open(address);
    await vi.waitFor(() => expect(messages).toEqual(["one", "", "three"]), PATIENCE);
  }
});

test("what is written arrives framed and in order, and is told when it is handed over", async () => {
  const { address, received } = await startServer((stream) => stream.respond(OK));
  const { stream } = open(address);
  const written: number[] = [];
  for (const [at, text] of ["a", "", "ccc"].entries()) {
    stream.write(Buffer.from(text), () => written.push(at));
  }
  const expected = Buffer.concat([framed("a"), framed(""), framed("ccc")]);
  await vi.waitFor(() => expect(Buffer.concat(received)).toEqual(expected), PATIENCE);
  await vi.waitFor(() => expect(written).toEqual([0, 1, 2]), PATIENCE);
});

test.each<[string, (stream: ServerHttp2Stream) => void, [number, RegExp]]>([
  [
    "a status without messages",
    (stream) =>
      stream.respond(
        { ...OK, "grpc-status": "9", "grpc-message": "not%20here%3A caf%C3%A9" },
        { endStream: true },
      ),
    [status.FAILED_PRECONDITION, /^not here: café$/],
  ],
  [
    "a status after messages",
    (stream) => {
      stream.respond(OK, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "3" }));
      stream.end(framed("bye"));
    },
    [status.INVALID_ARGUMENT, /^$/],
  ],
  [
    "no gRPC server at all",
    (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
    [status.UNAVAILABLE, /expected HTTP 200, got 404/],
  ],
  ["a stream that is reset", (stream) => stream.close(2), [status.UNAVAILABLE, /NGHTTP2_INTERNAL/]],
  [
    "a connection that is cut",
    (stream) => stream.session?.destroy(),
    [status.UNAVAILABLE, /closed|ECONNRESET/],
  ],
  [
    "a compressed message",
    (stream) => {
      stream.respond(OK);
      stream.write(Buffer.from([1, 0, 0, 0, 1, 0]));
    },
    [status.INTERNAL, /expected a plain message .* got a compressed one/],
  ],
  [
    "a message that is too long",
    (stream) => {
      stream.respond(OK);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(FRAME_BYTES_MAX + 1, 1);
      stream.write(prefix);
    },
    [status.INTERNAL, new RegExp(`got ${FRAME_BYTES_MAX + 1} bytes`)],
  ],
])("%s ends it, once", async (_name, answer, [code, details]) => {
  const { address } = await startServer(answer);
  const { ends } = open(address);
  await vi.waitFor(() => expect(ends).toHaveLength(1), PATIENCE);
  expect(ends).toEqual([[code, expect.stringMatching(details)]]);
});

test("nobody there ends it", async () => {
  const { address, server } = await startServer(() => undefined);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  const { ends } = open(address);
  await vi.waitFor(() => expect(ends).toHaveLength(1), PATIENCE);
  expect(ends[0]?.[1]).toMatch(/ECONNREFUSED/);
});

test("after close nothing is told, and the server notices", async () => {
  let opened = false;
  let gone = false;
  const { address } = await startServer((stream) => {
    opened = true;
    stream.on("close", () => {
      gone = true;
    });
    stream.respond(OK);
  });
  const { stream, ends } = open(address);
  await vi.waitFor(() => expect(opened).toBe(true), PATIENCE);
  stream.close();
  await vi.waitFor(() => expect(gone).toBe(true), PATIENCE);
  expect(ends).toEqual([]);
});
