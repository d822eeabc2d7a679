/**
 * Deterministic simulation of the production code: real cores, RaftNodes, storage and key-value
 * machines around a virtual clock, network and disks.
 *
 *     const result = simulate({ seed: 42, nodeCount: 5, seconds: 10 });
 *     if (result.violation !== null) console.log(explain({ seed: 42, nodeCount: 5, seconds: 10 }));
 *
 * What it cannot promise: it knows only the faults that it injects (see `swarm.ts`), and it runs
 * one schedule a seed, not all of them.
 */
export { createChance } from "./chance.ts";
export type { Chance } from "./chance.ts";
export { explain } from "./explain.ts";
export type { ProcessHealth, Sabotage } from "./process.ts";
export { shrink } from "./shrink.ts";
export type { Shrunk, ShrinkProgress } from "./shrink.ts";
export { listFaults } from "./story-world.ts";
export { describeFault } from "./faults.ts";
export type { Deed, InjectedFault } from "./faults.ts";
export { PROGRESS_BOUND_ELECTIONS, simulate } from "./simulation.ts";
export type { SimulationOptions, SimulationResult } from "./simulation.ts";
export { drawSwarm, FAULT_KINDS } from "./swarm.ts";
export type { FaultKind, FaultPlan, Swarm } from "./swarm.ts";
