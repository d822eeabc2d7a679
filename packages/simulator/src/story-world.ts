/** The world of a run in words: what a reader of its story should know before it begins. */
import type { Swarm } from "./swarm.ts";

const MS = 1000;

/** A few lines, without an end of line at the end. */
export function describeWorld(swarm: Swarm): string {
  const { nodeCount, network } = swarm;
  const faults = swarm.faults.map(({ kind }) => kind).join(", ");
  return [
    `${nodeCount} nodes whose clocks tick every ${swarm.tickUs / MS} ms. A leader is heard every ` +
      `${ms(swarm.heartbeatTicks, swarm)} ms; who hears none for ` +
      `${ms(swarm.electionTicksMin, swarm)} to ${ms(swarm.electionTicksMax, swarm)} ms campaigns.`,
    `Messages take ${network.delayUsMin / MS} ms and more (${network.jitterUs / MS} ms on ` +
      `average)${network.reorder ? ", and may overtake each other" : ""}. ` +
      `Lost: ${percent(network.dropRate)}. Delivered twice: ${percent(network.duplicateRate)}.`,
    `A sync takes ${swarm.syncUsMin / MS} ms and more (${swarm.syncJitterUs / MS} ms on average). ` +
      `A snapshot is taken every ${swarm.snapshotEntries} entries; ` +
      `${swarm.trailingEntries} entries before it are kept.`,
    `${swarm.clientCount} clients and ${swarm.keyCount} keys; a client waits at most ` +
      `${swarm.requestTimeoutUs / MS} ms for an answer.` +
      (swarm.sessions ? " Writes are numbered in sessions, so that each counts once." : "") +
      (swarm.leaseReads ? " Reads are answered by lease." : ""),
    faults === "" ? "Nothing is done to the cluster." : `What may happen: ${faults}.`,
  ].join("\n");
}

function ms(ticks: number, { tickUs }: Swarm): number {
  return (ticks * tickUs) / MS;
}

function percent(rate: number): string {
  return rate === 0 ? "none" : `${rate * 100} %`;
}
