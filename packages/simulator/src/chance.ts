import type { Random } from "@raftarium/raft";

/**
 * A seeded source of chance. Only integer arithmetic and exactly rounded operations, so that a
 * seed gives the same run on every machine and engine.
 */
export interface Chance extends Random {
  /** From 0 up to, not including, 1; a multiple of 2^-32. */
  fraction(): number;
  /** True with the given probability (0 to 1). */
  happens(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** A copy in random order. */
  shuffled<Item>(items: readonly Item[]): Item[];
  /**
   * A duration with a long tail (Pareto, shape 2): mostly near 0, on average `mean`, at most
   * 20 times as much.
   */
  tail(mean: number): number;
  /** An independent source; `label` tells apart several that stem from one seed. */
  fork(label: number): Chance;
}

/** `seed`: any safe integer. */
export function createChance(seed: number, label = 0): Chance {
  const low = (seed % 0x1_0000_0000) | 0;
  const high = Math.floor(seed / 0x1_0000_0000) | 0;
  // sfc32 (small fast counting generator): 128 bits of state, period at least 2^32.
  let a = mix(low ^ 0x2545f491);
  let b = mix(high ^ a);
  let c = mix(label ^ b);
  let counter = 1;

  function next(): number {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    c |= 0;
    return result >>> 0;
  }

  for (let round = 0; round < 12; round += 1) next();

  const chance: Chance = {
    fraction: () => next() / 0x1_0000_0000,
    integer: (min, max) => min + Math.floor((next() / 0x1_0000_0000) * (max - min + 1)),
    happens: (probability) => probability > 0 && next() / 0x1_0000_0000 < probability,
    pick(items) {
      const item = items[chance.integer(0, items.length - 1)];
      if (item === undefined) throw new Error("cannot pick: expected at least one item, got none");
      return item;
    },
    shuffled(items) {
      const copy = [...items];
      for (let last = copy.length - 1; last > 0; last -= 1) {
        const other = chance.integer(0, last);
        const kept = copy[last]!;
        copy[last] = copy[other]!;
        copy[other] = kept;
      }
      return copy;
    },
    tail(mean) {
      const long = 1 / Math.sqrt(1 - next() / 0x1_0000_0000) - 1;
      return Math.floor(mean * Math.min(long, 20));
    },
    fork: (forkLabel) => createChance(next() * 0x20_0000 + (next() >>> 11), forkLabel),
  };
  return chance;
}

/** Spreads every bit over all 32 (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
