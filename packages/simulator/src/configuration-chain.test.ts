import { createInvariantChecker } from "@raftarium/checker";
import type { Configuration } from "@raftarium/raft";
import { expect, test } from "vitest";
import { createConfigurationChain } from "./configuration-chain.ts";

function configuration(voters: number[], votersOutgoing: number[] = []): Configuration {
  return { voters, votersOutgoing, learners: [], addresses: {} };
}

/** Commits these, one after the other, in term 1; what the chain says to it. */
function complaintsAbout(...configurations: readonly Configuration[]): readonly string[] {
  const voters = [1, 2, 3];
  const checker = createInvariantChecker({ voters, durability: false });
  const chain = createConfigurationChain(configuration(voters), checker);
  for (const [at, one] of configurations.entries()) {
    const index = at + 1;
    checker.entryAppended(1, index, 1, index, false);
    chain.appended(index, 1, one);
    checker.committed(1, index);
    chain.advance();
  }
  return checker.violations.map(({ explanation }) => explanation.replace(/^.*: /, ""));
}

test("one voter at a time, or by way of a joint configuration", () => {
  const joint = configuration([4, 5, 6], [1, 2, 3]);
  expect(complaintsAbout(configuration([1, 2, 3, 4]), configuration([1, 2, 4]))).toEqual([]);
  expect(complaintsAbout(joint, configuration([4, 5, 6]))).toEqual([]);
});

test("nothing else", () => {
  expect(complaintsAbout(configuration([1, 2, 3, 4, 5]))).toEqual([
    "more than one voter changes at once",
  ]);
  expect(complaintsAbout(configuration([4, 5], [1, 2]))).toEqual([
    "the old half is not the old one",
  ]);
  const joint = configuration([4, 5, 6], [1, 2, 3]);
  expect(complaintsAbout(joint, configuration([1, 2, 3]))).toEqual([
    "a joint one must become its new half",
  ]);
  expect(complaintsAbout(joint, configuration([4, 5, 7], [4, 5, 6]))).toEqual([
    "a joint configuration follows another",
  ]);
});

test("no leader begins a change before the last one is committed", () => {
  const checker = createInvariantChecker({ voters: [1, 2, 3], durability: false });
  const chain = createConfigurationChain(configuration([1, 2, 3]), checker);
  chain.begun(1, 7, 5, 5);
  expect(checker.violations).toEqual([]);
  chain.begun(1, 7, 5, 4);
  expect(checker.violations[0]?.invariant).toBe("configuration chain");
});
