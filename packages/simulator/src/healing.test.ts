import type { Configuration } from "@raftarium/raft";
import { expect, test } from "vitest";
import { canElect } from "./healing.ts";
import type { Standing } from "./healing.ts";

const OLD = of([1, 2, 3], [4]);
const NEW = of([1, 2, 3, 4]);

function of(voters: number[], learners: number[] = [], votersOutgoing: number[] = []) {
  return { voters, votersOutgoing, learners, addresses: {} };
}

function node(
  id: number,
  lastTerm: number,
  lastIndex: number,
  configuration: Configuration,
): Standing {
  return { id, lastTerm, lastIndex, configuration };
}

test("a majority with the newest log among it can elect, whatever a learner has", () => {
  expect(canElect([node(1, 3, 9, OLD), node(2, 3, 9, OLD)])).toBe(true);
  expect(canElect([node(1, 3, 9, OLD), node(2, 2, 12, OLD)])).toBe(true);
  // Nobody asks the learner, so it may be ahead of all.
  expect(canElect([node(1, 3, 9, OLD), node(2, 3, 8, OLD), node(4, 4, 9, OLD)])).toBe(true);
});

test("no majority, or none but learners: nobody can be elected", () => {
  expect(canElect([])).toBe(false);
  expect(canElect([node(1, 3, 9, OLD)])).toBe(false);
  expect(canElect([node(4, 3, 9, OLD), node(5, 3, 9, OLD)])).toBe(false);
});

test("a joint configuration needs both halves", () => {
  const joint = of([1, 4, 5], [], [1, 2, 3]);
  expect(canElect([node(1, 3, 9, joint), node(4, 3, 9, joint)])).toBe(false);
  expect(canElect([node(1, 3, 9, joint), node(4, 3, 9, joint), node(2, 3, 9, joint)])).toBe(true);
});

test("who is to vote, does not know it, and has the newest log, blocks those who know", () => {
  // 1 needs three of four votes; 4 has a newer log, of a leader that did not know of the change.
  const [one, two, learner] = [node(1, 3, 10, NEW), node(2, 3, 9, OLD), node(4, 4, 10, OLD)];
  expect(canElect([one, two, learner])).toBe(false);
  // It could campaign itself if it knew, and so could 3, whose log is as new.
  expect(canElect([one, two, { ...learner, configuration: NEW }])).toBe(true);
  expect(canElect([one, two, learner, node(3, 4, 10, OLD)])).toBe(true);
});
