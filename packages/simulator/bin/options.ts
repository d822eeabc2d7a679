/** The command line of `pnpm simulate`. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const USAGE = `usage: pnpm simulate [options]

Runs the production code in a virtual world that crashes it, cuts its links, tears and fills its
disks and bends its clocks. Each seed is one life of a cluster. After every event every promise is
checked; a seed that breaks one is made as small as it gets.

  --seeds N     how many seeds to run (default 100)
  --seed S      the first seed (default 1); alone it means just that one
  --nodes N     nodes in the cluster, 1 to 9 (default: 3, 5 or 7, by seed)
  --seconds T   simulated seconds of each seed (default 10)
  --jobs N      seeds at a time (default: one for each processor)
  --explain     tell the story of the first seed that failed, made small; or of the last one
  --whole       leave that seed as it is, with everything that it does not need to fail
  --json        print one JSON object instead of text
  --help        this text

  pnpm simulate --seeds 1000
  pnpm simulate --seed 42 --explain

Exit code 0: no promise was broken. 1: one was. 64: bad options. 130: interrupted (Ctrl-C tells
what was found so far).
`;

export interface Options {
  readonly help: boolean;
  readonly firstSeed: number;
  readonly seedCount: number;
  /** null: by seed. */
  readonly nodeCount: number | null;
  readonly seconds: number;
  readonly jobs: number;
  readonly json: boolean;
  readonly explain: boolean;
  readonly whole: boolean;
}

/** @throws Error in words for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: withNegativeSeeds(args),
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      nodes: { type: "string" },
      seconds: { type: "string", default: "10" },
      jobs: { type: "string" },
      json: { type: "boolean", default: false },
      explain: { type: "boolean", default: false },
      whole: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const firstSeed = wholeNumber("--seed", values.seed ?? "1", Number.MIN_SAFE_INTEGER);
  const seedCount = wholeNumber("--seeds", values.seeds ?? (values.seed ? "1" : "100"), 1);
  // The sum itself could be rounded.
  if (firstSeed > Number.MAX_SAFE_INTEGER - (seedCount - 1)) {
    throw new Error(
      `cannot run the seeds: expected safe integers, got ${seedCount} from ${firstSeed} up`,
    );
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 86_400)) {
    throw new Error(
      `cannot read --seconds: expected a number from 0 to 86400, got ${values.seconds}`,
    );
  }
  return {
    help: values.help,
    firstSeed,
    seedCount,
    nodeCount: values.nodes === undefined ? null : wholeNumber("--nodes", values.nodes, 1, 9),
    seconds,
    jobs: wholeNumber("--jobs", values.jobs ?? String(availableParallelism()), 1, 256),
    json: values.json,
    explain: values.explain,
    whole: values.whole,
  };
}

/** `--seed -5` as `--seed=-5`, which `parseArgs` would take for two options. */
function withNegativeSeeds(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (/^-\d/.test(arg) && joined.at(-1)?.startsWith("--") === true) {
      joined[joined.length - 1] += `=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

/** Mostly five; three and seven for variety. */
export function nodeCountOf(nodeCount: number | null, seed: number): number {
  return nodeCount ?? [5, 3, 5, 7, 5][Math.abs(seed) % 5] ?? 5;
}

function wholeNumber(
  name: string,
  text: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new Error(
    `cannot read ${name}: expected a whole number from ${min} to ${max}, got ${text}`,
  );
}
