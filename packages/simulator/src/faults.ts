/** What the nemesis does to the world, as data: recorded, replayed, and shrunk. */
import type { FaultKind } from "./swarm.ts";

export type Link = readonly [source: number, target: number];

export type Deed =
  /** Each comes back so long after the deed is taken back. */
  | {
      readonly kind: "crash";
      readonly victims: readonly { readonly nodeId: number; readonly restartUs: number }[];
    }
  | { readonly kind: "pause"; readonly nodeId: number }
  | { readonly kind: "cut"; readonly links: readonly Link[] }
  | { readonly kind: "slow link"; readonly link: Link; readonly delayUs: number }
  | { readonly kind: "slow disk"; readonly nodeId: number; readonly factor: number }
  | { readonly kind: "failing disk"; readonly nodeId: number }
  | { readonly kind: "full disk"; readonly nodeId: number; readonly roomBytes: number }
  | { readonly kind: "clock rate"; readonly nodeId: number; readonly rate: number }
  /** So many ticks at once; below 0: the clock stands still for so many. */
  | { readonly kind: "clock jump"; readonly nodeId: number; readonly ticks: number }
  /** A durable bit turns, `place` (0 to 1) of the way through what is durable. */
  | {
      readonly kind: "bit rot";
      readonly nodeId: number;
      readonly place: number;
      readonly bit: number;
      /** The new member that takes its place. */
      readonly newId: number;
    }
  /** A crash amid the operation on a snapshot's file after `step` others. */
  | {
      readonly kind: "snapshot interrupted";
      readonly nodeId: number;
      readonly step: number;
      readonly restartUs: number;
    }
  /** Those who join get an empty disk and an id that nobody had. At once: by joint consensus. */
  | {
      readonly kind: "members";
      readonly joining: readonly number[];
      readonly leaving: readonly number[];
      readonly atOnce: boolean;
    }
  | { readonly kind: "transfer"; readonly nodeId: number; readonly target: number }
  | { readonly kind: "campaign"; readonly nodeId: number };

export interface InjectedFault {
  /** Why it was chosen. */
  readonly fault: FaultKind;
  readonly atUs: number;
  /** When it is taken back. */
  readonly untilUs: number;
  readonly deed: Deed;
}

/** In a few words: `isolate leader: cut 1→2 2→1`. */
export function describeFault({ fault, deed }: InjectedFault): string {
  switch (deed.kind) {
    case "crash":
      return `${fault}: ${deed.victims.map(({ nodeId }) => nodeId).join(", ")}`;
    case "cut":
      return `${fault}: cut ${deed.links.map(([source, target]) => `${source}→${target}`).join(" ")}`;
    case "slow link":
      return `${fault}: ${deed.link.join("→")}, ${deed.delayUs / 1000} ms more`;
    case "slow disk":
      return `${fault} of ${deed.nodeId}: ${deed.factor} times as slow`;
    case "full disk":
      return `${fault} of ${deed.nodeId}: room for ${deed.roomBytes} bytes`;
    case "clock rate":
      return `${fault} of ${deed.nodeId}: ${deed.rate}`;
    case "clock jump":
      return deed.ticks < 0
        ? `${fault} of ${deed.nodeId}: it stands still for ${-deed.ticks} ticks`
        : `${fault} of ${deed.nodeId}: ${deed.ticks} ticks at once`;
    case "bit rot":
      return `${fault}: a durable bit of ${deed.nodeId} turns; ${deed.newId} is to replace it`;
    case "snapshot interrupted":
      return `${fault}: ${deed.nodeId} is to crash in step ${deed.step} of a snapshot`;
    case "members": {
      const joining = deed.joining.map((nodeId) => `+${nodeId}`);
      const leaving = deed.leaving.map((nodeId) => `-${nodeId}`);
      return `${fault}: ${[...joining, ...leaving].join(" ")}${deed.atOnce ? ", at once" : ""}`;
    }
    case "transfer":
      return `${fault} from ${deed.nodeId} to ${deed.target}`;
    case "pause":
    case "failing disk":
    case "campaign":
      return `${fault}: ${deed.nodeId}`;
  }
}
