/** Long histories and many clients: the search must stay short, whatever the verdict. */
import { expect, test } from "vitest";
import type { Action, Operation, Outcome, Value } from "../history.ts";
import { checkLinearizable } from "./check.ts";

interface Shape {
  readonly seed: number;
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** One write in so many has an unknown outcome; 0: none. */
  readonly unknownIn: number;
}

/** A small generator (mulberry32): the same numbers on every engine. */
function createNumbers(seed: number): (min: number, max: number) => number {
  let state = seed;
  return (min, max) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1));
  };
}

/** What clients of a real register would see: each operation takes effect at one moment. */
function generate({ seed, operations, clients, keys, unknownIn }: Shape): Operation[] {
  const number = createNumbers(seed);
  const state = new Map<string, Value>();
  const history: Operation[] = [];
  const freeAt = Array.from({ length: clients }, () => number(0, 100));
  const plans = Array.from({ length: operations }, (_, at) => {
    const client = freeAt.indexOf(Math.min(...freeAt));
    const call = freeAt[client]!;
    const effect = call + number(1, 100);
    const end = effect + number(1, 100);
    freeAt[client] = end + number(1, 20);
    return { at, client, call, effect, end };
  });
  for (const { at, client, call, end } of plans.toSorted((a, b) => a.effect - b.effect)) {
    const key = `k${number(1, keys)}`;
    const current = state.get(key) ?? null;
    const value = `v${at}`;
    const dice = number(0, 99);
    const unknown = dice >= 45 && unknownIn > 0 && number(1, unknownIn) === 1;
    const outcome: Outcome = unknown ? "unknown" : "ok";
    const expected = number(0, 3) > 0 ? current : `v${number(0, at)}`;
    const swapped = unknown ? null : current === expected;
    let action: Action = { kind: "cas", key, expected, value, swapped };
    if (dice < 45) action = { kind: "get", key, value: current };
    else if (dice < 75) action = { kind: "put", key, value };
    else if (dice < 83) action = { kind: "delete", key };
    history.push({ client, action, call, return: unknown ? null : end, outcome });
    const takesEffect = !unknown || number(0, 1) === 1;
    if (!takesEffect || action.kind === "get") continue;
    if (action.kind === "delete") state.set(key, null);
    else if (action.kind === "put" || current === expected) state.set(key, value);
  }
  return history;
}

/** Two reads of one key change places in time: mostly nothing explains that. */
function tamper(history: readonly Operation[], seed: number): Operation[] {
  const number = createNumbers(seed);
  const reads = history.filter(({ action }) => action.kind === "get" && action.value !== null);
  const first = reads[number(0, Math.floor(reads.length / 2))]!;
  const second = reads.find(
    ({ action, call }) =>
      call > first.return! &&
      action.kind === "get" &&
      first.action.kind === "get" &&
      action.key === first.action.key &&
      action.value !== first.action.value,
  )!;
  return history.map((operation) => {
    if (operation === first) return { ...first, action: second.action };
    return operation === second ? { ...second, action: first.action } : operation;
  });
}

const LONG: Shape = { seed: 1, operations: 10_000, clients: 10, keys: 20, unknownIn: 12 };
const CROWDED: Shape = { seed: 1, operations: 500, clients: 50, keys: 1, unknownIn: 12 };

for (const [name, shape, visitedMax] of [
  ["10,000 operations of 10 clients on 20 keys", LONG, 50_000],
  ["500 operations of 50 clients on one key", CROWDED, 500_000],
] as const) {
  test(`${name}: good ones are found good`, { timeout: 120_000 }, () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const result = checkLinearizable(generate({ ...shape, seed }));
      expect(result.explanation).toBe("");
      expect(result.verdict).toBe("ok");
      expect(result.visitedCount).toBeLessThan(visitedMax);
    }
  });

  test(`${name}: tampered ones are found out`, { timeout: 120_000 }, () => {
    let illegal = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      const result = checkLinearizable(tamper(generate({ ...shape, seed }), seed));
      expect(result.verdict).not.toBe("unknown");
      expect(result.visitedCount).toBeLessThan(visitedMax);
      if (result.verdict === "ok") continue;
      illegal += 1;
      expect(checkLinearizable(result.window).verdict).toBe("illegal");
    }
    expect(illegal).toBeGreaterThan(3);
  });
}
