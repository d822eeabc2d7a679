/** Every refusal, with etcd's code and text (api/v3rpc/rpctypes): its clients compare the text. */
import type { KvErrorCode, KvFailure } from "./types.ts";

function failure(code: KvErrorCode, message: string): KvFailure {
  return { ok: false, code, message };
}

export const ERRORS = {
  emptyKey: failure("invalid-argument", "etcdserver: key is not provided"),
  keyNotFound: failure("invalid-argument", "etcdserver: key not found"),
  valueProvided: failure("invalid-argument", "etcdserver: value is provided"),
  leaseProvided: failure("invalid-argument", "etcdserver: lease is provided"),
  tooManyOperations: failure("invalid-argument", "etcdserver: too many operations in txn request"),
  duplicateKey: failure("invalid-argument", "etcdserver: duplicate key given in txn request"),
  invalidSortOption: failure("invalid-argument", "etcdserver: invalid sort option"),
  requestTooLarge: failure("invalid-argument", "etcdserver: request is too large"),
  compacted: failure("out-of-range", "etcdserver: mvcc: required revision has been compacted"),
  futureRevision: failure(
    "out-of-range",
    "etcdserver: mvcc: required revision is a future revision",
  ),
  leaseNotFound: failure("not-found", "etcdserver: requested lease not found"),
} as const;

/** For bytes that `encodeCommand` cannot have written. */
export function malformed(what: string, bytes: Uint8Array): KvFailure {
  const start = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0"));
  return failure(
    "invalid-argument",
    `cannot read a ${what} of ${bytes.length} bytes: ` +
      `expected one made by this version's encoder, found ${start.join(" ") || "nothing"}`,
  );
}
