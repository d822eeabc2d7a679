/**
 * `@raftarium/protocol/grpc` (Node.js): the generated services on gRPC, a server for them, and
 * grpc-js's client.
 *
 *     const server = new GrpcServer({ messageBytesMax: 4_000_000, windowBytes: 1_000_000 });
 *     addService(server, KV, { range: unary(async (request) => ({ kvs: [] })), ... });
 *     addService(server, ServerReflection, createReflection([KV, Health]));
 *     const response = await callUnary(client, KV.method.range, { key });
 */
export {
  addService,
  callServerStream,
  callUnary,
  toDeserialize,
  toMethodDefinition,
  toSerialize,
  toServiceDefinition,
  unary,
  viewAsBuffer,
  viewAsBytes,
} from "./service.ts";
export type {
  BidiCall,
  CallSettings,
  ClientStreamCall,
  Handler,
  ServerStreamCall,
  ServiceImplementation,
  UnaryCall,
} from "./service.ts";
export { StatusError, toStatusError } from "./status-error.ts";
export { GrpcServer } from "./server.ts";
export type { GrpcServerOptions } from "./server.ts";
export { FrameReader, framed } from "./framing.ts";
export type { FrameEvents } from "./framing.ts";
export { createHealth } from "./health.ts";
export type { HealthService } from "./health.ts";
export { createReflection } from "./reflection.ts";
