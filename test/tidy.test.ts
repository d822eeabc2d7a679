/** The house rules, as far as a machine can hold them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

const isGenerated = (file: string): boolean => file.includes("/src/gen/");
const sources = files.filter((file) => /\.(ts|tsx|mjs|css)$/.test(file) && !isGenerated(file));
const markdown = files.filter((file) => file.endsWith(".md"));

/** The folder of a package, by the name that the table uses. */
function folderOf(name: string): string {
  if (name === "test") return "test";
  return name.startsWith("app-") ? `apps/${name.slice(4)}` : `packages/${name}`;
}

/** package -> what it may import, as ARCHITECTURE.md says. */
const table = new Map(
  [
    ...read("ARCHITECTURE.md").matchAll(
      /^\|\s*([a-z-]+)\s*\|\s*(?:pure|any|Node\.js|browser)\s*\|(.*)\|$/gm,
    ),
  ].map(([, name = "", allowed = ""]) => [
    name,
    new Set(
      allowed
        .split(",")
        .map((word) => word.trim())
        .filter((word) => word !== ""),
    ),
  ]),
);

const IMPORT = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

function importsOf(name: string): { file: string; target: string; specifier: string }[] {
  return sources
    .filter((file) => file.startsWith(`${folderOf(name)}/`) && /\.tsx?$/.test(file))
    .flatMap((file) =>
      [...read(file).matchAll(IMPORT)].flatMap(([, specifier = ""]) => {
        if (specifier.startsWith("@raftarium/")) {
          return [{ file, specifier, target: specifier.split("/")[1] ?? "" }];
        }
        if (!specifier.startsWith(".")) return [];
        const path = normalize(join(dirname(file), specifier));
        const owner = [...table.keys()].find((other) => path.startsWith(`${folderOf(other)}/`));
        return owner === undefined || owner === name ? [] : [{ file, specifier, target: owner }];
      }),
    );
}

describe("who may import whom", () => {
  test("the table names every package", () => {
    const folders = files
      .filter((file) => /^(packages|apps)\/[^/]+\/package\.json$/.test(file))
      .map((file) => dirname(file));
    expect([...table.keys()].map(folderOf).toSorted()).toEqual([...folders, "test"].toSorted());
  });

  test.each([...table.keys()])("%s imports only what the table allows", (name) => {
    // A test inside a package may bring in one more of ours, to feed what it tests.
    const wrong = importsOf(name).filter(
      ({ file, target }) => !table.get(name)?.has(target) && !file.endsWith(".test.ts"),
    );
    expect(wrong).toEqual([]);
  });

  test.each([...table.keys()])("%s declares in package.json what it imports", (name) => {
    const manifest = JSON.parse(read(`${folderOf(name)}/package.json`)) as Record<
      "dependencies" | "devDependencies",
      Record<string, string> | undefined
    >;
    const declared = { ...manifest.dependencies, ...manifest.devDependencies };
    const missing = importsOf(name)
      .filter(({ specifier }) => specifier.startsWith("@raftarium/"))
      .filter(({ target }) => target !== name && !(`@raftarium/${target}` in declared));
    expect(missing).toEqual([]);
  });
});

describe("files", () => {
  test("no source file is longer than a person reads at one sitting", () => {
    const long = sources
      .map((file) => ({ file, lines: read(file).split("\n").length }))
      .filter(({ lines }) => lines > 600);
    expect(long).toEqual([]);
  });

  test("packages/raft stays small: no file over 400 lines, under 2,000 of code in all", () => {
    const core = sources
      .filter((file) => file.startsWith("packages/raft/src/") && !file.includes(".test."))
      .map((file) => ({ file, lines: read(file).split("\n") }));
    expect(core.filter(({ lines }) => lines.length - 1 > 400)).toEqual([]);
    // Code: all that is neither blank nor comment.
    const code = core.flatMap(({ lines }) =>
      lines.filter((line) => !/^\s*($|\/\/|\/?\*)/.test(line)),
    );
    expect(code.length).toBeLessThan(2000);
  });

  test("every package says what it is", () => {
    const silent = [...table.keys()].filter(
      (name) => !existsSync(join(root, folderOf(name), "README.md")),
    );
    expect(silent).toEqual([]);
  });
});

describe("words", () => {
  /** What must not stand in a source file, and what to write instead. */
  const banned: readonly [RegExp, string][] = [
    [/\b(TODO|FIXME|XXX|HACK)\b/, "do it, or file an issue"],
    [/\.(only|skip|todo)\(/, "every test runs"],
    [/waitForTimeout\(/, "wait for a condition"],
    [/(^|[^\w.])\/(work|root|home)\/[a-z]/, "no path of a machine"],
  ];

  test.each(banned)("%s stands nowhere", (pattern, instead) => {
    const found = sources
      .filter((file) => file !== "test/tidy.test.ts")
      .flatMap((file) =>
        read(file)
          .split("\n")
          .flatMap((line, index) =>
            pattern.test(line) ? [`${file}:${index + 1}: ${instead}`] : [],
          ),
      );
    expect(found).toEqual([]);
  });
});

describe("documents", () => {
  test("every link inside the repository leads somewhere", () => {
    const dead = markdown.flatMap((file) =>
      [...read(file).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link = ""]) => link)
        .filter((link) => !/^[a-z]+:/.test(link) && !link.startsWith("#"))
        .filter((link) => !existsSync(join(root, dirname(file), link.split("#")[0] ?? "")))
        .map((link) => `${file}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  test("every `pnpm` command that a document shows is a script", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const builtIn = new Set(["install", "exec", "run", "add"]);
    const unknown = markdown.flatMap((file) =>
      [...read(file).matchAll(/(?:^|[`\s])pnpm(?:@12)? ([a-z][a-z-]*)/gm)]
        .map(([, script = ""]) => script)
        .filter((script) => !(script in scripts) && !builtIn.has(script))
        .map((script) => `${file}: pnpm ${script}`),
    );
    expect(unknown).toEqual([]);
  });
});
