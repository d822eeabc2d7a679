/** Whom this node keeps streams to: the members, and whom a change removes until it has heard. */
import type { Configuration, NodeId } from "@raftarium/node";

/** How often it is looked whether a removed node has been told, milliseconds. */
const LOOK_MS = 100;

export interface PeersOptions {
  /** From this node's file: those to dial before any configuration says otherwise. */
  readonly configured: ReadonlyMap<NodeId, string>;
  readonly setPeers: (peers: ReadonlyMap<NodeId, string>) => void;
  /** Whom this node, as the leader, still tells what is new; empty if it does not lead. */
  readonly told: () => readonly NodeId[];
}

export class Peers {
  readonly #options: PeersOptions;
  #current: ReadonlyMap<NodeId, string>;
  #agreed: ReadonlyMap<NodeId, string>;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#current = options.configured;
    this.#agreed = options.configured;
  }

  /** What all agree on wins over what this node's file says. */
  changed({ addresses }: Pick<Configuration, "addresses">): void {
    const entries = Object.entries(addresses).map(([id, at]) => [Number(id), at] as const);
    // An id whose node is gone has an empty address.
    const agreed = new Map(entries.filter(([, address]) => address !== ""));
    this.#agreed = agreed.size > 0 ? agreed : this.#options.configured;
    this.#settle();
  }

  #settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const told = this.#options.told();
    const leaving = [...this.#current].filter(
      ([nodeId]) => !this.#agreed.has(nodeId) && told.includes(nodeId),
    );
    this.#current = new Map([...leaving, ...this.#agreed]);
    this.#options.setPeers(this.#current);
    if (leaving.length === 0) return;
    this.#timer = setTimeout(() => this.#settle(), LOOK_MS);
    this.#timer.unref();
  }
}
