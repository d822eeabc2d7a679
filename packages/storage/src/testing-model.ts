/** A model of what storage may find after losing power: the state after some prefix of its writes. */
import type { Entry, HardState, RecoveredState } from "@raftarium/node";

import type { OpenedStorage } from "./storage.ts";
import { bytesOf, entry, hard, snapshotChunk } from "./testing.ts";
import type { Rig } from "./testing.ts";

/** What a node would find, its snapshots aside. */
export interface State {
  readonly hardState: HardState;
  readonly log: readonly Entry[];
}

export interface Script {
  /** States after 0, 1, 2… writes of the log's lane. */
  readonly states: State[];
  /** Index into `states`: what was answered with a sync (everything before it, too). */
  acknowledged: number;
  /** Highest index of a snapshot that was answered; index and term of all that were asked for. */
  snapshotDone: number;
  readonly snapshotsAsked: Map<number, number>;
}

/** A script that has done nothing yet, over a storage that recovered this. */
export function beginScript(recovered: RecoveredState): Script {
  const { hardState, entries: log, snapshot: found } = recovered;
  return {
    states: [{ hardState, log }],
    acknowledged: 0,
    snapshotDone: found?.index ?? 0,
    snapshotsAsked: new Map(found === null ? [] : [[found.index, found.term]]),
  };
}

/** One call into storage, and what it does to the states that may be found later. */
export type Step = (storage: OpenedStorage, script: Script) => void;

export function persist(hardState: HardState | null, list: Entry[], sync = true): Step {
  return (storage, script) => {
    const before = script.states.at(-1)!;
    const first = list[0]?.index ?? Number.MAX_SAFE_INTEGER;
    const log = [...before.log.filter((one) => one.index < first), ...list];
    script.states.push({ hardState: hardState ?? before.hardState, log });
    const number = script.states.length - 1;
    storage.persist({ hardState, entries: list, sync }, () => {
      if (sync) script.acknowledged = number;
    });
  };
}

export function snapshot(
  origin: "local" | "received",
  index: number,
  term: number,
  size = 700,
): Step {
  return (storage, script) => {
    script.snapshotsAsked.set(index, term);
    const before = script.states.at(-1)!;
    let number = 0;
    if (origin === "received") {
      const holds = before.log.some((one) => one.index === index && one.term === term);
      script.states.push({ ...before, log: holds ? before.log : [] });
      number = script.states.length - 1;
    }
    const data = bytesOf(size, index);
    const half = Math.floor(size / 2);
    const chunk = (offset: number, end: number, done: boolean, answered: () => void): void =>
      storage.writeSnapshotChunk(
        snapshotChunk(index, term, { origin, offset, data: data.slice(offset, end), done }),
        answered,
      );
    chunk(0, half, false, () => undefined);
    chunk(half, size, true, () => {
      script.snapshotDone = Math.max(script.snapshotDone, index);
      if (origin === "received") script.acknowledged = number;
    });
  };
}

export const compact =
  (index: number): Step =>
  (storage) =>
    storage.compact(index);

/** Opens one image and compares what it finds with the states that are allowed. Returns it. */
export function check(image: Rig, script: Script, label: string): OpenedStorage {
  const storage = openImage(image, label);
  const { recovered } = storage;
  const snapshotIndex = recovered.snapshot?.index ?? 0;
  const { commitIndex } = recovered.hardState;
  if (commitIndex < snapshotIndex || commitIndex > snapshotIndex + recovered.entries.length) {
    throw new Error(`${label}: commit index ${commitIndex} is beside snapshot ${snapshotIndex}`);
  }
  if (snapshotIndex < script.snapshotDone) {
    throw new Error(
      `${label}: snapshot ${script.snapshotDone} was answered, ${snapshotIndex} found`,
    );
  }
  const snapshotTerm = snapshotIndex === 0 ? 0 : script.snapshotsAsked.get(snapshotIndex);
  if (snapshotTerm === undefined) {
    throw new Error(`${label}: snapshot ${snapshotIndex} was never asked for`);
  }
  const found = describeRecovered(recovered);
  const allowed = script.states
    .slice(script.acknowledged)
    .map((state) => describeState(state, snapshotIndex, snapshotTerm));
  if (!allowed.includes(found)) {
    throw new Error(`${label}: found ${found}, expected one of\n${allowed.join("\n")}`);
  }
  return storage;
}

/** What was found is relied on: it must survive the next loss of power, and what comes after. */
export function checkAfterwards(image: Rig, label: string): void {
  // Nothing is done after the answer that could make up for a sync that was forgotten before.
  const opened: OpenedStorage[] = [];
  image.begin((_, storage) => opened.push(storage!));
  while (opened.length === 0 && image.step());
  const found = opened[0]!.recovered;
  const second = image.copy();
  second.disk.crash({ integer: (min) => min });
  const storage = openImage(second, `${label}, then again without power`);
  demandEqual(storage.recovered, found, label);
  const next = (found.entries.at(-1)?.index ?? found.snapshot?.index ?? 0) + 1;
  second.persist(storage, { hardState: hard(99, 1), entries: [entry(next, 99)] });
  const third = openImage(second.copy(), `${label}, then with one more entry`).recovered;
  const expected = {
    ...found,
    hardState: hard(99, 1),
    entries: [...found.entries, entry(next, 99)],
  };
  demandEqual(third, expected, label);
}

function demandEqual(found: RecoveredState, expected: RecoveredState, label: string): void {
  const [left, right] = [describeRecovered(found), describeRecovered(expected)];
  if (left !== right) throw new Error(`${label}: found ${left}, expected ${right}`);
}

export function openImage(image: Rig, label: string): OpenedStorage {
  const result = image.tryOpen();
  if ("code" in result) throw new Error(`${label}: refused: ${result.message}`);
  return result;
}

function describeRecovered({ hardState, entries: list }: RecoveredState): string {
  return JSON.stringify([hardState.term, hardState.votedFor, list.map(describeEntry)]);
}

function describeEntry(one: Entry): unknown {
  return [one.index, one.term, one.data.length, one.data.at(-1)];
}

/** What is to be found of a state beside this snapshot. */
function describeState(state: State, snapshotIndex: number, snapshotTerm: number): string {
  const { term, votedFor } = state.hardState;
  const after = state.log.filter((one) => one.index > snapshotIndex);
  const known = state.log.find((one) => one.index === snapshotIndex)?.term ?? snapshotTerm;
  // A log that contradicts the snapshot, or does not reach it, is dropped.
  const holds = known === snapshotTerm && (after[0]?.index ?? 0) <= snapshotIndex + 1;
  return JSON.stringify([term, votedFor, holds ? after.map(describeEntry) : []]);
}
