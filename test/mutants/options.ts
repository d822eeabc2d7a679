/** The command line of `pnpm mutants`. */
import { parseArgs } from "node:util";

export const USAGE = `usage: pnpm mutants [options]

Puts each of the classic bugs of Raft implementations into a copy of the source and shows what
finds it: the simulation (for each of its oracles the first seed at which that one, by itself,
accuses), the exhaustive search (in how many steps from the start), and the package's own tests
(how many fail). What has ended is told on stderr.

  --only TEXT       only bugs whose sentence contains TEXT
  --first N         begin with the Nth bug (default 1)
  --count N         so many bugs (default: all)
  --oracle-seeds N  give up asking each oracle after so many seeds (default 200)
  --seeds N         if none accused by then: give up asking any after so many (default 1000)
  --simulation      only the simulation: no search, no own tests
  --help            this text

Prints Markdown. Exit code 0: all were found. 1: one was not. 64: bad options.
`;

export interface Options {
  readonly help: boolean;
  readonly only: string;
  readonly first: number;
  readonly count: number;
  readonly oracleSeeds: number;
  readonly seedsMax: number;
  readonly simulationOnly: boolean;
}

/** @throws Error in words for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      first: { type: "string", default: "1" },
      count: { type: "string", default: "1000" },
      "oracle-seeds": { type: "string", default: "200" },
      simulation: { type: "boolean", default: false },
      seeds: { type: "string", default: "1000" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    help: values.help,
    only: values.only,
    first: wholeNumber("--first", values.first),
    count: wholeNumber("--count", values.count),
    oracleSeeds: wholeNumber("--oracle-seeds", values["oracle-seeds"]),
    simulationOnly: values.simulation,
    seedsMax: wholeNumber("--seeds", values.seeds),
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`cannot read ${name}: expected a whole number from 1, got "${text}"`);
}
