/** Client histories as a correct store would give them, and ways to spoil them. */
import type { Action, Operation } from "../history.ts";

/** A source of chance: a whole number from `min` to `max`, both included. */
export interface Chance {
  integer(min: number, max: number): number;
}

export interface HistoryShape {
  readonly operations: number;
  readonly keys: number;
  /** So many operations are under way at any time. */
  readonly clients: number;
  /** One write in so many never gets an answer; half of those take effect, some much later. */
  readonly unknownOneIn: number;
  /** An operation takes up to so long, in nanoseconds. */
  readonly lengthMax: number;
  /** How long they take: anything; all as long; one in ten ten times as long; all at once, in step. */
  readonly lengths?: "any" | "alike" | "stragglers" | "in step";
  /** null: every write has a value of its own. Otherwise so many different values. */
  readonly values: number | null;
  /** So many answered writes, somewhere in the middle, take no effect: the store is broken. */
  readonly lost?: number;
  /** How often, against each other. */
  readonly mix: Readonly<Record<Action["kind"] & ("put" | "get" | "delete" | "cas"), number>>;
}

export const ORDINARY: HistoryShape = {
  operations: 10_000,
  keys: 20,
  clients: 10,
  unknownOneIn: 12,
  lengthMax: 1_000_000,
  values: null,
  mix: { put: 4, get: 5, delete: 0, cas: 1 },
};

interface Planned {
  readonly client: number;
  readonly key: string;
  readonly kind: keyof HistoryShape["mix"];
  readonly call: number;
  readonly return: number;
  /** When it takes effect; null: never. */
  readonly at: number | null;
  readonly unknown: boolean;
}

/** A history that is linearizable (unless writes get lost), by order of call. */
export function generateHistory(shape: HistoryShape, random: Chance): Operation[] {
  const planned = plan(shape, random);
  const store = new Map<string, string>();
  const actions = new Map<Planned, Action>();
  const answered = planned.filter(({ kind, unknown }) => kind === "put" && !unknown);
  const lost = new Set(
    Array.from({ length: answered.length === 0 ? 0 : (shape.lost ?? 0) }, () =>
      any(answered, random),
    ),
  );
  const byEffect = planned.toSorted((left, right) => (left.at ?? 0) - (right.at ?? 0));
  let written = 0;
  for (const operation of byEffect) {
    written += 1;
    const value = String(shape.values === null ? written : random.integer(1, shape.values));
    const where = operation.at === null || lost.has(operation) ? new Map(store) : store;
    actions.set(operation, carryOut(operation, where, value, random));
  }
  return planned.map((operation) => ({
    client: operation.client,
    action: actions.get(operation)!,
    call: operation.call,
    return: operation.unknown ? null : operation.return,
    outcome: operation.unknown ? "unknown" : "ok",
  }));
}

function plan(shape: HistoryShape, random: Chance): Planned[] {
  const planned: Planned[] = [];
  const bag = Object.entries(shape.mix).flatMap(([kind, count]) =>
    Array.from({ length: count }, () => kind as keyof HistoryShape["mix"]),
  );
  const clients = Array.from({ length: shape.clients }, (_, at) => ({ id: at + 1, free: at }));
  let lastClient = shape.clients;
  for (let count = 0; count < shape.operations; count += 1) {
    const client = clients.reduce((left, right) => (right.free < left.free ? right : left));
    const kind = bag[random.integer(0, bag.length - 1)]!;
    const [call, end] = times(client.free, shape, random);
    const unknown = kind !== "get" && random.integer(1, shape.unknownOneIn) === 1;
    const late = random.integer(0, 3);
    const at = !unknown
      ? random.integer(call, end)
      : late < 2
        ? null
        : call + random.integer(0, shape.lengthMax * (late === 2 ? 1 : 100));
    const key = `k${random.integer(1, shape.keys)}`;
    planned.push({ client: client.id, key, kind, call, return: end, at, unknown });
    client.free = end;
    // Whoever got no answer goes on as somebody else.
    if (unknown) client.id = lastClient += 1;
  }
  return planned.toSorted((left, right) => left.call - right.call);
}

/** From when to when an operation lasts of a client who is free since `free`. */
function times(
  free: number,
  { lengthMax, lengths = "any" }: HistoryShape,
  random: Chance,
): readonly [number, number] {
  const rest = random.integer(0, Math.ceil(lengthMax / 50));
  switch (lengths) {
    case "any":
      return [free + rest, free + rest + random.integer(0, lengthMax)];
    case "alike":
      return [free + rest, free + rest + random.integer(Math.ceil(lengthMax / 2), lengthMax)];
    case "stragglers": {
      const factor = random.integer(1, 10) === 1 ? 10 : 0.5;
      return [free + rest, free + rest + Math.ceil(random.integer(0, lengthMax) * factor)];
    }
    case "in step": {
      const call = Math.ceil((free + 1) / lengthMax) * lengthMax + rest;
      return [call, call + Math.floor(lengthMax * 0.9) + rest];
    }
  }
}

function carryOut(
  { key, kind, unknown }: Planned,
  store: Map<string, string>,
  value: string,
  random: Chance,
): Action {
  const before = store.get(key) ?? null;
  switch (kind) {
    case "get":
      return { kind, key, value: before };
    case "put":
      store.set(key, value);
      return { kind, key, value };
    case "delete":
      store.delete(key);
      return { kind, key };
    case "cas": {
      const some = String(random.integer(1, Number(value)));
      const expected = random.integer(0, 2) === 0 ? some : before;
      const swapped = expected === before;
      if (swapped) store.set(key, value);
      return { kind, key, expected, value, swapped: unknown ? null : swapped };
    }
  }
}

function any<Item>(items: readonly Item[], random: Chance): Item {
  const item = items[random.integer(0, items.length - 1)];
  if (item === undefined) throw new Error("cannot choose: expected at least one, got none");
  return item;
}
