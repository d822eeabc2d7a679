/** Prometheus metrics, on a port of their own. */
import { createServer, type Server } from "node:http";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { NodeApi, Storage } from "@raftarium/node";
import { splitAddress } from "./address.ts";

export interface Metrics {
  /** One client request ended. `method`: Put, Range…; seconds from arrival to answer. */
  requestEnded(method: string, code: string, seconds: number): void;
  /** Messages to peers. */
  messageSent(): void;
  messageReceived(): void;
  registry: Registry;
}

export function createMetrics(
  node: () => NodeApi<unknown> | null,
  storage: () => Storage | null,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: "raftarium_request_seconds",
    help: "Client requests, from arrival to answer",
    labelNames: ["method", "code"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const sent = new Counter({
    name: "raftarium_peer_messages_sent_total",
    help: "Messages handed to the transport",
    registers,
  });
  const received = new Counter({
    name: "raftarium_peer_messages_received_total",
    help: "Messages received from peers",
    registers,
  });
  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    // The registry keeps it.
    void new Gauge({
      name: `raftarium_${name}`,
      help,
      registers,
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  };
  gauge("term", "Current term", () => node()?.status().term);
  gauge("is_leader", "1 while this node leads", () => {
    const role = node()?.status().role;
    return role === undefined ? undefined : Number(role === "leader");
  });
  gauge("commit_index", "Highest index known committed", () => node()?.status().commitIndex);
  gauge("applied_index", "Highest index applied", () => node()?.status().appliedIndex);
  gauge("last_index", "Last index of the log", () => node()?.status().lastIndex);
  gauge("disk_bytes", "Bytes of log and snapshots", () => storage()?.stats().diskBytes);
  gauge("disk_syncs", "Syncs of the log since the start", () => storage()?.stats().syncCount);
  gauge("disk_last_sync_seconds", "Duration of the last sync", () => {
    const stats = storage()?.stats();
    return stats === undefined ? undefined : stats.lastSyncUs / 1e6;
  });
  return {
    registry,
    requestEnded: (method, code, seconds) => requests.observe({ method, code }, seconds),
    messageSent: () => sent.inc(),
    messageReceived: () => received.inc(),
  };
}

/** Serves `GET /metrics`. Rejects if the address can't be listened on. */
export function serveMetrics(registry: Registry, address: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end("expected GET /metrics\n");
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}
