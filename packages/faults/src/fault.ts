/** Every fault that can be injected, as data: what a playground is asked for, and what a schedule lists. */
import type { NodeId } from "@raftarium/raft";
import { refuse } from "./fault-error.ts";
import type { Link } from "./link.ts";
import { validateAmount, validateLink, validateNodeId, validatePartition } from "./link.ts";

/** All zero: no fault. */
export interface DiskFault {
  /** Added to every sync, in cluster time. */
  readonly delayMs: number;
  /** The next write fails as if the disk were broken; the node ends. */
  readonly fail: boolean;
  /** Writes fail as if the disk were full; the node goes on and recovers when this ends. */
  readonly full: boolean;
}

export const NO_DISK_FAULT: DiskFault = { delayMs: 0, fail: false, full: false };

/** Rate 1: no fault. */
export interface ClockFault {
  /** 1.2: ticks come a fifth too fast. */
  readonly rate: number;
}

export const NO_CLOCK_FAULT: ClockFault = { rate: 1 };

/** Beyond these a clock is not wrong but absurd: timers would fire all the time, or never. */
export const CLOCK_RATE_MIN = 0.01;
export const CLOCK_RATE_MAX = 100;

export type ProcessFaultKind = "crash" | "restart" | "pause" | "resume" | "stop" | "wipe";

export type Fault =
  | { readonly kind: ProcessFaultKind; readonly nodeId: NodeId }
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "partition"; readonly groups: readonly (readonly NodeId[])[] }
  | { readonly kind: "heal" }
  | { readonly kind: "disk"; readonly nodeId: NodeId; readonly disk: DiskFault }
  | { readonly kind: "clock"; readonly nodeId: NodeId; readonly clock: ClockFault };

/** Throws FaultError, naming what is wrong. Says nothing about whether it would have an effect. */
export function validateFault(fault: Fault, nodeIds: Iterable<NodeId>): void {
  switch (fault.kind) {
    case "link":
      return validateLink(fault.link, nodeIds);
    case "partition":
      return validatePartition(fault.groups, nodeIds);
    case "heal":
      return undefined;
    case "disk": {
      const what = `set the disk of node ${fault.nodeId}`;
      validateNodeId(what, fault.nodeId, [...nodeIds]);
      return validateAmount(what, "delay_ms", fault.disk.delayMs, Number.MAX_VALUE);
    }
    case "clock": {
      const what = `set the clock of node ${fault.nodeId}`;
      validateNodeId(what, fault.nodeId, [...nodeIds]);
      const { rate } = fault.clock;
      if (rate >= CLOCK_RATE_MIN && rate <= CLOCK_RATE_MAX) return undefined;
      return refuse(what, `rate to be from ${CLOCK_RATE_MIN} to ${CLOCK_RATE_MAX}`, rate);
    }
    case "crash":
    case "restart":
    case "pause":
    case "resume":
    case "stop":
    case "wipe":
      return validateNodeId(`${fault.kind} node ${fault.nodeId}`, fault.nodeId, [...nodeIds]);
  }
}
