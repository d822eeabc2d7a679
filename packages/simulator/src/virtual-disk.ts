/** One node's disk: survives its crashes, minus what was not synced. Opened by the real storage. */
import type { Storage } from "@raftarium/node";
import { MemoryDisk, provenRanges } from "@raftarium/storage";
import type { ByteRange, MemoryDiskOperation, openStorage, StorageError } from "@raftarium/storage";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";

export interface VirtualDisk {
  /**
   * Opens the real storage on what the disk has; `enter` guards every callback into the node.
   * `ended`: the disk failed, so the process must end (design 4.13), or can't even start; with
   * `forGood` it must not start again, for what it had promised is damaged.
   */
  open(
    enter: (task: () => void) => void,
    ready: (storage: Storage) => void,
    ended: (forGood: boolean) => void,
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
  /** It neither fails nor is full any more. Rot stays. */
  repair(): void;
  /**
   * Turns one bit of what is proven durable, `place` (0 to 1) of the way through it. False: there
   * is nothing yet. The process must not be running.
   */
  rot(place: number, bit: number): boolean;
  /** A bit was turned; the node must not vote with this disk any more. */
  readonly rotten: boolean;
  /**
   * Calls `sprung` in the midst of the operation on a snapshot's file after `count` others, and
   * with its name; null: no more.
   */
  setSnapshotTrap(count: number, sprung: ((operation: string) => void) | null): void;
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
  let rotten = false;
  let trapCount = 0;
  let trap: ((operation: string) => void) | null = null;
  /** The directory is to be synced because a snapshot got its name. */
  let snapshotNamed = false;
  let enterNode: ((task: () => void) => void) | null = null;

  function durationUs({ kind }: MemoryDiskOperation): number {
    if (kind === "sync" || kind === "sync-directory") {
      const syncUs = swarm.syncUsMin + chance.tail(swarm.syncJitterUs);
      return Math.min(syncUs * slowness, SYNC_US_MAX);
    }
    return CACHE_US * slowness;
  }

  function watchSnapshots({ kind, path }: MemoryDiskOperation): void {
    const isOfSnapshot = path.startsWith("snapshot-");
    if (!isOfSnapshot && !(kind === "sync-directory" && snapshotNamed)) return;
    snapshotNamed = kind === "rename";
    trapCount -= 1;
    if (trapCount >= 0) return;
    const sprung = trap;
    trap = null;
    const whose = path.endsWith("received.tmp")
      ? "received"
      : path.endsWith("local.tmp")
        ? "own"
        : "finished";
    timeline.soon(() => sprung?.(`${kind} of a snapshot, ${whose}`));
  }

  const disk = new MemoryDisk({
    schedule(operation, complete) {
      const enter = enterNode;
      if (trap !== null) watchSnapshots(operation);
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
        if (rotten && (code === "CORRUPT_LOG" || code === "CORRUPT_SNAPSHOT")) {
          counts.add("rotten disk refused");
          ended(true);
          return;
        }
        if (code !== "DISK_FAILED" && code !== "DISK_FULL") {
          throw new Error(`storage refused its own files: ${message}`);
        }
        ended(false);
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
          if (rotten) throw new Error("storage opened files in which a durable bit was turned");
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
    rot(place, bit) {
      // A proof that only the page cache has may be lost before anybody reads it.
      if (disk.pendingCount > 0) disk.crash(chance);
      const target = rotPlaces(disk);
      const total = target.ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      let rest = Math.floor(place * total);
      for (const { start, end } of target.ranges) {
        if (rest < end - start) {
          disk.flipBit(target.path, start + rest, bit);
          rotten = true;
          return true;
        }
        rest -= end - start;
      }
      return false;
    },
    get rotten() {
      return rotten;
    },
    setSnapshotTrap(count, sprung) {
      trapCount = count;
      trap = sprung;
      snapshotNamed = false;
    },
  };
}

/**
 * Where rot must be noticed: in the newest segment of which something is proven durable, or, where
 * there is none, in the newest snapshot. Older files may be such as nobody needs any more.
 */
function rotPlaces(disk: MemoryDisk): { path: string; ranges: readonly ByteRange[] } {
  const files = disk.files().toReversed();
  const segments = files.filter(({ path }) => path.startsWith("log-"));
  for (const { path } of segments.slice(0, 2)) {
    const ranges = provenRanges(disk.content(path));
    if (ranges.length > 0) return { path, ranges };
  }
  const snapshot = files.find(({ path }) => /^snapshot-\d+$/.test(path));
  if (snapshot === undefined) return { path: "", ranges: [] };
  return { path: snapshot.path, ranges: [{ start: 0, end: snapshot.size }] };
}
