/**
 * A gRPC server on node:http2, for handlers as grpc-js types them. Measured with the same client at
 * 64 and 256 calls under way, a unary call takes it half of what it takes grpc-js's own server, which
 * writes each answer in two pieces, and gives each call a timer, interceptors and filters.
 *
 * gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { createServer } from "node:http2";
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { status as Status } from "@grpc/grpc-js";
import type {
  MethodDefinition,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
  handleUnaryCall,
} from "@grpc/grpc-js";
import { finish } from "./server-stream.ts";
import { StreamCall } from "./stream-call.ts";
import { serveUnary } from "./unary-call.ts";

export interface GrpcServerOptions {
  /** Of one message that is received, bytes. */
  readonly messageBytesMax: number;
  /** How much a client may have on its way before it is read, of a connection and of a stream. */
  readonly windowBytes: number;
}

interface Method {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handler: UntypedHandleCall;
}

/** Megabytes. What a session may hold is bounded by its windows and by what handlers write. */
const SESSION_MEMORY_MAX = 1024;

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #methods = new Map<string, Method>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #http2: Http2Server;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    const { windowBytes } = options;
    this.#http2 = createServer({
      settings: { initialWindowSize: windowBytes },
      maxSessionMemory: SESSION_MEMORY_MAX,
    });
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(windowBytes);
      session.on("close", () => this.#sessions.delete(session));
    });
    // A client that speaks something else, or is gone: its session ends, and nobody need know.
    this.#http2.on("sessionError", () => undefined);
    this.#http2.on("stream", (stream, headers) => this.#onStream(stream, headers));
  }

  /** @throws Error if a method has no handler, has one already, or streams requests alone. */
  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    for (const [name, method] of Object.entries(definition)) {
      if (method.requestStream && !method.responseStream) {
        throw new Error(`${method.path}: expected no client-streaming method, got one`);
      }
      const handler = implementation[name];
      if (handler === undefined) throw new Error(`${method.path}: expected a handler, got none`);
      if (this.#methods.has(method.path)) throw new Error(`${method.path} has a handler already`);
      this.#methods.set(method.path, { definition: method, handler });
    }
  }

  /** Resolves with the port; rejects if it can't listen there. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#http2.once("error", reject);
      this.#http2.listen(port, host, () => {
        this.#http2.off("error", reject);
        resolve((this.#http2.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no more calls, and resolves when all are over; after `waitMs` at the latest. */
  async drain(waitMs: number): Promise<void> {
    const over = new Promise<void>((resolve) => void this.#http2.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([over, late]);
    clearTimeout(timer);
  }

  /** Cuts all connections. */
  close(): void {
    this.#http2.close();
    for (const session of this.#sessions) session.destroy();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // What there is to know of it the stream's `close` tells.
    stream.on("error", () => undefined);
    const type = headers["content-type"] ?? "";
    if (headers[":method"] !== "POST" || !type.startsWith("application/grpc")) {
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    const method = this.#methods.get(String(headers[":path"]));
    if (method === undefined) {
      const text = `cannot call ${String(headers[":path"])}: this server has no such method`;
      finish(stream, Status.UNIMPLEMENTED, text, null);
      return;
    }
    const { definition, handler } = method;
    const { messageBytesMax } = this.#options;
    if (!definition.requestStream && !definition.responseStream) {
      const unary = handler as handleUnaryCall<unknown, unknown>;
      serveUnary(stream, headers, definition, unary, messageBytesMax);
      return;
    }
    const call = new StreamCall(stream, headers, definition, messageBytesMax);
    const serve = handler as unknown as (served: StreamCall) => void;
    if (definition.requestStream) serve(call);
    else call.afterRequest(() => serve(call));
  }
}
