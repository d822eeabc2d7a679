/** A second opinion on tiny histories, by trying every order. */
import type { Operation, Value } from "../history.ts";

type State = ReadonlyMap<string, Value>;

/** The states that an operation can leave behind; none if what it was told can't be. */
function outcomes(state: State, { action, outcome }: Operation): readonly State[] {
  const value = (key: string): Value => state.get(key) ?? null;
  const written = (cells: readonly { key: string; value: Value }[]): State =>
    new Map([...state, ...cells.map((cell) => [cell.key, cell.value] as const)]);
  const unknown = outcome === "unknown";
  switch (action.kind) {
    case "get":
      return unknown || value(action.key) === action.value ? [state] : [];
    case "put":
      return [written([action])];
    case "delete":
      return [written([{ key: action.key, value: null }])];
    case "cas": {
      const holds = value(action.key) === action.expected;
      if (!unknown && holds !== action.swapped) return [];
      return [holds ? written([action]) : state];
    }
    case "txn": {
      const holds = action.compare.every((cell) => value(cell.key) === cell.value);
      if (!unknown && holds !== action.succeeded) return [];
      const after = holds ? written(action.writes) : state;
      const fits = action.reads.every((cell) => (after.get(cell.key) ?? null) === cell.value);
      return unknown || fits ? [after] : [];
    }
  }
}

/**
 * The definition itself, tried out: some operation that may come first, then some order of the
 * rest. For a handful of operations.
 */
export function isExplainable(history: readonly Operation[], state: State = new Map()): boolean {
  const definite = history.filter(({ outcome }) => outcome === "ok");
  if (definite.length === 0) return true;
  const firstReturn = Math.min(...definite.map((operation) => operation.return!));
  return history.some((operation) => {
    if (operation.outcome === "fail" || operation.call > firstReturn) return false;
    const rest = history.filter((other) => other !== operation);
    return outcomes(state, operation).some((after) => isExplainable(rest, after));
  });
}
