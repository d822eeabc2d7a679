/**
 * The client's half of one gRPC bidi stream, on node:http2 itself: to the server it is a gRPC client
 * like any other. grpc-js's client does much for each message that a stream between peers has no
 * use for (interceptors, filters, load balancing); without it a round trip costs half as much.
 *
 * gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { connect as connectSession, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { status as Status } from "@grpc/grpc-js";
import { FrameReader, framed } from "@raftarium/protocol/grpc";
import { FRAME_BYTES_MAX, WINDOW_BYTES } from "./exchange.ts";
import type { Sink } from "./lane.ts";

export interface PeerStreamEvents {
  /** One message, whole. */
  onMessage(bytes: Buffer): void;
  /** The stream is over, or could not be made: once at most, never after `close`. A gRPC status. */
  onEnd(code: number, details: string): void;
}

export class PeerStream implements Sink {
  readonly #events: PeerStreamEvents;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #reader = new FrameReader(FRAME_BYTES_MAX, {
    onMessage: (message, compressed) => {
      if (compressed) this.#refuse("a compressed one");
      else this.#events.onMessage(message);
    },
    onTooLong: (length) => this.#refuse(`${length} bytes`),
  });
  #corked = false;
  #over = false;

  /** Begins to connect to `address` (host:port); what is written meanwhile waits. */
  constructor(address: string, path: string, events: PeerStreamEvents) {
    this.#events = events;
    const session = connectSession(`http://${address}`, {
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    this.#session = session;
    session.on("error", (error) => this.#end(Status.UNAVAILABLE, error.message));
    session.on("close", () => this.#end(Status.UNAVAILABLE, "the connection was closed"));
    session.once("connect", () => session.setLocalWindowSize(WINDOW_BYTES));
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      te: "trailers",
      "content-type": "application/grpc",
      "user-agent": "raftarium",
    });
    this.#stream = stream;
    stream.on("response", (headers) => this.#onHeaders(headers));
    stream.on("trailers", (trailers) => this.#onStatus(trailers));
    stream.on("data", (bytes: Buffer) => this.#reader.take(bytes));
    stream.on("error", (error) => this.#end(Status.UNAVAILABLE, error.message));
    stream.on("close", () => this.#end(Status.UNAVAILABLE, "the stream was closed"));
  }

  /** False: wait for `drain`. What is written in one turn goes out together. */
  write(bytes: Buffer, written?: () => void): boolean {
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#stream.uncork();
      });
    }
    return this.#stream.write(framed(bytes), (error) => {
      if (error === null || error === undefined) written?.();
    });
  }

  on(event: "drain", listener: () => void): void {
    this.#stream.on(event, listener);
  }

  off(event: "drain", listener: () => void): void {
    this.#stream.off(event, listener);
  }

  /** Ends it at once; what was not sent yet is lost. */
  close(): void {
    this.#over = true;
    this.#reader.stop();
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
  }

  #end(code: number, details: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader.stop();
    this.#events.onEnd(code, details);
  }

  #onHeaders(headers: IncomingHttpHeaders & { readonly ":status"?: number | undefined }): void {
    const status = headers[":status"];
    if (headers["grpc-status"] !== undefined) this.#onStatus(headers);
    else if (status !== 200) this.#end(Status.UNAVAILABLE, `expected HTTP 200, got ${status}`);
  }

  #onStatus(headers: IncomingHttpHeaders): void {
    const code = Number(headers["grpc-status"] ?? Status.UNKNOWN);
    this.#end(code, textOf(headers["grpc-message"]));
  }

  #refuse(found: string): void {
    const text = `expected a plain message of at most ${FRAME_BYTES_MAX} bytes, got ${found}`;
    this.#end(Status.INTERNAL, text);
  }
}

/** grpc-message is percent-encoded. */
function textOf(message: string | string[] | undefined): string {
  const encoded = String(message ?? "");
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
