/**
 * The page on a real cluster: five processes, started as the README says, seen and broken from a
 * browser.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { barriersOn } from "./barriers.ts";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { complaintsOf, launch, settled } from "./recorded-page.ts";

let playground: Playground;
let browser: Browser;
let page: Page;
let complaints: readonly string[];

beforeAll(async () => {
  [playground, browser] = await Promise.all([startPlayground(["--speed", "0.5"]), launch()]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  complaints = complaintsOf(page);
  await page.goto(playground.url);
});
afterAll(async () => {
  await browser?.close();
  await playground?.close();
});

const LEADER = /^Node \d+, leader, term \d+, running$/;

/** The id of the node that the page shows as the one running leader. */
async function leaderShown(): Promise<string> {
  const leader = page.getByRole("button", { name: LEADER });
  await expect.poll(() => leader.count(), { timeout: 30_000 }).toBe(1);
  const label = (await leader.getAttribute("aria-label")) ?? "";
  return label.split(" ")[1]?.replace(",", "") ?? "";
}

function nodeButton(id: string, rest = ""): ReturnType<Page["getByRole"]> {
  return page.getByRole("button", { name: new RegExp(`^Node ${id}, .*${rest}`) });
}

async function choose(id: string, item: string): Promise<void> {
  await nodeButton(id).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function put(key: string, value: string): Promise<void> {
  const form = page.getByRole("form", { name: "Client" });
  await form.getByLabel("Key", { exact: true }).fill(key);
  await form.getByLabel("Value", { exact: true }).fill(value);
  await form.getByRole("button", { name: "Put" }).click();
  await page.getByRole("region", { name: "Result" }).getByText("revision").waitFor();
}

/** Asks once, and reads the answer to that (or why there is none). */
async function get(key: string): Promise<string> {
  const form = page.getByRole("form", { name: "Client" });
  await form.getByLabel("Key", { exact: true }).fill(key);
  await form.getByRole("button", { name: "Get" }).click();
  const result = page.getByRole("region", { name: "Result" });
  await result.getByText(`get ${key}`).waitFor();
  await result.getByRole("button", { name: "Stop waiting" }).waitFor({ state: "detached" });
  return (await result.textContent()) ?? "";
}

test("five nodes, one leader, no barrier in either theme", async () => {
  await leaderShown();
  expect(await page.getByRole("button", { name: /^Node / }).count()).toBe(5);
  for (const theme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await page.locator(`html[data-theme=${theme}]`).waitFor();
    await settled(page);
    expect(await barriersOn(page)).toEqual([]);
  }
});

test("a write outlives the leader that took it", async () => {
  const first = await leaderShown();
  await put("fruit", "pear");
  await choose(first, "Crash");
  await nodeButton(first, "crashed").waitFor();
  await expect.poll(leaderShown, { timeout: 60_000 }).not.toBe(first);
  await expect.poll(() => get("fruit"), { timeout: 60_000 }).toContain("pear");
  const crashed = (await playground.nodes()).find((node) => node.id === first);
  expect(crashed?.health).toBe("HEALTH_CRASHED");

  await choose(first, "Restart");
  await nodeButton(first, "follower, term \\d+, running").waitFor();
  await expect
    .poll(async () => {
      const nodes = await playground.nodes();
      const applied = nodes.map((node) => node.appliedIndex);
      return new Set(applied).size;
    })
    .toBe(1);
});

test("the hammer: one click crashes, one more restarts", async () => {
  const leader = await leaderShown();
  const victim = leader === "1" ? "2" : "1";
  await page.getByRole("button", { name: /^Hammer/ }).click();
  await nodeButton(victim).click();
  await nodeButton(victim, "crashed").waitFor();
  await nodeButton(victim).click();
  await nodeButton(victim, "running").waitFor();
  await page.keyboard.press("Escape");
  await nodeButton(victim).click();
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
});

test("a leader that is cut off is replaced, and joins again when all is healed", async () => {
  const old = await leaderShown();
  await choose(old, "Isolate");
  await page.locator(".wall-label", { hasText: "cut off" }).waitFor();
  const replaced = page.getByRole("button", {
    name: new RegExp(`^Node [^${old}], leader, .*running`),
  });
  await replaced.waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Heal all" }).click();
  await page.locator(".wall").first().waitFor({ state: "detached" });
  await nodeButton(old, "follower, term \\d+, running").waitFor({ timeout: 60_000 });
  await put("fruit", "plum");
});

test("a paused process keeps its place, and goes on when it is resumed", async () => {
  const leader = await leaderShown();
  const victim = leader === "1" ? "2" : "1";
  await choose(victim, "Pause");
  await nodeButton(victim, "paused").waitFor();
  await choose(victim, "Resume");
  await nodeButton(victim, "running").waitFor();
});

test("what is refused is said in words", async () => {
  await nodeButton(await leaderShown()).click();
  const item = page.getByRole("menuitem", { name: "Transfer leadership here" });
  expect(await item.getAttribute("aria-disabled")).toBe("true");
  expect(await item.getAttribute("aria-description")).toBe("it leads");
  await page.keyboard.press("Escape");
});

test("all this leaves the console quiet", () => {
  expect(complaints).toEqual([]);
});
