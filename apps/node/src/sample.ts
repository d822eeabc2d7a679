/**
 * Which of many numbered things are told: all while they are few; else those whose number is a
 * multiple of a power of two. So whoever else chooses among the same things chooses the same, or
 * more of them, or fewer: a message whose sending is told is mostly one whose arrival is.
 */
export class Sample {
  readonly #perWindow: number;
  #choosing = false;
  #stride = 1;
  #seen = 0;
  #told = 0;

  /** @param perWindow about how many of a window are told, while choosing; never twice as many. */
  constructor(perWindow: number) {
    this.#perWindow = perWindow;
  }

  /** How many there were in this window. */
  get seen(): number {
    return this.#seen;
  }

  /** A window begins. How many there were in the last one says how many to choose in this one. */
  begin(choosing: boolean): void {
    const excess = choosing ? this.#seen / this.#perWindow : 1;
    this.#stride = 2 ** Math.max(0, Math.ceil(Math.log2(excess)));
    this.#choosing = choosing;
    this.#seen = 0;
    this.#told = 0;
  }

  /** Counts one; true: it is to be told. */
  admits(number: number): boolean {
    this.#seen += 1;
    if (!this.#choosing) return true;
    if (number % this.#stride !== 0 || this.#told >= 2 * this.#perWindow) return false;
    this.#told += 1;
    return true;
  }
}
