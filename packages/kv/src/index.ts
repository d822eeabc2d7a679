/**
 * The key-value state machine: multi-version, with etcd's meaning of revisions.
 *
 *     const kv = createKv();
 *     kv.apply(encodePut(bytesOf("fruit"), bytesOf("pear")), 1);
 *     // { result: { ok: true, response: { kind: "put", revision: 2, prevKv: null } }, changes }
 *     kv.range({ kind: "range", key: bytesOf("fruit") });
 *     // { ok: true, response: { kind: "range", revision: 2, kvs: [...], more: false, count: 1 } }
 *
 * `validate` says before a proposal what `apply` would refuse whatever the state.
 */
export { decodeAnswer, encodeAnswer } from "./answer.ts";
export { bytesOf, compareBytes, prefixEnd, textOf } from "./bytes.ts";
export { decodeCommand, decodeRange, encodeCommand, encodePut, encodeRange } from "./command.ts";
export { describeRequest } from "./describe.ts";
export { ERRORS } from "./errors.ts";
export { decodeResult, encodeResult } from "./result.ts";
export { createKv } from "./machine.ts";
export type { KvApplied, KvChange, KvMachine, KvOptions, KvStats } from "./machine.ts";
export { DEFAULT_LIMITS } from "./types.ts";
export type {
  Command,
  CompactRequest,
  CompactResponse,
  Compare,
  CompareResult,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyRange,
  KeyValue,
  KvErrorCode,
  KvFailure,
  KvLimits,
  KvResponse,
  KvResult,
  Operation,
  OperationResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  SortOrder,
  SortTarget,
  TxnRequest,
  TxnResponse,
} from "./types.ts";
export { validate } from "./validate.ts";
export { isReadOnly } from "./write.ts";
