/** raft-node: one process, one Raft node. `pnpm raft-node --config FILE`. */
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { ConfigError, loadConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { startProcess } from "./process.ts";

const HELP = `raft-node --config FILE: one Raft node

  --config FILE   its configuration, YAML (docs/configuration.md)
  --playground    obey a playground: wait for its settings, apply link faults, end with its pipe
  --help          this text

SIGTERM and SIGINT hand leadership over and leave cleanly.`;

/**
 * How much the old generation may grow before it is collected, percent of what lives in it. V8's own
 * choice for a heap of our size is 300: of the memory of a leader under load most was then garbage.
 */
const HEAP_GROWING_PERCENT = 75;

/** As in sysexits: the command line or the configuration can't be used. */
const EXIT_USAGE = 64;

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number | null> {
  let args: { config: string | undefined; playground: boolean; help: boolean };
  try {
    const { values } = parseArgs({
      options: {
        config: { type: "string" },
        playground: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    args = { config: values.config, playground: values.playground, help: values.help };
  } catch (error) {
    complain(`${(error as Error).message}\n\n${HELP}`);
    return EXIT_USAGE;
  }
  if (args.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (args.config === undefined) {
    complain(`expected --config FILE, got none\n\n${HELP}`);
    return EXIT_USAGE;
  }
  try {
    const config = loadConfig(args.config);
    const log = createLog(config.log.level, config.id);
    await startProcess({ config, configFile: args.config, playground: args.playground, log });
    return null;
  } catch (error) {
    complain((error as Error).message);
    return error instanceof ConfigError ? EXIT_USAGE : 1;
  }
}

setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
const exitCode = await main();
if (exitCode !== null) process.exit(exitCode);
