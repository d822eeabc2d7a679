/** What must hold in every state (Figure 3 of the paper, and what a crash may not take away). */
import type { Violation } from "@raftarium/checker";
import type { NodeState, Nodes } from "./nodes.ts";
import { NODE_IDS } from "./symmetry.ts";
import type { Pasts } from "./past.ts";

const QUORUM = Math.floor(NODE_IDS.length / 2) + 1;

export class Invariants {
  readonly #nodes: Nodes;
  readonly #pasts: Pasts;
  readonly #matching = new Map<number, Violation | null>();

  constructor(nodes: Nodes, pasts: Pasts) {
    this.#nodes = nodes;
    this.#pasts = pasts;
  }

  /** null if all hold. Election safety and state-machine safety are the past's. */
  broken(states: readonly NodeState[], past: number): Violation | null {
    for (const [place, state] of states.entries()) {
      const lack = this.#pasts.whatLeaderLacks(past, state);
      if (lack !== null) return lack;
      for (let other = place + 1; other < states.length; other += 1) {
        const mismatch = this.#mismatch(state.logNumber, states[other]!.logNumber);
        if (mismatch !== null) return mismatch;
      }
    }
    return this.#notDurable(states, past);
  }

  #notDurable(states: readonly NodeState[], past: number): Violation | null {
    const { committed } = this.#pasts.all[past]!;
    if (committed.length === 0) return null;
    const counts = states.map((state) => this.#pasts.durableCount(past, state));
    const durable = counts.toSorted((left, right) => right - left)[QUORUM - 1]!;
    if (durable === committed.length) return null;
    const { entry } = committed[durable]!;
    const explanation = `${entry} at index ${durable + 1} is committed, but not on a majority's disks`;
    return { invariant: "committed is durable", explanation, nodeIds: NODE_IDS };
  }

  /** Log matching: the same index and term, so the same up to there. */
  #mismatch(left: number, right: number): Violation | null {
    if (left === right) return null;
    const key = left * 67_108_864 + right;
    let broken = this.#matching.get(key);
    if (broken === undefined) {
      broken = mismatchOf(this.#nodes.logs[left]!, this.#nodes.logs[right]!);
      this.#matching.set(key, broken);
    }
    return broken;
  }
}

function mismatchOf(left: readonly string[], right: readonly string[]): Violation | null {
  let at = Math.min(left.length, right.length) - 1;
  while (at >= 0 && Number.parseInt(left[at]!, 10) !== Number.parseInt(right[at]!, 10)) at -= 1;
  for (let before = at; before >= 0; before -= 1) {
    if (left[before] === right[before]) continue;
    const explanation =
      `two logs have the term of index ${at + 1} in common, but at index ${before + 1} one has ` +
      `${left[before]} and the other ${right[before]}`;
    return { invariant: "log matching", explanation, nodeIds: [] };
  }
  return null;
}
