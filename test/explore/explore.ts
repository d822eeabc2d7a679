/** One search with the settings that all of them share. */
import type { createRaft } from "@raftarium/raft";
import type { Bounds } from "./bounds.ts";
import { Nodes } from "./nodes.ts";
import { Search } from "./search.ts";
import type { SearchOptions, SearchResult } from "./search.ts";
import { tellStory } from "./story.ts";

export interface ExploreOptions extends Omit<SearchOptions, "bounds"> {
  readonly preVote?: boolean;
}

export interface Explored extends SearchResult {
  /** How the promise was broken, line by line; empty if none was. */
  readonly story: readonly string[];
}

/** `create`: see `window.ts`. */
export function explore(
  create: typeof createRaft,
  bounds: Bounds,
  { preVote = false, ...options }: ExploreOptions,
): Explored {
  const nodes = new Nodes(create, {
    preVote,
    // One entry in each append: more of them are on their way, in more orders.
    entriesPerAppendMax: 1,
    inflightAppendsMax: 2,
    slowDisks: bounds.slowDisks,
    hasReads: bounds.reads > 0,
  });
  const result = new Search(nodes, { bounds, ...options }).run();
  return { ...result, story: result.found === null ? [] : tellStory(nodes, result.found) };
}
