/** Faults at their times. */
import type { NodeId } from "@raftarium/raft";
import { refuse } from "./fault-error.ts";
import type { Fault } from "./fault.ts";
import { validateFault } from "./fault.ts";

export interface ScheduledFault {
  /** Cluster time since the schedule began. */
  readonly atMs: number;
  readonly fault: Fault;
}

/** Faults of the same time keep their order in the list. */
export type Schedule = readonly ScheduledFault[];

/** Throws FaultError with the place in the list of the first that is wrong. */
export function validateSchedule(schedule: Schedule, nodeIds: Iterable<NodeId>): void {
  const ids = [...nodeIds];
  for (const [place, { atMs, fault }] of schedule.entries()) {
    if (!(Number.isFinite(atMs) && atMs >= 0)) {
      refuse(`schedule fault ${place}`, "at_ms to be a number of 0 or more", atMs);
    }
    validateFault(fault, ids);
  }
}

/** What falls due after `afterMs` and up to and including `untilMs`, in the order of its time. */
export function dueFaults(schedule: Schedule, afterMs: number, untilMs: number): Fault[] {
  return schedule
    .filter(({ atMs }) => atMs > afterMs && atMs <= untilMs)
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ fault }) => fault);
}
