/**
 * The playground: a supervised cluster of real processes, and the page that shows and breaks it.
 * `pnpm dev` and `pnpm start` run this; `--help` tells the flags.
 */
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { parseOptions } from "./options.ts";
import { startPlayground, type Playground } from "./playground.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  let ending: Promise<void> | null = null;
  let playground: Playground | null = null;
  const started = startPlayground({
    ...options,
    root,
    report: (text) => void process.stderr.write(`${text}\n`),
  });

  const end = (exitCode: number) => {
    // Whatever happens, the end takes no longer than this.
    setTimeout(() => process.exit(exitCode), 2_900).unref();
    ending ??= started.then(
      (running) => running.close(),
      () => {},
    );
    void ending.finally(() => process.exit(exitCode));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(0));

  playground = await started;
  await playground.ready;
  if (ending === null) {
    process.stdout.write(`Raftarium is ready at http://localhost:${playground.port}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
