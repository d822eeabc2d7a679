/**
 * The cluster's clock, as well as a page can know it: every observation says when it happened, so
 * the newest of them bounds from below how late it is there now.
 */
export interface ClusterClock {
  /** An observation stamped `timeUs` arrived when the page's own clock said `atMs`. */
  heard(timeUs: number, atMs: number): void;
  /** What time it is there; 0 before anything was heard. */
  nowUs(atMs: number): number;
  reset(): void;
}

/** The best estimate of this long ago is forgotten: after a laptop's sleep the clocks differ. */
const WINDOW_MS = 5000;

export function createClusterClock(): ClusterClock {
  let best = -Infinity;
  let bestBefore = -Infinity;
  let windowFromMs = 0;
  return {
    heard(timeUs, atMs) {
      if (atMs - windowFromMs > WINDOW_MS) {
        bestBefore = best;
        best = -Infinity;
        windowFromMs = atMs;
      }
      best = Math.max(best, timeUs - atMs * 1000);
    },
    nowUs(atMs) {
      const offset = Math.max(best, bestBefore);
      return offset === -Infinity ? 0 : atMs * 1000 + offset;
    },
    reset() {
      best = -Infinity;
      bestBefore = -Infinity;
    },
  };
}
