/**
 * GET /recording.jsonl: what the playground has recorded, as the page plays it
 * (`/?recording=/recording.jsonl`): JSON lines, one observation each, the state at the beginning
 * first. `?until=N`: only the first N of all that were ever recorded, which is what was before a
 * stream that began at that place (`Place` in observer.proto).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Observation } from "@raftarium/observer";
import type { Feed } from "./feed.ts";

const PATH = "/recording.jsonl";

/** Answers if the request is for the recording; false: it is for something else. */
export function handleRecording(
  feed: Pick<Feed, "recorded" | "recordedCount">,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const [path, query = ""] = (request.url ?? "").split("?");
  if (request.method !== "GET" || path !== PATH) return false;
  const recordedCount = feed.recordedCount();
  const until = new URLSearchParams(query).get("until") ?? String(recordedCount);
  if (!/^\d+$/.test(until) || Number(until) > recordedCount) {
    response.writeHead(400, { "content-type": "text/plain; charset=utf-8" });
    response.end(
      `cannot tell what was recorded: expected "until" to be a whole number up to ` +
        `${recordedCount}, which is how many observations there were so far, got "${until}"\n`,
    );
    return true;
  }
  response.writeHead(200, {
    "content-type": "application/jsonl; charset=utf-8",
    "content-disposition": 'attachment; filename="raftarium.jsonl"',
    "cache-control": "no-store",
  });
  // Whoever stops reading in the middle is no fault of ours.
  pipeline(Readable.from(lines(feed.recorded(Number(until)))), response).catch(() => {});
  return true;
}

const LINES_PER_CHUNK = 500;

function* lines(observations: readonly Observation[]): Generator<string> {
  for (let from = 0; from < observations.length; from += LINES_PER_CHUNK) {
    const some = observations.slice(from, from + LINES_PER_CHUNK);
    yield some.map((observation) => `${JSON.stringify(observation)}\n`).join("");
  }
}
