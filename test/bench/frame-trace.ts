/** What Chromium's trace tells of each frame: the main thread's time, and what it went into. */

export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  /** On the wall; and of the thread's own processor time, where the platform tells. */
  readonly dur?: number;
  readonly tdur?: number;
}

/** What a trace must hold for `framesOf`. Each category costs the page time, so no more. */
export const CATEGORIES = ["disabled-by-default-devtools.timeline", "devtools.timeline"];

export type Kind = "scripting" | "collecting" | "style" | "layout" | "paint" | "layers" | "rest";

export interface FrameCost {
  /** What the main thread worked for it, milliseconds: on the wall, */
  readonly wallMs: number;
  /** and of its own processor time; the difference waited for a processor. */
  readonly cpuMs: number;
  /** The time on the wall, by what it went into, milliseconds. */
  readonly kinds: Readonly<Record<Kind, number>>;
}

interface Slice extends TraceEvent {
  readonly dur: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  FireAnimationFrame: "scripting",
  TimerFire: "scripting",
  FunctionCall: "scripting",
  EvaluateScript: "scripting",
  RunMicrotasks: "scripting",
  "v8.callFunction": "scripting",
  "v8.run": "scripting",
  UpdateLayoutTree: "style",
  Layout: "layout",
  PrePaint: "paint",
  Paint: "paint",
  Layerize: "layers",
  // What was drawn on a canvas becomes pixels here.
  Commit: "layers",
};

function kindOf({ name }: TraceEvent): Kind | null {
  if (name === "MinorGC" || name === "MajorGC" || name.startsWith("V8.GC")) return "collecting";
  return KINDS[name] ?? null;
}

/** The page's main thread is the one that runs animation frames. */
function mainThread(events: readonly TraceEvent[]): readonly Slice[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    if (event.name !== "FireAnimationFrame") continue;
    const key = `${event.pid}/${event.tid}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [busiest = ""] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  return events
    .filter((event): event is Slice => event.ph === "X" && event.dur !== undefined)
    .filter((event) => `${event.pid}/${event.tid}` === busiest)
    .toSorted((a, b) => a.ts - b.ts || b.dur - a.dur);
}

const NOTHING: Readonly<Record<Kind, number>> = {
  scripting: 0,
  collecting: 0,
  style: 0,
  layout: 0,
  paint: 0,
  layers: 0,
  rest: 0,
};

/** The slices of one task, outermost first, by kind: what is inside another counts only there. */
function kindsOf(task: Slice, within: readonly Slice[]): Record<Kind, number> {
  const kinds = { ...NOTHING };
  const open: { readonly untilUs: number; readonly kind: Kind }[] = [];
  kinds.rest = task.dur / 1000;
  for (const slice of within) {
    const kind = kindOf(slice);
    if (kind === null) continue;
    while ((open.at(-1)?.untilUs ?? Infinity) <= slice.ts) open.pop();
    kinds[open.at(-1)?.kind ?? "rest"] -= slice.dur / 1000;
    kinds[kind] += slice.dur / 1000;
    open.push({ untilUs: slice.ts + slice.dur, kind });
  }
  return kinds;
}

function addKinds(sum: Record<Kind, number>, kinds: Readonly<Record<Kind, number>>): void {
  for (const kind of Object.keys(sum) as Kind[]) sum[kind] += kinds[kind];
}

/**
 * All that led to each frame: what the main thread did since the frame before was drawn, and the
 * drawing of this one.
 */
export function framesOf(events: readonly TraceEvent[]): readonly FrameCost[] {
  const own = mainThread(events);
  const frames: FrameCost[] = [];
  let drawn = false;
  let [wallMs, cpuMs] = [0, 0];
  let kinds = { ...NOTHING };
  for (let at = 0; at < own.length;) {
    const task = own[at];
    at += 1;
    if (task?.name !== "RunTask") continue;
    const from = at;
    while (at < own.length && (own[at]?.ts ?? 0) < task.ts + task.dur) at += 1;
    const within = own.slice(from, at);
    wallMs += task.dur / 1000;
    cpuMs += (task.tdur ?? task.dur) / 1000;
    addKinds(kinds, kindsOf(task, within));
    if (!within.some(({ name }) => name === "FireAnimationFrame")) continue;
    // Of what led to the first one, a part was before the trace.
    if (drawn) frames.push({ wallMs, cpuMs, kinds });
    drawn = true;
    [wallMs, cpuMs] = [0, 0];
    kinds = { ...NOTHING };
  }
  return frames;
}

/** The mean of some frames, by kind, milliseconds to two digits. */
export function meanKinds(frames: readonly FrameCost[]): Record<Kind, number> {
  const sum = { ...NOTHING };
  for (const { kinds } of frames) addKinds(sum, kinds);
  for (const kind of Object.keys(sum) as Kind[]) {
    sum[kind] = Math.round((sum[kind] / Math.max(1, frames.length)) * 100) / 100;
  }
  return sum;
}

/** On other threads, where layers become pixels: milliseconds in all. */
export function rasterMs(events: readonly TraceEvent[]): number {
  return events
    .filter(({ name, ph }) => name === "RasterTask" && ph === "X")
    .reduce((sum, { tdur, dur }) => sum + (tdur ?? dur ?? 0) / 1000, 0);
}
