/**
 * `pnpm test`: every check and every test, then `N passed, N failed` alone on a line, counted from
 * the checks' results and vitest's own report.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { runChecks } from "./check.ts";
import { bringBrowser, findBrowser } from "./browser/find-browser.ts";
import { REPORTS } from "./reports.ts";

const PROJECTS = ["unit", "whole", "processes"] as const;

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

const report = (line: string): void => void process.stdout.write(`${line}\n`);

let passed = 0;
let failed = 0;
let skipped = 0;

const browser = findBrowser() ?? (await bringBrowser());
if (browser === null) {
  report(
    "The browser tests need Chromium: install it (Debian: apt-get install chromium) or set CHROMIUM.",
  );
}

for (const result of runChecks(report)) {
  if (result.passed) passed += 1;
  else failed += 1;
}

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
for (const project of PROJECTS) {
  const file = `${REPORTS}/${project}.json`;
  const { status } = spawnSync(
    "vitest",
    ["run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile=${file}`],
    {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...(browser === null ? {} : { CHROMIUM: browser }) },
    },
  );
  const counts = count(file);
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  // A run that ended badly with nothing counted as failed is a failure all the same.
  if (status !== 0 && counts.failed === 0) failed += 1;
}

report(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function count(file: string): { passed: number; failed: number; skipped: number } {
  let parsed: Report;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
  // A file that could not be loaded has no tests to count, and is one failure.
  const broken = parsed.testResults.filter(
    (result) => result.status === "failed" && result.assertionResults.length === 0,
  ).length;
  return {
    passed: parsed.numPassedTests,
    failed: parsed.numFailedTests + broken,
    skipped: parsed.numPendingTests + parsed.numTodoTests,
  };
}
