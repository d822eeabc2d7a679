/** Lease reads and sessions: kept where they may be demanded, and missed where they are broken. */
import type { withSessions } from "@raftarium/node";
import { describe, expect, test } from "vitest";
import { createChance } from "./chance.ts";
import type { Sabotage } from "./process.ts";
import { simulate } from "./simulation.ts";
import { drawSwarm, withOverrides } from "./swarm.ts";
import type { FaultKind, FaultPlan, Swarm } from "./swarm.ts";

const SECONDS = 8;
const MS = 1000;

const BUSY: Partial<Swarm> = {
  clientCount: 6,
  keyCount: 1,
  thinkUs: 5 * MS,
  restUs: 0,
  retryRate: 1,
  requestTimeoutUs: 100 * MS,
  valueBytesMax: 8,
};

function hunt(
  seeds: number,
  overrides: Partial<Swarm>,
  sabotage: Sabotage = {},
  firstSeed = 1,
): string {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const { violation } = simulate({ seed, nodeCount: 3, seconds: SECONDS, overrides, sabotage });
    if (violation !== null) return `${violation.invariant}: ${violation.explanation}`;
  }
  return "";
}

function faults(...kinds: readonly FaultKind[]): readonly FaultPlan[] {
  return kinds.map((kind) => ({ kind, intervalUs: 600 * MS, durationUs: 500 * MS }));
}

/** Every copy of a command is carried out. `0 1` opens; 26 bytes stand before a numbered one. */
const forgetful: typeof withSessions = (machine) => ({
  apply(command, index) {
    if (command[0] !== 0) return machine.apply(command, index);
    if (command[1] === 1) return { result: { session: "opened", id: index }, changes: [] };
    return machine.apply(command.subarray(26), index);
  },
  query: (question) => machine.query(question),
  snapshot: () => machine.snapshot(),
  restore: () => machine.restore(),
  describe: (command) => machine.describe(command),
  rows: (rowsMax) => machine.rows(rowsMax),
  maintenance: () => machine.maintenance?.() ?? null,
});

describe("lease reads", { timeout: 120_000 }, () => {
  const world = { ...BUSY, leaseReads: true, sessions: false };

  test("are stale where clocks jump, and the second oracle says so", () => {
    const jumping = { ...world, faults: faults("clock jump", "isolate leader") };
    const found = hunt(60, jumping, {}, 29);
    expect(found).toMatch(/^client answers: .* was already answered before it began$/);
  });

  test("are right where clocks are", () => {
    expect(hunt(4, { ...world, faults: faults("crash leader", "isolate leader") })).toBe("");
  });

  test("are drawn only where no clock is at fault", () => {
    const seeds = Array.from({ length: 60 }, (_, at) => at);
    const swarms = seeds.map((seed) => drawSwarm(createChance(seed), 5));
    const leased = swarms.filter(({ leaseReads }) => leaseReads);
    const kinds = leased.flatMap((swarm) => swarm.faults.map(({ kind }) => kind));
    expect(leased.length).toBeGreaterThan(5);
    expect(kinds.filter((kind) => /clock|pause/.test(kind))).toEqual([]);
    const jumps = faults("clock jump");
    expect(withOverrides(leased[0]!, { faults: jumps }).leaseReads).toBe(false);
    expect(withOverrides(leased[0]!, { faults: jumps, leaseReads: true }).leaseReads).toBe(true);
  });
});

describe("a write that is sent again under its number", { timeout: 120_000 }, () => {
  const leaders = faults("crash leader", "isolate leader");
  const world = { ...BUSY, leaseReads: false, sessions: true, faults: leaders };

  test("counts once", () => {
    expect(hunt(6, world)).toBe("");
  });

  test("counts twice without a table of sessions, and the second oracle says so", () => {
    expect(hunt(20, world, { withSessions: forgetful })).toMatch(/^client answers: /);
  });
});
