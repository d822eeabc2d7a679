/** Injects faults at random moments, each kind by its own plan, and takes them back again. */
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Network } from "./network.ts";
import type { FaultPlan } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";
import type { VirtualProcess } from "./process.ts";

export interface NemesisPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly counts: FaultCounts;
  readonly network: Network;
  /** Node n is at n - 1. */
  readonly processes: readonly VirtualProcess[];
  /** Tells a person what was done. */
  readonly tell: (text: string) => void;
}

export interface Nemesis {
  /** From now on nothing is injected, and nothing more is taken back. */
  stop(): void;
}

type Undo = () => void;
type Link = readonly [source: number, target: number];

export function createNemesis(plans: readonly FaultPlan[], ports: NemesisPorts): Nemesis {
  const { timeline, chance, counts, network, processes, tell } = ports;
  const nodeIds = processes.map(({ nodeId }) => nodeId);
  let stopped = false;

  function schedule(plan: FaultPlan): void {
    timeline.after(around(plan.intervalUs), () => {
      if (stopped) return;
      const undo = inject(plan);
      if (undo !== null) {
        counts.add(plan.kind);
        timeline.after(around(plan.durationUs), () => {
          if (!stopped) undo();
        });
      }
      schedule(plan);
    });
  }

  /** From a fifth of `meanUs` to nearly twice as much. */
  function around(meanUs: number): number {
    return chance.integer(Math.ceil(meanUs / 5), Math.ceil((meanUs * 9) / 5));
  }

  function inject(plan: FaultPlan): Undo | null {
    switch (plan.kind) {
      case "crash":
        return crash([anyRunning()]);
      case "crash leader":
        return crash(processes.filter((process) => process.isLeader()));
      case "crash all":
        return crash(processes);
      case "pause":
        return pause(anyRunning());
      case "pause leader":
        return pause(leader());
      case "partition":
        return cut(partition(), "partition");
      case "isolate leader":
        return isolateLeader();
      case "ring":
        return cut(ring(), "ring: every node hears only its neighbours");
      case "bridge":
        return cut(bridge(), "bridge");
      case "one-way cut":
        return cut(oneWay(), "one-way cut");
      case "slow link":
        return slowLink();
      case "slow disk":
        return slowDisk();
      case "failing disk":
        return failingDisk();
      case "full disk":
        return fullDisk();
      case "clock rate":
        return clockRate();
      case "transfer":
        return transfer();
      case "campaign":
        return campaign();
    }
  }

  function anyRunning(): VirtualProcess | null {
    const running = processes.filter(({ health }) => health === "running");
    return running.length === 0 ? null : chance.pick(running);
  }

  function leader(): VirtualProcess | null {
    return processes.find((process) => process.isLeader()) ?? null;
  }

  function crash(victims: readonly (VirtualProcess | null)[]): Undo | null {
    const crashed: VirtualProcess[] = [];
    for (const victim of victims) {
      if (victim === null || victim.health === "crashed") continue;
      victim.crash();
      crashed.push(victim);
    }
    if (crashed.length === 0) return null;
    return () => {
      for (const victim of chance.shuffled(crashed)) {
        timeline.after(chance.integer(0, 20_000), () => {
          if (!stopped) victim.start();
        });
      }
    };
  }

  function cut(links: readonly Link[], what: string): Undo | null {
    if (links.length === 0) return null;
    tell(`${what}: cut ${links.map(([source, target]) => `${source}→${target}`).join(" ")}`);
    for (const [source, target] of links) network.cut(source, target);
    return () => {
      tell(`${what} mended`);
      for (const [source, target] of links) network.mend(source, target);
    };
  }

  /** Two sides that can't hear each other, now and then only in one direction. */
  function partition(): readonly Link[] {
    const shuffled = chance.shuffled(nodeIds);
    const size = chance.integer(1, nodeIds.length - 1);
    const left = shuffled.slice(0, size);
    const right = shuffled.slice(size);
    const links = pairs(left, right);
    return chance.happens(0.25) ? links : [...links, ...pairs(right, left)];
  }

  function isolateLeader(): Undo | null {
    const victim = leader();
    if (victim === null) return null;
    const others = nodeIds.filter((nodeId) => nodeId !== victim.nodeId);
    const links = [...pairs([victim.nodeId], others), ...pairs(others, [victim.nodeId])];
    return cut(links, `isolate leader ${victim.nodeId}`);
  }

  /** Every node hears a majority, and no two the same one (of five; fewer stay whole). */
  function ring(): readonly Link[] {
    const order = chance.shuffled(nodeIds);
    const count = order.length;
    return order.flatMap((source, at) =>
      order.flatMap((target, other): Link[] => {
        const distance = (other - at + count) % count;
        return distance > 1 && distance < count - 1 ? [[source, target]] : [];
      }),
    );
  }

  /** Two halves that only one node in the middle connects. */
  function bridge(): readonly Link[] {
    const order = chance.shuffled(nodeIds);
    const half = Math.floor(order.length / 2);
    const left = order.slice(0, half);
    const right = order.slice(half + (order.length % 2));
    return [...pairs(left, right), ...pairs(right, left)];
  }

  function oneWay(): readonly Link[] {
    const [source, target] = chance.shuffled(nodeIds);
    return source === undefined || target === undefined ? [] : [[source, target]];
  }

  function slowLink(): Undo | null {
    const link = oneWay()[0];
    if (link === undefined) return null;
    const delayUs = chance.integer(1000, chance.pick([50_000, 400_000, 2_000_000]));
    network.setExtraDelay(link[0], link[1], delayUs);
    return () => network.setExtraDelay(link[0], link[1], 0);
  }

  function slowDisk(): Undo | null {
    const victim = anyRunning();
    if (victim === null) return null;
    victim.setDiskSlowness(chance.integer(2, 100));
    return () => victim.setDiskSlowness(1);
  }

  /** The process ends at the next write, and stays down until the disk is repaired. */
  function failingDisk(): Undo | null {
    const victim = anyRunning();
    if (victim === null) return null;
    victim.failDisk();
    tell(`the disk of node ${victim.nodeId} is about to fail`);
    return () => repair(victim);
  }

  function fullDisk(): Undo | null {
    const victim = anyRunning();
    if (victim === null) return null;
    const roomBytes = chance.integer(0, chance.pick([100, 10_000]));
    victim.fillDisk(roomBytes);
    tell(`the disk of node ${victim.nodeId} has room for ${roomBytes} bytes`);
    return () => repair(victim);
  }

  function repair(victim: VirtualProcess): void {
    tell(`the disk of node ${victim.nodeId} is repaired`);
    victim.repairDisk();
    if (victim.health === "crashed") victim.start();
  }

  function clockRate(): Undo | null {
    const victim = anyRunning();
    if (victim === null) return null;
    victim.setClockRate(chance.pick([0.5, 0.8, 1.2, 2]));
    return () => victim.setClockRate(1);
  }

  function transfer(): Undo | null {
    const giver = leader();
    if (giver === null) return null;
    giver.transferLeadership(chance.pick(nodeIds));
    return () => undefined;
  }

  function campaign(): Undo | null {
    const victim = anyRunning();
    if (victim === null) return null;
    victim.campaign();
    return () => undefined;
  }

  for (const plan of plans) schedule(plan);
  return {
    stop() {
      stopped = true;
    },
  };
}

function pause(victim: VirtualProcess | null): Undo | null {
  if (victim === null || victim.health !== "running") return null;
  victim.pause();
  return () => victim.resume();
}

function pairs(sources: readonly number[], targets: readonly number[]): Link[] {
  return sources.flatMap((source) => targets.map((target): Link => [source, target]));
}
