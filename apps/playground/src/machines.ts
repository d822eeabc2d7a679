/** What is wrong with the disk and the clock of each node's machine; told whenever it changes. */
import {
  NO_CLOCK_FAULT,
  NO_DISK_FAULT,
  validateFault,
  type DiskFault,
  type Fault,
} from "@raftarium/faults";
import type { Feed } from "./feed.ts";
import { sensible } from "./refusals.ts";

export interface MachineFaults {
  readonly disk: DiskFault;
  readonly clockRate: number;
}

/** Which run of which node is spoken of. */
interface Run {
  readonly nodeId: number;
  readonly incarnation: number;
}

export interface Machines {
  of(nodeId: number): MachineFaults;
  /** Throws PlaygroundError "invalid" if the fault makes no sense. */
  set(run: Run, fault: Extract<Fault, { readonly kind: "disk" | "clock" }>): void;
  /** Its process ended. A disk that failed has done so once: the next process finds a new one. */
  ended(run: Run): void;
  forget(nodeId: number): void;
}

const SOUND: MachineFaults = { disk: NO_DISK_FAULT, clockRate: NO_CLOCK_FAULT.rate };

export function createMachines(
  feed: Pick<Feed, "tell">,
  nodeIds: () => Iterable<number>,
): Machines {
  const machines = new Map<number, MachineFaults>();
  const of = (nodeId: number) => machines.get(nodeId) ?? SOUND;

  function change({ nodeId, incarnation }: Run, after: MachineFaults): void {
    const before = of(nodeId);
    machines.set(nodeId, after);
    const { disk, clockRate } = after;
    if (disk !== before.disk) feed.tell(nodeId, incarnation, { kind: "disk-changed", disk });
    if (clockRate !== before.clockRate) {
      feed.tell(nodeId, incarnation, { kind: "clock-changed", rate: clockRate });
    }
  }

  return {
    of,
    set(run, fault) {
      sensible(() => validateFault(fault, nodeIds()));
      const part = fault.kind === "disk" ? { disk: fault.disk } : { clockRate: fault.clock.rate };
      change(run, { ...of(run.nodeId), ...part });
    },
    ended(run) {
      const machine = of(run.nodeId);
      if (machine.disk.fail) change(run, { ...machine, disk: { ...machine.disk, fail: false } });
    },
    forget: (nodeId) => void machines.delete(nodeId),
  };
}
