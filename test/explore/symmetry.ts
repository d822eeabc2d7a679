/**
 * The nodes are alike: a state and the same one with the nodes' names exchanged behave alike, so
 * only one of them need be looked at.
 */
import { fingerprintOf } from "./fingerprint.ts";

export const NODE_IDS: readonly number[] = [1, 2, 3];

/** Each renames node `id` to `permutation[id]`; the first one renames nobody. */
export const PERMUTATIONS: readonly (readonly number[])[] = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 1, 3],
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 3, 2, 1],
];

/**
 * Things with a number, and for each its fingerprint under every renaming. A state's fingerprint
 * is the sum of those of its parts, so a step changes it by what the step changes.
 */
export class Fingerprints {
  #highs = new Int32Array(1024);
  #lows = new Int32Array(1024);
  #count = 0;

  /** `textOf` describes the new thing under a renaming. Things are numbered from 0 up. */
  push(textOf: (permutation: readonly number[]) => string): void {
    const start = this.#count * PERMUTATIONS.length;
    if (start + PERMUTATIONS.length > this.#highs.length) this.#grow();
    for (const [at, permutation] of PERMUTATIONS.entries()) {
      const [high, low] = fingerprintOf(textOf(permutation));
      this.#highs[start + at] = high;
      this.#lows[start + at] = low;
    }
    this.#count += 1;
  }

  /** Adds it to the sums (`times` 1), or takes it away (-1). */
  addTo(highs: Int32Array, lows: Int32Array, number: number, times: number): void {
    const start = number * PERMUTATIONS.length;
    for (let at = 0; at < PERMUTATIONS.length; at += 1) {
      highs[at] = highs[at]! + times * this.#highs[start + at]!;
      lows[at] = lows[at]! + times * this.#lows[start + at]!;
    }
  }

  #grow(): void {
    const [highs, lows] = [this.#highs, this.#lows];
    this.#highs = new Int32Array(highs.length * 2);
    this.#lows = new Int32Array(lows.length * 2);
    this.#highs.set(highs);
    this.#lows.set(lows);
  }
}
