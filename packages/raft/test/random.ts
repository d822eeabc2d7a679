import type { Random } from "../src/index.ts";

/** Enough for tests: a linear congruential generator, of which the upper bits are used. */
export function createRandom(seed: number): Random {
  let state = seed % 2 ** 32;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let round = 0; round < 5; round++) next();
  return { integer: (min, max) => min + Math.floor(next() * (max - min + 1)) };
}
