/**
 * `@raftarium/protocol/grpc` (Node.js): the generated services on grpc-js.
 *
 *     const server = new Server();
 *     addService(server, KV, { range: unary(async (request) => ({ kvs: [] })), ... });
 *     addService(server, ServerReflection, createReflection([KV, Health]));
 *     const response = await callUnary(client, KV.method.range, { key });
 */
export {
  StatusError,
  addService,
  callServerStream,
  callUnary,
  toMethodDefinition,
  toStatusError,
  unary,
  viewAsBuffer,
  viewAsBytes,
} from "./service.ts";
export type { CallSettings, Handler, ServiceImplementation } from "./service.ts";
export { createHealth } from "./health.ts";
export type { HealthService } from "./health.ts";
export { createReflection } from "./reflection.ts";
