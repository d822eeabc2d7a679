/** Chooses what exactly a fault of some kind does, given how the world is now. */
import type { Chance } from "./chance.ts";
import type { Deed, Link } from "./faults.ts";
import { chooseMembers } from "./choose-members.ts";
import type { Fleet } from "./fleet.ts";
import type { Operator } from "./operator.ts";
import type { VirtualProcess } from "./process.ts";
import type { FaultKind } from "./swarm.ts";

const RESTART_US_MAX = 20_000;

export interface World {
  readonly fleet: Fleet;
  readonly operator: Operator;
}

/** null: there is nobody to do it to. */
export function chooseDeed(kind: FaultKind, world: World, chance: Chance): Deed | null {
  const processes = world.fleet.all.filter(({ retired }) => !retired);
  const nodeIds = processes.map(({ nodeId }) => nodeId);
  switch (kind) {
    case "crash":
      return crash([anyRunning(processes, chance)], chance);
    case "crash leader":
      return crash([leaderOf(processes)], chance);
    case "crash all":
      return crash(processes, chance);
    case "pause":
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind: "pause", nodeId }));
    case "pause leader":
      return onOne(leaderOf(processes), (nodeId) => ({ kind: "pause", nodeId }));
    case "partition":
      return cut(partition(nodeIds, chance));
    case "isolate leader":
      return onOne(leaderOf(processes), (nodeId) => cut(isolate(nodeId, nodeIds)));
    case "ring":
      return cut(ring(nodeIds, chance));
    case "bridge":
      return cut(bridge(nodeIds, chance));
    case "one-way cut":
      return cut(oneWay(nodeIds, chance));
    case "slow link":
      return slowLink(nodeIds, chance);
    case "slow disk": {
      const factor = chance.integer(2, 100);
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId, factor }));
    }
    case "failing disk":
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId }));
    case "full disk": {
      const roomBytes = chance.integer(0, chance.pick([100, 10_000]));
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId, roomBytes }));
    }
    case "clock rate": {
      const rate = chance.pick([0.5, 0.8, 1.2, 2]);
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId, rate }));
    }
    case "clock jump": {
      const ticks = chance.happens(0.5) ? chance.integer(2, 60) : -chance.integer(2, 60);
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId, ticks }));
    }
    case "partial cut": {
      const rate = 0.1 + 0.6 * chance.fraction();
      return cut(
        pairs(nodeIds, nodeIds).filter(([from, to]) => from !== to && chance.happens(rate)),
      );
    }
    case "snapshot interrupted": {
      const step = chance.integer(0, 9);
      const restartUs = chance.integer(0, RESTART_US_MAX);
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId, step, restartUs }));
    }
    case "bit rot":
    case "add member":
    case "remove member":
    case "swap members":
      return chooseMembers(kind, world, chance);
    case "transfer": {
      const target = chance.pick(nodeIds);
      return onOne(leaderOf(processes), (nodeId) => ({ kind, nodeId, target }));
    }
    case "campaign":
      return onOne(anyRunning(processes, chance), (nodeId) => ({ kind, nodeId }));
  }
}

function anyRunning(processes: readonly VirtualProcess[], chance: Chance): VirtualProcess | null {
  const running = processes.filter(({ health }) => health === "running");
  return running.length === 0 ? null : chance.pick(running);
}

function leaderOf(processes: readonly VirtualProcess[]): VirtualProcess | null {
  return processes.find((process) => process.isLeader()) ?? null;
}

function onOne(victim: VirtualProcess | null, deed: (nodeId: number) => Deed | null): Deed | null {
  return victim === null || victim.health !== "running" ? null : deed(victim.nodeId);
}

function crash(victims: readonly (VirtualProcess | null)[], chance: Chance): Deed | null {
  const alive = victims.filter((victim) => victim !== null && victim.health !== "crashed");
  if (alive.length === 0) return null;
  return {
    kind: "crash",
    victims: alive.map((victim) => ({
      nodeId: victim!.nodeId,
      restartUs: chance.integer(0, RESTART_US_MAX),
    })),
  };
}

function cut(links: readonly Link[]): Deed | null {
  return links.length === 0 ? null : { kind: "cut", links };
}

/** Two sides that can't hear each other, now and then only in one direction. */
function partition(nodeIds: readonly number[], chance: Chance): readonly Link[] {
  if (nodeIds.length < 2) return [];
  const shuffled = chance.shuffled(nodeIds);
  const size = chance.integer(1, nodeIds.length - 1);
  const left = shuffled.slice(0, size);
  const right = shuffled.slice(size);
  const links = pairs(left, right);
  return chance.happens(0.25) ? links : [...links, ...pairs(right, left)];
}

function isolate(nodeId: number, nodeIds: readonly number[]): readonly Link[] {
  const others = nodeIds.filter((other) => other !== nodeId);
  return [...pairs([nodeId], others), ...pairs(others, [nodeId])];
}

/** Every node hears a majority, and no two the same one (of five; three stay whole). */
function ring(nodeIds: readonly number[], chance: Chance): readonly Link[] {
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
function bridge(nodeIds: readonly number[], chance: Chance): readonly Link[] {
  const order = chance.shuffled(nodeIds);
  const half = Math.floor(order.length / 2);
  const left = order.slice(0, half);
  const right = order.slice(half + (order.length % 2));
  return [...pairs(left, right), ...pairs(right, left)];
}

function oneWay(nodeIds: readonly number[], chance: Chance): readonly Link[] {
  const [source, target] = chance.shuffled(nodeIds);
  return source === undefined || target === undefined ? [] : [[source, target]];
}

function slowLink(nodeIds: readonly number[], chance: Chance): Deed | null {
  const link = oneWay(nodeIds, chance)[0];
  if (link === undefined) return null;
  const delayUs = chance.integer(1000, chance.pick([50_000, 400_000, 2_000_000]));
  return { kind: "slow link", link, delayUs };
}

function pairs(sources: readonly number[], targets: readonly number[]): Link[] {
  return sources.flatMap((source) => targets.map((target): Link => [source, target]));
}
