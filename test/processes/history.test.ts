/** The judge of real processes' answers must be able to say no. */
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Operation } from "@raftarium/checker";
import { parseHistory } from "@raftarium/checker";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expectLinearizable } from "./history.ts";
import { Refusal } from "./playground.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "raftarium-history-"));
});
afterEach(() => rm(directory, { recursive: true }));

const write: Operation = {
  client: 1,
  action: { kind: "put", key: "x", value: "new" },
  call: 10,
  return: 20,
  outcome: "ok",
};
const staleRead: Operation = {
  client: 2,
  action: { kind: "get", key: "x", value: null },
  call: 30,
  return: 40,
  outcome: "ok",
};
const faults = [{ label: "node 2 paused", from: 5, to: 25 }];

test("a history that nothing explains fails, and is left for a person to look at", async () => {
  const judged = expectLinearizable({
    name: "stale",
    operations: [staleRead, write],
    faults,
    directory,
  });
  await expect(judged).rejects.toThrow(/illegal[^]+check-history .*history-stale\.jsonl/);
  const { history } = parseHistory(await readFile(join(directory, "history-stale.jsonl"), "utf8"));
  expect(history).toEqual([write, staleRead]);
  const picture = await readFile(join(directory, "history-stale.html"), "utf8");
  expect(picture).toContain("Not linearizable");
  expect(picture).toContain("node 2 paused");
});

test("a write of unknown outcome may have been carried out, or not: nothing is left", async () => {
  const operations: Operation[] = [{ ...write, outcome: "unknown" }, staleRead];
  await expectLinearizable({ name: "unknown", operations, faults, directory });
  expect(await readdir(directory)).toEqual([]);
});

test.each([
  ["unavailable", "failed", "fail"],
  ["unavailable", "unknown", "unknown"],
  ["unavailable", null, "unknown"],
  ["deadline_exceeded", null, "unknown"],
  ["failed_precondition", "unknown", "unknown"],
  ["failed_precondition", null, "fail"],
  ["invalid_argument", null, "fail"],
])("%s of a node that says %s: %s", (code, told, outcome) => {
  expect(new Refusal("KV/Put", code, "no", told).outcome).toBe(outcome);
});
