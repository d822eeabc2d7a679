/**
 * What a search learns from having come to a dead end: of which values there was too little. The
 * next attempt is more sparing with them. A little chance keeps it from the same dead end.
 */

const LESSON = 0.5;
const FORGOTTEN = 0.95;
/** What weighs less makes no difference. */
const WEIGHT_MIN = 0.05;
const CHANCE = 0.5;

export class Lessons {
  /** Cells to be sparing with. */
  cells: readonly number[] = [];
  /** By cell. */
  readonly weights: Float64Array;
  #isFirst = true;
  #state = 1;

  constructor(cellCount: number) {
    this.weights = new Float64Array(cellCount);
  }

  /** After an attempt that ended for lack of these cells. */
  learn(lacking: readonly number[]): void {
    this.#isFirst = false;
    for (const cell of this.cells) this.weights[cell]! *= FORGOTTEN;
    for (const cell of lacking) this.weights[cell]! += LESSON;
    this.cells = [...this.weights.keys()].filter((cell) => this.weights[cell]! > WEIGHT_MIN);
  }

  /** Small, and always the same sequence. None in the first attempt. */
  chance(): number {
    if (this.#isFirst) return 0;
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (this.#state / 0x80000000) * CHANCE;
  }
}
