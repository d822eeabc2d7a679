/**
 * Runs seeds of the deterministic simulation and says whether every promise held.
 *
 *     pnpm simulate --seeds 1000              seeds 1 to 1000, ten simulated seconds each
 *     pnpm simulate --seed 42 --explain       one seed, told as a story
 *
 * Exit code: 0 nothing was violated; 1 something was; 64 the command line makes no sense.
 */
import { parseArgs } from "node:util";
import { explain, simulate } from "../src/index.ts";
import type { SimulationResult } from "../src/index.ts";

const USAGE = `usage: pnpm simulate [--seeds N] [--seed S] [--nodes N] [--seconds T] [--json] [--explain]

  --seeds N     how many seeds to run, one after the other (default 100)
  --seed S      the first seed (default 1); alone it means just that one
  --nodes N     nodes in the cluster, 1 to 9 (default: 3 or 5 or 7, by seed)
  --seconds T   simulated seconds of each seed (default 10)
  --json        print one JSON object instead of text
  --explain     tell the story of the last seed that ran
`;

const PROGRESS_EVERY_MS = 5000;
const REPORTED_MAX = 5;

interface Options {
  readonly firstSeed: number;
  readonly seedCount: number;
  /** null: by seed. */
  readonly nodeCount: number | null;
  readonly seconds: number;
  readonly json: boolean;
  readonly explain: boolean;
}

interface Summary {
  seeds: number;
  failed: number;
  simulatedSeconds: number;
  wallSeconds: number;
  events: number;
  messages: number;
  operations: number;
  acknowledged: number;
  committed: number;
  faults: Record<string, number>;
}

function main(): number {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 64;
  }
  return run(options);
}

function run(options: Options): number {
  const startedMs = performance.now();
  const summary = emptySummary();
  const failures: SimulationResult[] = [];
  let toldMs = startedMs;
  let last: SimulationResult | null = null;
  for (let offset = 0; offset < options.seedCount; offset += 1) {
    const seed = options.firstSeed + offset;
    last = simulate({ seed, nodeCount: nodeCountOf(options, seed), seconds: options.seconds });
    addTo(summary, last);
    if (last.violation !== null) {
      failures.push(last);
      if (!options.json && failures.length <= REPORTED_MAX) reportFailure(options, last);
    }
    if (performance.now() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = performance.now();
      const rate = (summary.simulatedSeconds / (toldMs - startedMs)) * 1000;
      process.stderr.write(
        `${summary.seeds} of ${options.seedCount} seeds, ${failures.length} failed, ` +
          `${rate.toFixed(0)} simulated seconds a second\n`,
      );
    }
  }
  summary.wallSeconds = (performance.now() - startedMs) / 1000;
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(summary, failures))}\n`);
  else process.stdout.write(textOf(options, summary, last));
  if (options.explain && last !== null) {
    const { seed } = failures.at(-1) ?? last;
    const nodeCount = nodeCountOf(options, seed);
    process.stdout.write(`\n${explain({ seed, nodeCount, seconds: options.seconds })}`);
  }
  return failures.length === 0 ? 0 : 1;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      nodes: { type: "string" },
      seconds: { type: "string", default: "10" },
      json: { type: "boolean", default: false },
      explain: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) throw new Error("Runs seeds of the deterministic simulation.");
  const firstSeed = wholeNumber("--seed", values.seed ?? "1", Number.MIN_SAFE_INTEGER);
  const seedCount = wholeNumber("--seeds", values.seeds ?? (values.seed ? "1" : "100"), 1);
  if (!Number.isSafeInteger(firstSeed + seedCount - 1)) {
    throw new Error(
      `cannot run the seeds: expected safe integers, got up to ${firstSeed} + ${seedCount}`,
    );
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new Error(
      `cannot read --seconds: expected a number from 0 to 86400, got ${values.seconds}`,
    );
  }
  return {
    firstSeed,
    seedCount,
    nodeCount: values.nodes === undefined ? null : wholeNumber("--nodes", values.nodes, 1, 9),
    seconds,
    json: values.json,
    explain: values.explain,
  };
}

function wholeNumber(
  name: string,
  text: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new Error(
    `cannot read ${name}: expected a whole number from ${min} to ${max}, got ${text}`,
  );
}

/** Mostly five; three and seven for variety. */
function nodeCountOf(options: Options, seed: number): number {
  if (options.nodeCount !== null) return options.nodeCount;
  return [5, 3, 5, 7, 5][Math.abs(seed) % 5] ?? 5;
}

function emptySummary(): Summary {
  return {
    seeds: 0,
    failed: 0,
    simulatedSeconds: 0,
    wallSeconds: 0,
    events: 0,
    messages: 0,
    operations: 0,
    acknowledged: 0,
    committed: 0,
    faults: {},
  };
}

function addTo(summary: Summary, result: SimulationResult): void {
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

function reportFailure(options: Options, result: SimulationResult): void {
  const { violation, seed } = result;
  if (violation === null) return;
  process.stdout.write(
    `seed ${seed} violates ${violation.invariant} ` +
      `at ${(result.simulatedUs / 1_000_000).toFixed(6)} s: ${violation.explanation}\n` +
      `  replay: ${replayCommand(options, seed)}\n`,
  );
}

function replayCommand(options: Options, seed: number): string {
  const nodes = nodeCountOf(options, seed);
  return `pnpm simulate --seed ${seed} --nodes ${nodes} --seconds ${options.seconds} --explain`;
}

function textOf(options: Options, summary: Summary, last: SimulationResult | null): string {
  const rate = summary.simulatedSeconds / summary.wallSeconds;
  const faults = Object.entries(summary.faults)
    .toSorted(([left], [right]) => left.localeCompare(right))
    .map(([kind, count]) => `    ${kind.padEnd(24)} ${count}`);
  return [
    `seeds ${options.firstSeed} to ${options.firstSeed + options.seedCount - 1}: ` +
      `${summary.seeds} run, ${summary.failed} violated`,
    `  simulated ${summary.simulatedSeconds.toFixed(0)} s in ${summary.wallSeconds.toFixed(1)} s ` +
      `(${rate.toFixed(0)} a second)`,
    `  events ${summary.events}, messages ${summary.messages}, committed ${summary.committed}`,
    `  client operations ${summary.operations}, acknowledged ${summary.acknowledged}`,
    ...(options.seedCount === 1 && last !== null ? [`  trace ${last.traceHash}`] : []),
    "  faults",
    ...faults,
    "",
  ].join("\n");
}

function jsonOf(summary: Summary, failures: readonly SimulationResult[]): unknown {
  return {
    ...summary,
    failures: failures.map(({ seed, violation, simulatedUs, traceHash }) => ({
      seed,
      invariant: violation?.invariant,
      explanation: violation?.explanation,
      simulatedUs,
      traceHash,
    })),
  };
}

process.exitCode = main();
