/** Resident memory of three nodes: idle, and after a million puts over 10,000 keys. */
import { readFileSync } from "node:fs";
import type { TestCluster } from "../processes/cluster.ts";
import { runLoad } from "./load.ts";

const PUTS = 1_000_000;
const KEYS = 10_000;
const CLIENTS = 512;
/** One piece of the load, after which progress is told. */
const PIECE_SECONDS = 10;

export interface MemoryFigures {
  readonly idleMb: readonly number[];
  readonly loadedMb: readonly number[];
  /** The most each ever had. */
  readonly peakMb: readonly number[];
  readonly puts: number;
}

/** Linux only: what each running member has in memory now, MB; or the most that it ever had. */
export function residentMb(cluster: TestCluster, field: "VmRSS" | "VmHWM" = "VmRSS"): number[] {
  return cluster.members.map(({ process: running }) => {
    const status = readFileSync(`/proc/${running?.pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  });
}

export async function measureMemory(
  cluster: TestCluster,
  say: (line: string) => void,
  putsMin = PUTS,
): Promise<MemoryFigures> {
  const leader = await cluster.leader();
  const idleMb = residentMb(cluster);
  let puts = 0;
  while (puts < putsMin) {
    const { count } = await runLoad({
      address: leader.address,
      operation: "put",
      clients: CLIENTS,
      seconds: PIECE_SECONDS,
      valueBytes: 256,
      keys: KEYS,
    });
    puts += count;
    say(
      `${puts} puts, resident ${residentMb(cluster)
        .map((mb) => mb.toFixed(0))
        .join(", ")} MB`,
    );
  }
  const peakMb = residentMb(cluster, "VmHWM");
  say(`at most ${peakMb.map((mb) => mb.toFixed(0)).join(", ")} MB`);
  return { idleMb, loadedMb: residentMb(cluster), peakMb, puts };
}
