/**
 * A second oracle: a tiny key-value model of its own, run over the committed log. Every answer
 * that a client got is compared with the model's, and with real time: what was answered before an
 * operation began must be in the log before it. Together with the invariants this is
 * linearizability, decided in constant time an operation because the order of the log is known.
 */
import type { Action, Value } from "@raftarium/checker";

/** What the machine says to a command or a question, reduced to what can be compared. */
export interface Answer {
  readonly revision: number;
  readonly succeeded: boolean;
  readonly values: readonly Value[];
}

export interface Model {
  readonly appliedIndex: number;
  /** Carries out the next committed entry; null: a no-op, or no command of a client. */
  apply(action: Action | null): void;
  /** What the command at `index` answered; null for what is no client's command. */
  answerAt(index: number): Answer | null;
  /** The value of `key` once everything up to `index` is carried out. */
  valueAt(key: string, index: number): Value;
  revisionAt(index: number): number;
  /** All keys and values, sorted by key. */
  stateText(): string;
}

interface Version {
  readonly index: number;
  readonly value: Value;
}

export function createModel(): Model {
  const answers: (Answer | null)[] = [null];
  const revisions: number[] = [1];
  const histories = new Map<string, Version[]>();
  let revision = 1;

  function current(key: string): Value {
    return histories.get(key)?.at(-1)?.value ?? null;
  }

  function write(index: number, key: string, value: Value): void {
    let history = histories.get(key);
    if (history === undefined) {
      history = [];
      histories.set(key, history);
    }
    history.push({ index, value });
  }

  function carryOut(index: number, action: Action): Answer {
    switch (action.kind) {
      case "get":
        return { revision, succeeded: true, values: [current(action.key)] };
      case "put":
        revision += 1;
        write(index, action.key, action.value);
        return { revision, succeeded: true, values: [] };
      case "delete": {
        const existed = current(action.key) !== null;
        if (existed) {
          revision += 1;
          write(index, action.key, null);
        }
        return { revision, succeeded: existed, values: [] };
      }
      case "cas": {
        const swaps = current(action.key) === action.expected;
        if (swaps) {
          revision += 1;
          write(index, action.key, action.value);
        }
        const values = swaps ? [] : [current(action.key)];
        return { revision, succeeded: swaps, values };
      }
      case "txn": {
        const succeeded = action.compare.every(({ key, value }) => current(key) === value);
        if (succeeded) {
          let changed = false;
          for (const { key, value } of action.writes) {
            if (value === null && current(key) === null) continue;
            changed = true;
            write(index, key, value);
          }
          if (changed) revision += 1;
        }
        return { revision, succeeded, values: action.reads.map(({ key }) => current(key)) };
      }
    }
  }

  const model = {
    appliedIndex: 0,
    apply(action: Action | null) {
      const index = answers.length;
      model.appliedIndex = index;
      answers.push(action === null ? null : carryOut(index, action));
      revisions.push(revision);
    },
    answerAt: (index: number) => answers[index] ?? null,
    valueAt(key: string, index: number) {
      const history = histories.get(key);
      if (history === undefined) return null;
      // Reads are of the recent past: look from the end.
      for (let position = history.length - 1; position >= 0; position -= 1) {
        const version = history[position]!;
        if (version.index <= index) return version.value;
      }
      return null;
    },
    revisionAt: (index: number) => revisions[index] ?? 0,
    stateText() {
      const keys = [...histories.keys()].filter((key) => current(key) !== null).toSorted();
      return `revision ${revision}: ${keys.map((key) => `${key}=${current(key)}`).join(", ")}`;
    },
  };
  return model;
}
