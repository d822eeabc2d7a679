/** What the caller asks of a core, or tells it, beside the messages. */
import { describe, expect, test } from "vitest";
import { Driver, logOf, only, optionsFor, recovered, voters } from "../test/driver.ts";
import type { RaftOptions } from "./index.ts";

/** Leads alone, with `count` commands applied behind its no-op. */
function alone(count: number, overrides: Partial<RaftOptions> = {}): Driver {
  const node = new Driver(optionsFor(1, { initialConfiguration: voters(1), ...overrides })).lead();
  for (let i = 0; i < count; i++) node.propose("x");
  return node;
}

describe("entries", () => {
  test("of what is asked for, those that are there", () => {
    const configuration = voters(1, 2, 3);
    const snapshot = { index: 5, term: 1, configuration, configurationIndex: 0 };
    const entries = logOf(1, 1, 1, 1, 1, 1, 1, 1).slice(5);
    const node = new Driver(optionsFor(1, { recovered: recovered(1, entries, { snapshot }) }));
    const indexes = (from: number, to: number) =>
      node.raft.entries(from, to).map(({ index }) => index);
    expect(indexes(1, 99)).toEqual([6, 7, 8]);
    expect(indexes(7, 7)).toEqual([7]);
    expect([...indexes(1, 4), ...indexes(9, 12), ...indexes(8, 7)]).toEqual([]);
  });
});

describe("what is applied", () => {
  test("never falls, whatever comes late", () => {
    const node = alone(3);
    expect(node.raft.status().appliedIndex).toBe(4);
    node.step({ kind: "applied", index: 2 });
    expect(node.raft.status().appliedIndex).toBe(4);
  });
});

describe("a snapshot of the state machine", () => {
  test("is of what is applied, and not below the latest", () => {
    const node = alone(5, { trailingEntries: 4 });
    expect(new Driver(optionsFor(1)).raft.snapshotMetadata(0)).toBeNull();
    expect(node.raft.snapshotMetadata(0)).toBeNull();
    expect(node.raft.snapshotMetadata(7)).toBeNull();
    expect(node.raft.snapshotMetadata(1)).toMatchObject({ index: 1, term: 1 });
    node.step({ kind: "snapshot-saved", index: 5 });
    expect(node.raft.status().firstIndex).toBe(2);
    expect(node.raft.snapshotMetadata(4)).toBeNull();
    expect(node.raft.snapshotMetadata(5)).toMatchObject({ index: 5, term: 1 });
  });
});

describe("a transfer", () => {
  test("is asked for once; again only with the heartbeat", () => {
    const node = new Driver(optionsFor(1)).lead(2, 3);
    node.acknowledge(2, 1);
    const told = (effects: ReturnType<Driver["step"]>) =>
      only(effects, "send").filter(({ message }) => message.type === "timeout-now").length;
    expect(told(node.step({ kind: "transfer-leadership", to: 2 }))).toBe(1);
    expect(told(node.acknowledge(2, 1))).toBe(0);
    expect(told(node.acknowledge(3, 1))).toBe(0);
    expect(told(node.tick(2))).toBe(1);
  });
});
