/** What `pnpm simulate` prints. */
import { explain, listFaults, shrink } from "../src/index.ts";
import type { Shrunk, SimulationOptions } from "../src/index.ts";
import { nodeCountOf } from "./options.ts";
import type { Options } from "./options.ts";
import type { SeedResult } from "./runner.ts";

const FAILURES_TOLD_MAX = 5;

/** Of all seeds so far. */
export interface Summary {
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
  /** Histories for which the search for a linearization was given up. */
  linearizabilityUnknown: number;
  faults: Record<string, number>;
}

export function emptySummary(): Summary {
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
    linearizabilityUnknown: 0,
    faults: {},
  };
}

export function addTo(summary: Summary, result: SeedResult): void {
  summary.seeds += 1;
  if (result.violation !== null) summary.failed += 1;
  summary.simulatedSeconds += result.simulatedUs / 1_000_000;
  summary.events += result.eventCount;
  summary.messages += result.messageCount;
  summary.operations += result.operationCount;
  summary.acknowledged += result.acknowledgedCount;
  summary.committed += result.committedCount;
  if (result.linearizability === "unknown") summary.linearizabilityUnknown += 1;
  for (const [kind, count] of result.faults) {
    summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
  }
}

/** One line, for somebody who waits. */
export function progressText(
  { seedCount }: Options,
  { seeds, failed, simulatedSeconds }: Summary,
  elapsedMs: number,
): string {
  const rate = (simulatedSeconds / elapsedMs) * 1000;
  const leftSeconds = ((seedCount - seeds) / seeds) * (elapsedMs / 1000);
  return (
    `${seeds} of ${seedCount} seeds, ${failed} failed, ${rate.toFixed(0)} simulated seconds ` +
    `a second, about ${leftSeconds.toFixed(0)} s to go`
  );
}

/** null: so many have been told that nobody would read it. */
export function failureText(options: Options, result: SeedResult, told: number): string | null {
  const { violation, seed, simulatedUs } = result;
  if (violation === null || told > FAILURES_TOLD_MAX) return null;
  return (
    `seed ${seed} breaks ${violation.invariant} at ${(simulatedUs / 1_000_000).toFixed(6)} s: ` +
    `${violation.explanation}\n  replay: ${replayCommand(options, result)}`
  );
}

/** Does the same again, wherever it is typed. */
export function replayCommand({ seconds }: Options, { seed, nodeCount }: SeedResult): string {
  return `pnpm simulate --seed ${seed} --nodes ${nodeCount} --seconds ${seconds} --explain`;
}

export function summaryText(
  options: Options,
  summary: Summary,
  failures: readonly SeedResult[],
  traceHash: string,
): string {
  const { firstSeed, seedCount } = options;
  const rate = summary.simulatedSeconds / summary.wallSeconds;
  const rateOfCore = summary.simulatedSeconds / summary.processorSeconds;
  const faults = Object.entries(summary.faults)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([kind, count]) => `    ${kind.padEnd(48)} ${count}`);
  const undecided = summary.linearizabilityUnknown;
  return [
    `seeds ${firstSeed} to ${firstSeed + seedCount - 1}: ${summary.seeds} run, ` +
      `${failures.length} failed${listSeeds(failures)}`,
    `  simulated ${summary.simulatedSeconds.toFixed(0)} s in ${summary.wallSeconds.toFixed(1)} s ` +
      `(${rate.toFixed(0)} a second; ${rateOfCore.toFixed(0)} for each second of a core)`,
    `  events ${summary.events}, messages ${summary.messages}, committed ${summary.committed}`,
    `  client operations ${summary.operations}, acknowledged ${summary.acknowledged}` +
      (undecided === 0 ? "" : `; histories too hard to judge in time: ${undecided}`),
    ...(seedCount === 1 ? [`  trace ${traceHash}`] : []),
    "  faults",
    ...faults,
    "",
  ].join("\n");
}

function listSeeds(failures: readonly SeedResult[]): string {
  if (failures.length === 0) return "";
  const seeds = failures.slice(0, 20).map(({ seed }) => seed);
  const more = failures.length - seeds.length;
  return `: ${seeds.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
}

/** Of the first failure, or of the last seed. */
export interface Told {
  readonly shrunk: Shrunk | null;
  /** null: nobody asked for it. */
  readonly story: string | null;
}

export function tell(options: Options, failure: SeedResult | null): Told {
  const { firstSeed, seedCount, seconds } = options;
  const isTerminal = process.stderr.isTTY;
  const seed = failure?.seed ?? firstSeed + seedCount - 1;
  const run: SimulationOptions = {
    seed,
    nodeCount: failure?.nodeCount ?? nodeCountOf(options.nodeCount, seed),
    seconds,
  };
  const shrunk =
    failure === null || options.whole
      ? null
      : shrink(run, ({ runCount, faults }) => {
          if (!isTerminal) return;
          process.stderr.write(`\rmaking seed ${seed} smaller: run ${runCount}, ${faults} faults `);
        });
  if (shrunk !== null && isTerminal) process.stderr.write("\r\u001B[K");
  return { shrunk, story: options.explain ? explain(shrunk?.options ?? run) : null };
}

/** The faults themselves are in the story, if there is one. */
export function shrunkText(shrunk: Shrunk, hasStory: boolean): string {
  const { options, faultsBefore, needless, isSmallest, runCount } = shrunk;
  const { seed, schedule = [] } = options;
  const left = schedule.length;
  const needed =
    left === 0
      ? `none of its ${faultsBefore} faults is needed`
      : `it needs ${left} of its ${faultsBefore} faults` +
        (isSmallest ? ", and none of these can be left out" : " or fewer");
  return [
    `seed ${seed} made smaller in ${runCount} runs: ${needed}`,
    ...(needless.length === 0 ? [] : [`  it fails without ${needless.join(", ")}, too`]),
    ...(hasStory ? [] : ["", listFaults(schedule)]),
    "",
  ].join("\n");
}

export function jsonOf(
  options: Options,
  summary: Summary,
  failures: readonly SeedResult[],
  { shrunk, story }: Told,
): unknown {
  return {
    ...summary,
    failures: failures.map((failure) => ({
      seed: failure.seed,
      nodeCount: failure.nodeCount,
      invariant: failure.violation?.invariant,
      explanation: failure.violation?.explanation,
      simulatedUs: failure.simulatedUs,
      traceHash: failure.traceHash,
      replay: replayCommand(options, failure),
    })),
    smallest:
      shrunk === null
        ? null
        : {
            seed: shrunk.options.seed,
            runs: shrunk.runCount,
            isSmallest: shrunk.isSmallest,
            needless: shrunk.needless,
            faults: shrunk.options.schedule,
          },
    ...(story === null ? {} : { story: story.split("\n") }),
  };
}
