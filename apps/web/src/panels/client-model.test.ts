import { describe, expect, test } from "vitest";
import type { ObservationBody } from "@raftarium/observer";
import type { Answer } from "../commands.ts";
import {
  REQUEST_BYTES_MAX,
  askedWords,
  fateOf,
  fateWords,
  remark,
  roomFor,
  valueWords,
  particulars,
  problemOf,
  waitMs,
  type Asked,
} from "./client-model.ts";
import { clusterOf, entries } from "./testing.ts";

const asked: Asked = {
  requestId: "r1",
  deed: "put",
  key: "fruit",
  value: "pear",
  nodeId: null,
  serializable: false,
  startedMs: 0,
  answer: null,
};
const answer: Answer = {
  outcome: "ok",
  message: "",
  tookMs: 412,
  revision: 12,
  value: null,
  count: 0,
  nodeId: 2,
  once: null,
};
const started: ObservationBody = {
  kind: "request-started",
  requestId: "r1",
  description: "fruit=pear",
  write: true,
};
const proposed = (index: number, term: number): ObservationBody => ({
  kind: "request-proposed",
  requestId: "r1",
  index,
  term,
});

describe("what cannot be asked", () => {
  test("nothing without a key", () => {
    expect(problemOf("get", "", "")).toBe("To get, name a key.");
    expect(problemOf("put", "", "pear")).toBe("To put, name a key.");
    expect(problemOf("put", "fruit", "")).toBe(null);
  });

  test("nothing beyond the limit, counted in bytes", () => {
    const room = REQUEST_BYTES_MAX - 2 - 1;
    expect(problemOf("put", "k", "v".repeat(room))).toBe(null);
    expect(problemOf("put", "k", "v".repeat(room + 1))).toContain("1.5 MiB");
    expect(problemOf("put", "k", "ü".repeat(room / 2 + 1))).toContain("1.5 MiB");
    expect(problemOf("get", "k", "v".repeat(room + 1))).toBe(null);
  });
});

describe("room for another request", () => {
  const get = (key: string): Asked => ({ ...asked, deed: "get", key });
  const put = (key: string): Asked => ({ ...asked, key });

  test("there is some, and answered requests take none", () => {
    expect(roomFor(put("d"), [put("a"), get("b")])).toEqual({ kind: "free" });
    const answered = [put("a"), put("b"), put("c")].map((request) => ({ ...request, answer }));
    expect(roomFor(put("d"), answered)).toEqual({ kind: "free" });
  });

  test("the same read under way will do; the same write is another write", () => {
    const open = get("a");
    expect(roomFor(get("a"), [put("b"), open])).toEqual({ kind: "again", asked: open });
    expect(roomFor({ ...get("a"), nodeId: 2 }, [open])).toEqual({ kind: "free" });
    expect(roomFor({ ...get("a"), serializable: true }, [open])).toEqual({ kind: "free" });
    expect(roomFor(put("a"), [put("a")])).toEqual({ kind: "free" });
  });

  test("the oldest read makes room; writes do not", () => {
    const [newer, older] = [get("a"), get("b")];
    expect(roomFor(put("d"), [newer, put("c"), older])).toEqual({ kind: "giveUp", asked: older });
    expect(roomFor(get("d"), [put("a"), put("b"), put("c")])).toMatchObject({ kind: "refused" });
  });
});

test("the wait is as long as slow motion needs, within reason", () => {
  expect(waitMs(1)).toBe(8000);
  expect(waitMs(0.05)).toBe(100_000);
  expect(waitMs(0.001)).toBe(120_000);
});

test("what was asked, and what came of it, in words", () => {
  expect(askedWords(asked)).toBe("put fruit = pear");
  expect(askedWords({ ...asked, deed: "get" })).toBe("get fruit");
  const get: Asked = { ...asked, deed: "get" };
  expect(askedWords({ ...get, serializable: true })).toBe("get fruit, serializable");
  expect(valueWords(get, { ...answer, value: "pear" })).toBe("pear");
  expect(remark(get, { ...answer, value: "pear" })).toBe("");
  expect(valueWords(get, answer)).toBe(null);
  expect(remark(get, answer)).toBe("no such key");
  const del: Asked = { ...asked, deed: "delete" };
  expect(remark(del, answer)).toBe("no such key");
  expect(remark(del, { ...answer, count: 1 })).toBe("deleted");
});

test("of a long text the beginning is shown, and how long it is", () => {
  const words = askedWords({ ...asked, value: "v".repeat(5000) });
  expect(words.length).toBeLessThan(250);
  expect(words).toMatch(/v… \(5000 characters\)$/);
});

test("the particulars: revision, disks, who answered and was asked, how long it took", () => {
  const view = clusterOf(
    [
      { entries: entries(1, 3), commitIndex: 3 },
      { entries: entries(1, 3), durableIndex: 2 },
      { entries: entries(1, 3) },
    ],
    [
      [2, started],
      [2, { kind: "request-forwarded", requestId: "r1", leaderId: 3 }],
      [3, proposed(3, 1)],
    ],
  );
  const request = view.requests.get("r1");
  expect(particulars(asked, answer, request, view)).toBe(
    "revision 12, 2 of 3 on disk, node 2 via node 3, 0.41 s",
  );
  expect(particulars(asked, { ...answer, nodeId: null }, undefined, view)).toBe(
    "revision 12, 0.41 s",
  );
  const sent = (attempts: number) => ({ ...answer, nodeId: null, once: { session: 7, attempts } });
  expect(particulars(asked, sent(1), undefined, view)).toBe("revision 12, session 7, 0.41 s");
  expect(particulars(asked, sent(3), undefined, view)).toBe(
    "revision 12, session 7, sent 3 times, 0.41 s",
  );
});

describe("what became of a write of which nobody knew", () => {
  const fate = (commitIndex: number, term: number) => {
    const view = clusterOf(
      [{ role: "leader", entries: entries(1, 5, term), commitIndex }],
      [
        [1, started],
        [1, proposed(5, 1)],
      ],
    );
    const request = view.requests.get("r1");
    return [fateOf(request, view), fateWords(fateOf(request, view), request)];
  };

  test("it stands in a log", () => {
    expect(fate(4, 1)).toEqual(["open", "It is in a log at index 5, not committed yet."]);
  });

  test("it was committed after all", () => {
    expect(fate(5, 1)).toEqual([
      "committed",
      "Seen since: it did take effect, index 5 is committed.",
    ]);
  });

  test("another entry was committed in its place", () => {
    expect(fate(5, 2)).toEqual([
      "replaced",
      "Seen since: it did not take effect, another entry was committed at index 5.",
    ]);
  });

  test("it was never seen in a log", () => {
    const view = clusterOf([{}], [[1, started]]);
    expect(fateOf(view.requests.get("r1"), view)).toBe("unseen");
    expect(fateOf(undefined, view)).toBe("unseen");
  });
});
