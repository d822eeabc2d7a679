/**
 * `pnpm check`: everything about the sources that can be told without running them. Each step
 * prints one line; a failing one its output and what to do. Exit 0 only if all pass.
 */
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cure: string;
}

const GENERATED = "packages/protocol/src/gen";

const steps: readonly Step[] = [
  { name: "types", command: ["tsc", "-b"], cure: "fix the types" },
  { name: "lint", command: ["oxlint", "--type-aware"], cure: "see each rule's help" },
  { name: "format", command: ["oxfmt", "--check", "."], cure: "run pnpm format" },
  { name: "buf lint", command: ["buf", "lint"], cure: "see each line" },
  {
    name: "buf format",
    command: ["buf", "format", "--diff", "--exit-code"],
    cure: "run pnpm format",
  },
  {
    name: "house rules: the import table, sizes, words, links",
    command: ["vitest", "run", "--project", "whole", "test/tidy.test.ts"],
    cure: "see ARCHITECTURE.md and CONTRIBUTING.md",
  },
  ...breaking(),
  { name: "generate", command: ["buf", "generate"], cure: "fix the protos" },
  {
    name: "generated code is fresh",
    command: ["git", "diff", "--exit-code", "--stat", "--", GENERATED],
    cure: "run pnpm generate and commit the result",
  },
];

/** Against the branch main as it was published, where this clone knows it. */
function breaking(): Step[] {
  const known = spawnSync("git", ["rev-parse", "--verify", "--quiet", "origin/main:buf.yaml"]);
  if (known.status !== 0) return [];
  return [
    {
      name: "buf breaking",
      command: ["buf", "breaking", "--against", ".git#ref=origin/main"],
      cure: "keep numbers and names that were published",
    },
  ];
}

export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
}

/** Runs all steps, even after one failed. */
export function runChecks(report: (line: string) => void): StepResult[] {
  return steps.map(({ name, command, cure }) => {
    const started = performance.now();
    const [program, ...args] = command;
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
    const seconds = (performance.now() - started) / 1000;
    const passed = status === 0;
    report(`${passed ? "ok  " : "FAIL"} ${name} (${seconds.toFixed(1)} s)`);
    if (!passed) report(`${stdout}${stderr}${error?.message ?? ""}\n     -> ${cure}`);
    return { name, passed, seconds };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const results = runChecks((line) => process.stdout.write(`${line}\n`));
  process.exitCode = results.every((result) => result.passed) ? 0 : 1;
}
