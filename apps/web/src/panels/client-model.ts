/** What the client panel knows about a request, and says of it. Pure. */
import { disksWith, type ClusterView, type RequestView } from "@raftarium/observer";
import type { Answer } from "../commands.ts";
import { durationWords } from "./format.ts";

export type ClientDeed = "put" | "get" | "delete";

export interface Asked {
  /** By which the observations tell of it. */
  readonly requestId: string;
  readonly deed: ClientDeed;
  readonly key: string;
  readonly value: string;
  /** null: any node. */
  readonly nodeId: number | null;
  readonly serializable: boolean;
  /** On the page's own clock, milliseconds. */
  readonly startedMs: number;
  /** null: still under way. */
  readonly answer: Answer | null;
}

/** The browser allows six connections to the playground, and the page needs some itself. */
const UNDER_WAY_MAX = 3;

/**
 * What to do about those under way before another is asked. `again`: the same is being read, its
 * answer will do. `giveUp`: a read that makes room. `refused`: only writes are under way.
 */
export type Room =
  | { readonly kind: "free" }
  | { readonly kind: "again"; readonly asked: Asked }
  | { readonly kind: "giveUp"; readonly asked: Asked }
  | { readonly kind: "refused"; readonly message: string };

/** @param requests newest first. */
export function roomFor(
  next: Pick<Asked, "deed" | "key" | "nodeId" | "serializable">,
  requests: readonly Asked[],
): Room {
  const underWay = requests.filter((asked) => asked.answer === null);
  const reads = underWay.filter((asked) => asked.deed === "get");
  const same = reads.find(
    (asked) =>
      next.deed === "get" &&
      asked.key === next.key &&
      asked.nodeId === next.nodeId &&
      asked.serializable === next.serializable,
  );
  if (same !== undefined) return { kind: "again", asked: same };
  if (underWay.length < UNDER_WAY_MAX) return { kind: "free" };
  const oldest = reads.at(-1);
  if (oldest !== undefined) return { kind: "giveUp", asked: oldest };
  const message = `${underWay.length} writes are under way: wait for one, or stop waiting.`;
  return { kind: "refused", message };
}

/** A request may have this many bytes of key and value together (etcd's limit, 1.5 MiB). */
export const REQUEST_BYTES_MAX = 1.5 * 1024 * 1024;

/** Longest time to wait for an answer, wall time: two elections and a write, in slow motion. */
const WAIT_CLUSTER_MS = 5000;
const WAIT_MS_MIN = 8000;
const WAIT_MS_MAX = 120_000;

/** @param speed cluster seconds per second. */
export function waitMs(speed: number): number {
  return Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, WAIT_CLUSTER_MS / speed));
}

/** Why it cannot be asked, in a sentence; null: it can. */
export function problemOf(deed: ClientDeed, key: string, value: string): string | null {
  const encoder = new TextEncoder();
  const keyBytes = encoder.encode(key).length;
  if (keyBytes === 0) return `To ${deed}, name a key.`;
  const bytes = keyBytes + (deed === "put" ? encoder.encode(value).length : 0) + 2;
  if (bytes <= REQUEST_BYTES_MAX) return null;
  const megabytes = (bytes / 1024 / 1024).toFixed(1);
  return `Key and value may have 1.5 MiB together; these have ${megabytes} MiB.`;
}

const TEXT_LENGTH_MAX = 160;

/** As much of a text as is worth reading. */
function shortened(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  return `${text.slice(0, TEXT_LENGTH_MAX)}… (${text.length} characters)`;
}

/** "put fruit = pear" */
export function askedWords({ deed, key, value, serializable }: Asked): string {
  if (deed === "get" && serializable) return `get ${shortened(key)}, serializable`;
  if (deed !== "put") return `${deed} ${shortened(key)}`;
  return `put ${shortened(key)} = ${shortened(value)}`;
}

/** What became of a write, as far as the logs in view tell. */
export type Fate = "unseen" | "open" | "committed" | "replaced";

/** Whether the entry that a request became was committed, or another took its place. */
export function fateOf(request: RequestView | undefined, view: ClusterView): Fate {
  if (request === undefined) return "unseen";
  const { index, term } = request;
  if (index === null || term === null) return "unseen";
  for (const node of view.nodes) {
    if (node.commitIndex < index) continue;
    const entry = node.entries.find((other) => other.index === index);
    if (entry !== undefined) return entry.term === term ? "committed" : "replaced";
  }
  return "open";
}

/** "node 2, forwarded to node 3" */
function whoWords(answer: Answer, request: RequestView | undefined): string[] {
  if (answer.nodeId === null) return [];
  const leaderId = request?.forwardedTo ?? null;
  return [
    leaderId === null ? `node ${answer.nodeId}` : `node ${answer.nodeId} via node ${leaderId}`,
  ];
}

function diskWords(request: RequestView | undefined, view: ClusterView): string[] {
  if (request?.index === null || request?.index === undefined || request.term === null) return [];
  const count = disksWith(view, request.index, request.term);
  return count === 0 ? [] : [`${count} of ${view.nodes.length} on disk`];
}

/** The value that came back, as much of it as is worth reading; null: none. */
export function valueWords({ deed }: Asked, answer: Answer): string | null {
  return deed === "get" && answer.value !== null ? shortened(answer.value) : null;
}

/** What is to be said of an answer without a value; empty: nothing. */
export function remark({ deed }: Asked, answer: Answer): string {
  if (deed === "get") return answer.value === null ? "no such key" : "";
  if (deed === "delete") return answer.count === 0 ? "no such key" : "deleted";
  return "";
}

/** The particulars of a good answer: "revision 12, 3 of 5 on disk, node 2 via node 3, 0.41 s". */
export function particulars(
  asked: Asked,
  answer: Answer,
  request: RequestView | undefined,
  view: ClusterView,
): string {
  const revision = answer.revision === null ? [] : [`revision ${answer.revision}`];
  const disks = asked.deed === "get" ? [] : diskWords(request, view);
  const took = durationWords(answer.tookMs);
  return [...revision, ...disks, ...whoWords(answer, request), ...onceWords(answer), took].join(
    ", ",
  );
}

/** "session 12", "session 12, sent 3 times" */
function onceWords({ once }: Answer): string[] {
  if (once === null) return [];
  const session = `session ${once.session}`;
  return once.attempts === 1 ? [session] : [session, `sent ${once.attempts} times`];
}

/** Without the name of the server that etcd's clients expect in it, and without a full stop. */
export function reasonWords(message: string): string {
  return message.replace(/^etcdserver: /, "").replace(/\.$/, "");
}

export function fateWords(fate: Fate, request: RequestView | undefined): string {
  switch (fate) {
    case "unseen":
      return "";
    case "open":
      return `It is in a log at index ${request?.index}, not committed yet.`;
    case "committed":
      return `Seen since: it did take effect, index ${request?.index} is committed.`;
    case "replaced":
      return `Seen since: it did not take effect, another entry was committed at index ${request?.index}.`;
  }
}
