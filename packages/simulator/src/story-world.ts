/** The world of a run in words: what a reader of its story should know before it begins. */
import { describeFault } from "./faults.ts";
import type { InjectedFault } from "./faults.ts";
import type { Swarm } from "./swarm.ts";

const MS = 1000;
const SECOND = 1_000_000;
/** A snapshot that is due after so many entries never is. */
const MANY_ENTRIES = 100_000;

/**
 * A few lines, without an end of line at the end.
 *
 * @param schedule the faults, where they are given; null: the seed draws them on the way.
 */
export function describeWorld(swarm: Swarm, schedule: readonly InjectedFault[] | null): string {
  const { nodeCount, network } = swarm;
  return [
    `${nodeCount} nodes whose clocks tick every ${swarm.tickUs / MS} ms. A leader is heard every ` +
      `${ms(swarm.heartbeatTicks, swarm)} ms; who hears none for ` +
      `${ms(swarm.electionTicksMin, swarm)} to ${ms(swarm.electionTicksMax, swarm)} ms campaigns.`,
    `Messages take ${duration(network.delayUsMin, network.jitterUs)}` +
      `${network.reorder ? ", and may overtake each other" : ""}. ` +
      `Lost: ${percent(network.dropRate)}. Delivered twice: ${percent(network.duplicateRate)}.`,
    `A sync takes ${duration(swarm.syncUsMin, swarm.syncJitterUs)}. ${describeSnapshots(swarm)}`,
    `${countOf(swarm.clientCount, "client")} and ${countOf(swarm.keyCount, "key")}; ` +
      `a client waits at most ` +
      `${swarm.requestTimeoutUs / MS} ms for an answer.` +
      (swarm.sessions ? " Writes are numbered in sessions, so that each counts once." : "") +
      (swarm.leaseReads ? " Reads are answered by lease." : ""),
    schedule === null ? describeChances(swarm) : listFaults(schedule),
  ].join("\n");
}

/** What is done to the cluster, line by line. */
export function listFaults(schedule: readonly InjectedFault[]): string {
  if (schedule.length === 0) return "Nothing is done to the cluster.";
  const lines = schedule.map((fault) => {
    const { atUs, untilUs, deed } = fault;
    const end = LASTING.has(deed.kind) ? `, until ${(untilUs / SECOND).toFixed(6)}` : "";
    return `${(atUs / SECOND).toFixed(6).padStart(10)}  ${describeFault(fault)}${end}`;
  });
  return `What is done to the cluster:\n${lines.join("\n")}`;
}

/** Deeds that are taken back. */
const LASTING: ReadonlySet<string> = new Set([
  "crash",
  "pause",
  "cut",
  "slow link",
  "slow disk",
  "failing disk",
  "full disk",
  "clock rate",
]);

function describeChances({ faults }: Swarm): string {
  if (faults.length === 0) return "Nothing is done to the cluster.";
  return `What may be done to the cluster: ${faults.map(({ kind }) => kind).join(", ")}.`;
}

function describeSnapshots({ snapshotEntries, trailingEntries }: Swarm): string {
  if (snapshotEntries >= MANY_ENTRIES) return "No snapshots are taken.";
  return (
    `A snapshot is taken every ${snapshotEntries} entries; ` +
    `${trailingEntries} entries before it are kept.`
  );
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function duration(leastUs: number, moreUs: number): string {
  return (
    `${leastUs / MS} ms` + (moreUs === 0 ? "" : ` and more (on average ${moreUs / MS} ms more)`)
  );
}

function ms(ticks: number, { tickUs }: Swarm): number {
  return (ticks * tickUs) / MS;
}

function percent(rate: number): string {
  return rate === 0 ? "none" : `${rate * 100} %`;
}
