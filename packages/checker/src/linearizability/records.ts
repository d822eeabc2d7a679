/** Lists and sets of records: rows of equally many words, without an object for each. */

/** The last word of a record is a note: it is kept, but makes no difference. */
export class Records {
  readonly words: number;
  data: Int32Array;
  count = 0;

  constructor(words: number) {
    this.words = words;
    this.data = new Int32Array(words * 64);
  }

  push(source: Int32Array, start: number): void {
    const end = this.count * this.words;
    if (end + this.words > this.data.length) {
      const bigger = new Int32Array(this.data.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    for (let word = 0; word < this.words; word += 1) {
      this.data[end + word] = source[start + word]!;
    }
    this.count += 1;
  }
}

const TABLE_MIN = 256;

export class RecordSet {
  readonly records: Records;
  #table = new Int32Array(TABLE_MIN).fill(-1);

  constructor(words: number) {
    this.records = new Records(words);
  }

  clear(): void {
    // A large table is slow to wipe, and the next set is mostly small.
    if (this.#table.length > TABLE_MIN * 16) this.#table = new Int32Array(TABLE_MIN);
    this.#table.fill(-1);
    this.records.count = 0;
  }

  /** False if it was there already. */
  add(record: Int32Array): boolean {
    const { words, data } = this.records;
    const mask = this.#table.length - 1;
    let place = hashOf(record, 0, words - 1) & mask;
    for (; this.#table[place] !== -1; place = (place + 1) & mask) {
      if (isSame(data, this.#table[place]! * words, record, words - 1)) return false;
    }
    this.#table[place] = this.records.count;
    this.records.push(record, 0);
    if (this.records.count * 2 > this.#table.length) this.#grow();
    return true;
  }

  #grow(): void {
    const { words, data, count } = this.records;
    this.#table = new Int32Array(this.#table.length * 2).fill(-1);
    const mask = this.#table.length - 1;
    for (let entry = 0; entry < count; entry += 1) {
      let place = hashOf(data, entry * words, words - 1) & mask;
      while (this.#table[place] !== -1) place = (place + 1) & mask;
      this.#table[place] = entry;
    }
  }
}

/** Of so many words from `start` on. */
export function hashOf(data: Int32Array, start: number, length: number): number {
  let hash = 0;
  for (let at = start; at < start + length; at += 1) {
    hash = Math.imul(hash ^ data[at]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

function isSame(data: Int32Array, start: number, record: Int32Array, length: number): boolean {
  for (let word = 0; word < length; word += 1) {
    if (data[start + word] !== record[word]) return false;
  }
  return true;
}

export function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
