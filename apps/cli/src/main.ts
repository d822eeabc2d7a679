/** raft-client: the command-line client. `pnpm raft-client --help` */
import { processIo } from "./io.ts";
import { main } from "./program.ts";

process.exitCode = await main(process.argv.slice(2), processIo());
