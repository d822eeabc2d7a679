/**
 * A recording: JSON lines, one observation each, played at the pace at which they happened.
 *
 * `?recording=URL` plays one from its beginning; `&at=end` (or a number of seconds) stands still
 * at that moment instead; `&loop` begins again at its end.
 */
import type { Observation } from "@raftarium/observer";
import { recordedCommands } from "../commands.ts";
import type { Timeline } from "../state/timeline.ts";
import type { Source } from "./source.ts";

const STEP_MS = 16;

export function parseRecording(text: string): readonly Observation[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Observation);
}

function standAt(timeline: Timeline, observations: readonly Observation[], at: string): void {
  const first = observations[0]?.timeUs ?? 0;
  const last = observations.at(-1)?.timeUs ?? 0;
  timeline.begin(observations, performance.now() - 60_000, null);
  timeline.frame(performance.now());
  timeline.seek(at === "end" ? last : first + Number(at) * 1_000_000);
}

/** Pushes what is due, as a live stream would. */
function play(
  timeline: Timeline,
  observations: readonly Observation[],
  fromSeconds: number,
  loop: boolean,
): () => void {
  const firstUs = observations[0]?.timeUs ?? 0;
  let next = 0;
  let begun = false;
  let startedMs = performance.now() - fromSeconds * 1000;
  const step = () => {
    const nowMs = performance.now();
    const dueUs = firstUs + (nowMs - startedMs) * 1000;
    const from = next;
    while (next < observations.length && (observations[next]?.timeUs ?? 0) <= dueUs) next += 1;
    if (next > from) {
      const due = observations.slice(from, next);
      if (begun) timeline.push(due, nowMs);
      else timeline.begin(due, nowMs, null);
      begun = true;
    }
    if (next === observations.length && loop) {
      next = 0;
      startedMs = nowMs;
      begun = false;
    }
  };
  step();
  const timer = setInterval(step, STEP_MS);
  return () => clearInterval(timer);
}

export function createRecordedSource(url: string, parameters: URLSearchParams): Source {
  return {
    commands: recordedCommands,
    start(timeline) {
      let stop: (() => void) | null = null;
      let ended = false;
      const load = async () => {
        const response = await fetch(url);
        if (!response.ok) throw new Error(`expected a recording at ${url}, got ${response.status}`);
        const observations = parseRecording(await response.text());
        if (ended) return;
        timeline.setConnection({ state: "recorded", detail: "This is a recording." });
        const at = parameters.get("at");
        const from = Number(parameters.get("from") ?? 0);
        if (at !== null) standAt(timeline, observations, at);
        else stop = play(timeline, observations, from, parameters.has("loop"));
      };
      load().catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        timeline.setConnection({ state: "lost", detail });
      });
      return () => {
        ended = true;
        stop?.();
      };
    },
  };
}
