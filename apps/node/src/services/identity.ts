/** Who answers: the header of every etcd response. */
import type { NodeApi, NodeId, Term } from "@raftarium/node";
import type { Answerer } from "@raftarium/protocol/kv";

/** How long the term in headers of reads may lag behind, milliseconds: a status is a copy. */
const STATUS_MS_MAX = 5;

/** 64-bit FNV-1a of the cluster's name, its highest bit cleared; never 0. */
export function clusterIdOf(clusterName: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(clusterName)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return BigInt.asUintN(63, hash) || 1n;
}

export class Identity {
  readonly #node: Pick<NodeApi<unknown>, "status">;
  #answerer: Answerer;
  #term: Term = 0;
  #readMs = -Infinity;

  constructor(clusterName: string, nodeId: NodeId, node: Pick<NodeApi<unknown>, "status">) {
    this.#node = node;
    this.#answerer = {
      clusterId: clusterIdOf(clusterName),
      memberId: BigInt(nodeId),
      raftTerm: 0n,
    };
  }

  /** In a term that is known already. */
  inTerm(term: Term): Answerer {
    if (term !== this.#term) {
      this.#term = term;
      this.#answerer = { ...this.#answerer, raftTerm: BigInt(term) };
    }
    return this.#answerer;
  }

  now(): Answerer {
    const nowMs = performance.now();
    if (nowMs - this.#readMs < STATUS_MS_MAX) return this.#answerer;
    this.#readMs = nowMs;
    return this.inTerm(this.#node.status().term);
  }
}
