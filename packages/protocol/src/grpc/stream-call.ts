/** Calls with many messages, in one direction or both. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { Metadata, status as Status } from "@grpc/grpc-js";
import type { Deadline, MethodDefinition, ServiceError } from "@grpc/grpc-js";
import { FrameReader, framed } from "./framing.ts";
import {
  begin,
  deadlineOf,
  decompressed,
  finish,
  isOpen,
  metadataOf,
  tooLong,
} from "./server-stream.ts";
import { StatusError, toStatusError } from "./status-error.ts";

type Written = (error?: Error | null) => void;

/**
 * As grpc-js's streams: `end` ends the call with OK, emitting an error with that as its status.
 * `cancelled` is emitted when the client is gone before that.
 */
export class StreamCall extends Duplex {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #definition: MethodDefinition<unknown, unknown>;
  readonly #arrivedMs = Date.now();
  readonly #reader: FrameReader;
  readonly #messageBytesMax: number;
  #metadata: Metadata | null = null;
  #status: StatusError | null = null;
  #ended = false;
  #trailing: Metadata | null = null;
  /** Of a method with one request and many answers. */
  request: unknown;
  cancelled = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    definition: MethodDefinition<unknown, unknown>,
    messageBytesMax: number,
  ) {
    super({ objectMode: true });
    this.#stream = stream;
    this.#headers = headers;
    this.#definition = definition;
    this.#messageBytesMax = messageBytesMax;
    this.#reader = new FrameReader(messageBytesMax, {
      onMessage: (message, compressed) => this.#take(message, compressed),
      onTooLong: (length) => this.emit("error", tooLong(length, messageBytesMax)),
    });
    this.on("error", (error: Partial<ServiceError>) => {
      const { code = Status.UNKNOWN, details, message = "", metadata } = error;
      this.#status ??= new StatusError(code, details ?? message, metadata);
      this.end();
    });
    stream.on("data", (bytes: Buffer) => this.#reader.take(bytes));
    stream.pause();
    stream.on("end", () => this.#onEnd());
    stream.on("close", () => this.#onClose());
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataOf(this.#headers);
    return this.#metadata;
  }

  getDeadline(): Deadline {
    return deadlineOf(this.#headers, this.#arrivedMs);
  }

  /** For a method with one request: calls `serve` once that, and no other, is there. */
  afterRequest(serve: () => void): void {
    const requests: unknown[] = [];
    this.on("data", (request: unknown) => requests.push(request));
    this.on("end", () => {
      if (requests.length === 1) {
        this.request = requests[0];
        serve();
      } else {
        const text = `expected one message, got ${requests.length}`;
        this.emit("error", new StatusError(Status.UNIMPLEMENTED, text));
      }
    });
  }

  override end(trailing?: unknown): this {
    if (trailing instanceof Metadata) this.#trailing = trailing;
    return super.end();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(message: unknown, _encoding: BufferEncoding, written: Written): void {
    this.#send(message, written);
  }

  override _writev(messages: { readonly chunk: unknown }[], written: Written): void {
    this.#stream.cork();
    const last = messages.length - 1;
    for (const [at, { chunk }] of messages.entries()) {
      this.#send(chunk, at === last ? written : () => undefined);
    }
    this.#stream.uncork();
  }

  override _final(done: Written): void {
    this.#reader.stop();
    this.#ended = true;
    const { code, details, metadata } = this.#status ?? new StatusError(Status.OK, "");
    finish(this.#stream, code, details, this.#status === null ? this.#trailing : metadata);
    done();
  }

  #send(message: unknown, written: Written): void {
    if (!isOpen(this.#stream)) {
      // Nobody is told: the stream's own end is about to be.
      written();
      return;
    }
    let bytes: Buffer;
    try {
      bytes = this.#definition.responseSerialize(message);
    } catch (error) {
      written();
      this.emit("error", toStatusError(error));
      return;
    }
    begin(this.#stream);
    this.#stream.write(framed(bytes), () => written());
  }

  #take(message: Buffer, compressed: boolean): void {
    let request: unknown;
    try {
      const bytes = compressed
        ? decompressed(message, this.#headers, this.#messageBytesMax)
        : message;
      request = this.#definition.requestDeserialize(bytes);
    } catch (error) {
      this.#reader.stop();
      this.emit("error", toStatusError(error));
      return;
    }
    if (!this.push(request)) this.#stream.pause();
  }

  #onEnd(): void {
    if (this.#reader.inMessage) {
      this.emit(
        "error",
        new StatusError(Status.INTERNAL, "expected the end of a message, got none"),
      );
    } else {
      this.push(null);
    }
  }

  #onClose(): void {
    if (!this.#ended) {
      this.cancelled = true;
      this.emit("cancelled");
    }
    this.#reader.stop();
    this.destroy();
  }
}
