import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { NO_DISK_FAULT } from "@raftarium/faults";
import { openStorage } from "@raftarium/storage";
import type { Disk, DiskError, DiskFile, OpenedStorage, StorageError } from "@raftarium/storage";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { DataDirectoryError, FaultyDisk, NodeDisk, openDisk } from "./index.ts";
import type { OpenedDisk } from "./index.ts";

const DEADLINE = { timeout: 20_000 };
let directory = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), "raftarium-disk-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  fs.rmSync(directory, { recursive: true, force: true });
});

function openDirectory(path: string): Promise<OpenedDisk> {
  return new Promise((resolve, reject) => {
    openDisk(path, (error, opened) => {
      if (opened === null) reject(error!);
      else resolve(opened);
    });
  });
}

async function refusal(path: string): Promise<DataDirectoryError> {
  try {
    (await openDirectory(path)).unlock();
  } catch (error) {
    if (error instanceof DataDirectoryError) return error;
    throw error;
  }
  throw new Error(`expected ${path} to be refused, but it opened`);
}

function ask(run: (done: (error: DiskError | null) => void) => void): Promise<DiskError | null> {
  return new Promise((resolve) => run(resolve));
}

function openLog(disk: Disk, fatal: StorageError[]): Promise<OpenedStorage> {
  return new Promise((resolve, reject) => {
    const options = { disk, cluster: "demo", nodeId: 1, segmentBytes: 8192, reserveBytes: 8192 };
    openStorage({ ...options, onFatal: (error) => fatal.push(error) }, (error, storage) => {
      if (storage === null) reject(new Error(error?.message));
      else resolve(storage);
    });
  });
}

function append(storage: OpenedStorage, index: number, size = 500): Promise<void> {
  const entry = {
    index,
    term: 1,
    kind: "command" as const,
    data: new Uint8Array(size).fill(index),
  };
  return new Promise((resolve) =>
    storage.persist({ hardState: null, entries: [entry], sync: true }, resolve),
  );
}

const close = (storage: OpenedStorage): Promise<void> =>
  new Promise((resolve) => storage.close(resolve));

describe("the Disk port on the file system", () => {
  test("writes pieces where they belong, and reads fewer bytes only at the end", async () => {
    const disk = new NodeDisk(directory);
    await new Promise<void>((resolve) => {
      disk.open("a", "create", (error, file) => {
        expect(error).toBeNull();
        file!.write([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)], 2, () =>
          file!.read(1, 10, (_, data) => {
            expect([...data]).toEqual([0, 1, 2, 3]);
            file!.truncate(3, () => file!.close(() => resolve()));
          }),
        );
      });
    });
    expect([...fs.readFileSync(join(directory, "a"))]).toEqual([0, 0, 1]);
    await ask((done) => disk.rename("a", "b", done));
    await ask((done) => disk.syncDirectory(done));
    const files = await new Promise((resolve) => disk.list((_, list) => resolve(list)));
    expect(files).toEqual([{ path: "b", size: 3 }]);
    expect(await ask((done) => disk.remove("a", done))).toMatchObject({ code: "ENOENT" });
    expect(await ask((done) => disk.open("b", "create", done))).toMatchObject({ code: "EEXIST" });
    expect(await ask((done) => disk.open("c", "existing", done))).toMatchObject({ code: "ENOENT" });
  });

  test("allocates zeros up to a size and keeps what is there", async () => {
    const disk = new NodeDisk(directory);
    fs.writeFileSync(join(directory, "a"), "abc");
    await new Promise<void>((resolve) => {
      disk.open("a", "existing", (_, file) =>
        disk.allocate(file!, 600_000, (error) => {
          expect(error).toBeNull();
          file!.close(() => resolve());
        }),
      );
    });
    const content = fs.readFileSync(join(directory, "a"));
    expect(content.length).toBe(600_000);
    expect(content.subarray(0, 3).toString()).toBe("abc");
    expect(content.subarray(3).every((byte) => byte === 0)).toBe(true);
  });

  test("storage keeps its log over restarts", async () => {
    const fatal: StorageError[] = [];
    for (let round = 0; round < 3; round += 1) {
      const opened = await openDirectory(directory);
      const storage = await openLog(opened.disk, fatal);
      expect(storage.recovered.entries.map((entry) => entry.data[0])).toEqual(
        Array.from({ length: round * 20 }, (_, at) => at + 1),
      );
      for (let index = round * 20 + 1; index <= (round + 1) * 20; index += 1) {
        await append(storage, index);
      }
      await close(storage);
      opened.unlock();
    }
    expect(fatal).toEqual([]);
  });
});

describe("the data directory", () => {
  test("is made when it isn't there, and belongs to one process at a time", async () => {
    const path = join(directory, "deep", "down");
    const opened = await openDirectory(path);
    expect(fs.statSync(path).isDirectory()).toBe(true);
    const error = await refusal(path);
    expect(error.code).toBe("LOCKED");
    expect(error.message).toMatch(/expected it to be free, but another process uses it; stop/);
    // By any name that leads to it.
    fs.symlinkSync(path, join(directory, "link"));
    expect((await refusal(join(directory, "link"))).code).toBe("LOCKED");
    opened.unlock();
  });

  test("a second process exits at once; kill -9 frees the directory", async () => {
    const program = fileURLToPath(new URL("fixtures/open-directory.ts", import.meta.url));
    const run = (): ChildProcess => {
      const child = spawn(process.execPath, [program, directory], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      children.push(child);
      return child;
    };
    const first = run();
    const [line] = await once(first.stdout!, "data");
    expect(String(line)).toBe("open\n");
    const second = run();
    let complaint = "";
    second.stderr!.on("data", (data) => {
      complaint += String(data);
    });
    const [code] = await once(second, "close");
    expect(code).toBe(1);
    expect(complaint).toContain("LOCKED: cannot use data directory");
    expect(first.exitCode).toBeNull();
    first.kill("SIGKILL");
    await once(first, "exit");
    (await openDirectory(directory)).unlock();
  }, 60_000);

  test("a file in its place, or on the way to it, is named", async () => {
    const path = join(directory, "file");
    fs.writeFileSync(path, "");
    for (const place of [path, join(path, "below")]) {
      const error = await refusal(place);
      expect(error.code).toBe("NOT_A_DIRECTORY");
      expect(error.message).toContain(`cannot use data directory ${place}: expected a directory`);
    }
  });

  test.skipIf(process.platform !== "linux")("one that may not be made is named", async () => {
    // Not even the superuser makes directories there.
    const error = await refusal("/sys/raftarium");
    expect(error.code).toBe("NO_PERMISSION");
    expect(error.message).toContain("expected to be allowed to read and write, got E");
  });
});

describe("disk faults", () => {
  test("a failing write ends storage, once", async () => {
    const fatal: StorageError[] = [];
    const disk = new FaultyDisk(new NodeDisk(directory));
    const storage = await openLog(disk, fatal);
    await append(storage, 1);
    disk.set({ ...NO_DISK_FAULT, fail: true });
    let answered = false;
    void append(storage, 2).then(() => {
      answered = true;
    });
    await expect.poll(() => fatal.length, DEADLINE).toBe(1);
    expect(fatal[0]).toMatchObject({ code: "DISK_FAILED" });
    expect(fatal[0]?.message).toContain("EIO");
    expect(disk.fault.fail, "only one write fails").toBe(false);
    expect(answered).toBe(false);
    await close(storage);
  });

  test("a full disk takes what is promised, says that it is full, and recovers", async () => {
    const fatal: StorageError[] = [];
    const disk = new FaultyDisk(new NodeDisk(directory));
    const storage = await openLog(disk, fatal);
    await append(storage, 1);
    disk.set({ ...NO_DISK_FAULT, full: true });
    let index = 1;
    while (storage.stats().writable && index < 100) {
      index += 1;
      await append(storage, index);
    }
    expect(storage.stats().writable).toBe(false);
    disk.set(NO_DISK_FAULT);
    await expect.poll(() => storage.stats().writable, DEADLINE).toBe(true);
    await append(storage, index + 1);
    await close(storage);
    expect(fatal).toEqual([]);
    const again = await openLog(new NodeDisk(directory), fatal);
    expect(again.recovered.entries.length).toBe(index + 1);
    await close(again);
  });

  test("a slow disk delays syncs by the given cluster time, and nothing else", async () => {
    const delays: number[] = [];
    const disk = new FaultyDisk(new NodeDisk(directory), (delayMs, task) => {
      delays.push(delayMs);
      setImmediate(task);
    });
    const storage = await openLog(disk, []);
    await append(storage, 1);
    expect(delays).toEqual([]);
    disk.set({ ...NO_DISK_FAULT, delayMs: 300 });
    await append(storage, 2);
    // The next segment may be prepared meanwhile, and is synced, too.
    expect(new Set(delays)).toEqual(new Set([300]));
    await close(storage);
  });

  test("a sound disk costs no more than one without a gate: a write goes through in one", async () => {
    const inner = new NodeDisk(directory);
    const open = inner.open.bind(inner);
    const calls: string[] = [];
    inner.open = (path, mode, done) =>
      open(path, mode, (error, file) => {
        if (file !== null) {
          for (const name of ["write", "writeThrough", "sync"] as const) {
            const call = file[name].bind(file) as (...given: unknown[]) => void;
            vi.spyOn(file, name).mockImplementation((...given: unknown[]) => {
              calls.push(name);
              call(...given);
            });
          }
        }
        done(error, file);
      });
    const disk = new FaultyDisk(inner);
    const opened = await new Promise<DiskFile>((resolve, reject) => {
      disk.open("log", "create", (error, file) => (file === null ? reject(error!) : resolve(file)));
    });
    const piece = [new Uint8Array([1, 2, 3])];
    expect(await ask((done) => opened.writeThrough(piece, 0, done))).toBeNull();
    expect(calls).toEqual(["writeThrough"]);
    disk.set({ ...NO_DISK_FAULT, fail: true });
    expect((await ask((done) => opened.writeThrough(piece, 3, done)))?.code).toBe("EIO");
    disk.set({ ...NO_DISK_FAULT, full: true });
    expect((await ask((done) => opened.writeThrough(piece, 3, done)))?.code).toBe("ENOSPC");
    expect(await ask((done) => opened.writeThrough(piece, 0, done))).toBeNull();
    expect(calls).toEqual(["writeThrough", "writeThrough"]);
    await ask((done) => opened.close(done));
  });
});
