/** The command line of `pnpm explore`. */
import { parseArgs } from "node:util";
import { RATION_MAX, RATIONED, STILL } from "./bounds.ts";
import type { Bounds } from "./bounds.ts";
import { WORLDS } from "./worlds.ts";
import type { World } from "./worlds.ts";

export const USAGE = `usage: pnpm explore [options]

Looks at every state that three nodes of the real core can get into within stated bounds, each
once, whatever is delivered, lost, doubled, written or crashes in whatever order. Prints how many
there were, how deep they lie and the verdict; on a violation, the shortest way there.

  --world NAME    only this world (default: all)
  --list          name the worlds and their bounds
  --states N      stop after so many states of each world (default: 50,000,000)
  --mutant TEXT   put the classic bug whose sentence contains TEXT into the core first
  --json          print one JSON object for each world instead of text
  --help          this text

Bounds of your own, instead of the worlds (N, or "any" for as often as you like):

  --terms N       elections up to this term (default 1)
  --requests N    commands of clients              --drops N|any       lost messages
  --reads N       linearizable reads               --duplicates N|any  messages that come twice
  --crashes N     crashes, each with a restart     --heartbeats N|any  rounds of heartbeats
  --in-flight N   messages under way at any time (default 4)
  --slow-disks    writes take their time, and a crash may lose them
  --pre-vote      nodes ask before they campaign

Exit code 0: no violation. 1: a violation. 64: bad options.
`;

export interface Options {
  readonly help: boolean;
  readonly list: boolean;
  readonly json: boolean;
  readonly worlds: readonly World[];
  readonly statesMax: number;
  readonly mutant: string | null;
  readonly preVote: boolean;
}

/** @throws Error in words for the user. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      world: { type: "string" },
      list: { type: "boolean", default: false },
      states: { type: "string", default: "50000000" },
      mutant: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      terms: { type: "string" },
      requests: { type: "string" },
      reads: { type: "string" },
      crashes: { type: "string" },
      drops: { type: "string" },
      duplicates: { type: "string" },
      heartbeats: { type: "string" },
      "in-flight": { type: "string" },
      "slow-disks": { type: "boolean" },
      "pre-vote": { type: "boolean", default: false },
    },
  });
  const own = ownBounds(values);
  const { help, list, json } = values;
  return {
    help,
    list,
    json,
    worlds: own === null ? namedWorlds(values.world) : [own],
    statesMax: wholeNumber("--states", values.states, 1, 1_000_000_000),
    mutant: values.mutant ?? null,
    preVote: values["pre-vote"],
  };
}

function namedWorlds(name: string | undefined): readonly World[] {
  if (name === undefined) return WORLDS;
  const found = WORLDS.filter((world) => world.name === name);
  if (found.length > 0) return found;
  const names = WORLDS.map((world) => world.name).join(", ");
  throw new Error(`cannot explore world "${name}": expected one of ${names}`);
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** null: none was given. */
function ownBounds(values: Values): World | null {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const names = [...RATIONED, "terms", "in-flight", "slow-disks"];
  if (names.every((name) => values[name] === undefined)) return null;
  if (values["world"] !== undefined) {
    throw new Error("cannot take --world together with bounds of your own: choose one");
  }
  const rations = RATIONED.map((name) => {
    const isEndless = name === "drops" || name === "duplicates" || name === "heartbeats";
    const value = text(name) ?? String(STILL[name]);
    if (isEndless && value === "any") return [name, Number.POSITIVE_INFINITY] as const;
    return [name, wholeNumber(`--${name}`, value, 0, RATION_MAX)] as const;
  });
  const bounds: Bounds = {
    ...STILL,
    ...Object.fromEntries(rations),
    terms: wholeNumber("--terms", text("terms") ?? "1", 1, 20),
    inFlight: wholeNumber("--in-flight", text("in-flight") ?? "4", 1, 20),
    slowDisks: values["slow-disks"] === true,
  };
  return { name: "own", about: "bounds of your own", bounds };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new Error(
    `cannot read ${name}: expected a whole number from ${min} to ${max}, got "${text}"`,
  );
}
