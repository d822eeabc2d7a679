/** One node's disk: survives its crashes, minus what was not synced. Opened by the real storage. */
import type { Storage } from "@raftarium/node";
import { MemoryDisk } from "@raftarium/storage";
import type { MemoryDiskOperation, openStorage, StorageError } from "@raftarium/storage";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

export interface VirtualDisk {
  /**
   * Opens the real storage on what the disk has; `enter` guards every callback into the node.
   * `ended`: the disk failed, so the process must end (design 4.13), or can't even start.
   */
  open(
    enter: (task: () => void) => void,
    ready: (storage: Storage) => void,
    ended: () => void,
  ): void;
  /** Power is lost, or only the process dies, as chance has it. */
  crash(): void;
  /** The process is gone; the disk keeps all that was written. */
  kill(): void;
  /** Every operation takes this many times as long. */
  setSlowness(factor: number): void;
  /** The next write or sync fails, with EIO. */
  failNext(): void;
  /** From now on there is room for so many bytes more, and then none. */
  fill(roomBytes: number): void;
  /** It neither fails nor is full any more. */
  repair(): void;
}

export interface VirtualDiskPorts {
  readonly nodeId: number;
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly counts: FaultCounts;
  readonly chance: Chance;
  readonly openStorage: typeof openStorage;
}

const FAILING_KINDS: ReadonlySet<MemoryDiskOperation["kind"]> = new Set([
  "write",
  "sync",
  "allocate",
  "rename",
  "sync-directory",
]);
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
  let failsNext = false;
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
    fault({ kind }) {
      if (!failsNext || !FAILING_KINDS.has(kind)) return null;
      failsNext = false;
      counts.add("operation failed");
      return "EIO";
    },
    nowUs: () => timeline.nowUs(),
  });

  return {
    open(enter, ready, ended) {
      enterNode = enter;
      // What is wrong with the disk for now is no mistake of storage; anything else is.
      const end = ({ code, message }: StorageError): void => {
        if (code !== "DISK_FAILED" && code !== "DISK_FULL") {
          throw new Error(`storage refused its own files: ${message}`);
        }
        ended();
      };
      ports.openStorage(
        {
          disk,
          cluster: CLUSTER,
          nodeId,
          segmentBytes: swarm.segmentBytes,
          reserveBytes: RESERVE_BYTES,
          onFatal: end,
        },
        (error, storage) => {
          if (error !== null) end(error);
          if (storage === null) return;
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
    kill: () => disk.kill(),
    setSlowness(factor) {
      slowness = factor;
    },
    failNext() {
      failsNext = true;
    },
    fill(roomBytes) {
      const used = disk.files().reduce((sum, { size }) => sum + size, 0);
      disk.capacityBytes = used + roomBytes;
    },
    repair() {
      failsNext = false;
      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    },
  };
}
