/** How many places at the front may be empty before the rest moves up. */
const EMPTY_MAX = 64;

/**
 * Values under whole numbers that come in about ascending order and go in the same one: those who
 * wait for an answer.
 *
 * Not a Map, on purpose. A Map that much is added to and deleted from makes itself a new table again
 * and again, and V8 leaves in the old one what it held and a link to the new one. Once one of these
 * tables has lived long enough to count as old, its successors all hang on it, and with them
 * everything that was ever in the Map, until the next full collection: under load that was every
 * request with its call, its stream and its buffers.
 */
export class Window<Value> {
  /** The value of key `#base + at` is at `at`; undefined: none. */
  #values: (Value | undefined)[] = [];
  #base = 0;
  /** Invariant: nothing before it; there is something at it, unless there is nothing at all. */
  #start = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#values[key - this.#base];
  }

  set(key: number, value: Value): void {
    if (this.#size === 0) {
      this.#values = [];
      this.#base = key;
      this.#start = 0;
    } else if (key < this.#base) {
      const before = Array.from({ length: this.#base - key }, () => undefined);
      this.#values = [...before, ...this.#values];
      this.#base = key;
      this.#start = 0;
    }
    const at = key - this.#base;
    while (this.#values.length < at) this.#values.push(undefined);
    if (this.#values[at] === undefined) this.#size += 1;
    this.#values[at] = value;
    this.#start = Math.min(this.#start, at);
  }

  /** Removes it, and returns what was there. */
  take(key: number): Value | undefined {
    const at = key - this.#base;
    const value = this.#values[at];
    if (value === undefined) return undefined;
    this.#values[at] = undefined;
    this.#size -= 1;
    if (at === this.#start) this.#advance();
    return value;
  }

  /** Removes all values with keys up to `key`, and returns them in the order of their keys. */
  takeThrough(key: number): Value[] {
    const taken: Value[] = [];
    const end = Math.min(this.#values.length, key - this.#base + 1);
    for (let at = this.#start; at < end; at += 1) {
      const value = this.#values[at];
      if (value === undefined) continue;
      taken.push(value);
      this.#values[at] = undefined;
    }
    this.#size -= taken.length;
    this.#advance();
    return taken;
  }

  #advance(): void {
    const { length } = this.#values;
    while (this.#start < length && this.#values[this.#start] === undefined) this.#start += 1;
    if (this.#start < EMPTY_MAX || this.#start * 2 < length) return;
    this.#values.copyWithin(0, this.#start);
    this.#values.length = length - this.#start;
    this.#base += this.#start;
    this.#start = 0;
  }
}
