/** The command line of `pnpm mutants`. */
import { parseArgs } from "node:util";

export const USAGE = `usage: pnpm mutants [options]

Puts each of the classic bugs of Raft implementations into a copy of the source and shows what
finds it: the simulation (in how many seeds, and which promise was broken), the exhaustive search
(in how many steps from the start), and the package's own tests (how many fail).

  --only TEXT     only bugs whose sentence contains TEXT
  --first N       begin with the Nth bug (default 1)
  --count N       so many bugs (default: all)
  --seeds N       give up a simulation after so many seeds (default 1000)
  --help          this text

Prints Markdown. Exit code 0: all were found. 1: one was not. 64: bad options.
`;

export interface Options {
  readonly help: boolean;
  readonly only: string;
  readonly first: number;
  readonly count: number;
  readonly seedsMax: number;
}

/** @throws Error in words for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      first: { type: "string", default: "1" },
      count: { type: "string", default: "1000" },
      seeds: { type: "string", default: "1000" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    help: values.help,
    only: values.only,
    first: wholeNumber("--first", values.first),
    count: wholeNumber("--count", values.count),
    seedsMax: wholeNumber("--seeds", values.seeds),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`cannot read ${name}: expected a whole number from 1, got "${text}"`);
}
