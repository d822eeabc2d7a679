/** The built page, fed with a recording: no cluster, no server. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { Observation } from "@raftarium/observer";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { bringBrowser, findBrowser } from "./find-browser.ts";

const WEB = join(import.meta.dirname, "../../apps/web");
const VITE = join(WEB, "node_modules/.bin/vite");
const ORIGIN = "http://raftarium.localhost";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch(): Promise<Browser> {
  const executablePath = findBrowser() ?? (await bringBrowser());
  if (executablePath === null) {
    throw new Error("expected a Chromium, found none: install one, or name it in CHROMIUM");
  }
  return await chromium.launch({ executablePath, args: ARGUMENTS });
}

export interface BuiltPage extends Disposable {
  readonly directory: string;
}

/** Builds the page into a directory of its own, which goes when it is disposed of. */
export function buildPage(): BuiltPage {
  const directory = mkdtempSync(join(tmpdir(), "raftarium-page-"));
  const outDir = ["--outDir", directory, "--emptyOutDir", "--logLevel", "error"];
  const { status, stderr } = spawnSync(VITE, ["build", WEB, ...outDir], { encoding: "utf8" });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  if (status !== 0) {
    remove();
    throw new Error(`expected the page to build, got: ${stderr}`);
  }
  return { directory, [Symbol.dispose]: remove };
}

export interface RecordedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** From now on: what the page says on its console that is not just talk, and errors it throws. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return complaints;
}

/** Waits two frames, and for whatever they set in motion. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    .then(() => Promise.allSettled(document.getAnimations().map((moving) => moving.finished)))
    .then(() => true)`);
}

/** Opens the page on a recording. `query` is what recorded.ts understands: "&at=end". */
export async function openRecording(
  browser: Browser,
  built: BuiltPage,
  observations: readonly Observation[],
  query: string,
  options: BrowserContextOptions,
): Promise<RecordedPage> {
  const context = await browser.newContext(options);
  const lines = observations.map((observation) => JSON.stringify(observation)).join("\n");
  await context.route(`${ORIGIN}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === "/recording.jsonl") {
      await route.fulfill({ body: lines, contentType: "application/jsonl" });
      return;
    }
    const name = pathname === "/" ? "/index.html" : pathname;
    const body = await readFile(join(built.directory, name)).catch(() => null);
    if (body === null) await route.fulfill({ status: 404, body: "not found" });
    else await route.fulfill({ body, contentType: TYPES[extname(name)] ?? "text/plain" });
  });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${ORIGIN}/?recording=/recording.jsonl${query}`);
  await page.getByRole("button", { name: /^Node 1,/ }).waitFor();
  await page.evaluate("document.fonts.ready.then(() => true)");
  await settled(page);
  return { page, complaints };
}
