/**
 * `node test/bench/frame.ts [--messages N] [--seconds S] [--trace FILE] [--json]`: what a frame of
 * the stage costs while five nodes exchange so many messages a second. The built page is fed with
 * a recording; no cluster runs beside it. Scripting and rendering are what the page's main thread
 * did between two frames, from Chromium's own trace (kept in FILE for its developer tools);
 * rasterising (other threads) is told beside it.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { busy } from "../fixtures/stories.ts";
import { buildPage, launch, openRecording } from "../browser/recorded-page.ts";
import { CATEGORIES, framesOf, meanKinds, rasterMs, type TraceEvent } from "./frame-trace.ts";

const GOAL_MS = 8;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000" },
    seconds: { type: "string", default: "8" },
    trace: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const messagesPerSecond = Number(values.messages);
const seconds = Number(values.seconds);
if (!(messagesPerSecond > 0) || !(seconds > 0)) {
  process.stderr.write("expected --messages and --seconds to be numbers above 0\n");
  process.exit(64);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0);
}

function words(kinds: Readonly<Record<string, number>>): string {
  return Object.entries(kinds)
    .map(([kind, ms]) => `${kind} ${ms}`)
    .join(", ");
}

using built = buildPage();
const browser = await launch();
try {
  const { observations } = busy(seconds + 6, messagesPerSecond);
  const { page, complaints } = await openRecording(browser, built, observations, "&from=1.2", {
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
  });
  // The first seconds compile and fill caches.
  await sleep(2000);
  await browser.startTracing(page, { categories: CATEGORIES });
  await sleep(seconds * 1000);
  const trace = await browser.stopTracing();
  if (values.trace !== undefined) writeFileSync(values.trace, trace);
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const frames = framesOf(traceEvents);
  const walls = frames.map((frame) => frame.wallMs);
  const own = frames.map((frame) => frame.cpuMs);
  const worst = frames
    .toSorted((a, b) => b.wallMs - a.wallMs)
    .slice(0, Math.ceil(frames.length / 10));
  const result = {
    messagesPerSecond,
    cpus: cpus().length,
    frames: frames.length,
    framesPerSecond: Math.round(frames.length / seconds),
    p50Ms: quantile(walls, 0.5),
    p95Ms: quantile(walls, 0.95),
    maxMs: quantile(walls, 1),
    cpuP50Ms: quantile(own, 0.5),
    cpuP95Ms: quantile(own, 0.95),
    goalMs: GOAL_MS,
    overGoal: walls.filter((ms) => ms >= GOAL_MS).length,
    meanMs: meanKinds(frames),
    worstTenthMs: meanKinds(worst),
    rasterMs: rounded(rasterMs(traceEvents) / Math.max(1, frames.length)),
    complaints,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(
      `${messagesPerSecond} messages/s, ${result.cpus} CPUs: ${result.frames} frames ` +
        `(${result.framesPerSecond} a second), main thread per frame ` +
        `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms, max ${result.maxMs} ms ` +
        `(goal: p95 under ${GOAL_MS} ms; ${result.overGoal} frames were not)\n` +
        `  processor time alone: p50 ${result.cpuP50Ms} ms, p95 ${result.cpuP95Ms} ms\n` +
        `  a frame on average: ${words(result.meanMs)} ms; other threads: raster ` +
        `${result.rasterMs} ms\n` +
        `  the worst tenth of them: ${words(result.worstTenthMs)} ms\n`,
    );
  }
  if (frames.length === 0 || complaints.length > 0) {
    process.stderr.write(`expected frames and a quiet console: ${complaints.join("; ")}\n`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
