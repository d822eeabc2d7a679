/** The node's program in one file: it starts in less than half the time of its sources. */
import { mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isStale } from "./stale.ts";

/** What the node is made of. */
const SOURCES = ["apps/node", "packages"];

/** CommonJS dependencies find what they expect of their surroundings. */
const BANNER = `
import { createRequire as createRequireForBundle } from "node:module";
import { fileURLToPath as fileURLToPathForBundle } from "node:url";
const require = createRequireForBundle(import.meta.url);
const __filename = fileURLToPathForBundle(import.meta.url);
const __dirname = fileURLToPathForBundle(new URL(".", import.meta.url));
`;

/** Bundles apps/node of the repository at `root`, unless that is done; returns the program's path. */
export async function bundleNode(root: string): Promise<string> {
  const directory = join(root, "apps/node/dist");
  const program = join(directory, "raft-node.mjs");
  if (!isStale(root, program, SOURCES)) return program;
  const begun = new Date();
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(root, "apps/node/src/main.ts")],
    absWorkingDir: root,
    outfile: program,
    write: false,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    sourcemap: "inline",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "silent",
    banner: { js: BANNER },
  });
  mkdirSync(directory, { recursive: true });
  for (const { contents } of outputFiles) {
    // Whole or not at all, for another playground that starts at the same moment.
    const draft = `${program}.${process.pid}`;
    writeFileSync(draft, contents);
    // What changes while it is built makes it stale.
    utimesSync(draft, begun, begun);
    renameSync(draft, program);
  }
  return program;
}
