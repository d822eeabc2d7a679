import { describe, expect, test } from "vitest";

import { RESERVE_FILE, segmentName, snapshotName } from "./names.ts";
import { Rig, bytesOf, entries, entry, hard, metadata, snapshotChunk } from "./testing.ts";

/** Comparing large arrays element by element takes seconds. */
function same(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.compare(a, b) === 0;
}

describe("what was persisted comes back", () => {
  test("an empty directory opens as a node that has never voted", () => {
    const rig = new Rig();
    const storage = rig.open();
    expect(storage.recovered).toEqual({ hardState: hard(0, null), snapshot: null, entries: [] });
    expect(storage.torn).toBeNull();
  });

  test("hard state and entries of every kind", () => {
    const rig = new Rig();
    const all = [
      entry(1, 1),
      { index: 2, term: 1, kind: "no-op" as const, data: new Uint8Array(0) },
      { index: 3, term: 2, kind: "configuration" as const, data: bytesOf(9, 5) },
    ];
    rig.persist(rig.open(), { hardState: hard(2, 5, 3), entries: all });
    const again = new Rig(rig).open();
    expect(again.recovered).toEqual({ hardState: hard(2, 5, 3), snapshot: null, entries: all });
  });

  test("entries of a new leader replace the ones from their index on", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.persist(storage, { hardState: hard(4, null), entries: entries(4, 5, 4) });
    expect(new Rig(rig).open().recovered.entries).toEqual([
      ...entries(1, 3, 1),
      ...entries(4, 5, 4),
    ]);
  });

  test("over many segments, and the last hard state wins over the ones repeated in them", () => {
    const rig = new Rig();
    const storage = rig.open();
    for (let index = 1; index <= 60; index += 1) {
      rig.persist(storage, { hardState: hard(index, index), entries: [entry(index, index, 300)] });
    }
    expect(rig.disk.files().filter((file) => file.path.startsWith("log-")).length).toBeGreaterThan(
      4,
    );
    const { recovered } = new Rig(rig).open();
    expect(recovered.entries.map((one) => one.index)).toEqual(
      entries(1, 60, 1).map((e) => e.index),
    );
    expect(recovered.hardState).toEqual(hard(60, 60));
  });

  test("an entry larger than a segment", () => {
    const rig = new Rig();
    const storage = rig.open();
    const big = entry(2, 1, 20_000);
    rig.persist(storage, { entries: [entry(1, 1), big, entry(3, 1)] });
    rig.persist(storage, { entries: [entry(4, 1)] });
    expect(new Rig(rig).open().recovered.entries).toEqual([
      entry(1, 1),
      big,
      entry(3, 1),
      entry(4, 1),
    ]);
  });

  test("the log goes on in the same segment after a restart", () => {
    let rig = new Rig();
    let storage = rig.open();
    for (let index = 1; index <= 5; index += 1) {
      rig.persist(storage, { entries: [entry(index, 1)] });
      rig.close(storage);
      rig = new Rig(rig);
      storage = rig.open();
    }
    expect(storage.recovered.entries).toEqual(entries(1, 5, 1));
    expect(rig.disk.files().map((file) => file.path)).toEqual([
      segmentName(1),
      segmentName(2),
      RESERVE_FILE,
    ]);
  });

  test("an entry that leaves a gap is a mistake of the caller, and says so", () => {
    const rig = new Rig();
    const storage = rig.open();
    expect(() => rig.persist(storage, { entries: [entry(2, 1)] })).toThrow(
      "cannot append entry 2: expected at most 1",
    );
  });
});

describe("group commit", () => {
  test("what arrives during a write goes into one more write and one more sync", () => {
    const rig = new Rig();
    const storage = rig.open();
    const before = rig.trace.length;
    const done: number[] = [];
    for (let index = 1; index <= 20; index += 1) {
      const write = { hardState: null, entries: [entry(index, 1)], sync: index % 2 === 0 };
      storage.persist(write, () => done.push(index));
    }
    expect(done).toEqual([]);
    rig.run();
    expect(done).toEqual(entries(1, 20, 1).map((one) => one.index));
    const kinds = rig.trace.slice(before).map((operation) => operation.kind);
    // The first entry alone and without a sync, the other 19 with one, and then the mark.
    expect(kinds).toEqual(["write", "write", "sync", "write"]);
    expect(storage.stats().syncCount).toBe(2);
  });

  test("a mark waits for a tick in which nothing was asked", () => {
    const rig = new Rig();
    const storage = rig.open();
    const before = rig.trace.length;
    const write = (index: number): void => {
      const one = { hardState: null, entries: [entry(index, 1)], sync: true };
      storage.persist(one, () => undefined);
      while (rig.step());
    };
    for (let index = 1; index <= 5; index += 1) {
      write(index);
      rig.tick();
    }
    const writes = Array.from({ length: 5 }, () => ["write", "sync"]).flat();
    expect(rig.trace.slice(before).map(({ kind }) => kind)).toEqual(writes);
    for (const _tick of [1, 2, 3]) {
      rig.tick();
      while (rig.step());
    }
    expect(rig.trace.slice(before).map(({ kind }) => kind)).toEqual([...writes, "write"]);
  });

  test("a write without sync is answered without one, and is there after kill -9", () => {
    const rig = new Rig();
    const storage = rig.open();
    const before = rig.trace.length;
    rig.persist(storage, { entries: entries(1, 3, 1), sync: false });
    expect(rig.trace.slice(before).map((operation) => operation.kind)).toEqual(["write"]);
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(1, 3, 1));
  });

  test("what is answered survives the loss of power in that moment", () => {
    const rig = new Rig();
    const storage = rig.open();
    const survivors: unknown[] = [];
    const look = (): void => {
      const image = new Rig(rig);
      image.disk.crash({ integer: (min) => min });
      const { hardState, entries: left } = image.open().recovered;
      survivors.push([hardState.votedFor, left.length]);
    };
    storage.persist({ hardState: hard(1, 1), entries: [], sync: true }, look);
    storage.persist({ hardState: null, entries: [entry(1, 1)], sync: true }, look);
    storage.persist({ hardState: hard(2, 5), entries: [entry(2, 2)], sync: true }, look);
    storage.persist({ hardState: null, entries: [entry(3, 2)], sync: false }, look);
    rig.run();
    expect(survivors).toEqual([
      [1, 0],
      [5, 3],
      [5, 3],
      [5, 3],
    ]);
  });

  test("an empty write syncs what was written before, and leaves no trace", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: [entry(1, 1)], sync: false });
    rig.persist(storage, {});
    expect(storage.stats().syncCount).toBe(2);
    rig.persist(storage, {});
    rig.persist(storage, { sync: false });
    expect(storage.stats().syncCount).toBe(2);
    rig.persist(storage, { entries: [entry(2, 1)] });
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(1, 2, 1));
  });

  test("many writes at once are cut into frames of bounded size, in order", () => {
    const rig = new Rig();
    const storage = rig.open();
    const done: number[] = [];
    for (let index = 1; index <= 40; index += 1) {
      storage.persist({ hardState: null, entries: [entry(index, 1, 500)], sync: true }, () =>
        done.push(index),
      );
    }
    rig.run();
    expect(done).toEqual(entries(1, 40, 1).map((one) => one.index));
    const largest = Math.max(
      ...rig.trace.filter((one) => one.kind === "write").map((one) => one.bytes),
    );
    expect(largest).toBeLessThanOrEqual(2048 + 200);
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(1, 40, 1, 500));
  });
});

describe("snapshots", () => {
  test("one of our own stands for the log before it, and keeps the log after it", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { hardState: hard(1, null, 5), entries: entries(1, 9, 1) });
    const data = bytesOf(200_000, 3);
    rig.snapshot(storage, 6, 1, { data });
    expect(same(rig.readSnapshot(storage, 6, 70_000), data)).toBe(true);
    const again = new Rig(rig);
    const reopened = again.open();
    expect(reopened.recovered).toEqual({
      hardState: hard(1, null, 6),
      snapshot: metadata(6, 1),
      entries: entries(7, 9, 1),
    });
    expect(same(again.readSnapshot(reopened, 6, 64 * 1024), data)).toBe(true);
    expect(again.readSnapshot(reopened, 5)).toBeNull();
  });

  test("chunks of any size make the same file", () => {
    const data = bytesOf(150_000, 11);
    const files = [data.length, 65_536, 1000, 70_001].map((size) => {
      const rig = new Rig();
      const storage = rig.open();
      for (let offset = 0; offset < data.length; offset += size) {
        const part = data.subarray(offset, offset + size);
        const done = offset + part.length === data.length;
        storage.writeSnapshotChunk(
          snapshotChunk(4, 2, { offset, data: part, done }),
          () => undefined,
        );
      }
      rig.run();
      return rig.disk.content(snapshotName(4));
    });
    for (const file of files) expect(same(file, files[0]!)).toBe(true);
  });

  test("an empty one is one", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 2, 1) });
    rig.snapshot(storage, 2, 1, { data: new Uint8Array(0) });
    const again = new Rig(rig);
    expect(again.readSnapshot(again.open(), 2)).toEqual(new Uint8Array(0));
  });

  test("a chunk at offset 0 starts over", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 2, 1) });
    storage.writeSnapshotChunk(snapshotChunk(1, 1, { data: bytesOf(100_000, 9) }), () => undefined);
    rig.run();
    rig.snapshot(storage, 2, 1, { data: bytesOf(10, 4) });
    expect(same(rig.readSnapshot(storage, 2), bytesOf(10, 4))).toBe(true);
    expect(new Rig(rig).open().recovered.snapshot).toEqual(metadata(2, 1));
  });

  test("a leader's, ahead of the log, takes the place of all of it", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { hardState: hard(3, 2), entries: entries(1, 5, 1) });
    rig.snapshot(storage, 40, 3, { origin: "received" });
    rig.persist(storage, { entries: entries(41, 42, 3) });
    const { recovered } = new Rig(rig).open();
    expect(recovered.snapshot).toEqual(metadata(40, 3));
    expect(recovered.entries).toEqual(entries(41, 42, 3));
    expect(recovered.hardState).toEqual(hard(3, 2, 40));
  });

  test("a leader's whose last entry the log holds keeps what follows it (section 7)", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.snapshot(storage, 6, 1, { origin: "received" });
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(7, 9, 1));
  });

  test("what counts is the term that the log has now, not one that was replaced", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.persist(storage, { entries: entries(4, 9, 2) });
    rig.snapshot(storage, 6, 2, { origin: "received" });
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(7, 9, 2));
  });

  test("a leader's whose last entry has another term in the log drops the log", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.snapshot(storage, 6, 2, { origin: "received" });
    rig.persist(storage, { entries: entries(7, 7, 2) });
    expect(new Rig(rig).open().recovered.entries).toEqual(entries(7, 7, 2));
  });

  test("a received one and one of our own, at the same time, do not touch each other", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    const own = bytesOf(100_000, 3);
    const theirs = bytesOf(100_000, 4);
    const done: string[] = [];
    for (const offset of [0, 50_000]) {
      const end = offset === 50_000;
      for (const [origin, index, data] of [
        ["local", 8, own],
        ["received", 30, theirs],
      ] as const) {
        const part = data.slice(offset, offset + 50_000);
        storage.writeSnapshotChunk(
          snapshotChunk(index, 1, { origin, offset, data: part, done: end }),
          () => done.push(`${origin} ${offset}`),
        );
      }
    }
    rig.run();
    expect(done.toSorted()).toEqual(["local 0", "local 50000", "received 0", "received 50000"]);
    expect(same(rig.readSnapshot(storage, 30, 65_536), theirs)).toBe(true);
    const { recovered } = new Rig(rig).open();
    expect(recovered.snapshot).toEqual(metadata(30, 1));
    expect(recovered.entries).toEqual([]);
  });

  test("an older one does not take the place of a newer one", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.snapshot(storage, 8, 1, {});
    rig.snapshot(storage, 5, 1, { origin: "received" });
    const { recovered } = new Rig(rig).open();
    expect(recovered.snapshot?.index).toBe(8);
    expect(recovered.entries).toEqual(entries(9, 9, 1));
  });

  test("the one before stays while a peer is in the middle of it, and goes at its end", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 9, 1) });
    rig.snapshot(storage, 4, 1, { data: bytesOf(1500, 2) });
    storage.readSnapshotChunk(4, 0, 1000, () => undefined);
    rig.run();
    rig.snapshot(storage, 6, 1, {});
    expect(rig.disk.files().map((file) => file.path)).toContain(snapshotName(4));
    expect(same(rig.readSnapshot(storage, 4), bytesOf(1500, 2))).toBe(true);
    rig.run();
    expect(rig.disk.files().map((file) => file.path)).not.toContain(snapshotName(4));
    expect(rig.readSnapshot(storage, 4)).toBeNull();
  });

  test("a chunk out of order is a mistake of the caller, and says so", () => {
    const rig = new Rig();
    const storage = rig.open();
    expect(() =>
      storage.writeSnapshotChunk(snapshotChunk(4, 1, { offset: 10 }), () => undefined),
    ).toThrow("expected offset 0, got 10");
  });
});

describe("compaction", () => {
  test("removes whole segments up to the snapshot, and the hard state survives", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { hardState: hard(7, 3) });
    for (let index = 1; index <= 60; index += 1) {
      rig.persist(storage, { entries: [entry(index, 7, 300)] });
    }
    const before = storage.stats().diskBytes;
    storage.compact(50);
    rig.run();
    expect(storage.stats().diskBytes, "no snapshot, so nothing may go").toBe(before);
    rig.snapshot(storage, 40, 7, {});
    storage.compact(50);
    rig.run();
    const names = rig.disk.files().map((file) => file.path);
    expect(names).not.toContain(segmentName(1));
    const { recovered } = new Rig(rig).open();
    expect(recovered.hardState).toEqual(hard(7, 3, 40));
    expect(recovered.entries.map((one) => one.index)).toEqual(
      entries(41, 60, 7).map((e) => e.index),
    );
    expect(storage.stats().diskBytes).toBe(
      rig.disk.files().reduce((sum, file) => sum + file.size, 0),
    );
  });
});

describe("§7 the log and the snapshot that stands for it", () => {
  test("[23] the log goes only when the snapshot is durable, wherever power fails between", () => {
    const rig = new Rig();
    const storage = rig.open();
    for (let index = 1; index <= 60; index += 1) {
      rig.persist(storage, { entries: [entry(index, 7, 300)] });
    }
    const data = bytesOf(9_000, 5);
    let saved = false;
    const chunk = {
      snapshot: metadata(40, 7),
      offset: 0,
      data,
      done: true,
      origin: "local",
    } as const;
    storage.writeSnapshotChunk(chunk, () => {
      saved = true;
      storage.compact(40);
    });
    const filesBefore = rig.disk.files().length;
    let moments = 0;
    let goesOn = true;
    while (goesOn) {
      if (!saved) expect(rig.disk.files().length).toBeGreaterThanOrEqual(filesBefore);
      for (const integer of [(min: number) => min, (_: number, max: number) => max]) {
        const image = new Rig(rig);
        image.disk.crash({ integer });
        const reopened = image.open();
        const { snapshot, entries: left } = reopened.recovered;
        expect(left.map(({ index }) => index)).toEqual(
          entries((snapshot?.index ?? 0) + 1, 60, 7).map(({ index }) => index),
        );
        if (snapshot !== null) expect(same(image.readSnapshot(reopened, 40), data)).toBe(true);
        if (saved) expect(snapshot?.index).toBe(40);
        moments += 1;
      }
      goesOn = rig.step();
    }
    rig.run();
    expect(saved).toBe(true);
    expect(moments).toBeGreaterThan(10);
    expect(rig.disk.files().length).toBeLessThan(filesBefore);
  });
});

describe("compaction after a restart", () => {
  test("knows from the files which entries are where", () => {
    const rig = new Rig();
    const storage = rig.open();
    for (let index = 1; index <= 60; index += 1) {
      rig.persist(storage, { entries: [entry(index, 7, 300)] });
    }
    rig.snapshot(storage, 40, 7, {});
    const again = new Rig(rig);
    again.open().compact(40);
    again.run();
    expect(again.disk.files().length).toBeLessThan(rig.disk.files().length);
    const { recovered } = new Rig(again).open();
    expect(recovered.entries.map((one) => one.index)).toEqual(
      entries(41, 60, 7).map((e) => e.index),
    );
  });
});

describe("closing", () => {
  test("waits for what was asked for, and syncs it", () => {
    const rig = new Rig();
    const storage = rig.open();
    const events: string[] = [];
    storage.persist({ hardState: null, entries: entries(1, 2, 1), sync: false }, () =>
      events.push("persisted"),
    );
    storage.close(() => events.push("closed"));
    rig.run();
    expect(events).toEqual(["persisted", "closed"]);
    expect(rig.disk.pendingCount).toBe(0);
    expect(rig.fatal).toEqual([]);
  });
});
