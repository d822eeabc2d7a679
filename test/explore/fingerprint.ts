/** 64-bit fingerprints as pairs of 32-bit numbers, and a set of them. */

/** Two independent hashes of a text (FNV-1a with different primes, finished as Murmur does). */
export function fingerprintOf(text: string): readonly [number, number] {
  let high = 0x811c9dc5;
  let low = 0x9747b28c;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return [mixed(high ^ (low << 7)), mixed(low ^ Math.imul(high, 0x85ebca6b))];
}

/** Spreads every bit over all. */
export function mixed(word: number): number {
  let value = word | 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}

/** Fingerprints, numbered in the order in which they came. Open addressing, no object each. */
export class FingerprintSet {
  #highs = new Int32Array(1 << 16);
  #lows = new Int32Array(1 << 16);
  #table = new Int32Array(1 << 17).fill(-1);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** False if it was there already. */
  add(high: number, low: number): boolean {
    const place = this.#placeOf(high, low);
    if (this.#table[place] !== -1) return false;
    if (this.#count === this.#highs.length) this.#growLists();
    this.#highs[this.#count] = high;
    this.#lows[this.#count] = low;
    this.#table[place] = this.#count;
    this.#count += 1;
    if (this.#count * 2 > this.#table.length) this.#growTable();
    return true;
  }

  /** Its number; -1 if it is not there. */
  numberOf(high: number, low: number): number {
    return this.#table[this.#placeOf(high, low)]!;
  }

  #placeOf(high: number, low: number): number {
    const mask = this.#table.length - 1;
    let place = (high ^ Math.imul(low, 0x9e3779b1)) & mask;
    for (;;) {
      const number = this.#table[place]!;
      if (number === -1) return place;
      if (this.#highs[number] === high && this.#lows[number] === low) return place;
      place = (place + 1) & mask;
    }
  }

  #growLists(): void {
    const [highs, lows] = [this.#highs, this.#lows];
    this.#highs = new Int32Array(highs.length * 2);
    this.#lows = new Int32Array(lows.length * 2);
    this.#highs.set(highs);
    this.#lows.set(lows);
  }

  #growTable(): void {
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    for (let number = 0; number < this.#count; number += 1) {
      this.#table[this.#placeOf(this.#highs[number]!, this.#lows[number]!)] = number;
    }
  }
}
