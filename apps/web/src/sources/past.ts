/**
 * The past of a live cluster: what the playground recorded before the page was opened, joined to
 * what the page has seen since. It is read in small slices, so that no frame waits for it.
 */
import type { Observation } from "@raftarium/observer";
import { createHistory, type History } from "../state/history.ts";
import type { Timeline } from "../state/timeline.ts";

/** Where a stream began, as the stream itself says. */
export interface Beginning {
  readonly recordedCount: bigint;
  readonly begunUs: bigint;
}

/** The first picture comes first. */
const FIRST_PICTURE_MS = 300;
/** The work of one slice; then frames have their turn. */
const SLICE_MS = 4;
/** A page that nobody sees has no frames to wait for, and its timers go slowly. */
const SLICE_HIDDEN_MS = 250;
/** So few more to catch up with that they need no slice of their own. */
const FEW = 200;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Takes what comes, a slice at a time. */
function createReader(history: History, signal: AbortSignal) {
  let sliceEndMs = 0;
  return async (observations: Iterable<Observation>): Promise<void> => {
    for (const observation of observations) {
      if (performance.now() > sliceEndMs) {
        await pause(0);
        signal.throwIfAborted();
        sliceEndMs = performance.now() + (document.hidden ? SLICE_HIDDEN_MS : SLICE_MS);
      }
      history.append(observation);
    }
  };
}

function* parsed(lines: readonly string[]): Generator<Observation> {
  for (const line of lines) yield JSON.parse(line) as Observation;
}

/** Whole lines, as they come. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
}

async function readPast(timeline: Timeline, from: Beginning, signal: AbortSignal): Promise<void> {
  const { recordedCount, begunUs } = from;
  await pause(FIRST_PICTURE_MS);
  const { ok, body } = await fetch(`/recording.jsonl?until=${recordedCount}`, { signal });
  if (!ok || body === null) return;
  const past = createHistory(Number(begunUs));
  const take = createReader(past, signal);
  for await (const lines of linesOf(body)) await take(parsed(lines));
  for (let count = 0; ;) {
    signal.throwIfAborted();
    const since = timeline.since(count);
    if (since === null) return;
    if (since.length <= FEW) return timeline.join(past, count);
    await take(since);
    count += since.length;
  }
}

/**
 * Fetches the past and joins it to the timeline, unless the stream ends before (`signal`). What
 * fails here changes nothing: then the history begins with the stream. Never rejects.
 */
export async function recall(
  timeline: Timeline,
  from: Beginning,
  signal: AbortSignal,
): Promise<void> {
  if (from.recordedCount === 0n) return;
  try {
    await readPast(timeline, from, signal);
  } catch {
    // The stream has ended, or the playground did: the next stream begins anew.
  }
}
