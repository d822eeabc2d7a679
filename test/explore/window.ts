/**
 * The real core with a window: the search must tell states apart by all that they hold, which the
 * package's own interface rightly hides. Patches put a bug into the copy.
 */
import type { createRaft, Raft } from "@raftarium/raft";
import { loadPatched } from "../mutants/load.ts";
import type { Patch } from "../mutants/load.ts";

/** A `Raft` that shows its core, as far as the search needs to know it. */
export type WindowedRaft = Raft & { readonly core: { readonly withheld: readonly unknown[] } };

const WINDOW: Patch = {
  file: "raft.ts",
  from: "    status: () => statusOf(core),\n",
  to: "    core,\n    status: () => statusOf(core),\n",
};

/**
 * What it creates are `WindowedRaft`s.
 *
 * @throws Error if a patch does not fit the source any more.
 */
export async function loadWindowedCore(patches: readonly Patch[] = []): Promise<typeof createRaft> {
  using loaded = await loadPatched("raft", [WINDOW, ...patches], "a core to look into");
  return (loaded.exports as { createRaft: typeof createRaft }).createRaft;
}
