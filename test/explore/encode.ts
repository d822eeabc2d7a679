/**
 * Everything about one node that can matter from now on, as text; two nodes with the same text
 * behave alike for ever. It walks through the real core's fields, whatever they are: a new field
 * counts until it is named here as one that does not.
 */
import type { Message } from "@raftarium/raft";
import type { Disk, PendingWrite } from "./disk.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Hold the id of a node (beside the core's own `id`: elsewhere that is a request's). */
const NODE_FIELDS = new Set(["votedFor", "leaderId", "to", "from", "targetId", "nodeId"]);
/** Tickets are compared only with the last one persisted: what matters is how far beyond it. */
const TICKET_FIELDS = new Set(["ticket", "lastTicket", "hardStateTicket"]);

/** Handed in, or derived from the rest. */
const GIVEN = ["options", "observing", "observed", "uncommittedBytes"];
/** Of the step that is over. */
const OVER = ["effects"];
/** Elections are told to begin, nobody is asked to be loyal, and leases are off. */
const TIME = [
  "now",
  "electionElapsedTicks",
  "electionTimeoutTicks",
  "heartbeatElapsedTicks",
  "lastHeardTick",
  "sinceTick",
  "questionTick",
  "roundTicks",
  "leaseTick",
  "leaseVoid",
];
/** Nobody changes the configuration, and all nodes are equally good leaders. */
const MEMBERSHIP = ["configurations", "configurationIndexTold", "priority"];
/** Bytes never run short. */
const BYTES = ["inflightBytesTotal"];

/** The fields that make no difference here, wherever in the core they are. */
export const IDLE: ReadonlySet<string> = new Set([
  ...GIVEN,
  ...OVER,
  ...TIME,
  ...MEMBERSHIP,
  ...BYTES,
  "persistedTicket",
]);

export interface EncodeOptions {
  /** The names under which the nodes appear. */
  readonly permutation: readonly number[];
  /** If nobody ever reads, the counters of reads are of no account. */
  readonly hasReads: boolean;
}

export function encodeNode(
  core: object,
  disk: Disk,
  pending: readonly PendingWrite[],
  { permutation, hasReads }: EncodeOptions,
): string {
  const persisted = (core as { persistedTicket: number }).persistedTicket;
  const encode = new Encoder(permutation, persisted);
  const writes = pending.map(({ ticket, hardState, entries }) => {
    return encode.value("", { ticket, hardState, entries });
  });
  return `${encode.core(core as Fields, hasReads)} disk ${encode.value("", disk)} ${writes.join()}`;
}

export function encodeMessage(
  from: number,
  to: number,
  message: Message,
  permutation: readonly number[],
): string {
  const encode = new Encoder(permutation, 0);
  return `${permutation[from]}>${permutation[to]} ${encode.value("", message)}`;
}

class Encoder {
  readonly #permutation: readonly number[];
  readonly #persistedTicket: number;

  constructor(permutation: readonly number[], persistedTicket: number) {
    this.#permutation = permutation;
    this.#persistedTicket = persistedTicket;
  }

  core(core: Fields, hasReads: boolean): string {
    const { role } = core;
    const isCandidate = role === "candidate" || role === "pre-candidate";
    const id = this.#permutation[core["id"] as number];
    return `${id}${this.#fields(core, (name) => {
      if (name === "id") return false;
      if (name === "votes") return isCandidate;
      if (name === "reads") return hasReads;
      return name !== "termStartIndex" || role === "leader";
    })}`;
  }

  value(name: string, value: unknown): string {
    if (typeof value === "number") return String(this.#number(name, value));
    if (value instanceof Uint8Array) return `#${value.join(".")}`;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.value(name, item));
      // What waits for one write goes out at once: the order among it is of no account.
      return `[${(name === "withheld" ? items.toSorted() : items).join()}]`;
    }
    if (value instanceof Map) {
      const cells = [...(value as Map<number, unknown>)].map(
        ([nodeId, cell]) => `${this.#permutation[nodeId]}:${this.value("", cell)}`,
      );
      return `{${cells.toSorted().join()}}`;
    }
    if (typeof value === "object" && value !== null) return this.#fields(value as Fields);
    if (typeof value === "function") throw new Error(`cannot encode ${name}: it is a function`);
    return String(value);
  }

  #fields(fields: Fields, matters: (name: string) => boolean = () => true): string {
    const parts: string[] = [];
    for (const name of Object.keys(fields)) {
      if (!IDLE.has(name) && matters(name)) parts.push(`${name}:${this.value(name, fields[name])}`);
    }
    return `(${parts.join(" ")})`;
  }

  #number(name: string, value: number): number {
    if (NODE_FIELDS.has(name)) return this.#permutation[value]!;
    if (TICKET_FIELDS.has(name)) return Math.max(0, value - this.#persistedTicket);
    return value;
  }
}
