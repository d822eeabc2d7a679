/**
 * Items in the order of their names: a sorted array cut into chunks, so that an insertion moves at
 * most one chunk. Finding costs two binary searches.
 */
export interface Named {
  readonly name: string;
}

const CHUNK_LENGTH_MAX = 512;

export class OrderedIndex<Item extends Named> {
  /** None of them empty; all names of one before all names of the next. */
  #chunks: Item[][] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The name must not be in the index. */
  insert(item: Item): void {
    this.#length += 1;
    if (this.#chunks.length === 0) {
      this.#chunks.push([item]);
      return;
    }
    const at = Math.max(0, this.#chunkOf(item.name));
    const chunk = this.#chunks[at] as Item[];
    chunk.splice(lowerBound(chunk, item.name), 0, item);
    if (chunk.length <= CHUNK_LENGTH_MAX) return;
    // Names that come in ascending order leave full chunks behind, not half-full ones.
    const ascending = at === this.#chunks.length - 1 && chunk.at(-1) === item;
    const kept = ascending ? CHUNK_LENGTH_MAX : CHUNK_LENGTH_MAX / 2;
    this.#chunks.splice(at + 1, 0, chunk.splice(kept));
  }

  /** The name must be in the index. */
  remove(name: string): void {
    const at = this.#chunkOf(name);
    const chunk = this.#chunks[at] as Item[];
    chunk.splice(lowerBound(chunk, name), 1);
    this.#length -= 1;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /**
   * Visits items from `start` up to, and without, `end` (null: no end), in order, until `visit`
   * returns false. The index must not change meanwhile.
   */
  scan(start: string, end: string | null, visit: (item: Item) => boolean): void {
    let at = Math.max(0, this.#chunkOf(start));
    let chunk = this.#chunks[at];
    if (chunk === undefined) return;
    let within = lowerBound(chunk, start);
    while (chunk !== undefined) {
      for (; within < chunk.length; within += 1) {
        const item = chunk[within] as Item;
        if (end !== null && item.name >= end) return;
        if (!visit(item)) return;
      }
      at += 1;
      chunk = this.#chunks[at];
      within = 0;
    }
  }

  /** The last chunk whose first name is not after `name`; -1 if there is none. */
  #chunkOf(name: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((this.#chunks[middle] as Item[])[0] as Item).name <= name) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The first position whose name is not before `name`. */
function lowerBound(chunk: readonly Named[], name: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] as Named).name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
