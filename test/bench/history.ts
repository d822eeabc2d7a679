/**
 * How long the check of a history takes, good ones and spoilt ones: `node test/bench/history.ts`.
 * Each history goes through `raft-client check-history` as a person would run it, the start of the
 * process and the reading of the text included; and is checked once more in this process, for the
 * time on the processor. `--write DIRECTORY` keeps the histories. `--json`: one JSON document.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkLinearizable, formatHistory } from "@raftarium/checker";
import type { Operation, Verdict } from "@raftarium/checker";
import { ORDINARY, generateHistory, moveReturn, swapReads } from "@raftarium/checker/testing";
import type { HistoryShape } from "@raftarium/checker/testing";
import { createRandom } from "@raftarium/node";
import type { Random } from "@raftarium/raft";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    write: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

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
  ["the same, a quarter unknown", { ...crowd, unknownOneIn: 4, values: 20 }, 10],
];

type Spoil = (shape: HistoryShape, random: Random) => Operation[];

const spoils: readonly [string, Spoil][] = [
  ["good", generateHistory],
  ["two reads swapped", (shape, random) => swapReads(generateHistory(shape, random), random)],
  ["a return too early", (shape, random) => moveReturn(generateHistory(shape, random), random)],
  ["a write lost", (shape, random) => generateHistory({ ...shape, lost: 1 }, random)],
];

interface Row {
  readonly shape: string;
  readonly history: string;
  readonly verdicts: Partial<Record<Verdict, number>>;
  readonly windowMax: number;
  /** The slowest of all seeds. */
  readonly processSecondsMax: number;
  readonly checkCpuSecondsMax: number;
  readonly goalSeconds: number;
}

const VERDICTS: readonly Verdict[] = ["ok", "illegal", "unknown"];

async function measure(
  directory: string,
  [shape, options, goalSeconds]: (typeof shapes)[number],
  [history, make]: (typeof spoils)[number],
): Promise<Row> {
  const verdicts: Partial<Record<Verdict, number>> = {};
  let [processSecondsMax, checkCpuSecondsMax, windowMax] = [0, 0, 0];
  for (let seed = 1; seed <= Number(values.seeds); seed += 1) {
    const operations = make(options, createRandom(seed));
    const name = `${shape} ${history} ${seed}`.replaceAll(/[^a-z0-9]+/gi, "-");
    const file = join(directory, `${name}.ndjson`);
    writeFileSync(file, formatHistory(operations));
    const [exitCode, wallSeconds] = await runClient(file);
    const verdict = VERDICTS[exitCode] ?? "unknown";
    processSecondsMax = Math.max(processSecondsMax, wallSeconds);
    const before = process.cpuUsage();
    const result = checkLinearizable(operations);
    const { user, system } = process.cpuUsage(before);
    checkCpuSecondsMax = Math.max(checkCpuSecondsMax, (user + system) / 1e6);
    windowMax = Math.max(windowMax, result.window.length);
    if (result.verdict !== verdict) throw new Error(`${name}: ${verdict}, then ${result.verdict}`);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  const times = { processSecondsMax, checkCpuSecondsMax, goalSeconds };
  return { shape, history, verdicts, windowMax, ...times };
}

/** The exit code, and how long it took. */
function runClient(file: string): Promise<readonly [number, number]> {
  const start = performance.now();
  const took = (): number => (performance.now() - start) / 1000;
  const script = join(import.meta.dirname, "../../apps/cli/src/main.ts");
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, "check-history", file], (error) => {
      if (error === null) resolve([0, took()]);
      else if (typeof error.code === "number" && error.code <= 2) resolve([error.code, took()]);
      else reject(error);
    });
  });
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function show({ shape, history, verdicts, windowMax, ...row }: Row): string {
  const told = Object.entries(verdicts)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ");
  const isMet = row.processSecondsMax < row.goalSeconds ? "" : "  over the goal";
  return [
    shape.padEnd(40),
    history.padEnd(20),
    told.padEnd(22),
    `window ${windowMax}`.padEnd(12),
    `process ${seconds(row.processSecondsMax)}, check ${seconds(row.checkCpuSecondsMax)} of CPU`,
    ` (goal ${row.goalSeconds} s)${isMet}`,
  ].join(" ");
}

const kept = values.write;
const directory = kept ?? mkdtempSync(join(tmpdir(), "raftarium-histories-"));
mkdirSync(directory, { recursive: true });
const rows: Row[] = [];
try {
  const nothing = join(directory, "nothing.ndjson");
  writeFileSync(nothing, "");
  await runClient(nothing);
  const [, startSeconds] = await runClient(nothing);
  if (!values.json) process.stdout.write(`process with nothing to do: ${seconds(startSeconds)}\n`);
  for (const shape of shapes) {
    for (const spoil of spoils) {
      const row = await measure(directory, shape, spoil);
      rows.push(row);
      if (!values.json) process.stdout.write(`${show(row)}\n`);
    }
  }
} finally {
  if (kept === undefined) rmSync(directory, { recursive: true });
}
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
