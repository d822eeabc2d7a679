/** Services generated for Connect, served and called by grpc-js (design 4.10). */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { Metadata, status as Status } from "@grpc/grpc-js";
import type {
  CallOptions,
  Client,
  ClientReadableStream,
  MethodDefinition,
  Server,
  ServerUnaryCall,
  ServiceDefinition,
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
} from "@grpc/grpc-js";

import {
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "../gen/etcdserverpb/rpc_pb.ts";
import {
  readPutRequest,
  readRangeRequest,
  writePutResponse,
  writeRangeResponse,
} from "../kv-codec.ts";

type Shape<D extends DescMessage> = MessageShape<D>;
type Init<D extends DescMessage> = MessageInitShape<D>;

/** The native grpc-js handler of one method. Answers may be plain init objects. */
export type Handler<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? handleUnaryCall<Shape<I>, Init<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? handleServerStreamingCall<Shape<I>, Init<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? handleClientStreamingCall<Shape<I>, Init<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? handleBidiStreamingCall<Shape<I>, Init<O>>
          : never;

/** One handler per method, by the method's camelCase name; none may be missing. */
export type ServiceImplementation<S extends DescService> = {
  readonly [Name in keyof S["method"]]: Handler<S["method"][Name]>;
};

/**
 * What a server reads and writes for every request of a client, by hand. Null: not of the usual
 * kind, left to the generated code.
 */
const READERS = new Map<DescMessage, (bytes: Uint8Array<ArrayBuffer>) => object | null>([
  [PutRequestSchema, readPutRequest],
  [RangeRequestSchema, readRangeRequest],
]);
const WRITERS = new Map<DescMessage, (value: never) => Uint8Array | null>([
  [PutResponseSchema, writePutResponse],
  [RangeResponseSchema, writeRangeResponse],
]);

/** The way of one message type to bytes and back, as grpc-js asks for it. */
function toSerialize<D extends DescMessage>(desc: D): (value: Init<D>) => Buffer {
  const write = WRITERS.get(desc);
  return (value) => viewAsBuffer(write?.(value as never) ?? toBinary(desc, create(desc, value)));
}

function toDeserialize<D extends DescMessage>(desc: D): (bytes: Buffer) => Shape<D> {
  const read = READERS.get(desc);
  return (buffer) => {
    const bytes = viewAsBytes(buffer);
    return (read?.(bytes) as Shape<D> | null | undefined) ?? fromBinary(desc, bytes);
  };
}

/** The same memory as a Buffer, which is what grpc-js frames. */
export function viewAsBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The same memory as a plain Uint8Array, so that no Buffer reaches code that runs anywhere. */
export function viewAsBytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

export function toMethodDefinition<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
): MethodDefinition<Init<I>, Init<O>> & {
  requestDeserialize(bytes: Buffer): Shape<I>;
  responseDeserialize(bytes: Buffer): Shape<O>;
} {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream:
      method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream:
      method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: toSerialize(method.input),
    requestDeserialize: toDeserialize(method.input),
    responseSerialize: toSerialize(method.output),
    responseDeserialize: toDeserialize(method.output),
    originalName: method.localName,
  };
}

/** All methods of a service, for grpc-js's `server.addService` and `makeClientConstructor`. */
function toServiceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method) => [method.localName, toMethodDefinition(method)]),
  );
}

/** Adds a service to a grpc-js server; the compiler holds the handlers against the proto. */
export function addService<S extends DescService>(
  server: Server,
  service: S,
  implementation: ServiceImplementation<S>,
): void {
  server.addService(toServiceDefinition(service), implementation);
}

/** An answer other than OK. `code` is one of grpc-js's `status`. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: Status;
  readonly details: string;
  readonly metadata: Metadata;

  constructor(code: Status, details: string, metadata: Metadata = new Metadata()) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = metadata;
  }
}

/**
 * A unary handler from a function that returns (a promise of) the answer. What it throws becomes
 * the status: a StatusError as it is, anything else INTERNAL with its message.
 */
export function unary<Request, Response>(
  answer: (
    request: Request,
    call: ServerUnaryCall<Request, Response>,
  ) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, done) => {
    void (async () => answer(call.request, call))().then(
      (response) => done(null, response),
      (error: unknown) => done(toStatusError(error)),
    );
  };
}

export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const details = error instanceof Error ? error.message : String(error);
  return new StatusError(Status.INTERNAL, details);
}

export interface CallSettings extends CallOptions {
  readonly metadata?: Metadata;
  /** Aborting it cancels the call. */
  readonly signal?: AbortSignal;
}

/** One unary call by a grpc-js client. Rejects with grpc-js's ServiceError. */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  request: Init<I>,
  settings: CallSettings = {},
): Promise<Shape<O>> {
  const { metadata = new Metadata(), signal, ...options } = settings;
  const definition = toMethodDefinition<I, O>(method);
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest<Init<I>, Shape<O>>(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      request,
      metadata,
      options,
      (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (error !== null) reject(error);
        else if (response === undefined)
          reject(new Error(`${definition.path}: no answer, no error`));
        else resolve(response);
      },
    );
    const cancel = (): void => call.cancel();
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** One server-streaming call by a grpc-js client. Listen to `data`, `error` and `end`. */
export function callServerStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodServerStreaming<I, O>,
  request: Init<I>,
  settings: Omit<CallSettings, "signal"> = {},
): ClientReadableStream<Shape<O>> {
  const { metadata = new Metadata(), ...options } = settings;
  const definition = toMethodDefinition<I, O>(method);
  return client.makeServerStreamRequest<Init<I>, Shape<O>>(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize,
    request,
    metadata,
    options,
  );
}
