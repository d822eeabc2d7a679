import { readFileSync } from "node:fs";
import type { RecoveredState } from "@raftarium/node";

/** How long after its start a node gives way: more than catching up takes. */
const PERIOD_MS = 10_000;
const CHECK_MS = 4;
/** A pause is this many times as long as what was worked since the last one. */
const REST = 2.5;
/** Heartbeats and votes must not wait for longer. */
const PAUSE_MS_MAX = 20;
/** Waiting below this share of the work is no shortage of processors. */
const SHORTAGE = 0.1;
/** A log at least as long makes work. */
const ENTRIES_MIN = 1_000;

/** Does this node have a past that it must go through again? */
export function comesBack({ snapshot, entries }: RecoveredState): boolean {
  return snapshot !== null || entries.length >= ENTRIES_MIN;
}

/** What the main thread has had of the processors since the process began. */
export interface Times {
  readonly workedMs: number;
  /** Ready to run, while others had the processors. */
  readonly waitedMs: number;
}

/**
 * How long to rest after this much work: where processors are short, so long that a busy node takes
 * less than a third of one; elsewhere not at all.
 */
export function pauseMs({ workedMs, waitedMs }: Times): number {
  return waitedMs > workedMs * SHORTAGE ? Math.min(workedMs * REST, PAUSE_MS_MAX) : 0;
}

/**
 * A node that comes back has much to do at once (read its log, install a snapshot, apply what it
 * missed), and nobody waits for it. Where others need the processors it takes pauses for its first
 * seconds, so that those who serve clients meanwhile notice less of it. Linux tells who waits; on
 * other systems nothing happens.
 *
 * @param isNeeded clients wait for this very node: it leads. Then no pauses any more.
 */
export function giveWay(isNeeded: () => boolean): void {
  const resting = new Int32Array(new SharedArrayBuffer(4));
  const until = performance.now() + PERIOD_MS;
  let before = mainThread();
  const check = (): void => {
    const now = mainThread();
    if (before === null || now === null || performance.now() > until) return;
    const pause = pauseMs({
      workedMs: now.workedMs - before.workedMs,
      waitedMs: now.waitedMs - before.waitedMs,
    });
    before = now;
    if (pause >= 1) {
      if (isNeeded()) return;
      // Not a timer: whatever else is ready would run meanwhile.
      Atomics.wait(resting, 0, 0, pause);
    }
    setTimeout(check, CHECK_MS).unref();
  };
  check();
}

function mainThread(): Times | null {
  try {
    const [worked, waited] = readFileSync("/proc/self/schedstat", "utf8").split(" ").map(Number);
    return { workedMs: (worked ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
  } catch {
    return null;
  }
}
