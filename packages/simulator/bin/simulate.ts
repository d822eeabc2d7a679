/**
 * Runs seeds of the deterministic simulation and says whether every promise held.
 *
 *     pnpm simulate --seeds 1000              seeds 1 to 1000, ten simulated seconds each
 *     pnpm simulate --seed 42 --explain       one seed, told as a story
 *     pnpm simulate --seed 42 --shrink        the same, without what the failure does not need
 *
 * Exit code: 0 nothing was violated; 1 something was; 64 the command line makes no sense.
 */
import { describeFault, explain, shrink } from "../src/index.ts";
import type { SimulationOptions } from "../src/index.ts";
import { nodeCountOf, readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { runSeeds } from "./runner.ts";
import type { SeedResult } from "./runner.ts";

const PROGRESS_EVERY_MS = 5000;
const REPORTED_MAX = 5;

interface Summary {
  seeds: number;
  failed: number;
  simulatedSeconds: number;
  wallSeconds: number;
  /** Of all cores together, the compiler's and the collector's threads included. */
  processorSeconds: number;
  events: number;
  messages: number;
  operations: number;
  acknowledged: number;
  committed: number;
  faults: Record<string, number>;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 64;
  }
  return run(options);
}

async function run(options: Options): Promise<number> {
  const startedMs = performance.now();
  const summary = emptySummary();
  const failures: SeedResult[] = [];
  let toldMs = startedMs;
  let lastTrace = "";
  await runSeeds(options, (result) => {
    addTo(summary, result);
    lastTrace = result.traceHash;
    if (result.violation !== null) {
      failures.push(result);
      if (!options.json && failures.length <= REPORTED_MAX) reportFailure(options, result);
    }
    if (performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now();
      tellProgress(options, summary, toldMs - startedMs);
    }
  });
  summary.wallSeconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage();
  summary.processorSeconds = (user + system) / 1_000_000;
  failures.sort((left, right) => left.seed - right.seed);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(summary, failures))}\n`);
  else process.stdout.write(textOf(options, summary, lastTrace));
  if (options.explain) {
    const seed = failures[0]?.seed ?? options.firstSeed + options.seedCount - 1;
    const nodeCount = nodeCountOf(options.nodeCount, seed);
    tellStory({ seed, nodeCount, seconds: options.seconds }, options.shrink);
  }
  return failures.length === 0 ? 0 : 1;
}

function tellStory(options: SimulationOptions, isShrinking: boolean): void {
  const shrunk = isShrinking ? shrink(options) : null;
  if (shrunk !== null) {
    const { schedule = [], overrides = {} } = shrunk.options;
    const faults = schedule.map(
      (fault) => `  ${(fault.atUs / 1_000_000).toFixed(6)}  ${describeFault(fault)}\n`,
    );
    process.stdout.write(
      `\nshrunk in ${shrunk.runCount} runs to ${schedule.length} faults` +
        `${Object.keys(overrides).length === 0 ? "" : `, ${JSON.stringify(overrides)}`}\n` +
        faults.join(""),
    );
  }
  process.stdout.write(`\n${explain(shrunk?.options ?? options)}`);
}

function emptySummary(): Summary {
  return {
    seeds: 0,
    failed: 0,
    simulatedSeconds: 0,
    wallSeconds: 0,
    processorSeconds: 0,
    events: 0,
    messages: 0,
    operations: 0,
    acknowledged: 0,
    committed: 0,
    faults: {},
  };
}

function addTo(summary: Summary, result: SeedResult): void {
  summary.seeds += 1;
  if (result.violation !== null) summary.failed += 1;
  summary.simulatedSeconds += result.simulatedUs / 1_000_000;
  summary.events += result.eventCount;
  summary.messages += result.messageCount;
  summary.operations += result.operationCount;
  summary.acknowledged += result.acknowledgedCount;
  summary.committed += result.committedCount;
  for (const [kind, count] of result.faults) {
    summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
  }
}

function tellProgress(options: Options, summary: Summary, elapsedMs: number): void {
  const rate = (summary.simulatedSeconds / elapsedMs) * 1000;
  process.stderr.write(
    `${summary.seeds} of ${options.seedCount} seeds, ${summary.failed} failed, ` +
      `${rate.toFixed(0)} simulated seconds a second\n`,
  );
}

function reportFailure(options: Options, { violation, seed, simulatedUs, nodeCount }: SeedResult) {
  if (violation === null) return;
  process.stdout.write(
    `seed ${seed} violates ${violation.invariant} ` +
      `at ${(simulatedUs / 1_000_000).toFixed(6)} s: ${violation.explanation}\n` +
      `  replay: pnpm simulate --seed ${seed} --nodes ${nodeCount} ` +
      `--seconds ${options.seconds} --explain\n`,
  );
}

function textOf(options: Options, summary: Summary, trace: string): string {
  const rate = summary.simulatedSeconds / summary.wallSeconds;
  const rateOfCore = summary.simulatedSeconds / summary.processorSeconds;
  const faults = Object.entries(summary.faults)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([kind, count]) => `    ${kind.padEnd(24)} ${count}`);
  return [
    `seeds ${options.firstSeed} to ${options.firstSeed + options.seedCount - 1}: ` +
      `${summary.seeds} run, ${summary.failed} violated`,
    `  simulated ${summary.simulatedSeconds.toFixed(0)} s in ${summary.wallSeconds.toFixed(1)} s ` +
      `(${rate.toFixed(0)} a second; ${rateOfCore.toFixed(0)} for each second of a core)`,
    `  events ${summary.events}, messages ${summary.messages}, committed ${summary.committed}`,
    `  client operations ${summary.operations}, acknowledged ${summary.acknowledged}`,
    ...(options.seedCount === 1 ? [`  trace ${trace}`] : []),
    "  faults",
    ...faults,
    "",
  ].join("\n");
}

function jsonOf(summary: Summary, failures: readonly SeedResult[]): unknown {
  return {
    ...summary,
    failures: failures.map(({ seed, nodeCount, violation, simulatedUs, traceHash }) => ({
      seed,
      nodeCount,
      invariant: violation?.invariant,
      explanation: violation?.explanation,
      simulatedUs,
      traceHash,
    })),
  };
}

process.exitCode = await main();
