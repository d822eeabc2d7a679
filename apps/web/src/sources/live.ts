/** The live cluster: one merged stream of observations from the page's own origin. */
import { createClient, type Transport } from "@connectrpc/connect";
import { observationFromWire } from "@raftarium/protocol";
import { ObserverService } from "@raftarium/protocol/observer";
import { createLiveCommands } from "../commands.ts";
import type { Timeline } from "../state/timeline.ts";
import { recall } from "./past.ts";
import type { Source } from "./source.ts";

const RETRY_MS_MIN = 300;
const RETRY_MS_MAX = 5000;

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Reads the stream until it ends. @returns whether anything came. */
async function readStream(
  timeline: Timeline,
  transport: Transport,
  signal: AbortSignal,
): Promise<boolean> {
  const observer = createClient(ObserverService, transport);
  const ended = new AbortController();
  let heard = false;
  try {
    for await (const { observations, place } of observer.observe({}, { signal })) {
      const told = observations.map(observationFromWire);
      if (heard) timeline.push(told, performance.now());
      else {
        heard = true;
        const begunUs = place === undefined ? null : Number(place.begunUs);
        timeline.begin(told, performance.now(), begunUs);
        timeline.setConnection({ state: "open", detail: "" });
        if (place !== undefined) void recall(timeline, place, ended.signal);
      }
    }
  } finally {
    ended.abort();
  }
  return heard;
}

async function keepReading(
  timeline: Timeline,
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = RETRY_MS_MIN;
  while (!signal.aborted) {
    let heard = false;
    try {
      heard = await readStream(timeline, transport, signal);
    } catch {
      // Whatever it was, the remedy is the same: say so, wait, ask again.
      heard = timeline.getState().connection.state === "open";
    }
    if (signal.aborted) return;
    retryMs = heard ? RETRY_MS_MIN : Math.min(retryMs * 2, RETRY_MS_MAX);
    const detail = "The playground does not answer: what is shown is old. Trying again.";
    timeline.setConnection({ state: "lost", detail });
    await wait(retryMs * (0.75 + Math.random() / 2), signal);
  }
}

export function createLiveSource(transport: Transport): Source {
  return {
    commands: createLiveCommands(transport),
    start(timeline) {
      const ending = new AbortController();
      void keepReading(timeline, transport, ending.signal);
      return () => ending.abort();
    },
  };
}
