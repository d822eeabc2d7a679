/** The command line of `pnpm stryker`. */
import { parseArgs } from "node:util";

export const USAGE = `usage: pnpm stryker [options] [FILE...]

Changes the core in one small place after another (Stryker's mutants) and runs the core's own tests
that reach it: a change that no test notices survives. FILE is one of packages/raft/src, such as
quorum.ts, or a part of it, such as quorum.ts:10-40; without one, all are changed. What was found
out before is kept in .stryker/, and not tried again until the source or the tests change.

  --force     try again what is known
  --summary   run nothing; print what is known
  --help      this text

Prints the score of each file, and the survivors for which docs/proof/stryker.md has no line. Exit
code 0: 90 % of all mutants were killed, or more, and each survivor is explained. 1: not so. 64: bad
options.
`;

export interface Options {
  readonly help: boolean;
  readonly force: boolean;
  readonly summary: boolean;
  readonly files: readonly string[];
}

/** @throws Error in words for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      force: { type: "boolean", default: false },
      summary: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return { ...values, files: positionals };
}
