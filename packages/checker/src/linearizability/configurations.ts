/**
 * A set of configurations (which steps are done, and the state) that were already tried: Lowe's
 * memory for Wing and Gong's search. Open addressing over one array of bits; no object per entry.
 */
export class ConfigurationSet {
  readonly #words: number;
  #bits: Uint32Array;
  #states: Int32Array;
  #hashes: Int32Array;
  #table: Int32Array;
  #count = 0;

  /** `words`: 32-bit words of one set of steps. */
  constructor(words: number) {
    this.#words = words;
    this.#bits = new Uint32Array(words * 64);
    this.#states = new Int32Array(64);
    this.#hashes = new Int32Array(64);
    this.#table = new Int32Array(128).fill(-1);
  }

  get size(): number {
    return this.#count;
  }

  /** False if it was there already. */
  add(done: Uint32Array, state: number, hash: number): boolean {
    const mixed = Math.imul(hash ^ Math.imul(state, 0x9e3779b1), 0x85ebca6b);
    const mask = this.#table.length - 1;
    let place = (mixed ^ (mixed >>> 15)) & mask;
    for (;;) {
      const entry = this.#table[place]!;
      if (entry === -1) break;
      if (this.#hashes[entry] === mixed && this.#isSame(entry, done, state)) return false;
      place = (place + 1) & mask;
    }
    this.#table[place] = this.#push(done, state, mixed);
    if (this.#count * 2 > this.#table.length) this.#grow();
    return true;
  }

  #isSame(entry: number, done: Uint32Array, state: number): boolean {
    if (this.#states[entry] !== state) return false;
    const start = entry * this.#words;
    for (let word = 0; word < this.#words; word += 1) {
      if (this.#bits[start + word] !== done[word]) return false;
    }
    return true;
  }

  #push(done: Uint32Array, state: number, mixed: number): number {
    const entry = this.#count;
    if (entry === this.#states.length) {
      this.#bits = grown(this.#bits, new Uint32Array(this.#bits.length * 2));
      this.#states = grown(this.#states, new Int32Array(entry * 2));
      this.#hashes = grown(this.#hashes, new Int32Array(entry * 2));
    }
    this.#bits.set(done, entry * this.#words);
    this.#states[entry] = state;
    this.#hashes[entry] = mixed;
    this.#count += 1;
    return entry;
  }

  #grow(): void {
    const table = new Int32Array(this.#table.length * 2).fill(-1);
    const mask = table.length - 1;
    for (let entry = 0; entry < this.#count; entry += 1) {
      const mixed = this.#hashes[entry]!;
      let place = (mixed ^ (mixed >>> 15)) & mask;
      while (table[place] !== -1) place = (place + 1) & mask;
      table[place] = entry;
    }
    this.#table = table;
  }
}

function grown<Words extends Uint32Array | Int32Array>(old: Words, bigger: Words): Words {
  bigger.set(old);
  return bigger;
}
