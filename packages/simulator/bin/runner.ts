/** Runs seeds, in this thread or in several. */
import { setImmediate } from "node:timers/promises";
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

/** Until all are done, or `signal` says that it is enough. */
export async function runSeeds(
  options: Options,
  onResult: (result: SeedResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const jobs = Math.min(options.jobs, options.seedCount);
  if (jobs === 1) {
    for (let offset = 0; offset < options.seedCount && !signal.aborted; offset += 1) {
      onResult(runSeed(options, offset));
      // Otherwise no signal would ever be heard.
      await setImmediate();
    }
    return;
  }
  const { firstSeed, seedCount, nodeCount, seconds } = options;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const shared: Shared = { work: { firstSeed, seedCount, nodeCount, seconds }, next };
  const threads = Array.from({ length: jobs }, () => runThread(shared, onResult, signal));
  await Promise.all(threads);
}

function runThread(
  shared: Shared,
  onResult: (result: SeedResult) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: shared });
    worker.on("message", onResult);
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    signal.addEventListener("abort", () => void worker.terminate());
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
