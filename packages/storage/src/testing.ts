/** A storage over a MemoryDisk whose operations complete one by one, when the test says so. */
import type { Entry, HardState, LogWrite, SnapshotChunk, SnapshotMetadata } from "@raftarium/node";

import type { StorageError } from "./errors.ts";
import { MemoryDisk } from "./memory-disk.ts";
import type { MemoryDiskOperation } from "./memory-file.ts";
import { openStorage } from "./open.ts";
import type { StorageOptions } from "./open.ts";
import type { OpenedStorage } from "./storage.ts";

export const CLUSTER = "demo";
export const NODE_ID = 3;

/** A linear congruential generator: the same seed, the same choices. */
export class Chances {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 12_345) >>> 0;
  }

  integer(min: number, max: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return min + Math.floor((this.#state / 0x1_0000_0000) * (max - min + 1));
  }
}

export class Rig {
  readonly disk: MemoryDisk;
  readonly fatal: StorageError[] = [];
  /** Every operation asked for, in order. */
  readonly trace: MemoryDiskOperation[] = [];
  /** Decides which operations fail; see MemoryDisk. */
  fault: (operation: MemoryDiskOperation) => string | null = () => null;
  completed = 0;
  #tasks: (() => void)[] = [];
  readonly #opened: OpenedStorage[] = [];

  constructor(from?: Rig) {
    const options = {
      schedule: (operation: MemoryDiskOperation, complete: () => void) => {
        this.trace.push(operation);
        this.#tasks.push(complete);
      },
      fault: (operation: MemoryDiskOperation) => this.fault(operation),
    };
    this.disk = from === undefined ? new MemoryDisk(options) : from.disk.clone(options);
  }

  /** The same disk at this moment, with what is unsynced, and a life of its own. */
  copy(): Rig {
    return new Rig(this);
  }

  /** Completes the oldest outstanding operation; false: there is none. */
  step(): boolean {
    const task = this.#tasks.shift();
    if (task === undefined) return false;
    this.completed += 1;
    task();
    return true;
  }

  /** Completes operations until none is outstanding, and time has passed in which none was. */
  run(): void {
    for (const _tick of ["busy", "calm", "marked"]) {
      while (this.step()) if (this.completed > 1_000_000) throw new Error("the disk never rests");
      this.tick();
    }
  }

  /** Time passes for every storage that was opened. */
  tick(): void {
    for (const storage of this.#opened) storage.tick();
  }

  begin(
    done: (error: StorageError | null, storage: OpenedStorage | null) => void,
    options: Partial<StorageOptions> = {},
  ): void {
    openStorage(
      {
        disk: this.disk,
        cluster: CLUSTER,
        nodeId: NODE_ID,
        segmentBytes: 4096,
        reserveBytes: 4096,
        onFatal: (error) => this.fatal.push(error),
        ...options,
      },
      (error, storage) => {
        if (storage !== null) this.#opened.push(storage);
        done(error, storage);
      },
    );
  }

  /** Opens and lets all of it complete. */
  tryOpen(options: Partial<StorageOptions> = {}): StorageError | OpenedStorage {
    let result: StorageError | OpenedStorage | null = null;
    this.begin((error, storage) => {
      result = error ?? storage;
    }, options);
    this.run();
    if (result === null) throw new Error("opening never ended");
    return result;
  }

  open(options: Partial<StorageOptions> = {}): OpenedStorage {
    const result = this.tryOpen(options);
    if ("code" in result) throw new Error(result.message);
    return result;
  }

  /** Opens and expects to be refused. */
  refusal(options: Partial<StorageOptions> = {}): StorageError {
    const result = this.tryOpen(options);
    if ("code" in result) return result;
    throw new Error("expected storage to refuse to open, but it opened");
  }

  /** Persists and lets it complete. */
  persist(storage: OpenedStorage, write: Partial<LogWrite>): void {
    let done = false;
    storage.persist({ hardState: null, entries: [], sync: true, ...write }, () => {
      done = true;
    });
    this.run();
    if (!done) throw new Error("the write never completed");
  }

  /** Writes a whole snapshot and lets it complete. */
  snapshot(
    storage: OpenedStorage,
    index: number,
    term: number,
    parts: Partial<SnapshotChunk>,
  ): void {
    let done = false;
    const data = parts.data ?? bytesOf(100, index);
    storage.writeSnapshotChunk(snapshotChunk(index, term, { ...parts, data, done: true }), () => {
      done = true;
    });
    this.run();
    if (!done) throw new Error("the snapshot never completed");
  }

  close(storage: OpenedStorage): void {
    let done = false;
    storage.close(() => {
      done = true;
    });
    this.run();
    if (!done) throw new Error("closing never completed");
  }

  /** What a peer would read of a snapshot, `bytesMax` at a time; null: it is not there. */
  readSnapshot(storage: OpenedStorage, index: number, bytesMax = 1000): Uint8Array | null {
    const all: number[] = [];
    let going = true;
    let there = true;
    while (going) {
      going = false;
      storage.readSnapshotChunk(index, all.length, bytesMax, (data, last) => {
        if (data === null) there = false;
        else for (const byte of data) all.push(byte);
        going = data !== null && !last;
      });
      this.run();
    }
    return there ? Uint8Array.from(all) : null;
  }
}

export function entry(index: number, term: number, size = 20): Entry {
  return { index, term, kind: "command", data: bytesOf(size, index * 7 + term) };
}

export function entries(from: number, to: number, term: number, size = 20): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term, size));
}

export function hard(term: number, votedFor: number | null, commitIndex = 0): HardState {
  return { term, votedFor, commitIndex };
}

export function metadata(index: number, term: number): SnapshotMetadata {
  const configuration = {
    voters: [1, 2, 3],
    votersOutgoing: [],
    learners: [7],
    addresses: { 1: "127.0.0.1:7101", 7: "κόσμος:1" },
  };
  return { index, term, configuration, configurationIndex: 1 };
}

export function snapshotChunk(
  index: number,
  term: number,
  parts: Partial<SnapshotChunk> = {},
): SnapshotChunk {
  return {
    snapshot: metadata(index, term),
    offset: 0,
    data: bytesOf(100, index),
    done: false,
    origin: "local",
    ...parts,
  };
}

/** Recognisable bytes, with zeros among them. */
export function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * seed + (at >> 3)) & 0xff);
}
