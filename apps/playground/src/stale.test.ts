import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isStale } from "./stale.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "raftarium-stale-"));
  write("pnpm-lock.yaml", 1);
  write("app/src/main.ts", 2);
  write("app/dist/main.js", 10);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, atSeconds: number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), "");
  utimesSync(join(root, path), atSeconds, atSeconds);
}

const stale = () => isStale(root, join(root, "app/dist/main.js"), ["app"]);

test("newer than all that it was built from: fresh", () => {
  expect(stale()).toBe(false);
});

test("tests, dependencies and built things make nothing stale", () => {
  write("app/src/main.test.ts", 20);
  write("app/node_modules/dependency/index.js", 20);
  write("app/dist/other.js", 20);
  expect(stale()).toBe(false);
});

test("a source, however deep, or a dependency's version makes it stale", () => {
  write("app/src/a/b/c.css", 20);
  expect(stale()).toBe(true);
  write("app/src/a/b/c.css", 5);
  expect(stale()).toBe(false);
  write("pnpm-lock.yaml", 20);
  expect(stale()).toBe(true);
});

test("what is missing is stale", () => {
  rmSync(join(root, "app/dist/main.js"));
  expect(stale()).toBe(true);
});
