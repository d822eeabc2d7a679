/** What storage says to bytes that are not what it wrote: torn tails are cut, damage is refused. */
import { describe, expect, test } from "vitest";

import { FRAME_HEADER_BYTES, frameSize, getFrameHeader } from "./frame.ts";
import { LOCAL_SNAPSHOT_TEMPORARY, RESERVE_FILE, segmentName, snapshotName } from "./names.ts";
import { Rig, bytesOf, entries, entry, hard } from "./testing.ts";

const FIRST = segmentName(1);

/** A directory with five synced frames (a segment opening, a vote, three entries) and a mark. */
function written(): Rig {
  const rig = new Rig();
  const storage = rig.open();
  rig.persist(storage, { hardState: hard(5, 2) });
  for (let index = 1; index <= 3; index += 1) rig.persist(storage, { entries: [entry(index, 5)] });
  return rig;
}

/** Where each frame of a segment begins; the last one is the mark. */
function frameOffsets(bytes: Uint8Array): number[] {
  const offsets: number[] = [];
  for (let at = 0; ;) {
    const header = getFrameHeader(bytes, at);
    if (header === null) return offsets;
    offsets.push(at);
    at += frameSize(header.bodyLength);
  }
}

function withContent(rig: Rig, path: string, bytes: Uint8Array): Rig {
  const other = new Rig(rig);
  other.disk.place(path, bytes);
  return other;
}

describe("a torn tail is cut off", () => {
  const rig = written();
  const bytes = rig.disk.content(FIRST);
  const offsets = frameOffsets(bytes);
  const tail = offsets[2]!;
  const mark = offsets.at(-1)!;

  test("a file cut at every byte of its last frames opens with the frames before the cut", () => {
    for (let cut = tail; cut <= mark + FRAME_HEADER_BYTES; cut += 1) {
      const image = withContent(rig, FIRST, bytes.slice(0, cut));
      const { recovered } = image.open();
      const whole = offsets.filter((offset) => offset <= cut).length - 1;
      expect(recovered.hardState, `cut at ${cut}`).toEqual(hard(5, 2));
      expect(recovered.entries.length, `cut at ${cut}`).toBe(Math.min(3, whole - 2));
    }
  });

  test("so does one whose last frames are zeros from any byte on", () => {
    for (let cut = tail; cut < mark + FRAME_HEADER_BYTES; cut += 1) {
      const image = withContent(rig, FIRST, bytes.slice().fill(0, cut));
      const storage = image.open();
      // What is written after the cut is found again, and nothing of what was cut off.
      const next = storage.recovered.entries.length + 1;
      image.persist(storage, { hardState: hard(6, null), entries: [entry(next, 6)] });
      const again = new Rig(image).open().recovered;
      expect(again.entries, `zeros from ${cut}`).toEqual([
        ...storage.recovered.entries,
        entry(next, 6),
      ]);
      expect(again.hardState).toEqual(hard(6, null));
    }
  });

  test("and says what it cut", () => {
    const last = offsets.at(-2)!;
    const torn = bytes.slice();
    torn.fill(0, last + 40);
    const image = withContent(rig, FIRST, torn);
    const storage = image.open();
    expect(image.disk.content(FIRST)).toEqual(bytes.slice(0, last));
    expect(storage.torn).toEqual({ file: FIRST, offset: last, bytes: bytes.length - last });
  });

  test("a frame that was cut off never comes back, even where its place is taken by the same", () => {
    // The third entry's frame is lost, an unsynced fourth one after it is not.
    const source = new Rig();
    const first = source.open();
    source.persist(first, { entries: [entry(1, 1)] });
    source.persist(first, { entries: [entry(2, 1)], sync: false });
    source.persist(first, { entries: [entry(3, 1)], sync: false });
    const content = source.disk.content(FIRST);
    const [, , second, third] = frameOffsets(content);
    content.fill(0, second, third);
    const image = withContent(source, FIRST, content);
    const storage = image.open();
    expect(storage.recovered.entries).toEqual([entry(1, 1)]);
    image.persist(storage, { entries: [entry(2, 1)] });
    expect(new Rig(image).open().recovered.entries).toEqual(entries(1, 2, 1));
  });
});

describe("damage to what was durable is refused, naming file and place", () => {
  test("any byte turned in any frame before the mark", () => {
    const rig = written();
    const bytes = rig.disk.content(FIRST);
    const offsets = frameOffsets(bytes);
    const mark = offsets.at(-1)!;
    for (let at = 0; at < mark; at += 1) {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      const offset = offsets.findLast((start) => start <= at)!;
      const header = getFrameHeader(bytes, offset)!;
      // Padding is the one thing that means nothing.
      if (at >= offset + FRAME_HEADER_BYTES + header.bodyLength) continue;
      const error = withContent(rig, FIRST, damaged).refusal();
      expect(error, `byte ${at}`).toMatchObject({ code: "CORRUPT_LOG", file: FIRST, offset });
      expect(error.message).toMatch(/remove the data directory and add the node as a new member/);
    }
  });

  test("a lost write in the middle", () => {
    const rig = written();
    const bytes = rig.disk.content(FIRST);
    const [, , , from, to] = frameOffsets(bytes);
    const error = withContent(rig, FIRST, bytes.fill(0, from, to)).refusal();
    expect(error).toMatchObject({ code: "CORRUPT_LOG", offset: from });
  });

  test("a lost write where there was a mark before", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: [entry(1, 5)] });
    const before = rig.disk.content(FIRST);
    const mark = frameOffsets(before).at(-1)!;
    rig.persist(storage, { entries: [entry(2, 5)] });
    const lost = frameOffsets(rig.disk.content(FIRST)).at(-1)!;
    rig.persist(storage, { entries: [entry(3, 5)] });
    const bytes = rig.disk.content(FIRST);
    bytes.set(before.subarray(mark, lost), mark);
    const error = withContent(rig, FIRST, bytes).refusal();
    expect(error).toMatchObject({ code: "CORRUPT_LOG", file: FIRST, offset: mark });
  });

  test("the end of a segment that another one follows", () => {
    const rig = new Rig();
    const storage = rig.open();
    for (let index = 1; index <= 30; index += 1) {
      rig.persist(storage, { entries: [entry(index, 1, 300)] });
    }
    const bytes = rig.disk.content(FIRST);
    const last = frameOffsets(bytes).at(-1)!;
    const error = withContent(rig, FIRST, bytes.fill(0, last)).refusal();
    expect(error).toMatchObject({ code: "CORRUPT_LOG", file: FIRST, offset: last });
  });

  test("a frame of another history in the middle", () => {
    const [one, two] = [1, 2].map((seed) => {
      const rig = new Rig();
      const storage = rig.open();
      for (let index = 1; index <= 4; index += 1) {
        const data = bytesOf(50, seed);
        rig.persist(storage, { entries: [{ index, term: 1, kind: "command", data }] });
      }
      return rig.disk.content(FIRST);
    });
    const offsets = frameOffsets(one!);
    const mixed = one!.slice();
    mixed.set(two!.subarray(offsets[2], offsets[3]), offsets[2]);
    const error = withContent(new Rig(), FIRST, mixed).refusal();
    expect(error).toMatchObject({ code: "CORRUPT_LOG", offset: offsets[2] });
    expect(error.message).toContain("expected a frame that follows checksum");
  });

  test("a segment of another history in the middle", () => {
    const [one, two] = [1, 2].map((seed) => {
      const rig = new Rig();
      const storage = rig.open();
      for (let index = 1; index <= 30; index += 1) {
        const data = bytesOf(300, seed);
        rig.persist(storage, { entries: [{ index, term: 1, kind: "command", data }] });
      }
      return rig;
    });
    const error = withContent(one!, segmentName(2), two!.disk.content(segmentName(2))).refusal();
    expect(error).toMatchObject({ code: "CORRUPT_LOG" });
  });

  test("a snapshot, at any byte", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 4, 1) });
    rig.snapshot(storage, 3, 1, { data: bytesOf(300, 6) });
    const name = snapshotName(3);
    const bytes = rig.disk.content(name);
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ (1 << (at % 8));
      const { code, file } = withContent(rig, name, damaged).refusal();
      // Four bytes of the header are the format version.
      expect(code, `byte ${at}`).toBe(at >= 4 && at < 8 ? "UNKNOWN_FORMAT" : "CORRUPT_SNAPSHOT");
      expect(file).toBe(name);
    }
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const { code } = withContent(rig, name, bytes.slice(0, cut)).refusal();
      expect(code, `cut at ${cut}`).toBe("CORRUPT_SNAPSHOT");
    }
  });

  test("a snapshot that rots while it is in use ends the node when somebody reads it", () => {
    const rig = new Rig();
    const storage = rig.open();
    rig.persist(storage, { entries: entries(1, 4, 1) });
    rig.snapshot(storage, 3, 1, { data: bytesOf(300, 6) });
    rig.disk.flipBit(snapshotName(3), 200, 3);
    let answered = false;
    storage.readSnapshotChunk(3, 0, 100, () => {
      answered = true;
    });
    rig.run();
    expect(answered).toBe(false);
    expect(rig.fatal).toMatchObject([{ code: "CORRUPT_SNAPSHOT", file: snapshotName(3) }]);
  });
});

/** A snapshot at 20, compacted up to it, entries to 60, many segments. */
function compacted(): Rig {
  const rig = new Rig();
  const storage = rig.open();
  for (let index = 1; index <= 60; index += 1) {
    rig.persist(storage, { hardState: hard(2, 1), entries: [entry(index, 2, 300)] });
  }
  rig.snapshot(storage, 20, 2, {});
  storage.compact(20);
  rig.run();
  return rig;
}

function segments(rig: Rig): string[] {
  return rig.disk
    .files()
    .map((file) => file.path)
    .filter((path) => path.startsWith("log-"));
}

describe("what is missing is refused", () => {
  test("any segment", () => {
    const rig = compacted();
    const names = segments(rig);
    expect(names.length).toBeGreaterThan(4);
    // The last one is prepared and empty: nothing is lost with it.
    for (const name of names.slice(0, -1)) {
      const image = new Rig(rig);
      image.disk.unplace(name);
      expect(image.refusal().code, name).toMatch(/SNAPSHOT_GAP|MISSING_LOG|CORRUPT_LOG/);
    }
  });

  test("the snapshot that the log follows", () => {
    const rig = compacted();
    rig.disk.unplace(snapshotName(20));
    expect(new Rig(rig).refusal()).toMatchObject({ code: "MISSING_LOG" });
  });

  test("the whole log, once there was one", () => {
    const rig = compacted();
    for (const name of segments(rig)) rig.disk.unplace(name);
    expect(new Rig(rig).refusal()).toMatchObject({ code: "MISSING_LOG" });
    rig.disk.unplace(snapshotName(20));
    expect(new Rig(rig).refusal(), "the reserve tells it").toMatchObject({ code: "MISSING_LOG" });
    rig.disk.unplace(RESERVE_FILE);
    expect(new Rig(rig).open().recovered.entries).toEqual([]);
  });
});

describe("files of others are refused", () => {
  test("another cluster, another node, and a snapshot of another node", () => {
    const rig = written();
    const foreign = { code: "FOREIGN_DATA", file: FIRST };
    expect(new Rig(rig).refusal({ cluster: "other" })).toMatchObject(foreign);
    expect(new Rig(rig).refusal({ nodeId: 4 })).toMatchObject({
      ...foreign,
      message:
        'cannot open the data directory: expected files of node 4 of cluster "demo", ' +
        'log-0000000001 is of node 3 of cluster "demo"; give each node a data directory of its own',
    });
    const other = new Rig();
    const storage = other.open({ nodeId: 4 });
    other.persist(storage, { entries: entries(1, 4, 1) });
    other.snapshot(storage, 2, 1, {});
    rig.disk.place(snapshotName(2), other.disk.content(snapshotName(2)));
    expect(new Rig(rig).refusal()).toMatchObject({ code: "FOREIGN_DATA", file: snapshotName(2) });
  });

  test("unfinished files of our own are removed, files of others stay", () => {
    const rig = written();
    rig.disk.place(LOCAL_SNAPSHOT_TEMPORARY, bytesOf(10, 1));
    rig.disk.place("notes.txt", bytesOf(10, 1));
    const image = new Rig(rig);
    image.open();
    const names = image.disk.files().map((file) => file.path);
    expect(names).toContain("notes.txt");
    expect(names).not.toContain(LOCAL_SNAPSHOT_TEMPORARY);
  });
});
