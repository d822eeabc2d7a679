/** What the core can do beyond the paper's Figure 2, seen and asked for on the page. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { run } from "../processes/spawn.ts";
import { complaintsOf, launch } from "./recorded-page.ts";

const CLIENT = join(import.meta.dirname, "../../apps/cli/src/main.ts");

let playground: Playground;
let browser: Browser;
let page: Page;
let complaints: readonly string[];

beforeAll(async () => {
  [playground, browser] = await Promise.all([
    startPlayground(["--nodes", "3", "--speed", "1"]),
    launch(),
  ]);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  complaints = complaintsOf(page);
  await page.goto(playground.url);
});

afterAll(async () => {
  await browser?.close();
  await playground?.close();
});

const node = (id: string, rest = ""): Locator =>
  page.getByRole("button", { name: new RegExp(`^Node ${id}, .*${rest}`) });
const result = (): Locator => page.getByRole("region", { name: "Result" });
const sentence = (): Locator => page.locator(".sentence");

async function choose(id: string, item: string): Promise<void> {
  await node(id).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** raftarium's own client, at the nodes' own ports. */
async function client(...args: string[]) {
  const endpoints = (await playground.nodes()).map(({ address }) => address).join(",");
  const asked = run(process.execPath, [CLIENT, "--endpoints", endpoints, ...args]);
  asked.child.stdin?.end();
  return { exitCode: await asked.ended, output: asked.output() };
}

test("a leader that is stopped hands over; the page says what its process did", async () => {
  const leader = await playground.leader();
  await choose(leader.id, "Stop");
  const next = await playground.leader([leader.id]);
  await page.getByText("left in good order").first().waitFor();
  await node(next.id, "leader").waitFor();
  await choose(leader.id, "Restart");
  await node(leader.id, "follower, term \\d+, running").waitFor();
});

test("a write in a session is sent until it is answered, and counts once", async () => {
  const leader = await playground.leader();
  await page.getByLabel("How to write").selectOption("exactly once");
  await page.getByLabel("Key", { exact: true }).fill("once");
  await page.getByRole("button", { name: "Put", exact: true }).click();
  await expect.poll(() => result().innerText()).toMatch(/revision \d+, .*session \d+, [\d.]+ m?s/);
  // Nobody can answer: the leader has no majority, and will be gone when the others are back.
  const others = (await playground.nodes()).filter(({ id }) => id !== leader.id);
  for (const { id } of others) await playground.call("PauseNode", { nodeId: id });
  await page.getByRole("button", { name: "Put", exact: true }).click();
  await expect.poll(() => result().innerText()).toMatch(/waiting/);
  await playground.call("CrashNode", { nodeId: leader.id });
  for (const { id } of others) await playground.call("ResumeNode", { nodeId: id });
  await expect
    .poll(() => result().innerText(), { timeout: 30_000 })
    .toMatch(/session \d+, sent \d+ times/);
  await playground.call("RestartNode", { nodeId: leader.id });
  await playground.leader();
  const { output } = await client("--output", "json", "get", "once");
  expect(JSON.parse(output)).toMatchObject({ kvs: [{ value: "pear", version: 2 }] });
});

test("how the leader sends to each: a stream, or a probe of who is silent", async () => {
  const leader = await playground.leader();
  await node(leader.id).click();
  await page.keyboard.press("Escape");
  const followers = page.locator("details.followers");
  await expect.poll(() => followers.getAttribute("open")).not.toBeNull();
  const states = () => followers.locator("tbody td:last-child").allInnerTexts();
  await expect.poll(states).toEqual(["replicate", "replicate"]);
  const silent = (await playground.nodes()).find(({ id }) => id !== leader.id)?.id ?? "";
  await playground.call("CrashNode", { nodeId: silent });
  await expect.poll(states, { timeout: 30_000 }).toContain("probe");
  await playground.call("RestartNode", { nodeId: silent });
  await expect.poll(states, { timeout: 30_000 }).toEqual(["replicate", "replicate"]);
});

test("joint consensus: the page names both majorities while both must agree", async () => {
  await playground.call("SetSpeed", { speed: 0.02 });
  // A voter at once, where nobody is: three of four go on without it.
  const added = client("--timeout", "60s", "member", "add", "127.0.0.1:1");
  await expect
    .poll(() => sentence().innerText(), { timeout: 30_000 })
    .toMatch(/Joint consensus: a majority of 1, 2, 3 and one of 1, 2, 3, 4\./);
  await page.getByText("1, 2, 3, 4, jointly with 1, 2, 3").first().waitFor();
  expect(await added).toMatchObject({ exitCode: 0 });
  await playground.call("SetSpeed", { speed: 1 });
  await expect.poll(() => sentence().innerText()).not.toContain("Joint");
  const members = page.locator(".facts .wide");
  await expect.poll(() => members.innerText()).toBe("members 1, 2, 3, 4");
  expect(await client("member", "remove", "4")).toMatchObject({ exitCode: 0 });
  await expect.poll(() => members.innerText()).toBe("members 1, 2, 3");
});

test("a vote is taken and given back, by joint consensus, from the menu", async () => {
  const leader = await playground.leader();
  const other = (await playground.nodes()).find(({ id }) => id !== leader.id)?.id ?? "";
  await playground.call("SetSpeed", { speed: 0.02 });
  await choose(other, "Take its vote");
  await expect
    .poll(() => sentence().innerText(), { timeout: 30_000 })
    .toMatch(/Joint consensus: a majority of 1, 2, 3 and one of \d, \d\./);
  await playground.call("SetSpeed", { speed: 1 });
  await node(other, "learner, term \\d+, running").waitFor();
  await choose(other, "Let it vote");
  await node(other, "follower, term \\d+, running").waitFor();
  await expect.poll(() => page.locator(".facts .wide").innerText()).toBe("members 1, 2, 3");
});

test("all this broke no promise and left the console quiet", async () => {
  expect(await playground.violations()).toEqual([]);
  expect(complaints).toEqual([]);
});
