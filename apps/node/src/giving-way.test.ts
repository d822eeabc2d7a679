/** When a node that comes back rests, and for how long. */
import { expect, test } from "vitest";
import type { Entry, RecoveredState } from "@raftarium/node";
import { comesBack, pauseMs } from "./giving-way.ts";

test("where nobody waits for a processor it does not rest, however much it works", () => {
  expect(pauseMs({ workedMs: 4, waitedMs: 0 })).toBe(0);
  expect(pauseMs({ workedMs: 500, waitedMs: 40 })).toBe(0);
  expect(pauseMs({ workedMs: 0, waitedMs: 0 })).toBe(0);
});

test("where processors are short it rests longer than it worked, but never for long", () => {
  const pause = pauseMs({ workedMs: 4, waitedMs: 2 });
  expect(pause).toBeGreaterThan(4);
  expect(pauseMs({ workedMs: 2, waitedMs: 2 })).toBe(pause / 2);
  expect(pauseMs({ workedMs: 300, waitedMs: 300 })).toBeLessThanOrEqual(20);
});

test("who has no past to go through again is quick", () => {
  const entry: Entry = { index: 1, term: 1, kind: "no-op", data: new Uint8Array(0) };
  const hardState = { term: 1, votedFor: null, commitIndex: 0 };
  const few: RecoveredState = { hardState, snapshot: null, entries: [entry] };
  expect(comesBack(few)).toBe(false);
  expect(comesBack({ ...few, entries: Array.from({ length: 1_000 }, () => entry) })).toBe(true);
  const configuration = { voters: [1], votersOutgoing: [], learners: [], addresses: {} };
  const snapshot = { index: 9, term: 1, configuration, configurationIndex: 0 };
  expect(comesBack({ ...few, snapshot })).toBe(true);
});
