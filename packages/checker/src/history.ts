/**
 * What clients asked and were told. Times are of one monotonic clock, in any unit; an operation
 * takes effect at one moment between `call` and `return`, both included.
 */

/**
 * `fail`: it definitely had no effect, and never will. `unknown`: it may have taken effect, or may
 * still. When in doubt it is unknown (a time limit that passed, a connection that broke).
 */
export type Outcome = "ok" | "fail" | "unknown";

/** The value of a key, or null where the key is absent. */
export type Value = string | null;

export type Action =
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  /** `value`: what the client read. */
  | { readonly kind: "get"; readonly key: string; readonly value: Value }
  | { readonly kind: "delete"; readonly key: string }
  /** Puts `value` if the key's value is `expected`. `swapped`: the answer; null if unknown. */
  | {
      readonly kind: "cas";
      readonly key: string;
      readonly expected: Value;
      readonly value: string;
      readonly swapped: boolean | null;
    }
  /**
   * If all of `compare` hold: `writes`, all at once. Otherwise nothing. `reads` are the values
   * that the answer told, seen after the writes. `succeeded` null: unknown.
   */
  | {
      readonly kind: "txn";
      readonly compare: readonly KeyValue[];
      readonly writes: readonly KeyValue[];
      readonly reads: readonly KeyValue[];
      readonly succeeded: boolean | null;
    };

/** `value` null: the key is absent, or is deleted. */
export interface KeyValue {
  readonly key: string;
  readonly value: Value;
}

export interface Operation {
  /** A row of the picture; it makes no difference to the verdict. */
  readonly client: number;
  readonly action: Action;
  readonly call: number;
  /** null: no answer came. */
  readonly return: number | null;
  readonly outcome: Outcome;
}

/** Something that was wrong for a while; drawn as a band behind the operations. */
export interface FaultBand {
  readonly label: string;
  /** In the times of the history. */
  readonly from: number;
  /** null: to the end. */
  readonly to: number | null;
}

/** The keys that an action touches, each once. */
export function keysOf(action: Action): readonly string[] {
  if (action.kind !== "txn") return [action.key];
  const keys = new Set<string>();
  for (const list of [action.compare, action.writes, action.reads]) {
    for (const { key } of list) keys.add(key);
  }
  return [...keys];
}
