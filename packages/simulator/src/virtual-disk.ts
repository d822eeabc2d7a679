/** One node's disk: survives its crashes, minus what was not synced. Opened by the real storage. */
import type { Storage } from "@raftarium/node";
import { MemoryDisk } from "@raftarium/storage";
import type { MemoryDiskOperation, openStorage } from "@raftarium/storage";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

export interface VirtualDisk {
  /** Opens the real storage on what the disk has; `enter` guards every callback into the node. */
  open(enter: (task: () => void) => void, ready: (storage: Storage) => void): void;
  /** Power is lost, or only the process dies: then the disk keeps what was written. */
  crash(): void;
  /** Every operation takes this many times as long. */
  setSlowness(factor: number): void;
}

export interface VirtualDiskPorts {
  readonly nodeId: number;
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly counts: FaultCounts;
  readonly chance: Chance;
  readonly openStorage: typeof openStorage;
}

const CLUSTER = "simulated";
const RESERVE_BYTES = 4096;
/** Everything but syncs and what reaches the platter with them: the page cache answers. */
const CACHE_US = 5;
/** Even a very slow disk answers, and before a healed cluster must make progress. */
const SYNC_US_MAX = 2_000_000;
/** Of the crashes, how many lose power; in the others only the process dies. */
const POWER_LOSS_SHARE = 0.7;

export function createVirtualDisk(ports: VirtualDiskPorts): VirtualDisk {
  const { nodeId, swarm, timeline, counts, chance } = ports;
  let slowness = 1;
  let enterNode: ((task: () => void) => void) | null = null;

  function durationUs({ kind }: MemoryDiskOperation): number {
    if (kind === "sync" || kind === "sync-directory") {
      const syncUs = swarm.syncUsMin + chance.tail(swarm.syncJitterUs);
      return Math.min(syncUs * slowness, SYNC_US_MAX);
    }
    return CACHE_US * slowness;
  }

  const disk = new MemoryDisk({
    schedule(operation, complete) {
      const enter = enterNode;
      timeline.after(durationUs(operation), () => enter?.(complete));
    },
    nowUs: () => timeline.nowUs(),
  });

  return {
    open(enter, ready) {
      enterNode = enter;
      ports.openStorage(
        {
          disk,
          cluster: CLUSTER,
          nodeId,
          segmentBytes: swarm.segmentBytes,
          reserveBytes: RESERVE_BYTES,
          onFatal(error) {
            throw new Error(`storage gave up: ${error.message}`);
          },
        },
        (error, storage) => {
          if (storage === null) throw new Error(`storage refused to open: ${error?.message}`);
          if (storage.torn !== null) counts.add("torn tail cut");
          ready(storage);
        },
      );
    },
    crash() {
      if (disk.pendingCount > 0 && chance.happens(POWER_LOSS_SHARE)) {
        counts.add("unsynced writes lost");
        disk.crash(chance);
      } else disk.kill();
    },
    setSlowness(factor) {
      slowness = factor;
    },
  };
}
