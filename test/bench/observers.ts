/**
 * What watching costs: the same load on three nodes by themselves, and on three nodes of a
 * playground at real-time speed with a headless client of its merged stream.
 */
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { ObserverService } from "@raftarium/protocol/observer";
import { startCluster } from "../processes/cluster.ts";
import { startPlayground } from "../processes/playground.ts";
import { median, runLoad, type LoadResult } from "./load.ts";

export interface ObserverFigures {
  readonly clients: number;
  readonly alone: LoadResult;
  readonly watched: LoadResult;
  readonly ratio: number;
  /** Observations that reached the client while the load ran, and what the stream left out. */
  readonly observations: number;
  readonly omitted: number;
}

const SECONDS = 4;
const ROUNDS = 3;

export async function measureObservers(
  directory: string,
  clientCounts: readonly number[],
): Promise<ObserverFigures[]> {
  const cluster = await startCluster(join(directory, "alone"), 3, { log: { level: "warn" } });
  const playground = await startPlayground(["--nodes", "3", "--speed", "1"]);
  const stop = new AbortController();
  const seen = { observations: 0, omitted: 0 };
  const watching = watch(playground.url, stop.signal, seen);
  try {
    const shape = { operation: "put", seconds: SECONDS, valueBytes: 256, keys: 10_000 } as const;
    const figures: ObserverFigures[] = [];
    for (const clients of clientCounts) {
      const alone: LoadResult[] = [];
      const watched: LoadResult[] = [];
      const before = { ...seen };
      for (let round = 0; round <= ROUNDS; round += 1) {
        const { address } = await cluster.leader();
        const one = await runLoad({ ...shape, address, clients });
        const leader = await playground.leader();
        const other = await runLoad({ ...shape, address: leader.address, clients });
        // The first round warms both up.
        if (round === 0) continue;
        alone.push(one);
        watched.push(other);
      }
      figures.push({
        clients,
        alone: median(alone),
        watched: median(watched),
        ratio: median(watched).operationsPerSecond / median(alone).operationsPerSecond,
        observations: seen.observations - before.observations,
        omitted: seen.omitted - before.omitted,
      });
    }
    return figures;
  } finally {
    stop.abort();
    await watching;
    await playground.close();
    await cluster.close();
  }
}

async function watch(
  baseUrl: string,
  signal: AbortSignal,
  seen: { observations: number; omitted: number },
): Promise<void> {
  const transport = createConnectTransport({ baseUrl, httpVersion: "1.1" });
  try {
    const stream = createClient(ObserverService, transport).observe({}, { signal });
    for await (const { observations } of stream) {
      seen.observations += observations.length;
      for (const { body } of observations) {
        if (body.case === "messagesOmitted") seen.omitted += Number(body.value.count);
        if (body.case === "gap") seen.omitted += Number(body.value.droppedCount);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
