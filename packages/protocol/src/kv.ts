/**
 * etcd's messages and the key-value machine's words, in both directions. 64-bit integers outside
 * of the safe ones become the nearest safe one: no revision ever gets there.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ERRORS } from "@raftarium/kv";
import type * as Kv from "@raftarium/kv";
import type * as Etcd from "./gen/etcdserverpb/rpc_pb.ts";
import type { KeyValueSchema } from "./gen/mvccpb/kv_pb.ts";

export { prefixEnd } from "@raftarium/kv";

/** Who answers, for the header of every response. */
export interface Answerer {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly raftTerm: bigint;
}

const SORT_ORDERS: readonly Kv.SortOrder[] = ["none", "ascend", "descend"];
const SORT_TARGETS: readonly Kv.SortTarget[] = ["key", "version", "create", "mod", "value"];
const RESULTS: readonly Kv.CompareResult[] = ["equal", "greater", "less", "not-equal"];
const TARGETS: readonly Kv.Compare["target"][] = ["version", "create", "mod", "value", "lease"];

export function rangeFromWire(wire: Etcd.RangeRequest): Kv.RangeRequest | Kv.KvFailure {
  const sortOrder = SORT_ORDERS[wire.sortOrder];
  const sortTarget = SORT_TARGETS[wire.sortTarget];
  if (sortOrder === undefined || sortTarget === undefined) return ERRORS.invalidSortOption;
  return {
    kind: "range",
    key: wire.key,
    rangeEnd: wire.rangeEnd,
    limit: numberOf(wire.limit),
    revision: numberOf(wire.revision),
    sortOrder,
    sortTarget,
    keysOnly: wire.keysOnly,
    countOnly: wire.countOnly,
    minModRevision: numberOf(wire.minModRevision),
    maxModRevision: numberOf(wire.maxModRevision),
    minCreateRevision: numberOf(wire.minCreateRevision),
    maxCreateRevision: numberOf(wire.maxCreateRevision),
  };
}

export function putFromWire(wire: Etcd.PutRequest): Kv.PutRequest {
  const { key, value, prevKv, ignoreValue, ignoreLease, lease } = wire;
  return { kind: "put", key, value, prevKv, ignoreValue, ignoreLease, lease };
}

export function deleteRangeFromWire(wire: Etcd.DeleteRangeRequest): Kv.DeleteRangeRequest {
  return { kind: "delete-range", key: wire.key, rangeEnd: wire.rangeEnd, prevKv: wire.prevKv };
}

export function compactFromWire(wire: Etcd.CompactionRequest): Kv.CompactRequest {
  return { kind: "compact", revision: numberOf(wire.revision) };
}

export function txnFromWire(wire: Etcd.TxnRequest): Kv.TxnRequest | Kv.KvFailure {
  const compare = all(wire.compare, compareFromWire);
  if ("ok" in compare) return compare;
  const success = all(wire.success, operationFromWire);
  if ("ok" in success) return success;
  const failure = all(wire.failure, operationFromWire);
  if ("ok" in failure) return failure;
  return { kind: "txn", compare, success, failure };
}

function all<From, To extends object>(
  items: readonly From[],
  convert: (item: From) => To | Kv.KvFailure,
): readonly To[] | Kv.KvFailure {
  const converted: To[] = [];
  for (const item of items) {
    const result = convert(item);
    if ("ok" in result) return result;
    converted.push(result);
  }
  return converted;
}

function operationFromWire({ request }: Etcd.RequestOp): Kv.Operation | Kv.KvFailure {
  switch (request.case) {
    case "requestRange":
      return rangeFromWire(request.value);
    case "requestPut":
      return putFromWire(request.value);
    case "requestDeleteRange":
      return deleteRangeFromWire(request.value);
    case "requestTxn":
      return txnFromWire(request.value);
    case undefined:
      return ERRORS.keyNotFound;
  }
}

function compareFromWire(wire: Etcd.Compare): Kv.Compare | Kv.KvFailure {
  const { key, rangeEnd, targetUnion } = wire;
  const result = RESULTS[wire.result];
  const target = TARGETS[wire.target];
  if (result === undefined || target === undefined) {
    return {
      ok: false,
      code: "invalid-argument",
      message:
        `cannot compare: expected a result of 0 to ${RESULTS.length - 1} and a target of 0 to ` +
        `${TARGETS.length - 1}, got ${wire.result} and ${wire.target}`,
    };
  }
  // What is compared with must be of the target's own kind; anything else counts as zero.
  if (target === "value") {
    const operand = targetUnion.case === "value" ? targetUnion.value : new Uint8Array(0);
    return { key, rangeEnd, result, target, operand };
  }
  const fits =
    targetUnion.case !== undefined &&
    targetUnion.case !== "value" &&
    targetUnion.case === OPERAND_FIELDS[target];
  return { key, rangeEnd, result, target, operand: fits ? numberOf(targetUnion.value) : 0 };
}

const OPERAND_FIELDS = {
  version: "version",
  create: "createRevision",
  mod: "modRevision",
  lease: "lease",
} as const;

export function rangeToWire(
  response: Kv.RangeResponse,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.RangeResponseSchema> {
  return {
    header: headerToWire(response.revision, answerer),
    kvs: response.kvs.map(keyValueToWire),
    more: response.more,
    count: BigInt(response.count),
  };
}

export function putToWire(
  response: Kv.PutResponse,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.PutResponseSchema> {
  const header = headerToWire(response.revision, answerer);
  if (response.prevKv === null) return { header };
  return { header, prevKv: keyValueToWire(response.prevKv) };
}

export function deleteRangeToWire(
  response: Kv.DeleteRangeResponse,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.DeleteRangeResponseSchema> {
  return {
    header: headerToWire(response.revision, answerer),
    deleted: BigInt(response.deleted),
    prevKvs: response.prevKvs.map(keyValueToWire),
  };
}

export function compactToWire(
  response: Kv.CompactResponse,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.CompactionResponseSchema> {
  return { header: headerToWire(response.revision, answerer) };
}

export function txnToWire(
  response: Kv.TxnResponse,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.TxnResponseSchema> {
  return {
    header: headerToWire(response.revision, answerer),
    succeeded: response.succeeded,
    responses: response.responses.map(operationToWire),
  };
}

/** Inside of a txn the header tells nothing but the revision, as in etcd. */
const NOBODY: Answerer = { clusterId: 0n, memberId: 0n, raftTerm: 0n };

function operationToWire(
  response: Kv.OperationResponse,
): MessageInitShape<typeof Etcd.ResponseOpSchema> {
  switch (response.kind) {
    case "range":
      return { response: { case: "responseRange", value: rangeToWire(response, NOBODY) } };
    case "put":
      return { response: { case: "responsePut", value: putToWire(response, NOBODY) } };
    case "delete-range":
      return {
        response: { case: "responseDeleteRange", value: deleteRangeToWire(response, NOBODY) },
      };
    case "txn":
      // A nested txn's header is empty altogether, as in etcd.
      return {
        response: {
          case: "responseTxn",
          value: {
            header: {},
            succeeded: response.succeeded,
            responses: response.responses.map(operationToWire),
          },
        },
      };
  }
}

export function headerToWire(
  revision: number,
  answerer: Answerer,
): MessageInitShape<typeof Etcd.ResponseHeaderSchema> {
  const { clusterId, memberId, raftTerm } = answerer;
  return { clusterId, memberId, revision: BigInt(revision), raftTerm };
}

function keyValueToWire(kv: Kv.KeyValue): MessageInitShape<typeof KeyValueSchema> {
  return {
    key: kv.key,
    value: kv.value,
    createRevision: BigInt(kv.createRevision),
    modRevision: BigInt(kv.modRevision),
    version: BigInt(kv.version),
  };
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

function numberOf(value: bigint): number {
  if (value > SAFE_MAX) return Number.MAX_SAFE_INTEGER;
  return value < -SAFE_MAX ? Number.MIN_SAFE_INTEGER : Number(value);
}
