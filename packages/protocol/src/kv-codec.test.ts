/** Puts and ranges by hand against the generated code: the same bytes, the same values, or no answer. */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import type { Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "./gen/etcdserverpb/rpc_pb.ts";
import {
  readPutRequest,
  readRangeRequest,
  writePutResponse,
  writeRangeResponse,
} from "./kv-codec.ts";
import { integer } from "./testing/arbitraries.ts";

const bytes = fc.uint8Array({ maxLength: 300 });
const whole = integer.map(BigInt);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bool = fc.boolean();

const header = fc.record({ clusterId: uint64, memberId: whole, revision: whole, raftTerm: whole });
const keyValue = fc.record({
  key: bytes,
  value: bytes,
  createRevision: whole,
  modRevision: whole,
  version: whole,
});

function reads<D extends DescMessage>(
  desc: D,
  read: (found: Uint8Array<ArrayBuffer>) => MessageShape<D> | null,
  usual: Arbitrary<MessageInitShape<D>>,
  unusual: Arbitrary<MessageInitShape<D>>,
): void {
  const write = (value: MessageInitShape<D>): Uint8Array<ArrayBuffer> =>
    toBinary(desc, create(desc, value)).slice();

  test("reads what is usual", () => {
    fc.assert(
      fc.property(usual, (value) => {
        expect(read(write(value))).toEqual(create(desc, value));
      }),
    );
  });

  test("of all else, and of damaged bytes, it reads what the generated code reads, or nothing", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
    let readCount = 0;
    fc.assert(
      fc.property(fc.oneof(usual, unusual), damage, (value, places) => {
        const damaged = write(value);
        for (const [at, byte] of places)
          if (damaged.length > 0) damaged[at % damaged.length] = byte;
        const found = read(damaged);
        if (found === null) return;
        readCount += 1;
        expect(found).toEqual(fromBinary(desc, damaged));
      }),
      { numRuns: 2000 },
    );
    expect(readCount).toBeGreaterThan(100);
  });
}

describe("PutRequest", () => {
  const usual = fc.record({ key: bytes, value: bytes, prevKv: bool });
  const unusual = fc.record({ key: bytes, lease: int64, ignoreValue: bool, ignoreLease: bool });
  reads(PutRequestSchema, readPutRequest, usual, unusual);
});

describe("RangeRequest", () => {
  const usual = fc.record({ key: bytes, rangeEnd: bytes, serializable: bool });
  const unusual = fc.record({
    key: bytes,
    limit: int64,
    revision: int64,
    sortOrder: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
    sortTarget: fc.constantFrom<(0 | 1 | 4)[]>(0, 1, 4),
    keysOnly: bool,
    countOnly: bool,
    minModRevision: int64,
    maxCreateRevision: int64,
  });
  reads(RangeRequestSchema, readRangeRequest, usual, unusual);
});

/** `usual` is written by hand; of anything it writes the generated code's bytes, or nothing. */
function writes<D extends DescMessage>(
  desc: D,
  write: (value: MessageInitShape<D>) => Uint8Array | null,
  usual: Arbitrary<MessageInitShape<D>>,
  unusual: Arbitrary<MessageInitShape<D>>,
): void {
  test("writes what is usual", () => {
    fc.assert(
      fc.property(usual, (value) => {
        expect(write(value)).toEqual(toBinary(desc, create(desc, value)));
      }),
    );
  });

  test("of all else it writes what the generated code writes, or nothing", () => {
    fc.assert(
      fc.property(unusual, (value) => {
        const found = write(value);
        if (found !== null) expect(found).toEqual(toBinary(desc, create(desc, value)));
      }),
    );
  });
}

const anyHeader = fc.oneof(
  header,
  fc.constant(undefined),
  fc.record({ clusterId: uint64, memberId: uint64, revision: int64 }, { requiredKeys: [] }),
);
const anyKeyValue = fc.record(
  {
    key: bytes,
    value: bytes,
    createRevision: int64,
    modRevision: int64,
    version: int64,
    lease: int64,
  },
  { requiredKeys: [] },
);

describe("PutResponse", () => {
  const unusual = fc.record({
    header: anyHeader,
    prevKv: fc.option(anyKeyValue, { nil: undefined }),
  });
  writes(
    PutResponseSchema,
    writePutResponse,
    fc.record({ header }),
    unusual as Arbitrary<MessageInitShape<typeof PutResponseSchema>>,
  );
});

describe("RangeResponse", () => {
  const kvs = fc.array(keyValue, { maxLength: 1 });
  const unusual = fc.record({ header: anyHeader, kvs: fc.array(anyKeyValue), count: int64 });
  writes(
    RangeResponseSchema,
    writeRangeResponse,
    fc.record({ header, kvs, more: bool, count: whole }),
    unusual as Arbitrary<MessageInitShape<typeof RangeResponseSchema>>,
  );
});
