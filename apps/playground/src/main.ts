/**
 * The playground: a supervised cluster of real processes, and the page that shows and breaks it.
 * `pnpm dev` and `pnpm start` run this; `--help` tells the flags.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

// What was compiled once needs no compiling at the next start: half of the time until we listen.
// The nodes, processes of ours, share it.
process.env["NODE_COMPILE_CACHE"] ??= `${root}node_modules/.cache/raftarium`;
enableCompileCache(process.env["NODE_COMPILE_CACHE"]);

const { run } = await import("./run.ts");
await run(process.argv.slice(2), root);
