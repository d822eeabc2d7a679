import type { Chance } from "./histories.ts";

/** A small generator (mulberry32): a seed that fails, fails again. */
export function createChance(seed: number): Chance {
  let state = seed;
  return {
    integer(min, max) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1));
    },
  };
}
