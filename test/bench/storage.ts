/**
 * What a durable append costs beside the plain write and fdatasync that it is made of:
 * `node test/bench/storage.ts [rounds]`. Both run in turns on the same file system, so that other
 * work on the machine hits both; read the ratios.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openDisk } from "@raftarium/disk";
import type { OpenedDisk } from "@raftarium/disk";
import { crc32c, openStorage } from "@raftarium/storage";
import type { OpenedStorage, StorageError } from "@raftarium/storage";

const ENTRY_BYTES = 256;
const PREALLOCATED_BYTES = 8 * 1024 * 1024;
const OPERATIONS_PER_ROUND = 200;
const rounds = Number(process.argv[2] ?? 20);

type Operation = (done: () => void) => void;

/** Runs `count` operations, `inFlight` at a time; microseconds of each go into `samples`. */
function run(
  operation: Operation,
  count: number,
  inFlight: number,
  samples: number[],
): Promise<void> {
  return new Promise((resolve) => {
    let begun = 0;
    let ended = 0;
    const next = (): void => {
      if (begun === count) return;
      begun += 1;
      const start = performance.now();
      operation(() => {
        samples.push((performance.now() - start) * 1000);
        ended += 1;
        if (ended === count) resolve();
        else next();
      });
    };
    for (let one = 0; one < inFlight; one += 1) next();
  });
}

/** Writes `bytes` to the next place of a preallocated file and syncs it, with the callback API. */
function rawAppend(fd: number, bytes: number): Operation {
  const data = new Uint8Array(bytes).fill(1);
  let position = 0;
  return (done) => {
    const at = position;
    position = (position + bytes) % (PREALLOCATED_BYTES - bytes);
    fs.write(fd, data, 0, bytes, at, (writeError) => {
      if (writeError !== null) throw writeError;
      fs.fdatasync(fd, (syncError) => {
        if (syncError !== null) throw syncError;
        done();
      });
    });
  };
}

let lastIndex = 0;

/** Persists `count` entries in one call. */
function storageAppend(storage: OpenedStorage, count: number): Operation {
  return (done) => {
    const entries = Array.from({ length: count }, () => {
      lastIndex += 1;
      const data = new Uint8Array(ENTRY_BYTES);
      return { index: lastIndex, term: 1, kind: "command" as const, data };
    });
    storage.persist({ hardState: null, entries, sync: true }, done);
  };
}

function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function report(name: string, samples: readonly number[], base: readonly number[] | null): void {
  const columns = [0.5, 0.99].map((share) => {
    const us = percentile(samples, share);
    const ratio = base === null ? "" : ` (${(us / percentile(base, share)).toFixed(2)})`;
    return `${us.toFixed(0).padStart(6)} us${ratio.padEnd(8)}`;
  });
  process.stdout.write(`${name.padEnd(44)} p50 ${columns[0]} p99 ${columns[1]}\n`);
}

function onFatal(error: StorageError): never {
  throw new Error(error.message);
}

const directory = fs.mkdtempSync(join(tmpdir(), "raftarium-bench-"));
const opened = await new Promise<OpenedDisk>((resolve, reject) => {
  openDisk(join(directory, "storage"), (error, disk) =>
    disk === null ? reject(error!) : resolve(disk),
  );
});
const storage = await new Promise<OpenedStorage>((resolve, reject) => {
  const options = { disk: opened.disk, cluster: "bench", nodeId: 1, onFatal };
  openStorage(options, (error, made) => {
    if (made === null) reject(new Error(error?.message));
    else resolve(made);
  });
});
const fd = fs.openSync(join(directory, "raw"), "w+");
fs.writeSync(fd, new Uint8Array(PREALLOCATED_BYTES));
fs.fsyncSync(fd);

const raw1: number[] = [];
const raw64: number[] = [];
const one: number[] = [];
const batch64: number[] = [];
const inFlight64: number[] = [];
const operations1 = { raw: rawAppend(fd, ENTRY_BYTES), storage: storageAppend(storage, 1) };
const operations64 = { raw: rawAppend(fd, 64 * ENTRY_BYTES), storage: storageAppend(storage, 64) };
let inFlightMs = 0;
for (let round = 0; round < rounds; round += 1) {
  await run(operations1.raw, OPERATIONS_PER_ROUND, 1, raw1);
  await run(operations1.storage, OPERATIONS_PER_ROUND, 1, one);
  await run(operations64.raw, OPERATIONS_PER_ROUND, 1, raw64);
  await run(operations64.storage, OPERATIONS_PER_ROUND, 1, batch64);
  const start = performance.now();
  await run(operations1.storage, OPERATIONS_PER_ROUND * 16, 64, inFlight64);
  inFlightMs += performance.now() - start;
}
report("raw write + fdatasync, 256 B", raw1, null);
report("storage, 1 entry of 256 B, one at a time", one, raw1);
report("raw write + fdatasync, 64 x 256 B", raw64, null);
report("storage, 64 entries in one call", batch64, raw64);
report("storage, 64 calls of 1 entry in flight", inFlight64, raw64);
const perSecond = (inFlight64.length / inFlightMs) * 1000;
process.stdout.write(`64 in flight: ${perSecond.toFixed(0)} durable entries/s\n`);

const block = new Uint8Array(1024 * 1024).fill(3);
const crcStart = performance.now();
for (let times = 0; times < 64; times += 1) crc32c(block);
const seconds = (performance.now() - crcStart) / 1000;
process.stdout.write(`CRC-32C: ${(64 / seconds).toFixed(0)} MiB/s\n`);

await new Promise<void>((resolve) => storage.close(resolve));
opened.unlock();
fs.closeSync(fd);
fs.rmSync(directory, { recursive: true });
