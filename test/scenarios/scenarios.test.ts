/**
 * Every scenario file, run on the real core; the file must already say what happens. `vitest run
 * test/scenarios -u` rewrites the files: commit the difference only if you can explain it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runScenario } from "./run.ts";

const directory = new URL("./", import.meta.url);

for (const name of readdirSync(directory).toSorted()) {
  if (!name.endsWith(".txt")) continue;
  test(name.slice(0, -".txt".length).replaceAll("-", " "), async () => {
    const path = new URL(name, directory).pathname;
    const happened = runScenario(readFileSync(path, "utf8"));
    await expect(happened, "commit only what you can explain").toMatchFileSnapshot(path);
  });
}

test("a scenario that makes no sense says where", () => {
  expect(() => runScenario("campaign 1\nnonsense\n")).toThrow(
    "cannot read line 2: expected ---- after a command, got nonsense",
  );
  expect(() => runScenario("dance 1\n----\n")).toThrow("cannot run dance");
  expect(() => runScenario("campaign 9\n----\n")).toThrow("expected a node from 1 to 3, got 9");
});
