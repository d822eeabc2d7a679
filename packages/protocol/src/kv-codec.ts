/**
 * Puts and ranges of one key as a server meets them, by hand: their requests read, their responses
 * written. Null where a message is not of the usual kind, or a bad one: the generated code can tell.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  PutRequest,
  PutResponseSchema,
  RangeRequest,
  RangeResponseSchema,
  ResponseHeaderSchema,
} from "./gen/etcdserverpb/rpc_pb.ts";
import { RangeRequest_SortOrder, RangeRequest_SortTarget } from "./gen/etcdserverpb/rpc_pb.ts";
import type { KeyValueSchema } from "./gen/mvccpb/kv_pb.ts";
import {
  WireReader,
  WireWriter,
  fits,
  lengthSize,
  lengthTag,
  numberSize,
  varintTag,
} from "./wire.ts";

const EMPTY = new Uint8Array(0);

export function readPutRequest(bytes: Uint8Array<ArrayBuffer>): PutRequest | null {
  const reader = new WireReader(bytes);
  const end = bytes.length;
  let key = EMPTY;
  let value = EMPTY;
  let prevKv = false;
  while (reader.at < end && reader.ok) {
    switch (reader.varint()) {
      case lengthTag(1):
        key = reader.data(end);
        break;
      case lengthTag(2):
        value = reader.data(end);
        break;
      case varintTag(4):
        prevKv = reader.varint() !== 0;
        break;
      default:
        return null;
    }
  }
  if (!reader.ok || reader.at !== end) return null;
  const rest = { lease: 0n, prevKv, ignoreValue: false, ignoreLease: false };
  return { $typeName: "etcdserverpb.PutRequest", key, value, ...rest };
}

export function readRangeRequest(bytes: Uint8Array<ArrayBuffer>): RangeRequest | null {
  const reader = new WireReader(bytes);
  const end = bytes.length;
  let key = EMPTY;
  let rangeEnd = EMPTY;
  let serializable = false;
  while (reader.at < end && reader.ok) {
    switch (reader.varint()) {
      case lengthTag(1):
        key = reader.data(end);
        break;
      case lengthTag(2):
        rangeEnd = reader.data(end);
        break;
      case varintTag(7):
        serializable = reader.varint() !== 0;
        break;
      default:
        return null;
    }
  }
  if (!reader.ok || reader.at !== end) return null;
  return {
    $typeName: "etcdserverpb.RangeRequest",
    key,
    rangeEnd,
    limit: 0n,
    revision: 0n,
    sortOrder: RangeRequest_SortOrder.NONE,
    sortTarget: RangeRequest_SortTarget.KEY,
    serializable,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0n,
    maxModRevision: 0n,
    minCreateRevision: 0n,
    maxCreateRevision: 0n,
  };
}

export function writePutResponse(
  response: MessageInitShape<typeof PutResponseSchema>,
): Uint8Array<ArrayBuffer> | null {
  if (response.prevKv !== undefined) return null;
  const header = headerOf(response.header);
  if (header === null) return null;
  const writer = new WireWriter(lengthSize(header.size));
  writeHeader(writer, header);
  return writer.finish();
}

export function writeRangeResponse(
  response: MessageInitShape<typeof RangeResponseSchema>,
): Uint8Array<ArrayBuffer> | null {
  const header = headerOf(response.header);
  const count = numberOf(response.count);
  const { kvs = [], more = false } = response;
  if (header === null || count === null || kvs.length > 1) return null;
  const [first] = kvs;
  const kv = first === undefined ? null : keyValueOf(first);
  if (kv === null && first !== undefined) return null;
  const kvSize = kv === null ? 0 : lengthSize(kv.size);
  const size = lengthSize(header.size) + kvSize + (more ? 2 : 0) + numberSize(count);
  const writer = new WireWriter(size);
  writeHeader(writer, header);
  if (kv !== null) writeKeyValue(writer, kv);
  writer.bool(varintTag(3), more);
  writer.number(varintTag(4), count);
  return writer.finish();
}

interface Header {
  readonly clusterId: Uint8Array;
  readonly memberId: number;
  readonly revision: number;
  readonly raftTerm: number;
  readonly size: number;
}

function headerOf(
  header: MessageInitShape<typeof ResponseHeaderSchema> | undefined,
): Header | null {
  if (header === undefined) return null;
  const memberId = numberOf(header.memberId);
  const revision = numberOf(header.revision);
  const raftTerm = numberOf(header.raftTerm);
  const clusterId = clusterIdField(header.clusterId);
  if (memberId === null || revision === null || raftTerm === null || clusterId === null) {
    return null;
  }
  const size =
    clusterId.length + numberSize(memberId) + numberSize(revision) + numberSize(raftTerm);
  return { clusterId, memberId, revision, raftTerm, size };
}

function writeHeader(writer: WireWriter, header: Header): void {
  writer.begin(lengthTag(1), header.size);
  writer.raw(header.clusterId);
  writer.number(varintTag(2), header.memberId);
  writer.number(varintTag(3), header.revision);
  writer.number(varintTag(4), header.raftTerm);
}

interface KeyValueParts {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly size: number;
}

function keyValueOf(kv: MessageInitShape<typeof KeyValueSchema>): KeyValueParts | null {
  const { key = EMPTY, value = EMPTY } = kv;
  const createRevision = numberOf(kv.createRevision);
  const modRevision = numberOf(kv.modRevision);
  const version = numberOf(kv.version);
  if (createRevision === null || modRevision === null || version === null) return null;
  if (kv.lease !== undefined && kv.lease !== 0n) return null;
  const size =
    (key.length === 0 ? 0 : lengthSize(key.length)) +
    numberSize(createRevision) +
    numberSize(modRevision) +
    numberSize(version) +
    (value.length === 0 ? 0 : lengthSize(value.length));
  return { key, createRevision, modRevision, version, value, size };
}

function writeKeyValue(writer: WireWriter, kv: KeyValueParts): void {
  writer.begin(lengthTag(2), kv.size);
  writer.data(lengthTag(1), kv.key);
  writer.number(varintTag(2), kv.createRevision);
  writer.number(varintTag(3), kv.modRevision);
  writer.number(varintTag(4), kv.version);
  writer.data(lengthTag(5), kv.value);
}

function numberOf(value: bigint | undefined): number | null {
  if (value === undefined) return 0;
  const number = Number(value);
  return fits(number) ? number : null;
}

/** A cluster's id is always the same, and takes more than a safe integer. */
let lastClusterId = 0n;
let lastClusterIdField: Uint8Array = EMPTY;

/** With its tag. Null: more than 64 bits, or below 0. */
function clusterIdField(clusterId = 0n): Uint8Array | null {
  if (clusterId === lastClusterId) return lastClusterIdField;
  if (clusterId < 0n || clusterId >= 2n ** 64n) return null;
  const bytes: number[] = clusterId === 0n ? [] : [varintTag(1)];
  for (let rest = clusterId; rest > 0n; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
  }
  lastClusterId = clusterId;
  lastClusterIdField = Uint8Array.from(bytes);
  return lastClusterIdField;
}
