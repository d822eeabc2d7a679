/** Clients that write unique values, and remember what was acknowledged, and when. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { eventually } from "./spawn.ts";

/** Where they write: a playground's door, or anything like it. */
export interface Store {
  put(key: string, value: string): Promise<void>;
  get(key: string): Promise<string | null>;
}

/**
 * How long the machine itself stands still: a busy one makes everybody wait, and no test should
 * blame the cluster for it. Writes a little to a disk again and again, as the nodes do.
 */
export class Pulse {
  readonly #beats: number[] = [performance.now()];
  readonly #stopping = new AbortController();
  readonly #beating: Promise<void>;

  /** @param directory where a file may be written. */
  constructor(directory: string) {
    this.#beating = this.#beat(join(directory, "pulse"));
  }

  async #beat(path: string): Promise<void> {
    const file = await open(path, "w");
    while (!this.#stopping.signal.aborted) {
      await file.write("beat", 0);
      await file.datasync();
      this.#beats.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    }
    await file.close();
  }

  /** The longest time between two beats since a moment (performance.now()), in ms. */
  longestPause(sinceMs: number): number {
    return longestGap([sinceMs, ...this.#beats.filter((atMs) => atMs >= sinceMs)]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#beating;
  }
}

const BEAT_MS = 20;

function longestGap(times: readonly number[]): number {
  let longest = 0;
  for (const [at, time] of [...times, performance.now()].entries()) {
    longest = Math.max(longest, time - (times[at - 1] ?? time));
  }
  return longest;
}

/** At the end, so that reading all that was written is no long affair. */
const READERS = 8;

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
    return longestGap([sinceMs, ...this.#acknowledgedAt.filter((atMs) => atMs >= sinceMs)]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async expectNothingLost(): Promise<void> {
    expect(this.acknowledged.size).toBeGreaterThan(0);
    // One shared iterator: each reader takes what is next.
    const writes = this.acknowledged.entries();
    const read = async (): Promise<void> => {
      for (const [key, value] of writes) expect(await this.#store.get(key), key).toBe(value);
    };
    await Promise.all(Array.from({ length: READERS }, read));
  }
}
