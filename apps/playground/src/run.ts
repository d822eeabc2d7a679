/** From the command line to a running playground, and to its end. */
import { CommanderError } from "commander";
import { parseOptions } from "./options.ts";
import { startPlayground } from "./playground.ts";

/** Any end takes at most 3 s. */
const END_MS_MAX = 2_900;

/**
 * Runs a playground until a signal ends this process. Says on standard output when it is ready,
 * and on standard error what keeps it from that; then the exit code is 1.
 *
 * @param root the repository's root directory.
 */
export async function run(args: readonly string[], root: string): Promise<void> {
  try {
    await start(args, root);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    say(process.stderr, error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

async function start(args: readonly string[], root: string): Promise<void> {
  const options = parseOptions(args);
  const report = (text: string) => say(process.stderr, text);
  const started = startPlayground({ ...options, root, report });
  let ending = false;

  const end = async () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), END_MS_MAX).unref();
    await started.then(
      (playground) => playground.close(),
      () => {},
    );
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void end());
  }

  const playground = await started;
  await playground.ready;
  if (!ending) say(process.stdout, `Raftarium is ready at http://localhost:${playground.port}`);
}

function say(stream: NodeJS.WritableStream, text: string): void {
  stream.write(`${text}\n`);
}
