/** raft-node: one process, one Raft node. `pnpm raft-node --config FILE`. */
import { parseArgs } from "node:util";
import { ConfigError, loadConfig } from "./config.ts";
import { createLog } from "./log.ts";
import { startProcess } from "./process.ts";

const HELP = `raft-node --config FILE: one Raft node

  --config FILE   its configuration, YAML (docs/configuration.md)
  --playground    obey a playground: wait for its settings, apply link faults, end with its pipe
  --help          this text

SIGTERM and SIGINT hand leadership over and leave cleanly.`;

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

const exitCode = await main();
if (exitCode !== null) process.exit(exitCode);
