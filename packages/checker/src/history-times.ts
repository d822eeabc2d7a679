/** Times of any size as numbers that keep their order, and what to say about it. */

export interface Times {
  of(time: bigint): number;
  /** Empty if the numbers are the times themselves. */
  readonly note: string;
}

/**
 * Doubles are exact up to 2^53: 104 days in nanoseconds. Times since 1970 are counted from the
 * earliest; if that does not do, each one's place in their order stands for it.
 *
 * @param all Every time that will be asked for.
 */
export function createTimes(all: readonly bigint[]): Times {
  let [min, max] = [all[0] ?? 0n, all[0] ?? 0n];
  for (const time of all) {
    if (time < min) min = time;
    if (time > max) max = time;
  }
  if (isSafe(min) && isSafe(max)) return { of: Number, note: "" };
  if (isSafe(max - min)) {
    const note = `times are counted from the first, ${min}`;
    return { of: (time) => Number(time - min), note };
  }
  const sorted = [...new Set(all)].toSorted((left, right) => (left < right ? -1 : 1));
  const places = new Map(sorted.map((time, place) => [time, place]));
  const note = "times are too far apart to be shown: their places in the order stand for them";
  return { of: (time) => places.get(time)!, note };
}

function isSafe(time: bigint): boolean {
  return time >= Number.MIN_SAFE_INTEGER && time <= Number.MAX_SAFE_INTEGER;
}
