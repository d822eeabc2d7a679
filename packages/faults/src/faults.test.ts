import { describe, expect, test } from "vitest";
import type { Fault, Link, LinkFault } from "./index.ts";
import {
  CUT,
  FaultError,
  NO_LINK_FAULT,
  affects,
  createLinkTable,
  dueFaults,
  validateFault,
  validateSchedule,
} from "./index.ts";

const link = (source: number, target: number, fault: Partial<LinkFault>): Link => ({
  source,
  target,
  ...NO_LINK_FAULT,
  ...fault,
});
const cuts = (links: readonly Link[]): string[] =>
  links.filter(({ cut }) => cut).map(({ source, target }) => `${source}>${target}`);

describe("the table of links", () => {
  test("a fault holds for one direction only, until it is set to nothing", () => {
    const table = createLinkTable(() => [1, 2, 3]);
    table.set(link(1, 2, { delayMs: 40, messageKinds: ["vote"] }));
    expect(table.of(1, 2)).toEqual({ ...NO_LINK_FAULT, delayMs: 40, messageKinds: ["vote"] });
    expect(table.of(2, 1)).toEqual(NO_LINK_FAULT);
    table.set(link(1, 2, { messageKinds: ["vote"] }));
    expect(table.of(1, 2)).toEqual(NO_LINK_FAULT);
    expect(table.links()).toEqual([]);
  });

  test("a partition cuts both ways between groups; a node in no group is alone", () => {
    const table = createLinkTable(() => [1, 2, 3, 4]);
    table.partition([[1, 2], [3]]);
    expect(cuts(table.links())).toEqual([
      "1>3",
      "1>4",
      "2>3",
      "2>4",
      "3>1",
      "3>2",
      "3>4",
      "4>1",
      "4>2",
      "4>3",
    ]);
  });

  test("a new partition takes the place of the last, and leaves delays inside a group", () => {
    const table = createLinkTable(() => [1, 2, 3]);
    table.set(link(1, 2, { delayMs: 9 }));
    table.partition([[1, 2], [3]]);
    table.partition([[1, 2, 3]]);
    expect(table.links()).toEqual([link(1, 2, { delayMs: 9 })]);
  });

  test("heal heals everything; prune drops what leads to nodes that are gone", () => {
    let ids = [1, 2, 3];
    const table = createLinkTable(() => ids);
    table.partition([[1], [2], [3]]);
    ids = [1, 2];
    table.prune();
    expect(cuts(table.links())).toEqual(["1>2", "2>1"]);
    table.heal();
    expect(table.links()).toEqual([]);
  });

  test("replace is all or nothing", () => {
    const table = createLinkTable(() => [1, 2, 3]);
    table.set(link(1, 2, CUT));
    expect(() => table.replace([link(2, 3, CUT), link(3, 9, CUT)])).toThrow(FaultError);
    expect(cuts(table.links())).toEqual(["1>2"]);
    table.replace([link(2, 3, CUT)]);
    expect(cuts(table.links())).toEqual(["2>3"]);
  });

  test("a fault without kinds affects all of them", () => {
    expect(affects(CUT, "snapshot")).toBe(true);
    expect(affects({ ...CUT, messageKinds: ["vote"] }, "snapshot")).toBe(false);
    expect(affects({ ...CUT, messageKinds: ["vote"] }, "vote")).toBe(true);
  });
});

describe("what makes no sense is refused in one sentence", () => {
  const nodeIds = [1, 2];
  test.each<[Fault, string]>([
    [
      { kind: "link", link: link(1, 7, CUT) },
      "cannot set the link from 1 to 7: expected a node out of 1, 2, got 7",
    ],
    [
      { kind: "link", link: link(1, 1, CUT) },
      "cannot set the link from 1 to 1: expected two different nodes, got 1 twice",
    ],
    [
      { kind: "link", link: link(1, 2, { dropRate: 1.5 }) },
      "cannot set the link from 1 to 2: expected drop_rate to be a number from 0 to 1, got 1.5",
    ],
    [
      { kind: "link", link: link(1, 2, { duplicateRate: Number.NaN }) },
      "cannot set the link from 1 to 2: " +
        "expected duplicate_rate to be a number from 0 to 1, got NaN",
    ],
    [
      { kind: "link", link: link(1, 2, { delayMs: -1 }) },
      "cannot set the link from 1 to 2: expected delay_ms to be a number of 0 or more, got -1",
    ],
    [
      { kind: "link", link: link(1, 2, { jitterMs: Number.POSITIVE_INFINITY }) },
      "cannot set the link from 1 to 2: " +
        "expected jitter_ms to be a number of 0 or more, got Infinity",
    ],
    [
      { kind: "link", link: link(1, 2, { messageKinds: ["gossip" as never] }) },
      "cannot set the link from 1 to 2: expected message_kinds out of append, heartbeat, vote, " +
        "pre-vote, snapshot, transfer, read-index, got gossip",
    ],
    [
      { kind: "partition", groups: [[1], [2, 1]] },
      "cannot partition: expected each node in one group, got node 1 in two places",
    ],
    [{ kind: "partition", groups: [[3]] }, "cannot partition: expected a node out of 1, 2, got 3"],
    [{ kind: "crash", nodeId: 3 }, "cannot crash node 3: expected a node out of 1, 2, got 3"],
    [
      { kind: "disk", nodeId: 1, disk: { delayMs: -2, fail: false, full: false } },
      "cannot set the disk of node 1: expected delay_ms to be a number of 0 or more, got -2",
    ],
    [
      { kind: "clock", nodeId: 2, clock: { rate: 0 } },
      "cannot set the clock of node 2: expected rate to be from 0.01 to 100, got 0",
    ],
  ])("%j", (fault, message) => {
    expect(() => validateFault(fault, nodeIds)).toThrow(new FaultError(message));
  });

  test("what makes sense is not", () => {
    const faults: Fault[] = [
      { kind: "heal" },
      { kind: "partition", groups: [[1], [2]] },
      { kind: "link", link: link(1, 2, { dropRate: 1, delayMs: 1e9 }) },
      { kind: "resume", nodeId: 1 },
      { kind: "clock", nodeId: 2, clock: { rate: 1.2 } },
      { kind: "disk", nodeId: 2, disk: { delayMs: 0, fail: true, full: false } },
    ];
    for (const fault of faults) expect(() => validateFault(fault, nodeIds)).not.toThrow();
  });
});

const crash = (nodeId: number): Fault => ({ kind: "crash", nodeId });

describe("a schedule", () => {
  const heal: Fault = { kind: "heal" };
  const schedule = [
    { atMs: 20, fault: heal },
    { atMs: 10, fault: crash(1) },
    { atMs: 10, fault: crash(2) },
  ];

  test("tells what falls due, ties in their order", () => {
    expect(dueFaults(schedule, -1, 15)).toEqual([crash(1), crash(2)]);
    expect(dueFaults(schedule, 10, 20)).toEqual([heal]);
    expect(dueFaults(schedule, 20, 99)).toEqual([]);
  });

  test("is refused with the place of what is wrong", () => {
    expect(() => validateSchedule([{ atMs: -5, fault: heal }], [1])).toThrow(
      "cannot schedule fault 0: expected at_ms to be a number of 0 or more, got -5",
    );
    expect(() => validateSchedule(schedule, [1])).toThrow(/crash node 2/);
    expect(() => validateSchedule(schedule, [1, 2])).not.toThrow();
  });
});
