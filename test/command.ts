/** How the commands of this folder begin and end: help, bad options, exit codes. */

/** As in sysexits: the command line can't be used. */
const BAD_OPTIONS = 64;

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

export interface Command<Options> {
  readonly usage: string;
  /** @throws Error saying what is wrong with an option. */
  readonly readOptions: (args: readonly string[]) => Options;
  /** @returns the exit code. */
  readonly run: (options: Options) => Promise<number>;
}

/** Sets the exit code. What is wrong with the options is told with the usage. */
export async function runCommand<Options extends { readonly help: boolean }>({
  usage,
  readOptions,
  run,
}: Command<Options>): Promise<void> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = BAD_OPTIONS;
    return;
  }
  if (options.help) print(usage);
  else process.exitCode = await run(options);
}
