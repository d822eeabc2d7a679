/** Injects faults, and takes them back: drawn by chance, or from a schedule. */
import { chooseDeed } from "./choose-fault.ts";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import { describeFault } from "./faults.ts";
import type { Deed, InjectedFault } from "./faults.ts";
import type { Network } from "./network.ts";
import type { Fleet } from "./fleet.ts";
import type { Operator } from "./operator.ts";
import type { VirtualProcess } from "./process.ts";
import type { FaultPlan } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

export interface NemesisPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly counts: FaultCounts;
  readonly network: Network;
  readonly fleet: Fleet;
  readonly operator: Operator;
  /** Tells a person what was done; null: nobody listens, so nothing is put into words. */
  readonly tell: ((text: string) => void) | null;
}

export interface Nemesis {
  /** What was injected so far, in order: given again as a schedule it does the same. */
  readonly injected: readonly InjectedFault[];
  /** From now on nothing is injected, and nothing more is taken back. */
  stop(): void;
}

/** Each kind at random moments, by its own plan. */
export function createNemesis(plans: readonly FaultPlan[], ports: NemesisPorts): Nemesis {
  const { timeline, chance } = ports;
  const hand = new Hand(ports);

  function schedule(plan: FaultPlan, own: Chance): void {
    timeline.after(around(plan.intervalUs, own), () => {
      if (hand.stopped) return;
      const deed = chooseDeed(plan.kind, ports, own);
      const atUs = timeline.nowUs();
      const untilUs = atUs + around(plan.durationUs, own);
      if (deed !== null) hand.inject({ fault: plan.kind, atUs, untilUs, deed });
      schedule(plan, own);
    });
  }

  for (const [at, plan] of plans.entries()) schedule(plan, chance.fork(at));
  return hand;
}

/** Exactly these, whatever the world is like by then. */
export function replayFaults(schedule: readonly InjectedFault[], ports: NemesisPorts): Nemesis {
  const hand = new Hand(ports);
  for (const fault of schedule) {
    ports.timeline.after(fault.atUs, () => {
      if (!hand.stopped) hand.inject(fault);
    });
  }
  return hand;
}

/** From a fifth of `meanUs` to nearly twice as much. */
function around(meanUs: number, chance: Chance): number {
  return chance.integer(Math.ceil(meanUs / 5), Math.ceil((meanUs * 9) / 5));
}

type Undo = () => void;

class Hand implements Nemesis {
  readonly injected: InjectedFault[] = [];
  stopped = false;
  readonly #ports: NemesisPorts;

  constructor(ports: NemesisPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.stopped = true;
  }

  inject(fault: InjectedFault): void {
    const { timeline, counts, tell } = this.#ports;
    this.injected.push(fault);
    counts.add(fault.fault);
    tell?.(describeFault(fault));
    const undo = this.#carryOut(fault.deed);
    timeline.after(fault.untilUs - fault.atUs, () => {
      if (!this.stopped) undo();
    });
  }

  #carryOut(deed: Deed): Undo {
    const { network, tell } = this.#ports;
    switch (deed.kind) {
      case "crash":
        return this.#crash(deed.victims);
      case "pause":
        this.#process(deed.nodeId)?.pause();
        return () => this.#process(deed.nodeId)?.resume();
      case "cut":
        for (const [source, target] of deed.links) network.cut(source, target);
        return () => {
          tell?.(`mended ${deed.links.map(([source, target]) => `${source}→${target}`).join(" ")}`);
          for (const [source, target] of deed.links) network.mend(source, target);
        };
      case "slow link": {
        const [source, target] = deed.link;
        network.setExtraDelay(source, target, deed.delayUs);
        return () => network.setExtraDelay(source, target, 0);
      }
      case "slow disk":
        this.#process(deed.nodeId)?.setDiskSlowness(deed.factor);
        return () => this.#process(deed.nodeId)?.setDiskSlowness(1);
      case "failing disk":
        this.#process(deed.nodeId)?.failDisk();
        return () => this.#repair(deed.nodeId);
      case "full disk":
        this.#process(deed.nodeId)?.fillDisk(deed.roomBytes);
        return () => this.#repair(deed.nodeId);
      case "clock rate":
        this.#process(deed.nodeId)?.setClockRate(deed.rate);
        return () => this.#process(deed.nodeId)?.setClockRate(1);
      case "clock jump":
        this.#process(deed.nodeId)?.jumpClock(deed.ticks);
        return () => undefined;
      case "bit rot":
        this.#rot(deed);
        return () => undefined;
      case "snapshot interrupted":
        this.#setSnapshotTrap(deed);
        return () => undefined;
      case "members":
        this.#ports.operator.wish(deed);
        return () => undefined;
      case "transfer":
        this.#process(deed.nodeId)?.transferLeadership(deed.target);
        return () => undefined;
      case "campaign":
        this.#process(deed.nodeId)?.campaign();
        return () => undefined;
    }
  }

  #crash(victims: readonly { readonly nodeId: number; readonly restartUs: number }[]): Undo {
    for (const { nodeId } of victims) this.#process(nodeId)?.crash();
    return () => {
      for (const { nodeId, restartUs } of victims) {
        this.#ports.timeline.after(restartUs, () => {
          if (!this.stopped) this.#process(nodeId)?.start();
        });
      }
    };
  }

  /** The process must refuse to start, and somebody new must take its place. */
  #rot({ nodeId, place, bit, newId }: Extract<Deed, { kind: "bit rot" }>): void {
    const process = this.#process(nodeId);
    if (process === undefined) return;
    process.crash();
    process.repairDisk();
    if (process.rotDisk(place, bit)) {
      this.#ports.counts.add("durable bit turned");
      this.#ports.operator.wish({ joining: [newId], leaving: [nodeId], atOnce: false });
    }
    process.start();
  }

  /** Stays until there is a snapshot that is so long in the making. */
  #setSnapshotTrap(deed: Extract<Deed, { kind: "snapshot interrupted" }>): void {
    const { counts, tell, timeline } = this.#ports;
    const process = this.#process(deed.nodeId);
    process?.setSnapshotTrap(deed.step, (operation) => {
      if (this.stopped || process.health === "crashed") return;
      counts.add(`crash in ${operation}`);
      tell?.(`node ${deed.nodeId} crashes in the ${operation}`);
      process.crash();
      timeline.after(deed.restartUs, () => {
        if (!this.stopped) process.start();
      });
    });
  }

  /** A process that the disk made end starts again. */
  #repair(nodeId: number): void {
    const process = this.#process(nodeId);
    if (process === undefined) return;
    this.#ports.tell?.(`the disk of node ${nodeId} is repaired`);
    process.repairDisk();
    if (process.health === "crashed") process.start();
  }

  /** A shrunk schedule may name a node that never joined. */
  #process(nodeId: number): VirtualProcess | undefined {
    return this.#ports.fleet.find(nodeId);
  }
}
