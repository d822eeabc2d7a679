/**
 * `node test/bench/frame.ts [--messages N] [--seconds S] [--json]`: what a frame of the stage costs
 * while five nodes exchange so many messages a second. The built page is fed with a recording; no
 * cluster runs beside it. Scripting and rendering are what the page's main thread did between two
 * frames, from Chromium's own trace; rasterising (other threads) is told beside it.
 */
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { busy } from "../fixtures/stories.ts";
import { buildPage, launch, openRecording } from "../browser/recorded-page.ts";

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  /** On the wall; and of the thread's own processor time, where the platform tells. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const CATEGORIES = [
  "toplevel",
  "disabled-by-default-devtools.timeline",
  "devtools.timeline",
  "devtools.timeline.frame",
  "cc",
];
const GOAL_MS = 8;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000" },
    seconds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});
const messagesPerSecond = Number(values.messages);
const seconds = Number(values.seconds);
if (!(messagesPerSecond > 0) || !(seconds > 0)) {
  process.stderr.write("expected --messages and --seconds to be numbers above 0\n");
  process.exit(64);
}

function quantile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}

/** The page's main thread is the one that runs animation frames. */
function mainThread(events: readonly TraceEvent[]): { pid: number; tid: number } {
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.name !== "FireAnimationFrame") continue;
    const key = `${event.pid}/${event.tid}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [busiest = "0/0"] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  const [pid = 0, tid = 0] = busiest.split("/").map(Number);
  return { pid, tid };
}

type Clock = "dur" | "tdur";

/** Time of main-thread tasks between each animation frame and the next, milliseconds. */
function frameCosts(events: readonly TraceEvent[], clock: Clock): readonly number[] {
  const { pid, tid } = mainThread(events);
  const own = events.filter((event) => event.pid === pid && event.tid === tid);
  const starts = own
    .filter((event) => event.name === "FireAnimationFrame")
    .map((event) => event.ts)
    .toSorted((a, b) => a - b);
  const tasks = own
    .filter((event) => event.ph === "X" && event.name === "RunTask")
    .toSorted((a, b) => a.ts - b.ts);
  const costs: number[] = [];
  let at = 0;
  for (let frame = 0; frame + 1 < starts.length; frame += 1) {
    const [fromUs, untilUs] = [starts[frame] ?? 0, starts[frame + 1] ?? 0];
    let us = 0;
    for (; at < tasks.length && (tasks[at]?.ts ?? 0) < untilUs; at += 1) {
      const task = tasks[at];
      // The task that fires the frame began a little before it.
      if (task !== undefined && task.ts + (task.dur ?? 0) > fromUs) us += task[clock] ?? 0;
    }
    costs.push(us / 1000);
  }
  return costs;
}

/** What the main thread spends by kind, milliseconds a frame. */
function parts(events: readonly TraceEvent[], frames: number): Record<string, number> {
  const { pid, tid } = mainThread(events);
  const kinds: Record<string, readonly string[]> = {
    scripting: ["FireAnimationFrame", "TimerFire", "FunctionCall"],
    style: ["UpdateLayoutTree", "Layout"],
    paint: ["PrePaint", "Paint", "Layerize", "Commit"],
  };
  const sums: Record<string, number> = { raster: 0 };
  for (const event of events) {
    if (event.ph !== "X") continue;
    if (event.name === "RasterTask")
      sums["raster"] = (sums["raster"] ?? 0) + (event.tdur ?? event.dur ?? 0);
    if (event.pid !== pid || event.tid !== tid) continue;
    for (const [kind, names] of Object.entries(kinds)) {
      // A function call is inside an animation frame or a timer; only the outer ones count.
      if (names.includes(event.name) && event.name !== "FunctionCall") {
        sums[kind] = (sums[kind] ?? 0) + (event.tdur ?? event.dur ?? 0);
      }
    }
  }
  return Object.fromEntries(
    Object.entries(sums).map(([kind, us]) => [kind, Math.round(us / 10 / frames) / 100]),
  );
}

using built = buildPage();
const browser = await launch();
try {
  const { observations } = busy(seconds + 6, messagesPerSecond);
  const { page, complaints } = await openRecording(browser, built, observations, "&from=1.2", {
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
  });
  // The first second compiles and fills caches.
  await sleep(2000);
  await browser.startTracing(page, { categories: CATEGORIES });
  await sleep(seconds * 1000);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const costs = frameCosts(trace.traceEvents, "dur").toSorted((a, b) => a - b);
  const busyCosts = frameCosts(trace.traceEvents, "tdur").toSorted((a, b) => a - b);
  const result = {
    messagesPerSecond,
    cpus: cpus().length,
    frames: costs.length,
    framesPerSecond: Math.round(costs.length / seconds),
    p50Ms: Math.round(quantile(costs, 0.5) * 100) / 100,
    p95Ms: Math.round(quantile(costs, 0.95) * 100) / 100,
    maxMs: Math.round((costs.at(-1) ?? 0) * 100) / 100,
    cpuP50Ms: Math.round(quantile(busyCosts, 0.5) * 100) / 100,
    cpuP95Ms: Math.round(quantile(busyCosts, 0.95) * 100) / 100,
    goalMs: GOAL_MS,
    perFrameMs: parts(trace.traceEvents, Math.max(1, costs.length)),
    complaints,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(
      `${messagesPerSecond} messages/s, ${result.cpus} CPUs: ${result.frames} frames ` +
        `(${result.framesPerSecond} a second), main thread per frame ` +
        `p50 ${result.p50Ms} ms, p95 ${result.p95Ms} ms, max ${result.maxMs} ms ` +
        `(goal: p95 under ${GOAL_MS} ms)\n` +
        `  processor time alone: p50 ${result.cpuP50Ms} ms, p95 ${result.cpuP95Ms} ms\n` +
        `  on average ${JSON.stringify(result.perFrameMs)} ms\n`,
    );
  }
  if (costs.length === 0 || complaints.length > 0) {
    process.stderr.write(`expected frames and a quiet console: ${complaints.join("; ")}\n`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
