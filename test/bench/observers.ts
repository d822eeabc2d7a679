/**
 * What watching costs: the same load on three nodes by themselves, and on three nodes of a
 * playground at real-time speed with a headless client of its merged stream. Everything is there
 * all the time, and they take short turns: who comes first changes from round to round. The ratio
 * is that of neighbours, the median of all rounds: a machine that is slow for a while is slow for
 * both.
 */
import { join } from "node:path";
import { startCluster } from "../processes/cluster.ts";
import { startPlayground } from "../processes/playground.ts";
import { median, quantile, runLoad, type LoadResult } from "./load.ts";
import { startWatcher } from "./watcher.ts";

export interface ObserverFigures {
  readonly clients: number;
  readonly alone: LoadResult;
  readonly watched: LoadResult;
  /** Of the throughput watched over that alone. */
  readonly ratio: number;
  /** While all this ran: observations told, what was only counted, and how often some were lost. */
  readonly told: number;
  readonly omitted: number;
  readonly gaps: number;
}

const SECONDS = 1;
const ROUNDS = 15;

export async function measureObservers(
  directory: string,
  clientCounts: readonly number[],
): Promise<ObserverFigures[]> {
  const cluster = await startCluster(join(directory, "alone"), 3, { log: { level: "warn" } });
  const playground = await startPlayground(["--nodes", "3", "--speed", "1"]);
  const watcher = await startWatcher(playground.url);
  try {
    const shape = { operation: "put", seconds: SECONDS, valueBytes: 256, keys: 10_000 } as const;
    const figures: ObserverFigures[] = [];
    for (const clients of clientCounts) {
      const results = { alone: [] as LoadResult[], watched: [] as LoadResult[] };
      const run = {
        alone: async () => {
          const { address } = await cluster.leader();
          return runLoad({ ...shape, address, clients });
        },
        watched: async () => {
          const { address } = await playground.leader();
          return runLoad({ ...shape, address, clients });
        },
      };
      const before = await watcher.counts();
      for (let round = 0; round <= ROUNDS; round += 1) {
        const order = ["alone", "watched"] as const;
        for (const which of round % 2 === 0 ? order : order.toReversed()) {
          const result = await run[which]();
          // The first round warms both up.
          if (round > 0) results[which].push(result);
        }
      }
      const after = await watcher.counts();
      const ratios = results.watched.map(
        (watched, at) =>
          watched.operationsPerSecond / (results.alone[at] as LoadResult).operationsPerSecond,
      );
      figures.push({
        clients,
        alone: median(results.alone),
        watched: median(results.watched),
        ratio: quantile(Float64Array.from(ratios).toSorted(), 0.5),
        told: after.told - before.told,
        omitted: after.omitted - before.omitted,
        gaps: after.gaps - before.gaps,
      });
    }
    return figures;
  } finally {
    await watcher.close();
    await playground.close();
    await cluster.close();
  }
}
