/** Told one by one, or gathered and told together: whoever listens comes to the same view. */
import type { CoreObservation, Entry, Raft } from "@raftarium/raft";
import { createFold, type ClusterNode, type Observation } from "@raftarium/observer";
import { expect, test } from "vitest";
import { Narrator } from "./narrator.ts";
import type { Ports, RaftNodeOptions } from "./options.ts";

function narrator() {
  const told: Observation[] = [];
  const fold = createFold();
  let nowUs = 0;
  const options = { raft: { id: 1 }, incarnation: 1, tickUs: 1000 } as unknown as RaftNodeOptions;
  const ports = {
    scheduler: { nowUs: () => (nowUs += 1) },
    storage: { stats: () => ({ lastSyncUs: 5, diskBytes: 10 }) },
    machine: {
      describe: (data: Uint8Array) => `command ${String(data[0])}`,
      rows: () => [],
    },
  } as unknown as Ports<never>;
  const status = { role: "follower", electionElapsedTicks: 3, electionTimeoutTicks: 9 };
  const raft = { setObserving() {}, status: () => status } as unknown as Raft;
  const narrating = new Narrator(options, ports, raft);
  narrating.setObserver((observation) => {
    told.push(observation);
    fold.apply(observation);
  });
  return {
    narrator: narrating,
    told,
    kinds: () => told.map(({ body }) => body.kind),
    /** Without what depends on when it was told. */
    view: () => {
      const node = fold.snapshot().nodes[0] as ClusterNode;
      const { commitAtUs: _1, durableAtUs: _2, heardAtUs: _3, roleAtUs: _4, ...rest } = node;
      return { ...rest, timer: rest.timer && { ...rest.timer, atUs: 0, elapsedTicks: 0 } };
    },
  };
}

const entriesOf = (firstIndex: number, count: number, term: number): Entry[] =>
  Array.from({ length: count }, (_, at) => ({
    index: firstIndex + at,
    term,
    kind: "command",
    data: new Uint8Array([(firstIndex + at) % 251]),
  }));

const appended = (firstIndex: number, count: number, term: number): CoreObservation => ({
  kind: "log-appended",
  entries: entriesOf(firstIndex, count, term),
});

test("what adds up is told together, in the order in which it depends on each other", () => {
  const { narrator: node, told, kinds } = narrator();
  node.gather(true);
  for (let index = 1; index <= 9; index += 3) {
    node.core(appended(index, 3, 2));
    node.core({ kind: "durable-advanced", durableIndex: index + 2 });
    node.core({ kind: "commit-advanced", commitIndex: index + 2 });
    node.appliedAdvanced(index + 2);
  }
  expect(told).toEqual([]);
  // Three of each of the four kinds, and nine entries.
  expect(node.tellGathered()).toBe(21);
  expect(kinds()).toEqual(["log-appended", "durable-advanced", "commit-advanced", "applied"]);
  const [log] = told.map(({ body }) => (body.kind === "log-appended" ? body.entries : []));
  expect(log?.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(node.tellGathered()).toBe(0);
});

test("entries that nobody can see are told of by their terms", () => {
  const { narrator: node, told } = narrator();
  node.gather(true);
  node.core(appended(1, 900, 2));
  node.core(appended(901, 500, 2));
  node.core(appended(1401, 300, 3));
  node.tellGathered();
  expect(told[0]?.body).toEqual({
    kind: "entries-omitted",
    runs: [
      { firstIndex: 1, count: 1400, term: 2 },
      { firstIndex: 1401, count: 100, term: 3 },
    ],
  });
  const log = told[1]?.body;
  expect(log?.kind === "log-appended" && log.entries.map(({ index }) => index)).toEqual(
    Array.from({ length: 200 }, (_, at) => 1501 + at),
  );
});

test("a role is told at once, after what was gathered before it", () => {
  const { narrator: node, kinds } = narrator();
  node.gather(true);
  node.core(appended(1, 2, 1));
  const role = { role: "follower", term: 2, leaderId: null, votedFor: null, reason: "" } as const;
  node.core({ kind: "role-changed", ...role });
  node.core({ kind: "log-truncated", fromIndex: 2 });
  expect(kinds()).toEqual(["log-appended", "role-changed", "log-truncated"]);
});

test("no longer gathering: what was gathered is told, and what follows at once", () => {
  const { narrator: node, kinds } = narrator();
  node.gather(true);
  node.core({ kind: "commit-advanced", commitIndex: 1 });
  node.gather(false);
  node.core({ kind: "commit-advanced", commitIndex: 2 });
  expect(kinds()).toEqual(["commit-advanced", "commit-advanced"]);
});

test("gathered or not, the view is the same", () => {
  let chance = 11;
  const upTo = (bound: number): number => {
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((chance / 0x80000000) * bound);
  };
  const single = narrator();
  const gathering = narrator();
  gathering.narrator.gather(true);
  const both = (act: (node: Narrator<never>) => void): void => {
    act(single.narrator);
    act(gathering.narrator);
  };
  let [last, durable, committed, applied, term] = [0, 0, 0, 0, 1];
  const steps: readonly (() => void)[] = [
    () => {
      const count = 1 + upTo(upTo(8) === 0 ? 700 : 20);
      const observation = appended(last + 1, count, term);
      last += count;
      both((node) => node.core(observation));
    },
    () => {
      durable = last;
      both((node) => node.core({ kind: "durable-advanced", durableIndex: durable }));
    },
    () => {
      committed = Math.max(committed, durable);
      both((node) => node.core({ kind: "commit-advanced", commitIndex: committed }));
    },
    () => {
      applied = committed;
      both((node) => node.appliedAdvanced(applied));
    },
    () => {
      const [peerId, matchIndex] = [2 + upTo(3), upTo(last + 1)];
      const progress = { peerId, state: "replicate", matchIndex, nextIndex: matchIndex + 1 };
      both((node) =>
        node.core({ kind: "progress-changed", ...progress, inflightCount: 1 } as CoreObservation),
      );
    },
    () =>
      both((node) => node.core({ kind: "election-timer-reset", elapsedTicks: 0, timeoutTicks: 9 })),
    () => {
      if (last === committed || upTo(4) > 0) return;
      const fromIndex = committed + 1;
      last = committed;
      durable = Math.min(durable, last);
      term += 1;
      both((node) => node.core({ kind: "log-truncated", fromIndex }));
    },
    () => {
      if (upTo(4) > 0) return;
      term += 1;
      const role = { role: "leader", term, leaderId: 1, votedFor: 1, reason: "" } as const;
      both((node) => node.core({ kind: "role-changed", ...role }));
    },
  ];
  for (let round = 0; round < 200; round += 1) {
    for (let count = upTo(40); count >= 0; count -= 1) steps[upTo(steps.length)]?.();
    gathering.narrator.tellGathered();
    expect(gathering.view()).toEqual(single.view());
  }
  expect(gathering.told.length).toBeLessThan(single.told.length);
});
