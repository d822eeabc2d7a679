/** The order between a snapshot of the state machine and the log that it stands for (section 7). */
import type { Entry } from "@raftarium/raft";
import { expect, test } from "vitest";
import type { Ports, RaftNodeOptions } from "./options.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";

const KIB = 1024;

interface Written {
  readonly offset: number;
  readonly length: number;
  readonly done: boolean;
}

function rig(pieces: readonly number[]) {
  const written: Written[] = [];
  const completions: (() => void)[] = [];
  const saved: number[] = [];
  const ports = {
    storage: {
      writeSnapshotChunk(
        { offset, data, done }: { offset: number; data: Uint8Array; done: boolean },
        complete: () => void,
      ) {
        written.push({ offset, length: data.length, done });
        completions.push(complete);
      },
    },
    machine: { snapshot: () => pieces.map((length) => new Uint8Array(length)).values() },
  } as unknown as Ports<null>;
  const initialConfiguration = { voters: [1], votersOutgoing: [], learners: [], addresses: {} };
  const options = {
    raft: { initialConfiguration },
    snapshotEntries: 3,
    snapshotBytes: KIB * KIB,
  } as unknown as RaftNodeOptions;
  const taker = new SnapshotTaker(options, ports, (index) => saved.push(index));
  const apply = (index: number): void => {
    const entry: Entry = { index, term: 1, kind: "command", data: new Uint8Array(8) };
    taker.entryApplied(entry);
    taker.consider();
  };
  return { taker, written, completions, saved, apply };
}

test("[23] §7 the core hears of a snapshot only when storage has all of it", () => {
  const { written, completions, saved, apply } = rig([200 * KIB, 200 * KIB, 5]);
  for (const index of [1, 2]) apply(index);
  expect(written).toEqual([]);
  apply(3);
  expect(written).toEqual([{ offset: 0, length: 400 * KIB, done: false }]);
  // What is applied meanwhile belongs to the next one.
  apply(4);
  completions.shift()!();
  expect(written[1]).toEqual({ offset: 400 * KIB, length: 5, done: true });
  expect(saved).toEqual([]);
  completions.shift()!();
  expect(saved).toEqual([3]);
});

test("one that is abandoned is never reported, not even when its last write completes", () => {
  const { taker, completions, saved, apply } = rig([1]);
  for (const index of [1, 2, 3]) apply(index);
  taker.abandon();
  completions.shift()!();
  expect(saved).toEqual([]);
});
