/** GET /history.jsonl and /history.html: what this page's clients asked and were told. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { checkLinearizable, formatHistory, historyPage, withDoubts } from "@raftarium/checker";
import type { LinearizabilityResult, Operation } from "@raftarium/checker";
import { withoutKeys, type ClientHistory } from "./client-history.ts";
import { sleep } from "./clock.ts";
import type { Page } from "./door.ts";
import type { Feed } from "./feed.ts";

/** The cluster's observations wait while it is checked. */
const CHECK_MS_MAX = 1_500;
/** In which nodes that are well tell of what was committed, and it is shown. */
const TOLD_MS = 500;
const KEYS_NAMED_MAX = 20;

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
      void sleep(TOLD_MS).then(() => {
        response.writeHead(200, {
          "content-type": "application/jsonl; charset=utf-8",
          "content-disposition": 'attachment; filename="history.jsonl"',
          "cache-control": "no-store",
        });
        const asides = { notes: notesOf(history), doubts: doubtsOf(history) };
        response.end(formatHistory(history.operations(), history.faults(feed.recorded()), asides));
      });
      return true;
    case "/history.html":
      void draw(history, feed).then((page) => {
        response.writeHead(200, {
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": POLICY,
          "cache-control": "no-store",
        });
        response.end(page);
      });
      return true;
    default:
      return false;
  }
}

async function draw(clients: ClientHistory, feed: Pick<Feed, "recorded">): Promise<string> {
  const { history, result } = await judged(clients);
  const faults = clients.faults(feed.recorded());
  const title = "What clients asked through this page";
  return historyPage({ title, history, result, faults, note: notesOf(clients).join("; ") });
}

function notesOf(clients: ClientHistory): readonly string[] {
  const foreign = clients.foreignKeys();
  return [
    ...(foreign.length === 0
      ? []
      : [`keys left out, because others wrote them: ${namesOf(foreign)}`]),
    ...(clients.isFull() ? ["what came later was not kept"] : []),
  ];
}

/** In the words of withDoubts. */
function doubtsOf(clients: Pick<ClientHistory, "untoldCount">): readonly string[] {
  const count = clients.untoldCount();
  if (count === 0) return [];
  const entries = count === 1 ? "one entry" : `${count} entries`;
  return [`${entries} of the log may be others' writes, and to which keys was not told`];
}

interface Judged {
  readonly history: readonly Operation[];
  readonly result: LinearizabilityResult;
}

/** What others wrote is no fault of the cluster's: never Illegal because of it. */
export async function judged(
  clients: Pick<ClientHistory, "operations" | "foreignKeys" | "untoldCount">,
): Promise<Judged> {
  const asked = clients.operations();
  const first = check(asked);
  if (first.verdict !== "illegal") return { history: asked, result: first };
  await sleep(TOLD_MS);
  const history = withoutKeys(asked, clients.foreignKeys());
  const result = history.length < asked.length ? check(history) : first;
  return { history, result: withDoubts(result, doubtsOf(clients)) };
}

function check(history: readonly Operation[]): LinearizabilityResult {
  const startMs = performance.now();
  const isOutOfTime = (): boolean => performance.now() - startMs > CHECK_MS_MAX;
  return checkLinearizable(history, { thorough: true, isOutOfTime });
}

function namesOf(keys: readonly string[]): string {
  const more = keys.length - KEYS_NAMED_MAX;
  return `${keys.slice(0, KEYS_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
