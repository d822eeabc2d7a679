/**
 * A virtual network between the nodes: every message is delayed, and may be lost, duplicated or
 * overtaken. Cuts are per direction.
 */
import type { Envelope } from "@raftarium/node";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Timeline } from "./timeline.ts";

export interface NetworkSettings {
  readonly delayUsMin: number;
  /** Mean of the long-tailed part of the delay. */
  readonly jitterUs: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  /** False: each link keeps its order, as a stream does. */
  readonly reorder: boolean;
  /** True: a cut stops what is on its way, too. False: what was sent before it still arrives. */
  readonly cutsStopFlying: boolean;
}

export interface Network {
  send(envelope: Envelope): void;
  /** Cuts the direction from source to target. Cuts add up: each needs its own mending. */
  cut(source: number, target: number): void;
  mend(source: number, target: number): void;
  /** Adds to every message of that direction. */
  setExtraDelay(source: number, target: number, delayUs: number): void;
  /** From now on the links among these nodes are whole, quick and quiet. */
  heal(nodeIds: readonly number[]): void;
  readonly deliveredCount: number;
}

export interface NetworkPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly counts: FaultCounts;
  deliver(envelope: Envelope): void;
}

const HEALED: NetworkSettings = {
  delayUsMin: 200,
  jitterUs: 100,
  dropRate: 0,
  duplicateRate: 0,
  reorder: false,
  cutsStopFlying: true,
};

/** Nodes are numbered from 1 up, below `nodeIds`. */
export function createNetwork(
  nodeIds: number,
  settings: NetworkSettings,
  ports: NetworkPorts,
): Network {
  const { timeline, chance, counts } = ports;
  const width = nodeIds;
  /** How many faults cut each link now. */
  const cuts = new Uint8Array(width * width);
  const healed = new Uint8Array(width * width);
  const extraDelays = new Float64Array(width * width);
  /** When the last message of each link arrives, for links that keep their order. */
  const lastArrivals = new Float64Array(width * width);

  function fly(envelope: Envelope, link: number): void {
    const { delayUsMin, jitterUs, reorder } = healed[link] === 1 ? HEALED : settings;
    let delayUs = delayUsMin + chance.tail(jitterUs) + (extraDelays[link] as number);
    if (!reorder) {
      const arrivesAt = Math.max(timeline.nowUs() + delayUs, lastArrivals[link] as number);
      lastArrivals[link] = arrivesAt;
      delayUs = arrivesAt - timeline.nowUs();
    }
    timeline.after(Math.max(1, delayUs), () => {
      if (cuts[link] !== 0 && settings.cutsStopFlying) {
        counts.add("message lost in a cut");
        return;
      }
      network.deliveredCount += 1;
      ports.deliver(envelope);
    });
  }

  const network = {
    deliveredCount: 0,
    send(envelope: Envelope) {
      const link = envelope.source * width + envelope.target;
      if (cuts[link] !== 0) {
        counts.add("message lost in a cut");
        return;
      }
      if (healed[link] === 1) {
        fly(envelope, link);
        return;
      }
      if (chance.happens(settings.dropRate)) {
        counts.add("message dropped");
        return;
      }
      fly(envelope, link);
      if (chance.happens(settings.duplicateRate)) {
        counts.add("message duplicated");
        fly(envelope, link);
      }
    },
    cut(source: number, target: number) {
      cuts[source * width + target] = (cuts[source * width + target] as number) + 1;
    },
    mend(source: number, target: number) {
      cuts[source * width + target] = (cuts[source * width + target] as number) - 1;
    },
    setExtraDelay(source: number, target: number, delayUs: number) {
      extraDelays[source * width + target] = delayUs;
    },
    heal(group: readonly number[]) {
      for (const source of group) {
        for (const target of group) {
          const link = source * width + target;
          cuts[link] = 0;
          extraDelays[link] = 0;
          healed[link] = 1;
        }
      }
    },
  };
  return network;
}
