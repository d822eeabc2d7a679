/** Prometheus metrics, on a port of their own. */
import type { Server } from "node:http";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { NodeApi, Storage } from "@raftarium/node";
import type { TransportStats } from "@raftarium/transport";
import { splitAddress } from "./address.ts";

export interface Metrics {
  /** One client request ended. `method`: Put, Range…; seconds from arrival to answer. */
  requestEnded(method: string, code: string, seconds: number): void;
  /** Serves `GET /metrics`. Rejects if the address can't be listened on. */
  serve(address: string): Promise<{ close(): void }>;
}

export function createMetrics(
  node: Pick<NodeApi<never>, "status">,
  storage: Pick<Storage, "stats">,
  transport: { stats(): TransportStats },
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
  const gauge = (name: string, help: string, read: () => number): void => {
    // The registry keeps it.
    void new Gauge({
      name: `raftarium_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge("term", "Current term", () => node.status().term);
  gauge("is_leader", "1 while this node leads", () => Number(node.status().role === "leader"));
  gauge("commit_index", "Highest index known committed", () => node.status().commitIndex);
  gauge("applied_index", "Highest index applied", () => node.status().appliedIndex);
  gauge("last_index", "Last index of the log", () => node.status().lastIndex);
  gauge("disk_bytes", "Bytes of log and snapshots", () => storage.stats().diskBytes);
  gauge("disk_syncs", "Syncs of the log since the start", () => storage.stats().syncCount);
  gauge(
    "disk_last_sync_seconds",
    "Duration of the last sync",
    () => storage.stats().lastSyncUs / 1e6,
  );
  const total = (name: string, help: string, read: (stats: TransportStats) => number): void => {
    void new Counter({
      name: `raftarium_peer_${name}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(transport.stats()));
      },
    });
  };
  total("messages_sent", "Messages written to peers", (stats) => stats.sentMessages);
  total("bytes_sent", "Bytes written to peers", (stats) => stats.sentBytes);
  total("messages_received", "Messages read from peers", (stats) => stats.receivedMessages);
  total("bytes_received", "Bytes read from peers", (stats) => stats.receivedBytes);
  total("messages_overflowed", "Messages dropped by a full queue", (s) => s.overflowedMessages);
  total("messages_lost", "Messages dropped for want of a stream", (stats) => stats.lostMessages);
  total("refusals", "Connections refused, by us or by a peer", (stats) => stats.refusals);
  gauge("peer_queued_messages", "Messages that wait now", () => transport.stats().queuedMessages);
  gauge("peer_queued_bytes", "Bytes that wait now", () => transport.stats().queuedBytes);
  return {
    serve: (address) => serve(registry, address),
    requestEnded: (method, code, seconds) => requests.observe({ method, code }, seconds),
  };
}

async function serve(registry: Registry, address: string): Promise<Server> {
  // Not at the top, where a bundle carries it out at each start: half of what Node.js has for the
  // web comes with it, which takes 50 ms.
  const { createServer } = await import("node:http");
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
