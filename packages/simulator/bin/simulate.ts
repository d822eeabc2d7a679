/**
 * Runs seeds of the deterministic simulation and says whether every promise held: see `options.ts`
 * for what it takes.
 */
import { readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import {
  addTo,
  emptySummary,
  failureText,
  jsonOf,
  progressText,
  shrunkText,
  summaryText,
  tell,
} from "./report.ts";
import { runSeeds } from "./runner.ts";
import type { SeedResult } from "./runner.ts";

const PROGRESS_EVERY_MS = 5000;
const BAD_OPTIONS = 64;
/** As a shell says it of a process that SIGINT ended. */
const INTERRUPTED = 130;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return BAD_OPTIONS;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  return run(options);
}

async function run(options: Options): Promise<number> {
  const startedMs = performance.now();
  const summary = emptySummary();
  const failures: SeedResult[] = [];
  let toldMs = startedMs;
  let lastTrace = "";
  const isWhole = await untilInterrupted(options, (result) => {
    addTo(summary, result);
    lastTrace = result.traceHash;
    if (result.violation !== null) {
      failures.push(result);
      const text = failureText(options, result, failures.length);
      if (!options.json && text !== null) print(text);
    }
    if (performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now();
      process.stderr.write(`${progressText(options, summary, toldMs - startedMs)}\n`);
    }
  });
  summary.wallSeconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage();
  summary.processorSeconds = (user + system) / 1_000_000;
  failures.sort((left, right) => left.seed - right.seed);
  if (!options.json) print(summaryText(options, summary, failures, lastTrace));
  if (!isWhole) {
    if (options.json) print(JSON.stringify(jsonOf(options, summary, failures, NOTHING)));
    return INTERRUPTED;
  }
  const told = tell(options, failures[0] ?? null);
  if (options.json) print(JSON.stringify(jsonOf(options, summary, failures, told)));
  else {
    if (told.shrunk !== null) print(shrunkText(told.shrunk, told.story !== null));
    if (told.story !== null) print(told.story);
  }
  return failures.length === 0 ? 0 : 1;
}

const NOTHING = { shrunk: null, story: null };

/** False: somebody pressed Ctrl-C. */
async function untilInterrupted(
  options: Options,
  onResult: (result: SeedResult) => void,
): Promise<boolean> {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  // In the midst of a single seed no signal would be heard: there it ends the process at once.
  if (options.seedCount > 1) process.once("SIGINT", interrupt);
  await runSeeds(options, onResult, controller.signal);
  process.off("SIGINT", interrupt);
  return !controller.signal.aborted;
}

process.exitCode = await main();
