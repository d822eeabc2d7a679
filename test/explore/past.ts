/**
 * What a search must remember beside the cluster itself, because the promises are about all time:
 * who ever led which term, and what was ever committed. Each such memory has a number.
 */
import type { Violation } from "@raftarium/checker";
import type { NodeState } from "./nodes.ts";
import { Fingerprints } from "./symmetry.ts";

export interface Past {
  /** By term: the node that led it; 0: nobody yet. */
  readonly leaders: readonly number[];
  /** Entries that some node knew to be committed, in order, and the term in which it knew first. */
  readonly committed: readonly { readonly entry: string; readonly term: number }[];
}

export interface Seen {
  readonly past: number;
  readonly broken: Violation | null;
}

const FIRST: Past = { leaders: [], committed: [] };

export class Pasts {
  readonly all: Past[] = [];
  readonly fingerprints = new Fingerprints();
  readonly #numbers = new Map<string, number>();
  readonly #seen = new Map<number, Seen>();
  readonly #broken = new Map<number, Violation | null>();
  readonly #durable = new Map<number, number>();

  first(): number {
    return this.#intern(FIRST);
  }

  /** After a node has come into this state. */
  see(number: number, node: NodeState): Seen {
    const key = number * 16_777_216 + node.number;
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = this.#look(number, node);
      this.#seen.set(key, seen);
    }
    return seen;
  }

  /** Leader completeness, for one node: what was committed before its term, it has. */
  whatLeaderLacks(number: number, node: NodeState): Violation | null {
    if (node.role !== "leader") return null;
    const key = number * 16_777_216 + node.number;
    let broken = this.#broken.get(key);
    if (broken === undefined) {
      broken = this.#complete(number, node);
      this.#broken.set(key, broken);
    }
    return broken;
  }

  /** How many of the committed entries, from the first on, the node has on disk. */
  durableCount(number: number, node: NodeState): number {
    const key = number * 16_777_216 + node.diskLogNumber;
    let count = this.#durable.get(key);
    if (count === undefined) {
      const { committed } = this.all[number]!;
      const differs = committed.findIndex(({ entry }, at) => node.diskLog[at] !== entry);
      count = differs === -1 ? committed.length : differs;
      this.#durable.set(key, count);
    }
    return count;
  }

  #look(number: number, node: NodeState): Seen {
    const { leaders, committed } = this.all[number]!;
    const { nodeId, term, role, log, commitIndex } = node;
    const leader = leaders[term] ?? 0;
    if (role === "leader" && leader !== 0 && leader !== nodeId) {
      const explanation = `nodes ${leader} and ${nodeId} both lead term ${term}`;
      const nodeIds = [leader, nodeId];
      return { past: number, broken: { invariant: "election safety", explanation, nodeIds } };
    }
    for (let at = 0; at < Math.min(commitIndex, committed.length); at += 1) {
      if (log[at] === committed[at]!.entry) continue;
      const explanation =
        `node ${nodeId} commits ${log[at]} at index ${at + 1}, ` +
        `but ${committed[at]!.entry} is committed there`;
      const nodeIds = [nodeId];
      return { past: number, broken: { invariant: "state-machine safety", explanation, nodeIds } };
    }
    const news = log.slice(committed.length, commitIndex).map((entry) => ({ entry, term }));
    const isLeaderNew = role === "leader" && leader === 0;
    if (news.length === 0 && !isLeaderNew) return { past: number, broken: null };
    const next: Past = {
      leaders: isLeaderNew ? withLeader(leaders, term, nodeId) : leaders,
      committed: [...committed, ...news],
    };
    return { past: this.#intern(next), broken: null };
  }

  #complete(number: number, { nodeId, term, log }: NodeState): Violation | null {
    const { committed } = this.all[number]!;
    const at = committed.findIndex(
      (known, place) => known.term < term && log[place] !== known.entry,
    );
    if (at === -1) return null;
    const { entry, term: since } = committed[at]!;
    const explanation =
      `node ${nodeId} leads term ${term} without ${entry} at index ${at + 1}, ` +
      `which is committed since term ${since}; it has ${log[at] ?? "nothing"} there`;
    return { invariant: "leader completeness", explanation, nodeIds: [nodeId] };
  }

  #intern(past: Past): number {
    const textOf = ({ leaders, committed }: Past, permutation: readonly number[]): string =>
      `${leaders.map((nodeId) => permutation[nodeId]).join()} ` +
      committed.map(({ entry, term }) => `${entry}@${term}`).join();
    const text = textOf(past, [0, 1, 2, 3]);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.all.length;
    this.#numbers.set(text, number);
    this.all.push(past);
    this.fingerprints.push((permutation) => `past ${textOf(past, permutation)}`);
    return number;
  }
}

function withLeader(leaders: readonly number[], term: number, nodeId: number): number[] {
  const next = Array.from(
    { length: Math.max(leaders.length, term + 1) },
    (_, at) => leaders[at] ?? 0,
  );
  next[term] = nodeId;
  return next;
}
