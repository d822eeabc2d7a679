/** `pnpm stryker`: see `options.ts` for what it takes. */
import { existsSync, readFileSync } from "node:fs";
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
/** Says of each survivor why no test notices it. */
const DOCUMENT = join(ROOT, "docs/proof/stryker.md");
/** Only words are declared there. */
const NOT_MUTATED = ["types.ts", "messages.ts"];

await runCommand({ usage: USAGE, readOptions, run: main });

async function main(options: Options): Promise<number> {
  if (!options.summary) await mutate(options);
  if (!existsSync(KNOWN)) throw new Error("cannot summarize: expected an earlier run, found none");
  const summary = summarize(readFileSync(KNOWN, "utf8"), readFileSync(DOCUMENT, "utf8"));
  const { table, survivors, unexplained, outdated, score } = summary;
  print(`\n${table}\n\nSurvivors: ${survivors.length}`);
  list("Not explained in docs/proof/stryker.md:", unexplained);
  list("Explained there, but no survivor (any more):", outdated);
  return score >= SCORE_MIN && unexplained.length === 0 ? 0 : 1;
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length > 0) print(`\n${title}\n\n${lines.map((line) => `- ${line}`).join("\n")}`);
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
