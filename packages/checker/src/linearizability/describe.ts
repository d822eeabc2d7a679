import type { Action, Operation, Value } from "../history.ts";

/** An operation as a person would say it: `client 3 read x = "7" (from 10 to 20)`. */
export function describeOperation(operation: Operation): string {
  const { client, call, outcome } = operation;
  const end = operation.return === null ? "without an answer" : `to ${operation.return}`;
  const unknown = outcome === "unknown" && operation.return !== null ? ", outcome unknown" : "";
  return `client ${client} ${describeAction(operation.action)} (from ${call} ${end}${unknown})`;
}

/** What was done and what came of it: `read x = "7"`. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "get":
      return `read ${action.key} = ${textOf(action.value)}`;
    case "put":
      return `put ${action.key} = ${textOf(action.value)}`;
    case "delete":
      return `deleted ${action.key}`;
    case "cas": {
      const change = `${action.key} from ${textOf(action.expected)} to ${textOf(action.value)}`;
      if (action.swapped === null) return `tried to change ${change}`;
      return action.swapped ? `changed ${change}` : `was refused to change ${change}`;
    }
    case "txn": {
      const list = (cells: readonly { key: string; value: Value }[]): string =>
        cells.map(({ key, value }) => `${key} = ${textOf(value)}`).join(", ") || "nothing";
      const done = action.succeeded === false ? "did not write" : "wrote";
      return `if ${list(action.compare)} ${done} ${list(action.writes)}, saw ${list(action.reads)}`;
    }
  }
}

export function textOf(value: Value): string {
  return value === null ? "nothing" : JSON.stringify(value);
}
