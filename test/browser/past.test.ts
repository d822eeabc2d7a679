/** Whoever opens the page, whenever, sees the same past: what was done, and how it looked then. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { complaintsOf, launch } from "./recorded-page.ts";

const SLOW = { timeout: 30_000 };

let playground: Playground;
let browser: Browser;
let page: Page;
let complaints: readonly string[];

async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  const opened = await context.newPage();
  opened.setDefaultTimeout(SLOW.timeout);
  return opened;
}

beforeAll(async () => {
  const started = startPlayground(["--nodes", "3", "--speed", "0.5"]);
  [playground, browser] = await Promise.all([started, launch()]);
  page = await open();
  complaints = complaintsOf(page);
  await page.goto(playground.url);
});
afterAll(async () => {
  await browser?.close();
  await playground?.close();
});

const tapeOf = (of: Page) => of.getByRole("slider", { name: "Moment shown" });
const clockOf = (of: Page) => of.locator(".tape-clock").textContent();
const seconds = (clock: string | null) =>
  (clock ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

/** Presses a key on the tape, and waits until another moment is shown. */
async function scrub(of: Page, key: string): Promise<void> {
  const before = await tapeOf(of).getAttribute("aria-valuetext");
  await tapeOf(of).press(key);
  await expect.poll(() => tapeOf(of).getAttribute("aria-valuetext"), SLOW).not.toBe(before);
}

/** The lines of the feed, with their times. */
function feedOf(of: Page): Promise<string[]> {
  return of.getByRole("region", { name: "What happened" }).locator("li").allTextContents();
}

test("a reload forgets nothing, and a stranger sees the same", async () => {
  const leader = await playground.leader();
  await playground.put("fruit", "pear");
  await page.getByRole("gridcell", { name: "fruit" }).first().waitFor();
  // The tape is painted now and then, and its clock with it: a while later it is surely there.
  const pearAt = seconds(await clockOf(page)) + 2;
  // The tape goes in steps of a second.
  await expect.poll(async () => seconds(await clockOf(page)), SLOW).toBeGreaterThan(pearAt + 2);

  await playground.call("CrashNode", { nodeId: leader.id });
  await playground.leader([leader.id]);
  await playground.call("RestartNode", { nodeId: leader.id });
  await playground.put("fruit", "plum");
  await page.getByRole("button", { name: `Node ${leader.id}, follower` }).waitFor();

  const stranger = await open();
  const strangersComplaints = complaintsOf(stranger);
  await Promise.all([page.reload(), stranger.goto(playground.url)]);
  for (const reader of [page, stranger]) {
    await expect.poll(() => feedOf(reader), SLOW).toContainEqual(expect.stringMatching(/SIGKILL/));
    expect((await feedOf(reader)).join("\n")).toMatch(/put fruit = plum[^]*put fruit = pear/);
  }
  expect(await feedOf(stranger)).toEqual(await feedOf(page));

  for (const reader of [page, stranger]) {
    await scrub(reader, "Home");
    while (seconds(await clockOf(reader)) < pearAt) await scrub(reader, "ArrowRight");
    await reader.getByRole("button", { name: `Node ${leader.id}, leader` }).waitFor();
    await reader.getByRole("tab", { name: "Store" }).click();
    const store = reader.getByRole("row", { name: /fruit/ });
    await expect.poll(() => store.textContent(), SLOW).toContain("pear");
    expect(await store.textContent()).not.toContain("plum");
    // And back to now.
    await scrub(reader, "End");
    await expect.poll(() => store.textContent(), SLOW).toContain("plum");
  }
  expect(strangersComplaints).toEqual([]);
});

test("all this leaves the console quiet", () => {
  expect(complaints).toEqual([]);
});
