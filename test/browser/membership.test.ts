/** Nodes that join and leave, on the page, while clients write. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectShortWindows } from "../processes/leaderless.ts";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { Pulse, Writers } from "../processes/writers.ts";
import { complaintsOf, launch } from "./recorded-page.ts";

let playground: Playground;
let browser: Browser;
let page: Page;
let complaints: readonly string[];
const directory = mkdtempSync(join(tmpdir(), "raftarium-members-"));

beforeAll(async () => {
  const started = startPlayground(["--nodes", "1", "--speed", "1"]);
  [playground, browser] = await Promise.all([started, launch()]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  complaints = complaintsOf(page);
  await page.goto(playground.url);
});

afterAll(async () => {
  await browser?.close();
  await playground?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The button of a node, or of any in whose label `rest` is found. */
function nodeButton(id: string, rest = ""): Locator {
  return page.getByRole("button", { name: new RegExp(`^Node ${id}, .*${rest}`) });
}

async function choose(id: string, item: string): Promise<void> {
  await nodeButton(id).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function leaderShown(): Promise<string> {
  const leader = nodeButton("\\d+", "leader, term \\d+, running");
  await expect.poll(() => leader.count(), { timeout: 60_000 }).toBe(1);
  const label = (await leader.getAttribute("aria-label")) ?? "";
  return /\d+/.exec(label)?.[0] ?? "";
}

async function idsShown(): Promise<string[]> {
  const labels = await page
    .getByRole("button", { name: /^Node / })
    .evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label") ?? ""));
  return labels.map((label) => /\d+/.exec(label)?.[0] ?? "").toSorted();
}

test("a cluster of one grows to five and shrinks to three while clients write", async () => {
  const writers = new Writers(playground, "page", 4);
  const pulse = new Pulse(directory);
  await nodeButton("1", "leader").waitFor();
  const begunMs = performance.now();
  for (const id of ["2", "3", "4", "5"]) {
    await page.getByRole("button", { name: "Add node" }).click();
    await nodeButton(id, "follower, term \\d+, running").waitFor();
    await writers.more(10);
  }
  expect(await idsShown()).toEqual(["1", "2", "3", "4", "5"]);

  const first = await leaderShown();
  await choose(first, "Remove from the cluster");
  await nodeButton(first).waitFor({ state: "detached" });
  const next = await leaderShown();
  await writers.more(10);
  const other = (await idsShown()).find((id) => id !== next) ?? "";
  await choose(other, "Remove from the cluster");
  await nodeButton(other).waitFor({ state: "detached" });
  await writers.more(10);
  const longestMs = writers.longestSilence(begunMs);
  const pauseMs = pulse.longestPause(begunMs);

  // The yardstick: a leader that is killed, so that an election timeout must pass.
  const victim = await leaderShown();
  const crashedMs = performance.now();
  await choose(victim, "Crash");
  await playground.leader([victim]);
  await writers.more(10);
  const electionMs = writers.longestSilence(crashedMs);
  await choose(victim, "Restart");
  await nodeButton(victim, "running").waitFor();
  await writers.stop();
  await pulse.stop();

  process.stdout.write(
    `on the page: at most ${Math.round(longestMs)} ms without an acknowledged write, ` +
      `${Math.round(electionMs)} ms when the leader was killed; the machine stood still for ${Math.round(pauseMs)} ms\n`,
  );
  expect(await idsShown()).toHaveLength(3);
  expect(longestMs).toBeLessThan(electionMs + 3 * pauseMs);
  // Only the leader that was removed left a window, and it handed over.
  await expectShortWindows(playground, pauseMs);
  await writers.expectNothingLost();
});

test("a wiped node comes back as a new one", async () => {
  const before = await idsShown();
  const leader = await leaderShown();
  const victim = before.find((id) => id !== leader) ?? "";
  await choose(victim, "Wipe its disk");
  await nodeButton(victim).waitFor({ state: "detached" });
  await nodeButton("6", "follower, term \\d+, running").waitFor();
  expect(await idsShown()).toEqual([...before.filter((id) => id !== victim), "6"]);
});

test("the last that votes can't leave, and the menu says why", async () => {
  for (let left = 3; left > 1; left -= 1) {
    const leader = await leaderShown();
    const victim = (await idsShown()).find((id) => id !== leader) ?? "";
    await choose(victim, "Remove from the cluster");
    await nodeButton(victim).waitFor({ state: "detached" });
  }
  await nodeButton(await leaderShown()).click();
  const item = page.getByRole("menuitem", { name: "Remove from the cluster" });
  await expect.poll(() => item.getAttribute("aria-disabled")).toBe("true");
  expect(await item.getAttribute("aria-description")).toBe("no other node votes");
  await page.keyboard.press("Escape");
});

test("all this broke no promise and left the console quiet", async () => {
  expect(await playground.violations()).toEqual([]);
  expect(complaints).toEqual([]);
});
