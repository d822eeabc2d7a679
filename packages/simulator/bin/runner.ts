/** Runs seeds, in this thread or in several. */
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { simulate } from "../src/index.ts";
import type { SimulationResult } from "../src/index.ts";
import { nodeCountOf } from "./options.ts";
import type { Options } from "./options.ts";

/** Without what is long. */
export type SeedResult = Omit<SimulationResult, "history" | "schedule" | "swarm"> & {
  readonly nodeCount: number;
};

type Work = Pick<Options, "firstSeed" | "seedCount" | "nodeCount" | "seconds">;

/** Which seed is next, shared by all threads. */
interface Shared {
  readonly work: Work;
  readonly next: Int32Array;
}

export async function runSeeds(
  options: Options,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  const jobs = Math.min(options.jobs, options.seedCount);
  if (jobs === 1) {
    for (let offset = 0; offset < options.seedCount; offset += 1) {
      onResult(runSeed(options, offset));
    }
    return;
  }
  const { firstSeed, seedCount, nodeCount, seconds } = options;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const shared: Shared = { work: { firstSeed, seedCount, nodeCount, seconds }, next };
  const threads = Array.from({ length: jobs }, () => runThread(shared, onResult));
  await Promise.all(threads);
}

function runThread(shared: Shared, onResult: (result: SeedResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: shared });
    worker.on("message", onResult);
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}

function runSeed(work: Work, offset: number): SeedResult {
  const seed = work.firstSeed + offset;
  const nodeCount = nodeCountOf(work.nodeCount, seed);
  const {
    history: _history,
    schedule: _schedule,
    swarm: _swarm,
    ...result
  } = simulate({ seed, nodeCount, seconds: work.seconds });
  return { ...result, nodeCount };
}

if (!isMainThread) {
  const { work, next } = workerData as Shared;
  for (;;) {
    const offset = Atomics.add(next, 0, 1);
    if (offset >= work.seedCount) break;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no browser's window
    parentPort?.postMessage(runSeed(work, offset));
  }
}
