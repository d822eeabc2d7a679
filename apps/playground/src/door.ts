/**
 * The one HTTP port of the playground: RPCs by Connect, gRPC-Web and JSON, and the page. Loopback
 * only, its own page only.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { portProblem } from "@raftarium/supervisor";
import { refusal } from "./guard.ts";
import { handleRecording } from "./recording-route.ts";
import { addServices, explainErrors, type Served } from "./services.ts";

/** Answers whatever is no RPC. */
export interface Page {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** A websocket, for hot reload. Absent: there are none. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Prepares what the first visitor will ask for. */
  warm?(): void;
  close(): Promise<void>;
}

export interface Door {
  readonly port: number;
  /** What is served from now on; until then callers are told to wait. */
  open(served: Served, page: Page): void;
  close(): Promise<void>;
}

/** Bigger requests than any that make sense here. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

/** No message is this long. On one machine compressing costs more than it saves. */
const NEVER_BYTES = 0xffffffff;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Listens at once, so that the port is ours. Rejects with a sentence if it can't be had. */
export async function listenDoor(wantedPort: number): Promise<Door> {
  const server = createServer();
  const port = await listen(server, wantedPort);
  const ending = new AbortController();
  let handle: Handle = tellToWait;
  let page: Page | null = null;

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader("x-content-type-options", "nosniff");
    const reason = refusal(request.headers, port);
    if (reason === null) handle(request, response);
    else answer(response, 403, reason);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {});
    const reason = refusal(request.headers, port);
    if (reason === null && page?.upgrade !== undefined) page.upgrade(request, socket, head);
    else refuseUpgrade(socket, reason);
  });

  return {
    port,
    open(served, openedPage) {
      page = openedPage;
      handle = connectNodeAdapter({
        routes: (router) => addServices(router, served),
        fallback(request, response) {
          const [incoming, answer] = [request as IncomingMessage, response as ServerResponse];
          if (!handleRecording(served.feed, incoming, answer)) openedPage.handle(incoming, answer);
        },
        interceptors: [explainErrors],
        grpc: false,
        readMaxBytes: REQUEST_BYTES_MAX,
        compressMinBytes: NEVER_BYTES,
        shutdownSignal: ending.signal,
      });
    },
    async close() {
      ending.abort(new ConnectError("the playground ends", Code.Unavailable));
      await page?.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(new Error(portProblem(port, "the page", "choose another with --port", error)));
    });
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
}

function tellToWait(_request: IncomingMessage, response: ServerResponse): void {
  answer(response, 503, "The playground is starting; try again in a moment.");
}

function answer(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${sentence}\n`);
}

function refuseUpgrade(socket: Duplex, reason: string | null): void {
  const [status, sentence] =
    reason === null ? ["404 Not Found", "There is no websocket here."] : ["403 Forbidden", reason];
  const body = `${sentence}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
