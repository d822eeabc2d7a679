/**
 * Faults as data, and the table of faulty links. Nothing here injects anything: signals, the
 * transport's gate, the disk's gate and the tick source do.
 */
export { FaultError } from "./fault-error.ts";
export {
  CUT,
  MESSAGE_KINDS,
  NO_LINK_FAULT,
  affects,
  isFaulty,
  validateLink,
  validatePartition,
} from "./link.ts";
export type { Link, LinkFault, MessageKind } from "./link.ts";
export { createLinkTable } from "./link-table.ts";
export type { LinkTable } from "./link-table.ts";
export {
  CLOCK_RATE_MAX,
  CLOCK_RATE_MIN,
  NO_CLOCK_FAULT,
  NO_DISK_FAULT,
  validateFault,
} from "./fault.ts";
export type { ClockFault, DiskFault, Fault, ProcessFaultKind } from "./fault.ts";
export { dueFaults, validateSchedule } from "./schedule.ts";
export type { Schedule, ScheduledFault } from "./schedule.ts";
