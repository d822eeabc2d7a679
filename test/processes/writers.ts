/** Clients that write unique values, and remember what was acknowledged, and when. */
import { expect } from "vitest";
import { eventually } from "./spawn.ts";

/** Where they write: a playground's door, or anything like it. */
export interface Store {
  put(key: string, value: string): Promise<void>;
  get(key: string): Promise<string | null>;
}

export class Writers {
  readonly acknowledged = new Map<string, string>();
  /** performance.now() of each acknowledgement. */
  readonly #acknowledgedAt: number[] = [];
  readonly #store: Store;
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[];

  constructor(store: Store, prefix: string, count: number) {
    this.#store = store;
    this.#loops = Array.from({ length: count }, (_, index) => this.#write(`${prefix}-${index}`));
  }

  async #write(name: string): Promise<void> {
    for (let round = 0; !this.#stopping.signal.aborted; round += 1) {
      const key = `${name}-${round}`;
      try {
        await this.#store.put(key, `value of ${key}`);
        this.acknowledged.set(key, `value of ${key}`);
        this.#acknowledgedAt.push(performance.now());
      } catch {
        // Refused, or of unknown outcome: nothing was promised.
      }
    }
  }

  /** Waits until so many more writes are acknowledged. */
  more(count: number): Promise<true> {
    const goal = this.acknowledged.size + count;
    return eventually(`${count} more acknowledged writes`, () =>
      this.acknowledged.size >= goal ? true : undefined,
    );
  }

  /** The longest time without an acknowledgement since a moment (performance.now()), in ms. */
  longestSilence(sinceMs: number): number {
    const times = [
      sinceMs,
      ...this.#acknowledgedAt.filter((atMs) => atMs >= sinceMs),
      performance.now(),
    ];
    let longest = 0;
    for (const [at, time] of times.entries()) {
      longest = Math.max(longest, time - (times[at - 1] ?? time));
    }
    return longest;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async expectNothingLost(): Promise<void> {
    expect(this.acknowledged.size).toBeGreaterThan(0);
    for (const [key, value] of this.acknowledged) {
      expect(await this.#store.get(key), key).toBe(value);
    }
  }
}
