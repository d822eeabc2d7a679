/** Turns wall time into ticks of cluster time, at any speed, and notices when the process stood. */

/** Ticks made up for at once when a timer comes late; the rest of the time is forgotten. */
const CATCH_UP_TICKS_MAX = 3;
/** How often the process looks whether it stood still. */
const PULSE_MS = 50;

export interface TickSourceOptions {
  /** Cluster time of one tick, milliseconds. */
  readonly tickMs: number;
  readonly onTick: () => void;
  /** The wall time of one tick changed, microseconds; 0: frozen. */
  readonly onTickUs: (tickUs: number) => void;
}

/** Frozen until the first `set`. */
export class TickSource {
  readonly #options: TickSourceOptions;
  #timer: NodeJS.Timeout | null = null;
  #intervalMs = 0;
  /** performance.now() at which the next tick is due. */
  #dueAt = 0;

  constructor(options: TickSourceOptions) {
    this.#options = options;
  }

  get tickUs(): number {
    return this.#intervalMs * 1000;
  }

  /** `speed` 1: real time. The part of a tick that has passed is kept, in cluster time. */
  set(speed: number, frozen: boolean): void {
    const intervalMs = frozen ? 0 : this.#options.tickMs / speed;
    if (intervalMs === this.#intervalMs) return;
    const now = performance.now();
    const remaining =
      this.#intervalMs === 0 ? 1 : Math.max(0, (this.#dueAt - now) / this.#intervalMs);
    this.#intervalMs = intervalMs;
    this.stop();
    this.#options.onTickUs(this.tickUs);
    if (intervalMs === 0) return;
    this.#dueAt = now + remaining * intervalMs;
    this.#arm(now);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(now: number): void {
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, this.#dueAt - now));
  }

  #fire(): void {
    const now = performance.now();
    const interval = this.#intervalMs;
    const late = Math.floor((now - this.#dueAt) / interval);
    const ticks = 1 + Math.min(late, CATCH_UP_TICKS_MAX - 1);
    this.#dueAt += interval * (1 + late);
    this.#arm(now);
    for (let tick = 0; tick < ticks; tick += 1) this.#options.onTick();
  }
}

/**
 * Notices that the process stood still (SIGSTOP, a suspended machine): time passed in which no
 * pulse was taken. Asked at every message, since messages may be read before any timer fires.
 */
export class StallGuard {
  readonly #stallMsMin: number;
  readonly #onStall: (stoodMs: number) => void;
  readonly #timer: NodeJS.Timeout;
  #lastPulse = performance.now();

  constructor(stallMsMin: number, onStall: (stoodMs: number) => void) {
    this.#stallMsMin = stallMsMin;
    this.#onStall = onStall;
    this.#timer = setInterval(() => this.check(), PULSE_MS);
    this.#timer.unref();
  }

  check(): void {
    const now = performance.now();
    const stood = now - this.#lastPulse;
    this.#lastPulse = now;
    if (stood >= this.#stallMsMin) this.#onStall(stood);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
