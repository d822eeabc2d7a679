/**
 * A client of the cluster, for Node.js and browsers: hand it a Connect transport for each node.
 *
 *     const client = createRaftClient({
 *       endpoints: [{ name: "127.0.0.1:7101", transport: createGrpcTransport({ baseUrl }) }],
 *     });
 *     const put = await client.put({ key, value });
 *     // { outcome: "ok", value: PutResponse } | { outcome: "failed" | "unknown", message, … }
 *
 * `openSession(client)` gives writes that are carried out once however often they are sent, so
 * that an unknown outcome need not stay unknown.
 */
export { createRaftClient } from "./client.ts";
export { openSession } from "./session.ts";
export type { WriteSession } from "./session.ts";
export type {
  CallKind,
  CallOptions,
  ClientOptions,
  Endpoint,
  RaftClient,
  StatusOfEndpoint,
} from "./client.ts";
export { outcomeOf } from "./outcome.ts";
export type { Failure, Outcome } from "./outcome.ts";
