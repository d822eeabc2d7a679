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
import { FRAME_BYTES_MAX, WINDOW_BYTES } from "./exchange.ts";
import type { Sink } from "./lane.ts";

export interface PeerStreamEvents {
  /** One message, whole. */
  onMessage(bytes: Buffer): void;
  /** The stream is over, or could not be made: once at most, never after `close`. A gRPC status. */
  onEnd(code: number, details: string): void;
}

/** Before each message: one byte that says whether it is compressed, four of its length. */
const PREFIX_BYTES = 5;
const EMPTY = Buffer.alloc(0);

export class PeerStream implements Sink {
  readonly #events: PeerStreamEvents;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  /** The beginning of a message whose end has not arrived. */
  #partial: Buffer = EMPTY;
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
    stream.on("data", (bytes: Buffer) => this.#onData(bytes));
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
    const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
    prefix[0] = 0;
    prefix.writeUInt32BE(bytes.length, 1);
    this.#stream.write(prefix);
    return this.#stream.write(bytes, (error) => {
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
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#session.destroy();
  }

  #end(code: number, details: string): void {
    if (this.#over) return;
    this.#over = true;
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

  #onData(arrived: Buffer): void {
    let bytes = this.#partial.length === 0 ? arrived : Buffer.concat([this.#partial, arrived]);
    while (bytes.length >= PREFIX_BYTES && !this.#over) {
      const length = bytes.readUInt32BE(1);
      if (bytes[0] !== 0 || length > FRAME_BYTES_MAX) {
        const found = bytes[0] === 0 ? `${length} bytes` : "a compressed one";
        this.#end(
          Status.INTERNAL,
          `expected a plain message of at most ${FRAME_BYTES_MAX} bytes, got ${found}`,
        );
        return;
      }
      const end = PREFIX_BYTES + length;
      if (bytes.length < end) break;
      this.#events.onMessage(bytes.subarray(PREFIX_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#partial = bytes;
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
