/** What was made to happen on the way to each configuration: a tree, from the leaves to the root. */

export interface Happening {
  readonly move: number;
  /** During which event, by its place in the order of time. */
  readonly event: number;
}

const WORDS = 3;

export class Trail {
  static readonly START = -1;
  #nodes = new Int32Array(WORDS * 1024);
  #count = 0;

  /** @return the place after it. */
  add(before: number, move: number, event: number): number {
    const start = this.#count * WORDS;
    if (start === this.#nodes.length) {
      const bigger = new Int32Array(start * 2);
      bigger.set(this.#nodes);
      this.#nodes = bigger;
    }
    this.#nodes[start] = before;
    this.#nodes[start + 1] = move;
    this.#nodes[start + 2] = event;
    this.#count += 1;
    return this.#count - 1;
  }

  /** From the start. */
  to(place: number): readonly Happening[] {
    const happenings: Happening[] = [];
    for (let at = place; at !== Trail.START; at = this.#nodes[at * WORDS]!) {
      happenings.push({ move: this.#nodes[at * WORDS + 1]!, event: this.#nodes[at * WORDS + 2]! });
    }
    return happenings.toReversed();
  }
}
