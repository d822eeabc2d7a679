import { describe, expect, test } from "vitest";
import { clusterOf, entries, killed } from "./testing.ts";
import { cellText, entryAt, entryWords, logTableOf } from "./log-model.ts";

const progress = (peerId: number, matchIndex: number) => ({
  peerId,
  state: "replicate" as const,
  matchIndex,
  nextIndex: matchIndex + 1,
  inflightCount: 0,
});

describe("the table of logs", () => {
  test("rows share the indexes; what the leader knows stands under each follower", () => {
    const view = clusterOf([
      { role: "leader", entries: entries(1, 9), commitIndex: 8, progress: [progress(2, 8)] },
      { entries: entries(1, 8), commitIndex: 7 },
    ]);
    const table = logTableOf(view);
    expect(table).toMatchObject({ firstIndex: 1, lastIndex: 9, commitIndex: 8, leaderId: 1 });
    expect(table.rows.map(({ matchIndex, nextIndex }) => [matchIndex, nextIndex])).toEqual([
      [0, 0],
      [8, 9],
    ]);
    expect(table.rows.map((row) => row.word)).toEqual(["leader", "follower"]);
  });

  test("how the leader sends is said only where it is no stream", () => {
    const view = clusterOf([
      {
        role: "leader",
        progress: [
          progress(2, 8),
          { ...progress(3, 0), state: "probe" },
          { ...progress(4, 0), state: "snapshot" },
        ],
      },
      {},
      {},
      {},
    ]);
    const sending = logTableOf(view).rows.map((row) => row.sending);
    expect(sending).toEqual([null, null, "probe", "snapshot"]);
  });

  test("without a leader there is no commit line", () => {
    expect(logTableOf(clusterOf([{ entries: entries(1, 3), commitIndex: 2 }])).commitIndex).toBe(
      null,
    );
  });

  test("a compacted log begins with its snapshot, for which there is room", () => {
    const view = clusterOf([
      { entries: entries(10, 14), firstIndex: 10, snapshotIndex: 9 },
      { entries: entries(12, 14), firstIndex: 12, snapshotIndex: 11 },
    ]);
    const table = logTableOf(view);
    expect(table.firstIndex).toBe(7);
    expect(table.rows.map((row) => row.snapshotTo)).toEqual([9, 11]);
    expect(table.rows.map((row) => row.untoldTo)).toEqual([0, 0]);
  });

  test("entries too old to be told are not taken for a snapshot", () => {
    const view = clusterOf([{ entries: entries(101, 300), firstIndex: 1, lastIndex: 300 }]);
    const [row] = logTableOf(view).rows;
    expect(row?.snapshotTo).toBe(0);
    expect(row?.untoldTo).toBe(100);
  });

  test("one who lags far behind does not stretch the table", () => {
    const view = clusterOf([
      { entries: entries(99_801, 100_000), firstIndex: 1 },
      { entries: entries(1, 20) },
    ]);
    const table = logTableOf(view, 240);
    expect(table.firstIndex).toBe(99_761);
    expect(table.lastIndex - table.firstIndex).toBeLessThan(240);
  });

  test("a killed node's row is faint, and says so", () => {
    const [row] = logTableOf(clusterOf([{ entries: entries(1, 2) }], [killed(1)])).rows;
    expect(row).toMatchObject({ faint: true, word: "killed" });
  });

  test("an empty cluster is an empty table", () => {
    expect(logTableOf(clusterOf([{}, {}]))).toMatchObject({ firstIndex: 1, lastIndex: 0 });
  });
});

test("an entry is found by its index, whatever the log begins with", () => {
  const [node] = clusterOf([{ entries: entries(10, 14), firstIndex: 10 }]).nodes;
  if (node === undefined) throw new Error("expected a node");
  expect(entryAt(node, 12)?.description).toBe("k12=v");
  expect(entryAt(node, 9)).toBe(undefined);
  expect(entryAt(node, 15)).toBe(undefined);
});

test("a long put shows its key, a short one all of it, and nothing more than fits", () => {
  const text = (description: string) =>
    cellText({ index: 1, term: 1, kind: "command", description });
  expect(text("fig=1")).toBe("fig=1");
  expect(text("fruit=pear")).toBe("fruit");
  expect(text("a long key=v")).toBe("a lon…");
  expect(text("del fruit")).toBe("del f…");
  expect(text("🍐🍐🍐=pear")).toBe("🍐🍐🍐");
  expect(text("=")).toBe("=");
  expect(cellText({ index: 1, term: 1, kind: "configuration", description: "members" })).toBe(
    "membe…",
  );
});

test("an entry tells who has it on disk; one of another term there is another entry", () => {
  const view = clusterOf([
    { entries: entries(1, 2), commitIndex: 1 },
    { entries: entries(1, 2), durableIndex: 1 },
    { entries: [...entries(1, 1), ...entries(2, 2, 3)] },
  ]);
  expect(entryWords(view, 1, 2)).toEqual([
    "Index 2, term 1",
    "k2=v",
    "not committed yet, on its disk",
    "On the disks of 1 of 3: 1.",
  ]);
  expect(entryWords(view, 2, 1)[3]).toBe("On the disks of 3 of 3: 1, 2, 3.");
  expect(entryWords(view, 2, 9)).toEqual([]);
});
