/**
 * How long the check of a history takes, good ones and spoilt ones. Each goes through
 * `raft-client check-history` as a person would run it, the start of the process and the reading
 * of the text included.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatHistory } from "@raftarium/checker";
import type { Verdict } from "@raftarium/checker";
import { MAKES, ORDINARY } from "@raftarium/checker/testing";
import type { HistoryShape, MakeHistory } from "@raftarium/checker/testing";
import { createRandom } from "@raftarium/node";

const crowd: HistoryShape = { ...ORDINARY, operations: 500, keys: 1, clients: 50 };
const mostlyCas = { put: 1, get: 2, delete: 0, cas: 5 };
const withDeletes = { put: 3, get: 5, delete: 1, cas: 1 };

/** What must be reached within so many seconds. */
const shapes: readonly [string, HistoryShape, number][] = [
  ["10,000 operations, 20 keys, 10 clients", ORDINARY, 2],
  ["the same, with deletes", { ...ORDINARY, mix: withDeletes }, 2],
  ["the same, five values in all", { ...ORDINARY, values: 5 }, 2],
  ["the same, mostly cas", { ...ORDINARY, mix: mostlyCas }, 2],
  ["500 operations, one key, 50 clients", crowd, 10],
  ["the same, with deletes", { ...crowd, mix: withDeletes }, 10],
  ["the same, five values in all", { ...crowd, values: 5 }, 10],
  ["the same, twenty values in all", { ...crowd, values: 20 }, 10],
  ["the same, mostly cas", { ...crowd, mix: mostlyCas }, 10],
  ["the same, twenty values, stragglers", { ...crowd, values: 20, lengths: "stragglers" }, 10],
  ["the same, twenty values, mostly cas", { ...crowd, values: 20, mix: mostlyCas }, 10],
  ["the same, a third unknown", { ...crowd, unknownOneIn: 3 }, 10],
  ["the same, twenty values, a quarter unknown", { ...crowd, unknownOneIn: 4, values: 20 }, 10],
];

export interface HistoryRow {
  readonly shape: string;
  readonly history: string;
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly windowMax: number;
  /** Windows of which it is not known that nothing can be left out. */
  readonly notSmallest: number;
  /** The slowest of all seeds. */
  readonly processSecondsMax: number;
  readonly goalSeconds: number;
}

async function measure(
  directory: string,
  seeds: number,
  [shape, options, goalSeconds]: (typeof shapes)[number],
  [history, make]: readonly [string, MakeHistory],
): Promise<HistoryRow> {
  const verdicts: Partial<Record<Verdict, number>> = {};
  let [processSecondsMax, windowMax, notSmallest] = [0, 0, 0];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const operations = make(options, createRandom(seed));
    const name = `${shape} ${history} ${seed}`.replaceAll(/[^a-z0-9]+/gi, "-");
    const file = join(directory, `${name}.jsonl`);
    writeFileSync(file, formatHistory(operations));
    const { verdict, window, smallest, wallSeconds } = await runClient(file);
    processSecondsMax = Math.max(processSecondsMax, wallSeconds);
    windowMax = Math.max(windowMax, window.length);
    if (verdict === "illegal" && !smallest) notSmallest += 1;
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  return { shape, history, verdicts, windowMax, notSmallest, processSecondsMax, goalSeconds };
}

interface Answer {
  readonly verdict: Verdict;
  readonly window: readonly unknown[];
  readonly smallest: boolean;
  readonly wallSeconds: number;
}

const EXITS: Readonly<Record<Verdict, number>> = { ok: 0, illegal: 1, unknown: 2 };

function runClient(file: string): Promise<Answer> {
  const start = performance.now();
  const script = join(import.meta.dirname, "../../apps/cli/src/main.ts");
  const argv = [script, "check-history", file, "--output", "json"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, { maxBuffer: 1 << 28 }, (error, output) => {
      const wallSeconds = (performance.now() - start) / 1000;
      const exitCode = error === null ? 0 : error.code;
      const { verdict, window = [], smallest = false } = JSON.parse(output) as Partial<Answer>;
      if (verdict !== undefined && EXITS[verdict] === exitCode)
        resolve({ verdict, window, smallest, wallSeconds });
      else reject(error ?? new Error(`expected a verdict and its exit code, got ${output}`));
    });
  });
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function show({ shape, history, verdicts, windowMax, ...row }: HistoryRow): string {
  const told = Object.entries(verdicts)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");
  const isMet = row.processSecondsMax < row.goalSeconds ? "" : "  over the goal";
  return [
    shape.padEnd(43),
    history.padEnd(24),
    told.padEnd(22),
    `window ${windowMax}${row.notSmallest === 0 ? "" : " (not smallest)"}`.padEnd(26),
    `${seconds(row.processSecondsMax)} (goal ${row.goalSeconds} s)${isMet}`,
  ].join(" ");
}

export interface HistoryBench {
  /** Histories of each kind. */
  readonly seeds: number;
  /** Only those whose shape or way of spoiling has this in its name. */
  readonly only: string;
}

/** @param say takes a line as soon as it is known. */
export async function benchHistory(
  { seeds, only }: HistoryBench,
  say: (line: string) => void,
): Promise<readonly HistoryRow[]> {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-histories-"));
  const rows: HistoryRow[] = [];
  try {
    const nothing = join(directory, "nothing.jsonl");
    writeFileSync(nothing, "");
    await runClient(nothing);
    const { wallSeconds } = await runClient(nothing);
    say(`process with nothing to do: ${seconds(wallSeconds)}`);
    for (const shape of shapes) {
      for (const spoil of Object.entries(MAKES)) {
        if (!`${shape[0]}, ${spoil[0]}`.includes(only)) continue;
        const row = await measure(directory, seeds, shape, spoil);
        rows.push(row);
        say(show(row));
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return rows;
}
