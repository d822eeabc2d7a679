import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ByteReader, ByteWriter, decodeText, encodeText, getU64, putU64 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { FRAME_HEADER_BYTES, getFrameHeader } from "./frame.ts";
import { FrameBuilder, decodeRecords } from "./records.ts";
import type { LogRecord } from "./records.ts";
import { scanSegment } from "./segment-scan.ts";
import { decodeSnapshotHeader, encodeSnapshotHeader } from "./snapshot-format.ts";
import { TermRanges } from "./term-ranges.ts";

const safe = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const hardState = fc.record({
  term: safe,
  votedFor: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  commitIndex: safe,
});
const logEntry = fc.record({
  index: safe,
  term: safe,
  kind: fc.constantFrom("command" as const, "no-op" as const, "configuration" as const),
  data: fc.uint8Array({ maxLength: 300 }),
});
const record: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({ type: fc.constant("entry" as const), entry: logEntry }),
  fc.record({ type: fc.constant("hard-state" as const), hardState }),
  fc.record({ type: fc.constant("reset" as const), index: safe, term: safe }),
  fc.record({
    type: fc.constant("segment" as const),
    formatVersion: fc.nat(),
    nodeId: safe,
    sequence: safe,
    lastIndex: safe,
    lastTerm: safe,
    previousEnd: safe,
    cluster: fc.string({ unit: "binary" }),
  }),
);

function add(builder: FrameBuilder, one: LogRecord): void {
  if (one.type === "entry") builder.addEntry(one.entry);
  else if (one.type === "hard-state") builder.addHardState(one.hardState);
  else if (one.type === "reset") builder.addReset(one.index, one.term);
  else builder.addSegment(one);
}

describe("CRC-32C", () => {
  test("gives the check value of the Castagnoli polynomial, and of 32 zeros (RFC 3720)", () => {
    expect(crc32c(encodeText("123456789"))).toBe(0xe306_9283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  });

  test("of two parts is the one of the whole, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        const first = crc32c(bytes, 0, cut);
        expect(crc32c(bytes, cut, bytes.length, first)).toBe(crc32c(bytes));
      }),
    );
  });
});

describe("numbers and text", () => {
  test("every safe integer comes back; what is beyond them is not a number", () => {
    const bytes = new Uint8Array(8);
    fc.assert(
      fc.property(safe, (value) => {
        putU64(bytes, 0, value);
        expect(getU64(bytes, 0)).toBe(value);
      }),
    );
    expect(getU64(new Uint8Array(8).fill(0xff), 0)).toBeNaN();
  });

  test("text is UTF-8 as TextEncoder has it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect([...encodeText(text)]).toEqual([...new TextEncoder().encode(text)]);
        expect(decodeText(encodeText(text))).toBe(text);
      }),
    );
    expect(decodeText(encodeText("a\ud800b"))).toBe("a\ufffdb");
  });

  test("reading past the end is noticed, however long the text claims to be", () => {
    const reader = new ByteReader(new ByteWriter().u32(0xffff_ffff).done());
    expect(reader.text()).toBe("");
    expect(reader.ok).toBe(false);
  });
});

describe("frames", () => {
  test("any records come back from a frame, and the header says the same", () => {
    const builder = new FrameBuilder();
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), safe, (records, chain) => {
        builder.begin();
        for (const one of records) add(builder, one);
        const frame = builder.finish(0, 17, chain >>> 0);
        const header = getFrameHeader(frame.bytes, 0)!;
        expect(header).toMatchObject({ watermark: 17, chain: chain >>> 0, offset: 0 });
        expect(header.checksum).toBe(frame.chain);
        expect(frame.bytes.length % 8).toBe(0);
        const end = FRAME_HEADER_BYTES + header.bodyLength;
        expect(decodeRecords(frame.bytes, FRAME_HEADER_BYTES, end, header.recordCount)).toEqual(
          records,
        );
      }),
    );
  });

  test("any one bit turned in a frame is noticed", () => {
    const builder = new FrameBuilder();
    builder.begin();
    builder.addSegment({
      type: "segment",
      formatVersion: 1,
      nodeId: 1,
      sequence: 1,
      lastIndex: 0,
      lastTerm: 0,
      previousEnd: 0,
      cluster: "demo",
    });
    const { bytes } = builder.finish(0, 0, 0);
    const body = FRAME_HEADER_BYTES + getFrameHeader(bytes, 0)!.bodyLength;
    for (let bit = 0; bit < body * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
      const scan = scanSegment(damaged);
      expect(scan.end, `bit ${bit}`).toBe(0);
      expect(scan.dirty, `bit ${bit}`).toBe(true);
    }
  });

  test("a frame that is not where it says it is, is none", () => {
    const builder = new FrameBuilder();
    builder.begin();
    const { bytes } = builder.finish(64, 0, 0);
    expect(getFrameHeader(bytes, 0)).toBeNull();
  });
});

describe("snapshot headers", () => {
  test("metadata and configuration come back", () => {
    const ids = fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { maxLength: 5 });
    const configuration = fc.record({
      voters: ids,
      votersOutgoing: ids,
      learners: ids,
      addresses: fc.dictionary(fc.nat().map(String), fc.string({ unit: "binary" })),
    });
    const metadata = fc.record({
      index: safe,
      term: safe,
      configurationIndex: safe,
      configuration,
    });
    fc.assert(
      fc.property(metadata, fc.string(), safe, (one, cluster, nodeId) => {
        const header = { cluster, nodeId, metadata: one };
        const back = decodeSnapshotHeader(encodeSnapshotHeader(header));
        expect(back).toEqual(header);
      }),
    );
  });
});

describe("term ranges", () => {
  test("agree with a plain list of terms over appends, truncations and resets", () => {
    const step = fc.record({
      back: fc.nat({ max: 4 }),
      newTerm: fc.boolean(),
      reset: fc.integer({ min: 0, max: 15 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ranges = new TermRanges(0, 0);
        let base = 0;
        let terms: (number | null)[] = [0];
        let term = 1;
        for (const { back, newTerm, reset } of steps) {
          if (newTerm) term += 1;
          if (reset === 0) {
            base = base + terms.length + 2;
            terms = [term];
            ranges.reset(base, term);
            continue;
          }
          const index = Math.max(1, base + terms.length - back);
          if (index <= base) {
            base = index - 1;
            terms = [null];
          }
          terms.length = index - base;
          terms.push(term);
          ranges.append(index, term);
        }
        expect(ranges.lastIndex).toBe(base + terms.length - 1);
        for (let index = Math.max(0, base - 2); index <= base + terms.length + 2; index += 1) {
          expect(ranges.termAt(index)).toBe(terms[index - base] ?? null);
        }
      }),
    );
  });
});
