/** The playground ends while the page is open, and comes back: the page says so, and recovers. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { launch } from "./recorded-page.ts";

const SLOW = { timeout: 60_000 };
const ARGUMENTS = ["--nodes", "3", "--speed", "1"];

let playground: Playground;
let browser: Browser;
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  [playground, browser] = await Promise.all([startPlayground(ARGUMENTS), launch()]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
  page = await context.newPage();
  page.setDefaultTimeout(SLOW.timeout);
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(playground.url);
});
afterAll(async () => {
  await browser?.close();
  await playground?.close();
});

/** What cannot act now can be pressed all the same. */
const put = () =>
  page
    .getByRole("form", { name: "Client" })
    .getByRole("button", { name: "Put" })
    .click({ force: true });
const result = () => page.getByRole("region", { name: "Result" }).textContent();
const sentence = () => page.locator(".sentence").textContent();

test("it says that nobody answers, and sends nothing that could be taken", async () => {
  await put();
  await expect.poll(result, SLOW).toMatch(/revision \d+/);
  await playground.close();
  await expect.poll(sentence, SLOW).toContain("The playground does not answer");
  await put();
  await expect.poll(result).toBe("The playground does not answer. Is it still running?");
  await page.getByRole("button", { name: "Freeze" }).click({ force: true });
  await page.locator(".notice", { hasText: "The playground does not answer" }).waitFor();
});

test("it finds the next one on the same port by itself, and forgets the last", async () => {
  const { port } = new URL(playground.url);
  playground = await startPlayground([...ARGUMENTS, "--port", port]);
  await expect.poll(sentence, SLOW).toMatch(/^Node \d leads term \d+\. All 3 running/);
  const told = page.getByRole("region", { name: "What happened" });
  expect(await told.textContent()).not.toContain("put fruit = pear");
  await put();
  await expect.poll(result, SLOW).toMatch(/revision \d+/);
  await expect.poll(() => told.textContent(), SLOW).toContain("put fruit = pear");
  expect(errors).toEqual([]);
});
