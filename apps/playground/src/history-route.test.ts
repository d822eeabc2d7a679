import type { IncomingMessage, ServerResponse } from "node:http";
import { create } from "@bufbuild/protobuf";
import { checkLinearizable, parseHistory, withDoubts } from "@raftarium/checker";
import type { Observation, ObservationBody } from "@raftarium/observer";
import {
  PutRequestSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "@raftarium/protocol/etcd";
import { beforeEach, expect, test } from "vitest";
import { createClientHistory, type ClientHistory } from "./client-history.ts";
import { withHistory } from "./history-route.ts";

const bytes = (text: string) => Buffer.from(text);
let timeUs = 0;
let index = 0;
let history: ClientHistory;
beforeEach(() => {
  index = 0;
  history = createClientHistory(() => (timeUs += 1));
});

/** Acknowledged, and told by a node. */
async function put(key: string, value: string): Promise<void> {
  const request = create(PutRequestSchema, { key: bytes(key), value: bytes(value) });
  await history.record("put", request, () => Promise.resolve({}));
  committed(`${key}=${value}`);
}
const getNothing = (key: string) =>
  history.record("range", create(RangeRequestSchema, { key: bytes(key) }), () =>
    Promise.resolve(create(RangeResponseSchema, {})),
  );

/** null: the node tells only that there is something. */
function committed(description: string | null): void {
  index += 1;
  const run = { firstIndex: index, count: 1, term: 1 };
  tell(
    description === null
      ? { kind: "entries-omitted", runs: [run] }
      : { kind: "log-appended", entries: [{ index, term: 1, kind: "command", description }] },
  );
  tell({ kind: "commit-advanced", commitIndex: index });
}
function tell(body: ObservationBody): void {
  const observation: Observation = { nodeId: 1, incarnation: 1, sequence: 1, timeUs, body };
  history.observe([observation]);
}

/** What the page's door answers. */
function ask(url: string, recorded: readonly Observation[] = []): Promise<string> {
  const page = { handle: () => {}, close: () => Promise.resolve() };
  const door = withHistory(page, history, { recorded: () => recorded });
  return new Promise((resolve) => {
    const response = { writeHead: () => {}, end: resolve };
    door.handle({ method: "GET", url } as IncomingMessage, response as unknown as ServerResponse);
  });
}

test("a value that is gone although nobody took it away is found", async () => {
  await put("x", "1");
  await getNothing("x");
  expect(await ask("/history.html")).toContain("<h1>Not linearizable</h1>");
});

test("what another deleted at a node's own port is left out, and named", async () => {
  await put("x", "1");
  committed("del x");
  await getNothing("x");
  await put("y", "1");
  const page = await ask("/history.html");
  expect(page).toContain("<h1>Linearizable</h1>");
  expect(page).toContain("keys left out, because others wrote them: x<");
  expect(page).toContain("1 operation of 1 client on 1 key");
  const { history: kept, notes, doubts } = parseHistory(await ask("/history.jsonl"));
  expect(kept).toMatchObject([{ action: { key: "y" } }]);
  expect(notes).toEqual(["keys left out, because others wrote them: x"]);
  expect(doubts).toEqual([]);
});

test("what is told only after the question counts, too", async () => {
  await put("x", "1");
  await getNothing("x");
  const page = ask("/history.html");
  committed("del x");
  expect(await page).toContain("<h1>Linearizable</h1>");
});

test("where it is not known what others wrote, the answer is never that it is illegal", async () => {
  await put("x", "1");
  committed(null);
  await getNothing("x");
  const page = await ask("/history.html");
  expect(page).toContain("<h1>Unknown</h1>");
  expect(page).toContain("one entry of the log may be others' writes");
  // Whoever checks the text comes to the same verdict.
  const parsed = parseHistory(await ask("/history.jsonl"));
  const found = checkLinearizable(parsed.history);
  expect(found.verdict).toBe("illegal");
  const { verdict, sentence } = withDoubts(found, parsed.doubts);
  expect(verdict).toBe("unknown");
  expect(sentence).toContain("one entry of the log may be others' writes");
});

test("the text has the same faults as the page", async () => {
  await put("x", "1");
  const health = { pid: 1, address: "", cause: "", lastWords: "" };
  const recorded = (["crashed", "running", "paused"] as const).map((state): Observation => {
    const body: ObservationBody = { kind: "health-changed", health: state, ...health };
    return { nodeId: 2, incarnation: 1, sequence: 0, timeUs: (timeUs += 1), body };
  });
  const { faults } = parseHistory(await ask("/history.jsonl", recorded));
  expect(faults.map(({ label }) => label)).toEqual(["node 2 killed", "node 2 paused"]);
  expect(await ask("/history.html", recorded)).toContain(`"faults":${JSON.stringify(faults)}`);
});
