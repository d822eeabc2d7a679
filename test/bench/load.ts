/** Closed-loop load: each client sends its next request when the last one is answered. */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { KV } from "@raftarium/protocol/etcd";
import { toMethodDefinition } from "@raftarium/protocol/grpc";

export type Operation = "put" | "get";

export interface LoadOptions {
  readonly address: string;
  readonly operation: Operation;
  readonly clients: number;
  readonly seconds: number;
  readonly valueBytes: number;
  readonly keys: number;
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
  /** Told of each answer, for rates within a run. */
  readonly onAnswer?: () => void;
}

export interface LoadResult {
  readonly operationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly count: number;
  readonly errors: number;
}

/** Clients that share one connection. */
const CLIENTS_PER_CONNECTION = 64;

const put = toMethodDefinition(KV.method.put);
const range = toMethodDefinition(KV.method.range);

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const connections = Array.from(
    { length: Math.ceil(options.clients / CLIENTS_PER_CONNECTION) },
    () =>
      new Client(options.address, credentials.createInsecure(), {
        // Otherwise clients to one address share a connection behind our back.
        "grpc.use_local_subchannel_pool": 1,
      }),
  );
  const keys = Array.from({ length: options.keys }, (_, index) =>
    new TextEncoder().encode(`key-${String(index).padStart(8, "0")}`),
  );
  const value = new Uint8Array(options.valueBytes).fill(120);
  const metadata = new Metadata();
  const latencies: number[] = [];
  let errors = 0;
  let next = 0;
  const started = performance.now();
  const until = started + options.seconds * 1000;

  const clientLoop = (client: Client): Promise<void> =>
    new Promise((resolve) => {
      const again = (): void => {
        const sentAt = performance.now();
        if (sentAt >= until || options.signal?.aborted === true) {
          resolve();
          return;
        }
        // A stride that shares no factor with the number of keys: all keys, in no order.
        next = (next + 7919) % keys.length;
        const key = keys[next] as Uint8Array;
        const done = (error: unknown): void => {
          if (error === null) {
            latencies.push(performance.now() - sentAt);
            options.onAnswer?.();
          } else errors += 1;
          again();
        };
        const call = { deadline: Date.now() + 30_000 };
        if (options.operation === "put") {
          client.makeUnaryRequest(
            put.path,
            put.requestSerialize,
            put.responseDeserialize,
            { key, value },
            metadata,
            call,
            done,
          );
        } else {
          client.makeUnaryRequest(
            range.path,
            range.requestSerialize,
            range.responseDeserialize,
            { key },
            metadata,
            call,
            done,
          );
        }
      };
      again();
    });

  await Promise.all(
    Array.from({ length: options.clients }, (_, index) =>
      clientLoop(connections[index % connections.length] as Client),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const connection of connections) connection.close();
  const sorted = Float64Array.from(latencies).toSorted();
  return {
    operationsPerSecond: latencies.length / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    count: latencies.length,
    errors,
  };
}

/** Of values in ascending order; NaN if there are none. */
export function quantile(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}

/** By throughput. */
export function median(results: readonly LoadResult[]): LoadResult {
  const sorted = results.toSorted((a, b) => a.operationsPerSecond - b.operationsPerSecond);
  return sorted[Math.floor(sorted.length / 2)] as LoadResult;
}
