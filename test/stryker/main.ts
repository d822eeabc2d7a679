/** `pnpm stryker`: see `options.ts` for what it takes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Stryker } from "@stryker-mutator/core";
import { print, runCommand } from "../command.ts";
import { readOptions, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { summarize } from "./summary.ts";

const SCORE_MIN = 90;
const ROOT = join(import.meta.dirname, "../..");
const KEPT = join(ROOT, ".stryker");
const KNOWN = join(KEPT, "known.json");
/** Only words are declared there. */
const NOT_MUTATED = ["types.ts", "messages.ts"];

await runCommand({ usage: USAGE, readOptions, run: main });

async function main(options: Options): Promise<number> {
  if (!options.summary) await mutate(options);
  if (!existsSync(KNOWN)) throw new Error("cannot summarize: expected an earlier run, found none");
  const { table, survivors, score } = summarize(KNOWN);
  print(`\n${table}\n\nSurvivors:\n\n${survivors.map((line) => `- ${line}`).join("\n")}`);
  return score >= SCORE_MIN ? 0 : 1;
}

async function mutate({ files, force }: Options): Promise<void> {
  // What Stryker copies, and where it looks for tests.
  process.chdir(join(ROOT, "packages/raft"));
  const all = ["src/**/*.ts", ...["*.test.ts", ...NOT_MUTATED].map((name) => `!src/${name}`)];
  await new Stryker({
    mutate: files.length > 0 ? files.map((file) => `src/${file}`) : all,
    ignorePatterns: ["dist", "tsconfig*.json", "*.md"],
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner", join(import.meta.dirname, "ignore-messages.ts")],
    ignorers: ["messages"],
    vitest: { configFile: join(import.meta.dirname, "vitest.config.ts"), related: false },
    coverageAnalysis: "perTest",
    disableTypeChecks: false,
    concurrency: 1,
    incremental: true,
    incrementalFile: KNOWN,
    force,
    tempDirName: join(KEPT, "copy"),
    reporters: ["progress-append-only"],
    timeoutMS: 5000,
    timeoutFactor: 2,
    allowEmpty: true,
  }).runMutationTest();
}
