/** What changed between two tables of link faults, in one sentence. */
import type { NodeId } from "@raftarium/raft";
import type { LinkView } from "./observation.ts";
import { linkKey } from "./view.ts";
import { listWords } from "./words.ts";

type Links = ReadonlyMap<string, LinkView>;

/** More than this many links are not told one by one. */
const LINKS_TOLD_MAX = 3;

function isCut(link: LinkView | undefined): boolean {
  return link !== undefined && link.cut && link.messageKinds.length === 0;
}

function percent(rate: number): string {
  return `${Math.round(rate * 1000) / 10} %`;
}

/** "is cut", "takes 120 ms longer and loses 30 % of its messages"; empty: nothing is wrong. */
function stateWords(link: LinkView | undefined): string {
  if (link === undefined) return "";
  const kinds = link.messageKinds.length === 0 ? "" : ` (${listWords(link.messageKinds)} only)`;
  if (link.cut) return `was cut${kinds}`;
  const states: string[] = [];
  if (link.delayMs > 0 || link.jitterMs > 0) {
    const jitter = link.jitterMs > 0 ? ` and up to ${link.jitterMs} more` : "";
    states.push(`takes ${link.delayMs} ms longer${jitter}`);
  }
  if (link.dropRate > 0) states.push(`loses ${percent(link.dropRate)} of its messages`);
  if (link.duplicateRate > 0) states.push(`doubles ${percent(link.duplicateRate)}`);
  return states.length === 0 ? "" : `${listWords(states)}${kinds}`;
}

/** Groups of nodes that hear each other, directly or through others, by the cuts alone. */
function groups(nodeIds: readonly NodeId[], links: Links): NodeId[][] {
  const left = new Set(nodeIds);
  const found: NodeId[][] = [];
  for (const first of nodeIds) {
    if (!left.delete(first)) continue;
    const group = [first];
    for (const member of group) {
      for (const other of left) {
        const apart = isCut(links.get(linkKey(member, other)));
        if (apart && isCut(links.get(linkKey(other, member)))) continue;
        left.delete(other);
        group.push(other);
      }
    }
    found.push(group.toSorted((a, b) => a - b));
  }
  return found;
}

/** A sentence if the new cuts are those between groups, and nothing else; empty otherwise. */
function partitionWords(nodeIds: readonly NodeId[], before: Links, after: Links): string {
  const apart = groups(nodeIds, after);
  if (apart.length < 2) return "";
  const groupOf = new Map(apart.flatMap((group) => group.map((id) => [id, group] as const)));
  const exact = [...after.values()].every(
    (link) => !isCut(link) || groupOf.get(link.source) !== groupOf.get(link.target),
  );
  const fresh = [...after].filter(([key, link]) => isCut(link) && !isCut(before.get(key))).length;
  if (!exact || (fresh < 3 && nodeIds.length > 2)) return "";
  const alone = apart.filter((group) => group.length === 1).flat();
  if (apart.length === 2 && alone.length === 1 && nodeIds.length > 2) {
    return `Node ${alone[0]} was cut off from all others`;
  }
  return `The network was split: ${apart.map((group) => listWords(group)).join(" | ")}`;
}

/** What is told of links: a sentence without a full stop, and what it is about. */
export interface LinksTold {
  /** Both directions of one link have the same, if the same happened to both. */
  readonly key: string;
  readonly words: string;
}

/** @returns null: nothing changed. */
export function linksTold(
  nodeIds: readonly NodeId[],
  before: Links,
  after: Links,
): LinksTold | null {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const changed = keys.filter((key) => stateWords(before.get(key)) !== stateWords(after.get(key)));
  const words = changedWords(nodeIds, changed, before, after);
  const [only] = changed;
  if (only === undefined) return null;
  const link = after.get(only) ?? before.get(only);
  if (changed.length > 1 || link === undefined || !words.startsWith("The link ")) {
    return { key: words, words };
  }
  const { source, target } = link;
  const [low, high] = source < target ? [source, target] : [target, source];
  const state = stateWords(after.get(only));
  const key = `${low}-${high} ${state}`;
  if (state !== stateWords(after.get(linkKey(target, source)))) return { key, words };
  const now = state === "" ? "is whole again" : state;
  return { key, words: `The link between ${low} and ${high} ${now}` };
}

function changedWords(
  nodeIds: readonly NodeId[],
  changed: readonly string[],
  before: Links,
  after: Links,
): string {
  if ([...after.values()].every((link) => stateWords(link) === "")) {
    if (changed.length > 1) return "All links were healed";
  } else {
    const partition = partitionWords(nodeIds, before, after);
    if (partition !== "") return partition;
  }
  const sentences: string[] = [];
  const told = new Set<string>();
  for (const key of changed) {
    const link = after.get(key) ?? before.get(key);
    if (link === undefined || told.has(key)) continue;
    const { source, target } = link;
    const state = stateWords(after.get(key)) || "was healed";
    const back = linkKey(target, source);
    const both = changed.includes(back) && (stateWords(after.get(back)) || "was healed") === state;
    told.add(key);
    if (both) told.add(back);
    const name = both ? `between ${source} and ${target}` : `from ${source} to ${target}`;
    sentences.push(`the link ${name} ${state}`);
  }
  const shown = sentences.slice(0, LINKS_TOLD_MAX);
  const more = sentences.length - shown.length;
  const sentence = shown.join("; ") + (more > 0 ? `; and ${more} more links changed` : "");
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
