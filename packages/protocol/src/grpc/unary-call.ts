/** One request, one answer: what a node does for every put and get of a client. */
import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { status as Status } from "@grpc/grpc-js";
import type { Deadline, Metadata, MethodDefinition, handleUnaryCall } from "@grpc/grpc-js";
import type { ServerUnaryCall, ServiceError } from "@grpc/grpc-js";
import { FrameReader, PREFIX_BYTES } from "./framing.ts";
import {
  answer,
  deadlineOf,
  decompressed,
  finish,
  isOpen,
  metadataOf,
  tooLong,
} from "./server-stream.ts";
import { StatusError, toStatusError } from "./status-error.ts";

type Definition = MethodDefinition<unknown, unknown>;

/** The part of grpc-js's ServerUnaryCall that does not belong to grpc-js alone. */
class UnaryCall extends EventEmitter {
  readonly request: unknown;
  readonly #headers: IncomingHttpHeaders;
  readonly #arrivedMs = Date.now();
  #metadata: Metadata | null = null;
  cancelled = false;

  constructor(headers: IncomingHttpHeaders, request: unknown) {
    super();
    this.#headers = headers;
    this.request = request;
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataOf(this.#headers);
    return this.#metadata;
  }

  getDeadline(): Deadline {
    return deadlineOf(this.#headers, this.#arrivedMs);
  }
}

export function serveUnary(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  definition: Definition,
  handler: handleUnaryCall<unknown, unknown>,
  messageBytesMax: number,
): void {
  let request: Buffer | null = null;
  let reader: FrameReader | null = null;
  let over = false;
  const fail = (error: StatusError): void => {
    over = true;
    finish(stream, error.code, error.details, error.metadata);
  };
  const take = (message: Buffer, compressed: boolean): void => {
    if (over) return;
    if (request !== null) {
      fail(new StatusError(Status.UNIMPLEMENTED, "expected one message, got more"));
      return;
    }
    try {
      request = compressed ? decompressed(message, headers, messageBytesMax) : message;
    } catch (error) {
      fail(toStatusError(error));
    }
  };
  stream.on("data", (bytes: Buffer) => {
    if (over) return;
    if (request === null && reader === null && isWhole(bytes, messageBytesMax)) {
      request = bytes.subarray(PREFIX_BYTES);
      return;
    }
    reader ??= new FrameReader(messageBytesMax, {
      onMessage: take,
      onTooLong: (length) => fail(tooLong(length, messageBytesMax)),
    });
    reader.take(bytes);
  });
  stream.on("end", () => {
    if (over) return;
    over = true;
    if (request === null || reader?.inMessage === true) {
      // A client that gave up ends its stream, too; then nobody waits for this.
      fail(new StatusError(Status.UNIMPLEMENTED, "expected one message, got none"));
    } else {
      handle(stream, headers, definition, handler, request);
    }
  });
}

/** The usual case: one message, in one piece, not compressed. */
function isWhole(bytes: Buffer, messageBytesMax: number): boolean {
  const length = bytes.length - PREFIX_BYTES;
  return (
    length >= 0 && length <= messageBytesMax && bytes[0] === 0 && bytes.readUInt32BE(1) === length
  );
}

function handle(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  definition: Definition,
  handler: handleUnaryCall<unknown, unknown>,
  message: Buffer,
): void {
  if (!isOpen(stream)) return;
  let request: unknown;
  try {
    request = definition.requestDeserialize(message);
  } catch {
    const found = `${message.length} bytes that do not parse`;
    const text = `cannot read the request of ${definition.path}: got ${found}`;
    finish(stream, Status.INTERNAL, text, null);
    return;
  }
  const call = new UnaryCall(headers, request);
  let done = false;
  stream.on("close", () => {
    if (done) return;
    call.cancelled = true;
    call.emit("cancelled");
  });
  const end = (error: Partial<ServiceError> | null, response?: unknown): void => {
    if (done) return;
    done = true;
    if (error === null) respond(stream, definition, response);
    else {
      const { code = Status.UNKNOWN, details, message: text = "", metadata = null } = error;
      finish(stream, code, details ?? text, metadata);
    }
  };
  try {
    handler(call as unknown as ServerUnaryCall<unknown, unknown>, end);
  } catch (error) {
    end(toStatusError(error));
  }
}

function respond(stream: ServerHttp2Stream, definition: Definition, response: unknown): void {
  let bytes: Buffer;
  try {
    bytes = definition.responseSerialize(response);
  } catch (error) {
    const text = `cannot write the answer of ${definition.path}: ${(error as Error).message}`;
    finish(stream, Status.INTERNAL, text, null);
    return;
  }
  answer(stream, bytes);
}
