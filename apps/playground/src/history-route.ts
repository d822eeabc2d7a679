/** GET /history.jsonl and /history.html: what this page's clients asked and were told. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { checkLinearizable, formatHistory, historyPage } from "@raftarium/checker";
import type { ClientHistory } from "./client-history.ts";
import type { Page } from "./door.ts";
import type { Feed } from "./feed.ts";

/** The cluster's observations wait while it is checked. */
const CHECK_MS_MAX = 1_500;

/** What is inside is all in the page itself, and what it says is only ever data. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page, and the history beside it. */
export function withHistory(
  page: Page,
  history: ClientHistory,
  feed: Pick<Feed, "recorded">,
): Page {
  return {
    ...page,
    handle(request, response) {
      if (!handleHistory(history, feed, request, response)) page.handle(request, response);
    },
  };
}

function handleHistory(
  history: ClientHistory,
  feed: Pick<Feed, "recorded">,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.method !== "GET") return false;
  switch (request.url?.split("?")[0]) {
    case "/history.jsonl":
      response.writeHead(200, {
        "content-type": "application/jsonl; charset=utf-8",
        "content-disposition": 'attachment; filename="history.jsonl"',
        "cache-control": "no-store",
      });
      response.end(formatHistory(history.operations()));
      return true;
    case "/history.html":
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": POLICY,
        "cache-control": "no-store",
      });
      response.end(draw(history, feed));
      return true;
    default:
      return false;
  }
}

function draw(clients: ClientHistory, feed: Pick<Feed, "recorded">): string {
  const startMs = performance.now();
  const history = clients.operations();
  const isOutOfTime = (): boolean => performance.now() - startMs > CHECK_MS_MAX;
  const result = checkLinearizable(history, { thorough: true, isOutOfTime });
  const foreign = clients.foreignKeys().length;
  const notes = [
    ...(foreign === 0 ? [] : [`${foreign} keys that others wrote too are left out`]),
    ...(clients.isFull() ? ["what came later was not kept"] : []),
  ];
  const faults = clients.faults(feed.recorded());
  const title = "What clients asked through this page";
  return historyPage({ title, history, result, faults, note: notes.join("; ") });
}
