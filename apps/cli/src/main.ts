/** raft-client: the command-line client. `pnpm raft-client --help` */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// What is imported after this starts in half the time, from the second run on.
enableCompileCache(
  process.env["NODE_COMPILE_CACHE"] ??
    fileURLToPath(new URL("../../../node_modules/.cache/raftarium", import.meta.url)),
);
const [{ processIo }, { main }] = await Promise.all([import("./io.ts"), import("./program.ts")]);

process.exitCode = await main(process.argv.slice(2), processIo());
