/**
 * A seed is one life, whoever runs it: the simulator, bundled for the page and run in Chromium,
 * gives the same trace as here. Only integers and exactly rounded operations make that so.
 */
import { simulate } from "@raftarium/simulator";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./recorded-page.ts";

const WORLDS = [
  { seed: 1, nodeCount: 3, seconds: 10 },
  { seed: 2, nodeCount: 5, seconds: 10 },
  { seed: 43, nodeCount: 5, seconds: 10 },
  { seed: -7, nodeCount: 5, seconds: 10 },
  { seed: 2 ** 40 + 3, nodeCount: 7, seconds: 10 },
  { seed: 100, nodeCount: 5, seconds: 30 },
];

let browser: Browser;
let bundle: string;
beforeAll(async () => {
  const [built, launched] = await Promise.all([
    build({
      stdin: {
        contents: `import { simulate } from "@raftarium/simulator";
          globalThis.traceOf = (world) => {
            const { traceHash, eventCount } = simulate(world);
            return { traceHash, eventCount };
          };`,
        resolveDir: import.meta.dirname,
        loader: "ts",
      },
      bundle: true,
      format: "iife",
      platform: "browser",
      target: "es2022",
      minify: true,
      write: false,
    }),
    launch(),
  ]);
  bundle = built.outputFiles[0]!.text;
  browser = launched;
}, 120_000);
afterAll(async () => {
  await browser?.close();
});

test("a seed has the same trace in Node.js and in Chromium", { timeout: 120_000 }, async () => {
  const page = await browser.newPage();
  await page.addScriptTag({ content: bundle });
  for (const world of WORLDS) {
    const there = await page.evaluate(
      (asked) =>
        (
          globalThis as unknown as {
            traceOf(world: object): { traceHash: string; eventCount: number };
          }
        ).traceOf(asked),
      world,
    );
    const { traceHash, eventCount } = simulate(world);
    expect(there, `seed ${world.seed}`).toEqual({ traceHash, eventCount });
    expect(eventCount).toBeGreaterThan(1000);
  }
  await page.close();
});
