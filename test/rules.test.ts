/** docs/proof/rules.md says which test holds which rule: the tests, and the scenarios, must be there. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

/** The cells of each row of the tables, by the names in the tables' heads. */
function rowsOf(markdown: string): Readonly<Record<string, string>>[] {
  const rows: Record<string, string>[] = [];
  let head: readonly string[] = [];
  for (const line of markdown.split("\n")) {
    const cells = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (cells.length === 0) head = [];
    else if (head.length === 0) head = cells;
    else if (!/^-+$/.test(cells[0]!)) {
      rows.push(Object.fromEntries(head.map((name, at) => [name, cells[at] ?? ""])));
    }
  }
  return rows;
}

const rows = rowsOf(read("docs/proof/rules.md"));
const scenariosOf = (row: Readonly<Record<string, string>>): string[] =>
  (row["scenario"] ?? row["scenarios"] ?? "").split(", ").filter((name) => name !== "");

/** What stands in quotes after `test(`, `describe(` or their `each`. */
function titlesIn(file: string): string[] {
  return [...read(file).matchAll(/\b(?:test|describe)(?:\.each)?\([^"'`]*(["'`])(.*?)\1/g)].map(
    ([, , title = ""]) => title.replaceAll("\\", ""),
  );
}

test("every rule has a test of that title", () => {
  expect(rows.length).toBeGreaterThan(70);
  const missing = rows.filter(({ in: file = "", test: title = "" }) => {
    return (
      title === "" ||
      !existsSync(join(root, file)) ||
      !titlesIn(file).some((known) => known.includes(title))
    );
  });
  expect(missing).toEqual([]);
});

test("every capability is on the page, in a scenario, in processes, and in the simulation", () => {
  const capabilities = rows.filter((row) => row["capability"] !== undefined);
  expect(capabilities.length).toBeGreaterThan(10);
  const gaps = capabilities.filter((row) => Object.values(row).includes(""));
  expect(gaps).toEqual([]);
});

test("every scenario is there, and shows some rule", () => {
  const named = new Set(rows.flatMap(scenariosOf));
  const files = readdirSync(join(root, "test/scenarios"))
    .filter((file) => file.endsWith(".txt"))
    .map((file) => file.slice(0, -".txt".length));
  expect([...named].toSorted()).toEqual(files.toSorted());
});
