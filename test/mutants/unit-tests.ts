/** Runs a package's own tests (of the core: those named after the paper) on a patched copy. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patchSources } from "./load.ts";
import type { Mutant } from "./mutants.ts";

const ROOT = join(import.meta.dirname, "../..");
const TIME_LIMIT_MS = 300_000;

export interface UnitTestResult {
  readonly testCount: number;
  /** Titles of the tests that fail. */
  readonly failed: readonly string[];
}

interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** @throws Error if a patch does not fit the source any more, or no test ran. */
export function runUnitTests({ packageName, patches, bug }: Mutant): UnitTestResult {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-mutant-"));
  try {
    const home = join(directory, "packages", packageName);
    mkdirSync(home, { recursive: true });
    const original = join(ROOT, "packages", packageName);
    for (const part of ["src", "test", "package.json"]) {
      const path = join(original, part);
      if (existsSync(path)) cpSync(path, join(home, part), { recursive: true });
    }
    const dependencies = join(original, "node_modules");
    if (existsSync(dependencies)) symlinkSync(dependencies, join(home, "node_modules"));
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    patchSources(join(home, "src"), packageName, patches, bug);
    writeFileSync(join(directory, "vitest.config.mjs"), "export default { test: {} };\n");
    const file = join(directory, "report.json");
    const program = join(ROOT, "node_modules/vitest/vitest.mjs");
    const args = ["run", "--root", directory, "--reporter=json", `--outputFile=${file}`];
    const { stderr } = spawnSync(process.execPath, [program, ...args], {
      encoding: "utf8",
      timeout: TIME_LIMIT_MS,
    });
    if (!existsSync(file)) throw new Error(`the tests of ${packageName} did not run: ${stderr}`);
    return resultOf(JSON.parse(readFileSync(file, "utf8")) as Report);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function resultOf({ numTotalTests, testResults }: Report): UnitTestResult {
  const failed = testResults.flatMap(({ name, status, assertionResults }) =>
    status === "failed" && assertionResults.length === 0
      ? [name]
      : assertionResults.filter((test) => test.status === "failed").map(({ title }) => title),
  );
  return { testCount: numTotalTests, failed };
}
