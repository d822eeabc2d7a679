import type { Random } from "@raftarium/raft";

/**
 * Chance for the core's election timers, and for whoever needs numbers that can be repeated: a
 * small fast counter-based generator (sfc32 by Chris Doty-Humphrey) over 32-bit integers: the
 * same seed gives the same numbers on every engine. Not for secrets.
 *
 * @param seed Any safe integer.
 */
export function createRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 0x1_0000_0000) >>> 0;
  let c = 0x9e37_79b9;
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  // Neighbouring seeds start alike; a few rounds pull them apart.
  for (let round = 0; round < 15; round++) next();

  function below(range: number): number {
    if (range <= 0x1_0000_0000) {
      // Values from the last, incomplete stretch would favour small results: draw again.
      const limit = 0x1_0000_0000 - (0x1_0000_0000 % range);
      let value = next();
      while (value >= limit) value = next();
      return value % range;
    }
    return ((next() & 0x1f_ffff) * 0x1_0000_0000 + next()) % range;
  }

  return {
    integer(min, max) {
      if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || max < min) {
        throw new RangeError(
          `cannot draw a number: expected whole numbers min <= max, got ${min} and ${max}`,
        );
      }
      return min + below(max - min + 1);
    },
  };
}
