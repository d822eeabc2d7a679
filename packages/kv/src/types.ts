/** What can be asked of the key-value machine, and what it answers. The words are etcd's. */

/** One key as it was at one revision. Byte arrays belong to the store: read, never write. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** The revision at which the key came to life; kept while it lives. */
  readonly createRevision: number;
  /** The revision of this very value. */
  readonly modRevision: number;
  /** Puts since the key came to life, this one included; from 1 up. */
  readonly version: number;
}

export type SortOrder = "none" | "ascend" | "descend";
export type SortTarget = "key" | "version" | "create" | "mod" | "value";

/**
 * Keys from `key` on. `rangeEnd` empty: this one key. One zero byte: all keys from `key` on.
 * Otherwise: up to, and without, `rangeEnd`. See `prefixEnd` for all keys with a prefix.
 */
export interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
}

export interface RangeRequest extends KeyRange {
  readonly kind: "range";
  /** 0 or less: no limit. Applies after filters and sorting. */
  readonly limit?: number;
  /** 0 or less: the newest. */
  readonly revision?: number;
  readonly sortOrder?: SortOrder;
  readonly sortTarget?: SortTarget;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  /** Filters on the revisions of the keys found; 0: none. */
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface PutRequest {
  readonly kind: "put";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Answer with what was there before. */
  readonly prevKv?: boolean;
  /** Keep the value (a new revision all the same). The key must exist. */
  readonly ignoreValue?: boolean;
  /** Keep the lease. The key must exist. */
  readonly ignoreLease?: boolean;
  /** There are no leases yet: anything but 0 is refused. */
  readonly lease?: bigint;
}

export interface DeleteRangeRequest extends KeyRange {
  readonly kind: "delete-range";
  /** Answer with what was deleted. */
  readonly prevKv?: boolean;
}

export type CompareResult = "equal" | "greater" | "less" | "not-equal";

/** Holds if it holds for every key in the range. A missing key compares as all zeros. */
export type Compare = KeyRange & { readonly result: CompareResult } & (
    | { readonly target: "version" | "create" | "mod" | "lease"; readonly operand: number }
    /** Never holds for a missing key, whatever the result asked for. */
    | { readonly target: "value"; readonly operand: Uint8Array }
  );

export type Operation = RangeRequest | PutRequest | DeleteRangeRequest | TxnRequest;

/** All compares of a txn, nested ones too, see the state before any of its writes. */
export interface TxnRequest {
  readonly kind: "txn";
  readonly compare: readonly Compare[];
  /** Carried out, in order, if all compares hold. */
  readonly success: readonly Operation[];
  /** Carried out, in order, otherwise. */
  readonly failure: readonly Operation[];
}

/** Forgets what was overwritten or deleted before `revision`: older reads are refused. */
export interface CompactRequest {
  readonly kind: "compact";
  readonly revision: number;
}

/** What goes through the log. */
export type Command = PutRequest | DeleteRangeRequest | TxnRequest | CompactRequest;

export interface RangeResponse {
  readonly kind: "range";
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  /** The limit cut something off. */
  readonly more: boolean;
  /** All keys in the range, whatever the limit and the filters. */
  readonly count: number;
}

export interface PutResponse {
  readonly kind: "put";
  readonly revision: number;
  readonly prevKv: KeyValue | null;
}

export interface DeleteRangeResponse {
  readonly kind: "delete-range";
  readonly revision: number;
  readonly deleted: number;
  /** Empty unless asked for. */
  readonly prevKvs: readonly KeyValue[];
}

export interface TxnResponse {
  readonly kind: "txn";
  readonly revision: number;
  readonly succeeded: boolean;
  /** One for each operation of the branch taken. */
  readonly responses: readonly OperationResponse[];
}

export interface CompactResponse {
  readonly kind: "compact";
  readonly revision: number;
}

export type OperationResponse = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse;
export type KvResponse = OperationResponse | CompactResponse;

export type KvErrorCode = "invalid-argument" | "out-of-range" | "not-found";

export interface KvFailure {
  readonly ok: false;
  readonly code: KvErrorCode;
  /** etcd's own text: its clients compare it. */
  readonly message: string;
}

export type KvResult<Response extends KvResponse = KvResponse> =
  | { readonly ok: true; readonly response: Response }
  | KvFailure;

export interface KvLimits {
  /** Of a request's encoded command. etcd's default: 1.5 MiB. */
  readonly requestBytesMax: number;
  /** Of each list of a txn, the lists of nested txns counted on top. etcd's default: 128. */
  readonly txnOperationsMax: number;
}

export const DEFAULT_LIMITS: KvLimits = {
  requestBytesMax: 1.5 * 1024 * 1024,
  txnOperationsMax: 128,
};
