/** A disk that fails, and a disk that is full (design 4.13). */
import { describe, expect, test } from "vitest";

import { RESERVE_FILE, segmentName, snapshotName } from "./names.ts";
import { MemoryDisk } from "./memory-disk.ts";
import type { StorageError } from "./errors.ts";
import { Rig, entries, entry, hard, snapshotChunk } from "./testing.ts";

describe("the first failed write or sync is the last", () => {
  for (const kind of ["write", "sync"] as const) {
    test(`a ${kind} that fails is reported once, answered never, and not tried again`, () => {
      const rig = new Rig();
      const storage = rig.open();
      rig.persist(storage, { entries: [entry(1, 1)] });
      let failing = true;
      rig.fault = (operation) => (operation.kind === kind && failing ? "EIO" : null);
      const answered: number[] = [];
      storage.persist({ hardState: hard(2, 1), entries: [], sync: true }, () => answered.push(1));
      rig.run();
      // The disk works again, as after an fsync that failed: nothing may come of it.
      failing = false;
      const before = rig.trace.length;
      storage.persist({ hardState: hard(3, 1), entries: [], sync: true }, () => answered.push(2));
      storage.writeSnapshotChunk(snapshotChunk(1, 1, { done: true }), () => answered.push(3));
      storage.readSnapshotChunk(1, 0, 10, () => answered.push(4));
      storage.compact(1);
      rig.run();
      expect(answered).toEqual([]);
      expect(rig.trace.length).toBe(before);
      expect(rig.fatal).toMatchObject([{ code: "DISK_FAILED", file: segmentName(1) }]);
      expect(rig.fatal[0]?.message).toContain(`cannot write ${segmentName(1)}: the disk said EIO`);
      rig.close(storage);
    });
  }

  test("at every operation of a snapshot, too", () => {
    const play = (failAt: number): Rig => {
      const rig = new Rig();
      const storage = rig.open();
      rig.persist(storage, { entries: entries(1, 5, 1) });
      const start = rig.trace.length;
      rig.fault = () => (rig.trace.length - start === failAt ? "EIO" : null);
      let answered = false;
      storage.writeSnapshotChunk(snapshotChunk(3, 1, { done: true }), () => {
        answered = true;
      });
      rig.run();
      if (failAt < 5) expect(answered, `operation ${failAt}`).toBe(false);
      return rig;
    };
    // open, write, sync, rename, sync of the directory.
    for (let failAt = 0; failAt < 5; failAt += 1) {
      const rig = play(failAt);
      expect(rig.fatal.length, `operation ${failAt}`).toBe(1);
      expect(new Rig(rig).open().recovered.entries.length).toBeGreaterThanOrEqual(2);
    }
    expect(play(5).fatal).toEqual([]);
  });

  test("while opening, it is the answer", () => {
    const rig = new Rig();
    rig.persist(rig.open(), { entries: entries(1, 5, 1) });
    for (let failAt = 0; ; failAt += 1) {
      const image = new Rig(rig);
      image.fault = () => (image.trace.length === failAt ? "EIO" : null);
      const results: (StorageError | null)[] = [];
      image.begin((error) => results.push(error));
      image.run();
      expect(results.length, `operation ${failAt}`).toBe(1);
      if (results[0] === null) break;
      expect(results[0]?.code).toBe("DISK_FAILED");
      expect(image.fatal).toEqual([]);
    }
  });
});

describe("a full disk", () => {
  test("what is promised still fits; proposals are refused until there is space", () => {
    const rig = new Rig();
    const storage = rig.open();
    let index = 0;
    const write = (): boolean => {
      index += 1;
      let done = false;
      const more = { hardState: null, entries: [entry(index, 1, 300)], sync: true };
      storage.persist(more, () => {
        done = true;
      });
      rig.run();
      return done;
    };
    expect(write()).toBe(true);
    expect(storage.stats().writable).toBe(true);
    // Not a byte more than there is: the active segment, the one after it, and the reserve.
    rig.disk.capacityBytes = rig.disk.files().reduce((sum, file) => sum + file.size, 0);
    let written = 1;
    while (write()) written += 1;
    expect(storage.stats().writable).toBe(false);
    expect(rig.fatal).toEqual([]);
    // Two segments of 4096 bytes and most of the reserve.
    expect(written).toBeGreaterThan(28);
    expect(rig.disk.files().map((file) => file.path)).not.toContain(RESERVE_FILE);

    // Space comes back: the write that waited completes, in its turn, and the reserve is made.
    rig.disk.capacityBytes += 100_000;
    let asked = 0;
    while (!storage.stats().writable && asked < 20) {
      asked += 1;
      rig.run();
    }
    expect(storage.stats().writable).toBe(true);
    expect(rig.disk.files().map((file) => file.path)).toContain(RESERVE_FILE);
    expect(write()).toBe(true);
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(1, index, 1, 300));
  });

  test("a write that waits needs no other call: time passes, and space is looked for", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 1, 1) });
    rig.disk.capacityBytes = rig.disk.files().reduce((sum, file) => sum + file.size, 0);
    let asked = 0;
    let done = 0;
    while (asked === done) {
      asked += 1;
      const more = { hardState: null, entries: [entry(1 + asked, 1, 300)], sync: true };
      storage.persist(more, () => {
        done += 1;
      });
      rig.run();
    }
    // A follower in this state acknowledges nothing, so its leader sends it nothing more.
    rig.disk.capacityBytes += 100_000;
    for (let ticks = 0; ticks < 20; ticks += 1) {
      storage.tick();
      rig.run();
    }
    expect(done).toBe(asked);
    expect(rig.fatal).toEqual([]);
  });

  test("is seen when the next segment is allocated, while the last one still has room", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.disk.capacityBytes = rig.disk.files().reduce((sum, file) => sum + file.size, 0);
    for (let index = 1; storage.stats().writable && index < 100; index += 1) {
      rig.persist(storage, { entries: [entry(index, 1, 300)] });
    }
    expect(storage.stats().writable).toBe(false);
    expect(rig.disk.files().map((file) => file.path)).toContain(RESERVE_FILE);
    rig.persist(storage, { hardState: hard(9, 1) });
    expect(new Rig(rig).open().recovered.hardState).toEqual(hard(9, 1));
  });

  test("a snapshot waits for space, or takes the reserve; the log does not wait for it", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 5, 1) });
    rig.disk.capacityBytes = rig.disk.files().reduce((sum, file) => sum + file.size, 0);
    let done = false;
    const data = new Uint8Array(50_000);
    storage.writeSnapshotChunk(snapshotChunk(3, 1, { data, done: true }), () => {
      done = true;
    });
    rig.run();
    expect(done).toBe(false);
    expect(storage.stats().writable).toBe(false);
    rig.persist(storage, { entries: [entry(6, 1)] });
    rig.disk.capacityBytes += 200_000;
    for (let asked = 0; asked < 20; asked += 1) {
      storage.stats();
      rig.run();
    }
    expect(done).toBe(true);
    expect(storage.stats().writable).toBe(true);
    expect(rig.disk.files().map((file) => file.path)).toContain(snapshotName(3));
  });

  test("the log and a snapshot may run out of space in the same moment", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 5, 1) });
    rig.disk.capacityBytes = rig.disk.files().reduce((sum, file) => sum + file.size, 0);
    const done: string[] = [];
    const data = new Uint8Array(20_000);
    storage.writeSnapshotChunk(snapshotChunk(3, 1, { data, done: true }), () =>
      done.push("snapshot"),
    );
    const big = { hardState: null, entries: [entry(6, 1, 30_000)], sync: true };
    storage.persist(big, () => done.push("entry"));
    rig.run();
    expect(done).toEqual([]);
    rig.disk.capacityBytes += 200_000;
    for (let asked = 0; asked < 20; asked += 1) {
      storage.stats();
      rig.run();
    }
    expect(rig.fatal).toEqual([]);
    expect(done.toSorted()).toEqual(["entry", "snapshot"]);
    expect(storage.stats().writable).toBe(true);
    expect(new Rig(rig).open().recovered.entries).toEqual([
      ...entries(4, 5, 1),
      entry(6, 1, 30_000),
    ]);
  });

  test("a sync that finds no space is not waited out: what it should have kept may be gone", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.fault = (operation) => (operation.kind === "sync" ? "ENOSPC" : null);
    storage.persist({ hardState: hard(1, 1), entries: [], sync: true }, () => undefined);
    rig.run();
    expect(rig.fatal).toMatchObject([{ code: "DISK_FULL" }]);
  });

  test("opening on one says so, and closing one that waits does not wait", () => {
    const rig = new Rig();
    rig.disk.capacityBytes = 1000;
    expect(rig.refusal()).toMatchObject({ code: "DISK_FULL" });
    const waiting = new Rig();
    const storage = waiting.open();
    waiting.disk.capacityBytes = 0;
    storage.persist(
      { hardState: null, entries: [entry(1, 1, 30_000)], sync: true },
      () => undefined,
    );
    waiting.run();
    waiting.close(storage);
  });
});

describe("the disk in memory", () => {
  test("keeps what was synced and only that, when power fails at its worst", () => {
    const tasks: (() => void)[] = [];
    const disk = new MemoryDisk({ schedule: (_, complete) => tasks.push(complete) });
    const run = (): void => {
      while (tasks.length > 0) tasks.shift()!();
    };
    disk.open("a", "create", (_, file) => {
      file!.write([Uint8Array.of(1, 2), Uint8Array.of(3)], 0, () =>
        file!.sync(() =>
          disk.syncDirectory(() => {
            file!.write([Uint8Array.of(9)], 1, () => undefined);
            disk.rename("a", "b", () => undefined);
          }),
        ),
      );
    });
    run();
    expect(disk.files()).toEqual([{ path: "b", size: 3 }]);
    expect([...disk.content("b")]).toEqual([1, 9, 3]);
    expect(disk.pendingCount).toBe(2);
    disk.crash({ integer: (min) => min });
    expect(disk.files()).toEqual([{ path: "a", size: 3 }]);
    expect([...disk.content("a")]).toEqual([1, 2, 3]);
  });

  test("a crash keeps sectors of one write apart, and ends what was on its way", () => {
    const tasks: (() => void)[] = [];
    const disk = new MemoryDisk({ schedule: (_, complete) => tasks.push(complete) });
    const run = (): void => {
      while (tasks.length > 0) tasks.shift()!();
    };
    disk.place("a", new Uint8Array(1536));
    let answered = false;
    disk.open("a", "existing", (_, file) => {
      file!.write([new Uint8Array(1100).fill(7)], 0, () => {
        answered = true;
      });
    });
    tasks.shift()!();
    let sector = 0;
    disk.crash({ integer: () => Number((sector += 1) === 2) });
    run();
    expect(answered).toBe(false);
    const content = disk.content("a");
    expect([content[0], content[511], content[512], content[1023], content[1024]]).toEqual([
      0, 0, 7, 7, 0,
    ]);
  });
});
