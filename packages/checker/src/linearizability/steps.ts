/**
 * Operations in the form in which the search works on them: keys and values as small numbers,
 * conditions and effects spelled out.
 */
import type { Action, KeyValue, Operation, Value } from "../history.ts";

export const ABSENT = 0;
/** Any value that no operation saw or compared with: nobody could tell two of them apart. */
export const UNSEEN = 1;

/** A key (as a slot of the state) and a value. */
export interface Cell {
  readonly slot: number;
  readonly value: number;
}

export interface Step {
  readonly operation: Operation;
  readonly call: number;
  /** Infinite if no answer came. */
  readonly return: number;
  /** Nobody knows whether it ever took effect. */
  readonly optional: boolean;
  /** True: all of `compare` hold and it writes. False: not all hold. null: as it may be. */
  readonly succeeds: boolean | null;
  readonly compare: readonly Cell[];
  readonly writes: readonly Cell[];
  /** Must be so after the writes. */
  readonly reads: readonly Cell[];
  /** Values, other than its own writes, that it must have found: it depends on their writers. */
  readonly requires: readonly Cell[];
  /** It can't change the state, whatever the state is. */
  readonly observes: boolean;
  /** It writes one key, whatever was there, and saw nothing. */
  readonly isBlind: boolean;
}

/** The operations that share keys, directly or through others: nothing outside matters to them. */
export interface Group {
  readonly keys: readonly string[];
  /** By call, then return. */
  readonly steps: readonly Step[];
}

/** Leaves out what says nothing: failures had no effect, and an unanswered read told nothing. */
function isMeaningful({ action, outcome }: Operation): boolean {
  if (outcome === "fail") return false;
  if (outcome === "ok") return true;
  return action.kind !== "get" && !(action.kind === "txn" && action.writes.length === 0);
}

export function groupsOf(history: readonly Operation[]): readonly Group[] {
  const operations = history.filter(isMeaningful);
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    return root;
  };
  const keysByOperation = operations.map(({ action }) => cellsOf(action).map(({ key }) => key));
  for (const keys of keysByOperation) {
    const first = keys[0];
    if (first === undefined) continue;
    for (const key of keys) {
      const [left, right] = [rootOf(first), rootOf(key)];
      if (left !== right) parents.set(right, left);
    }
  }
  const byRoot = new Map<string, { keys: Set<string>; operations: Operation[] }>();
  for (const [at, operation] of operations.entries()) {
    const keys = keysByOperation[at]!;
    // Whoever touches no key at all still has to make sense.
    const root = rootOf(keys[0] ?? "");
    const group = byRoot.get(root) ?? { keys: new Set(), operations: [] };
    byRoot.set(root, group);
    group.operations.push(operation);
    for (const key of keys) group.keys.add(key);
  }
  return [...byRoot.values()].map(({ keys, operations }) => toGroup([...keys], operations));
}

function toGroup(keys: readonly string[], operations: readonly Operation[]): Group {
  const slots = new Map(keys.map((key, slot) => [key, slot]));
  const values = new Map<Value, number>();
  for (const { action } of operations) {
    const { compare, reads } = effectsOf(action, false);
    for (const { value } of [...compare, ...reads]) {
      if (value !== null && !values.has(value)) values.set(value, values.size + 2);
    }
  }
  const cell = ({ key, value }: KeyValue): Cell => ({
    slot: slots.get(key)!,
    value: value === null ? ABSENT : (values.get(value) ?? UNSEEN),
  });
  const steps = operations.map((operation) => toStep(operation, cell));
  return {
    keys,
    steps: steps.toSorted(
      (left, right) =>
        left.call - right.call || (left.return === right.return ? 0 : left.return - right.return),
    ),
  };
}

function toStep(operation: Operation, cell: (keyValue: KeyValue) => Cell): Step {
  const { action, outcome } = operation;
  const optional = outcome === "unknown";
  const base = {
    operation,
    call: operation.call,
    return: optional ? Number.POSITIVE_INFINITY : (operation.return ?? Number.POSITIVE_INFINITY),
    optional,
  };
  const effects = effectsOf(action, optional);
  const compare = effects.compare.map(cell);
  const writes = effects.writes.map(cell);
  const reads = effects.reads.map(cell);
  const { succeeds } = effects;
  const overwritten = succeeds === false ? [] : writes;
  const read = reads.filter(({ slot }) => !overwritten.some((write) => write.slot === slot));
  const requires = optional ? [] : distinct(succeeds === true ? [...compare, ...read] : read);
  const observes = !optional && (writes.length === 0 || succeeds === false);
  const isBlind = compare.length === 0 && reads.length === 0 && writes.length === 1;
  return { ...base, succeeds, compare, writes, reads, requires, observes, isBlind };
}

function distinct(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter(
    ({ slot, value }, at) =>
      cells.findIndex((cell) => cell.slot === slot && cell.value === value) === at,
  );
}

interface Effects {
  readonly succeeds: boolean | null;
  readonly compare: readonly KeyValue[];
  readonly writes: readonly KeyValue[];
  readonly reads: readonly KeyValue[];
}

export function effectsOf(action: Action, optional: boolean): Effects {
  const none = { compare: [], writes: [], reads: [] };
  switch (action.kind) {
    case "get":
      return { ...none, succeeds: true, reads: [{ key: action.key, value: action.value }] };
    case "put":
      return { ...none, succeeds: true, writes: [{ key: action.key, value: action.value }] };
    case "delete":
      return { ...none, succeeds: true, writes: [{ key: action.key, value: null }] };
    case "cas":
      return {
        succeeds: optional ? null : action.swapped,
        compare: [{ key: action.key, value: action.expected }],
        writes: [{ key: action.key, value: action.value }],
        reads: [],
      };
    case "txn":
      return {
        succeeds: optional ? null : action.succeeded,
        compare: action.compare,
        writes: action.writes,
        reads: optional ? [] : action.reads,
      };
  }
}

function cellsOf(action: Action): readonly KeyValue[] {
  const { compare, writes, reads } = effectsOf(action, false);
  return [...compare, ...writes, ...reads];
}
