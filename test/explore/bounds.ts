/** How far a search goes. */

/** In every history from the start on, at most so many… */
export interface Bounds {
  /** Elections are begun only up to this term. */
  readonly terms: number;
  /** …commands of clients, */
  readonly requests: number;
  /** …linearizable reads, asked of any node that knows a leader, */
  readonly reads: number;
  /** …crashes, each with a restart at once: staying away is the same as not being scheduled, */
  readonly crashes: number;
  /** …lost messages, */
  readonly drops: number;
  /** …messages delivered twice, */
  readonly duplicates: number;
  /** …rounds of heartbeats. */
  readonly heartbeats: number;
  /** Messages under way at any time, those that wait for a disk included. */
  readonly inFlight: number;
  /** Writes take their time, and a crash loses the last of them; if not, each is done at once. */
  readonly slowDisks: boolean;
}

/** A kind of thing that may happen only so often; the order is that of the counters in a state. */
export const RATIONED = [
  "requests",
  "reads",
  "crashes",
  "drops",
  "duplicates",
  "heartbeats",
] as const;

export type Rationed = (typeof RATIONED)[number];

/** Of each counter in a state: so many may happen, or any number. */
export const RATION_MAX = 31;

/** Bounds within which nothing but elections happens. */
export const STILL: Bounds = {
  terms: 1,
  requests: 0,
  reads: 0,
  crashes: 0,
  drops: 0,
  duplicates: 0,
  heartbeats: 0,
  inFlight: 4,
  slowDisks: false,
};

/** `2 terms, 1 request, any drops, 4 messages under way, slow disks`. */
export function describeBounds(bounds: Bounds): string {
  const parts = [count(bounds.terms, "terms")];
  for (const name of RATIONED) if (bounds[name] > 0) parts.push(count(bounds[name], name));
  parts.push(`${count(bounds.inFlight, "messages")} under way`);
  parts.push(bounds.slowDisks ? "slow disks" : "disks that write at once");
  return parts.join(", ");
}

function count(number: number, plural: string): string {
  if (number === Number.POSITIVE_INFINITY) return `any ${plural}`;
  if (number !== 1) return `${number} ${plural}`;
  return `1 ${plural === "crashes" ? "crash" : plural.slice(0, -1)}`;
}
