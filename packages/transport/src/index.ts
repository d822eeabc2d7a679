/**
 * Peers over gRPC streams, and the gate that applies link faults.
 *
 *     const transport = createTransport({ cluster, nodeId, incarnation, peers, gate: null, ... });
 *     const server = new Server(SERVER_OPTIONS);
 *     transport.addTo(server);
 *     server.bindAsync(address, credentials, () => transport.start());
 */
export { FRAME_BYTES_MAX, SERVER_OPTIONS } from "./exchange.ts";
export type { ConnectionState } from "./dialer.ts";
export { LinkGate, SLOW_MOTION_DELAY_MS } from "./link-gate.ts";
export type { GateOptions, GateSettings, StepAction } from "./link-gate.ts";
export type { QueueLimits } from "./outbound-queue.ts";
export { DEFAULT_LIMITS, PeerTransport, createTransport } from "./transport.ts";
export type { Refusal, TransportOptions, TransportStats } from "./transport.ts";
