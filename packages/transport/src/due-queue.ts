/** Things in the order in which they fall due; ties in the order of their arrival. */

export interface Due<T> {
  readonly due: number;
  readonly item: T;
}

/** A sorted array: nearly every item is due after all others, and so goes at the end. */
export class DueQueue<T> {
  #items: Due<T>[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): Due<T> | undefined {
    return this.#items[0];
  }

  add(item: T, due: number): void {
    const before = this.#items.findLastIndex((other) => other.due <= due);
    this.#items.splice(before + 1, 0, { due, item });
  }

  findLast(matches: (item: T) => boolean): Due<T> | undefined {
    return this.#items.findLast(({ item }) => matches(item));
  }

  /** Takes out the first, if it is due by then. */
  takeDue(by: number): Due<T> | undefined {
    const [first] = this.#items;
    if (first === undefined || first.due > by) return undefined;
    this.#items.shift();
    return first;
  }

  /** Takes out everything that matches, in order. */
  take(matches: (item: T) => boolean): Due<T>[] {
    const taken = this.#items.filter(({ item }) => matches(item));
    if (taken.length > 0) this.#items = this.#items.filter(({ item }) => !matches(item));
    return taken;
  }

  /** Takes out the first that matches. */
  takeFirst(matches: (item: T) => boolean): Due<T> | undefined {
    const at = this.#items.findIndex(({ item }) => matches(item));
    return at < 0 ? undefined : this.#items.splice(at, 1)[0];
  }

  [Symbol.iterator](): IterableIterator<Due<T>> {
    return this.#items.values();
  }
}
