/**
 * GET /recording.jsonl: what the playground has recorded, as the page plays it
 * (`/?recording=/recording.jsonl`): JSON lines, one observation each, the state at the beginning
 * first.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Observation } from "@raftarium/observer";
import type { Feed } from "./feed.ts";

const PATH = "/recording.jsonl";

/** Answers if the request is for the recording; false: it is for something else. */
export function handleRecording(
  feed: Pick<Feed, "recorded">,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.method !== "GET" || request.url?.split("?")[0] !== PATH) return false;
  response.writeHead(200, {
    "content-type": "application/jsonl; charset=utf-8",
    "content-disposition": 'attachment; filename="raftarium.jsonl"',
    "cache-control": "no-store",
  });
  // Whoever stops reading in the middle is no fault of ours.
  pipeline(Readable.from(lines(feed.recorded())), response).catch(() => {});
  return true;
}

const LINES_PER_CHUNK = 500;

function* lines(observations: readonly Observation[]): Generator<string> {
  for (let from = 0; from < observations.length; from += LINES_PER_CHUNK) {
    const some = observations.slice(from, from + LINES_PER_CHUNK);
    yield some.map((observation) => `${JSON.stringify(observation)}\n`).join("");
  }
}
