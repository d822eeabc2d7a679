/** Ways to spoil a history: what broken stores, and broken clients, would leave behind. */
import type { Action, Operation, Value } from "../history.ts";
import { generateHistory } from "./histories.ts";
import type { Chance, HistoryShape } from "./histories.ts";

export type Spoil = (history: readonly Operation[], chance: Chance) => Operation[];

type Get = Operation & { readonly action: Action & { readonly kind: "get" } };
type Cas = Operation & { readonly action: Action & { readonly kind: "cas" } };

/** Two reads of one key, of different values, exchange what they saw (if there are such). */
export function swapReads(history: readonly Operation[], chance: Chance): Operation[] {
  const reads = history.filter(isRead);
  for (let tries = 0; reads.length > 0 && tries < 100; tries += 1) {
    const [left, right] = [any(reads, chance), any(reads, chance)];
    if (left.action.key !== right.action.key || left.action.value === right.action.value) continue;
    return history.map((operation) => {
      if (operation === left) return { ...left, action: right.action };
      return operation === right ? { ...right, action: left.action } : operation;
    });
  }
  return [...history];
}

/** An operation is said to have been answered as soon as it was asked for. */
export function moveReturn(history: readonly Operation[], chance: Chance): Operation[] {
  const victim = any(
    history.filter(({ outcome }) => outcome === "ok"),
    chance,
  );
  return history.map((operation) =>
    operation === victim ? { ...victim, return: victim.call } : operation,
  );
}

/** A read sees what another one saw that was answered before it began. */
export function readStale(history: readonly Operation[], chance: Chance): Operation[] {
  return replaceRead(history, chance, (victim, reads) => {
    const older = reads.filter(
      ({ return: end, action }) =>
        action.key === victim.action.key &&
        end! < victim.call &&
        action.value !== victim.action.value,
    );
    return older.length === 0 ? undefined : any(older, chance).action.value;
  });
}

/** A read sees what nobody ever wrote. */
export function readFromNowhere(history: readonly Operation[], chance: Chance): Operation[] {
  return replaceRead(history, chance, () => "nobody wrote this");
}

/** Of two reads, one after the other, of values that came one after the other, the order is wrong. */
export function reorderReads(history: readonly Operation[], chance: Chance): Operation[] {
  const reads = history.filter(isRead);
  const early = any(reads, chance);
  const late = reads.find(
    ({ call, action: { key, value } }) =>
      call > early.return! && key === early.action.key && value !== early.action.value,
  );
  if (late === undefined) return [...history];
  return history.map((operation) => {
    if (operation === early) return { ...early, action: late.action };
    return operation === late ? { ...late, action: early.action } : operation;
  });
}

/** What a write of unknown outcome wrote was seen, and gone, and is seen again. */
export function reappear(history: readonly Operation[], chance: Chance): Operation[] {
  const open = new Set<string>();
  for (const { action, outcome } of history) {
    if (outcome === "unknown" && action.kind === "put") open.add(`${action.key} ${action.value}`);
  }
  const reads = history.filter(isRead);
  const first = reads.filter(({ action }) => open.has(`${action.key} ${action.value}`));
  if (first.length === 0) return [...history];
  const seen = any(first, chance);
  return replaceRead(history, chance, (victim) => {
    const { key, value } = victim.action;
    if (key !== seen.action.key || value === seen.action.value) return undefined;
    const gone = reads.some(
      ({ action, call, return: end }) =>
        action.key === key &&
        action.value !== seen.action.value &&
        call > seen.return! &&
        end! < victim.call,
    );
    return gone ? seen.action.value : undefined;
  });
}

/** A cas that was refused is said to have swapped, or the other way round. */
export function flipSwapped(history: readonly Operation[], chance: Chance): Operation[] {
  const answered = history.filter(
    (operation): operation is Cas => operation.action.kind === "cas" && operation.outcome === "ok",
  );
  if (answered.length === 0) return [...history];
  const victim = any(answered, chance);
  return history.map((operation) =>
    operation === victim
      ? { ...victim, action: { ...victim.action, swapped: !victim.action.swapped! } }
      : operation,
  );
}

export type MakeHistory = (shape: HistoryShape, chance: Chance) => Operation[];

const spoiltBy =
  (spoil: Spoil): MakeHistory =>
  (shape, chance) =>
    spoil(generateHistory(shape, chance), chance);
const losing =
  (lost: number): MakeHistory =>
  (shape, chance) =>
    generateHistory({ ...shape, lost }, chance);

/** By name; the first is good, each other one is spoilt (in some it does not show). */
export const MAKES: Readonly<Record<string, MakeHistory>> = {
  good: generateHistory,
  "a stale read": spoiltBy(readStale),
  "a write lost": losing(1),
  "ten writes lost": losing(10),
  "a value from nowhere": spoiltBy(readFromNowhere),
  "two reads swapped": spoiltBy(swapReads),
  "two reads out of order": spoiltBy(reorderReads),
  "a write that reappears": spoiltBy(reappear),
  "swapped said wrongly": spoiltBy(flipSwapped),
  "a return too early": spoiltBy(moveReturn),
};

/** Gives some read another answer: the first, from a random place on, that has one. */
function replaceRead(
  history: readonly Operation[],
  chance: Chance,
  answer: (victim: Get, reads: readonly Get[]) => Value | undefined,
): Operation[] {
  const reads = history.filter(isRead);
  const start = chance.integer(0, Math.max(0, reads.length - 1));
  for (const victim of [...reads.slice(start), ...reads.slice(0, start)]) {
    const value = answer(victim, reads);
    if (value === undefined) continue;
    return history.map((operation) =>
      operation === victim ? { ...victim, action: { ...victim.action, value } } : operation,
    );
  }
  return [...history];
}

function isRead(operation: Operation): operation is Get {
  return operation.action.kind === "get" && operation.outcome === "ok";
}

function any<Item>(items: readonly Item[], chance: Chance): Item {
  const item = items[chance.integer(0, items.length - 1)];
  if (item === undefined) throw new Error("cannot choose: expected at least one, got none");
  return item;
}
