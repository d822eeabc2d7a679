import { describe, expect, test } from "vitest";
import { clusterOf } from "./testing.ts";
import { storeTableOf } from "./store-model.ts";

const row = (key: string, value: string) => ({ key, value });
const command = (index: number, description: string) => ({
  index,
  term: 1,
  kind: "command" as const,
  description,
});

describe("the stores side by side", () => {
  test("what lags is marked as older or missing", () => {
    const view = clusterOf([
      { role: "leader", appliedIndex: 9, rows: [row("a", "2"), row("b", "7")] },
      { appliedIndex: 8, rows: [row("a", "1")] },
    ]);
    expect(storeTableOf(view).rows).toMatchObject([
      {
        key: "a",
        cells: [
          { value: "2", state: "same" },
          { value: "1", state: "older" },
        ],
      },
      {
        key: "b",
        cells: [
          { value: "7", state: "same" },
          { value: null, state: "missing" },
        ],
      },
    ]);
  });

  test("a key that the others have deleted is older, not odd", () => {
    const view = clusterOf([
      { role: "leader", appliedIndex: 9, rows: [] },
      { appliedIndex: 8, rows: [row("a", "1")] },
    ]);
    expect(storeTableOf(view).rows[0]?.cells.map((cell) => cell.state)).toEqual(["same", "older"]);
  });

  test("a difference between nodes that have applied the same is odd", () => {
    const view = clusterOf([
      { role: "leader", appliedIndex: 9, rows: [row("a", "2")] },
      { appliedIndex: 9, rows: [row("a", "1")] },
    ]);
    expect(storeTableOf(view).rows[0]?.cells[1]?.state).toBe("odd");
  });

  test("who has applied most is the measure, even if it does not lead", () => {
    const view = clusterOf([
      { role: "leader", appliedIndex: 3, rows: [row("a", "1")] },
      { appliedIndex: 5, rows: [row("a", "2")] },
    ]);
    expect(storeTableOf(view).rows[0]?.cells.map((cell) => cell.state)).toEqual(["older", "same"]);
  });

  test("what the log holds ready is shown beside the value: the last of it", () => {
    const view = clusterOf([
      {
        appliedIndex: 1,
        rows: [row("a", "1"), row("b", "2"), row("c", "3")],
        entries: [
          command(1, "a=1"),
          command(2, "del a"),
          command(3, "b=8"),
          command(4, "b=9"),
          command(5, "new=5"),
        ],
      },
    ]);
    const coming = storeTableOf(view).rows.map(({ key, cells }) => [key, cells[0]?.coming]);
    expect(coming).toEqual([
      ["a", null],
      ["b", "9"],
      ["c", undefined],
      ["new", "5"],
    ]);
  });

  test("a key that is the beginning of another is not taken for it", () => {
    const view = clusterOf([
      {
        rows: [row("a", "1"), row("a b", "2")],
        entries: [command(1, "del a b"), command(2, "a b=3")],
      },
    ]);
    const coming = storeTableOf(view).rows.map(({ key, cells }) => [key, cells[0]?.coming]);
    expect(coming).toEqual([
      ["a", undefined],
      ["a b", "3"],
    ]);
  });

  test("nothing is known of nobody", () => {
    expect(storeTableOf(clusterOf([]))).toEqual({ nodes: [], rows: [], cut: false });
  });
});
