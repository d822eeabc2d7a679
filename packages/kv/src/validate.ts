/**
 * What can be refused before it is proposed: the shape of a request, whatever the state. These are
 * etcd's rules (server/etcdserver/api/v3rpc/key.go), with its codes and texts.
 */
import { nameOf } from "./bytes.ts";
import { numbersOf } from "./command.ts";
import { ERRORS } from "./errors.ts";
import { NameRanges, endNameOf } from "./key-range.ts";
import type {
  CompactRequest,
  Compare,
  KvFailure,
  KvLimits,
  Operation,
  TxnRequest,
} from "./types.ts";
import { DEFAULT_LIMITS } from "./types.ts";

/** null: nothing to object to. */
export function validate(
  request: Operation | CompactRequest,
  limits: KvLimits = DEFAULT_LIMITS,
): KvFailure | null {
  if (request.kind === "compact") return null;
  const refused = validateOperation(request, limits.txnOperationsMax);
  if (refused !== null) return refused;
  return sizeOf(request) > limits.requestBytesMax ? ERRORS.requestTooLarge : null;
}

function validateOperation(operation: Operation, operationsMax: number): KvFailure | null {
  if (operation.kind === "txn") return validateTxn(operation, operationsMax);
  if (operation.key.length === 0) return ERRORS.emptyKey;
  if (operation.kind !== "put") return null;
  const { lease = 0n } = operation;
  if (operation.ignoreValue === true && operation.value.length > 0) return ERRORS.valueProvided;
  if (operation.ignoreLease === true && lease !== 0n) return ERRORS.leaseProvided;
  return lease === 0n ? null : ERRORS.leaseNotFound;
}

function validateTxn(txn: TxnRequest, operationsMax: number): KvFailure | null {
  const { compare, success, failure } = txn;
  const operations = Math.max(compare.length, success.length, failure.length);
  if (operations > operationsMax) return ERRORS.tooManyOperations;
  if (compare.some(({ key }) => key.length === 0)) return ERRORS.emptyKey;
  for (const operation of [...success, ...failure]) {
    const refused = validateOperation(operation, operationsMax - operations);
    if (refused !== null) return refused;
  }
  return hasDuplicates(success) || hasDuplicates(failure) ? ERRORS.duplicateKey : null;
}

/** What an operation takes beside its keys and values, and what a number takes, in a command. */
const OPERATION_BYTES = 6;
const NUMBER_BYTES = 8;

/** About the bytes that the command will have: an entry that follows from it must fit a message. */
function sizeOf(operation: Operation): number {
  switch (operation.kind) {
    case "put":
      return OPERATION_BYTES + operation.key.length + operation.value.length;
    case "delete-range":
      return OPERATION_BYTES + operation.key.length + (operation.rangeEnd?.length ?? 0);
    case "range": {
      const { key, rangeEnd } = operation;
      const numbers = numbersOf(operation);
      const numbered = numbers.some((number) => number !== 0);
      const numberBytes = numbered ? numbers.length * NUMBER_BYTES : 0;
      return OPERATION_BYTES + key.length + (rangeEnd?.length ?? 0) + numberBytes;
    }
    case "txn": {
      let size = OPERATION_BYTES;
      for (const compare of operation.compare) size += compareSizeOf(compare);
      for (const inner of operation.success) size += sizeOf(inner);
      for (const inner of operation.failure) size += sizeOf(inner);
      return size;
    }
  }
}

function compareSizeOf({ key, rangeEnd, target, operand }: Compare): number {
  const operandBytes = target === "value" ? operand.length : NUMBER_BYTES;
  return OPERATION_BYTES + key.length + (rangeEnd?.length ?? 0) + operandBytes;
}

/** What a branch puts and deletes, nested txns included. */
interface Touched {
  readonly puts: Set<string>;
  readonly deletes: NameRanges;
}

function hasDuplicates(branch: readonly Operation[]): boolean {
  return touchedBy(branch) === null;
}

/**
 * null if the branch puts a key twice, or puts a key that it deletes. The two branches of one
 * nested txn exclude each other, so both may put a key.
 */
function touchedBy(branch: readonly Operation[]): Touched | null {
  const puts = new Set<string>();
  const deletes = new NameRanges();
  for (const operation of branch) {
    if (operation.kind !== "delete-range") continue;
    const start = nameOf(operation.key);
    deletes.add(start, endNameOf(start, operation.rangeEnd));
  }
  const taken = (name: string): boolean => puts.has(name) || deletes.has(name);

  for (const operation of branch) {
    if (operation.kind !== "txn") continue;
    const success = touchedBy(operation.success);
    const failure = touchedBy(operation.failure);
    if (success === null || failure === null) return null;
    const nested = new Set([...success.puts, ...failure.puts]);
    for (const name of nested) if (taken(name)) return null;
    for (const name of nested) puts.add(name);
    deletes.addAll(success.deletes);
    deletes.addAll(failure.deletes);
  }
  for (const operation of branch) {
    if (operation.kind !== "put") continue;
    const name = nameOf(operation.key);
    if (taken(name)) return null;
    puts.add(name);
  }
  return { puts, deletes };
}
