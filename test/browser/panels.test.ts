/** The panels: client, inspector, what happened, logs, stores and the tape. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { barriersOn } from "./barriers.ts";
import { busy, evening } from "../fixtures/stories.ts";
import type { Puppets } from "../fixtures/puppets.ts";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { buildPage, complaintsOf, launch, openRecording, type BuiltPage } from "./recorded-page.ts";

const SLOW_MS = 60_000;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

interface Painted {
  readonly ground: string;
  readonly entries: readonly string[];
  readonly gaps: readonly string[];
}

/**
 * In the page: the pixels of the log table in each box, at its left edge halfway down, where the
 * text leaves room; and in the gap after it.
 */
const PAINTED = `(() => {
  const canvas = document.querySelector(".log-paint");
  const { width, height, data } = canvas.getContext("2d")
    .getImageData(0, 0, canvas.width, canvas.height);
  const place = canvas.getBoundingClientRect();
  const pixelAt = (x, y) => {
    const at = 4 * (Math.floor(y * height / place.height) * width
      + Math.floor(x * width / place.width));
    return data.slice(at, at + 3).join();
  };
  const boxes = [...document.querySelectorAll(".log-row .cell:not([hidden])")]
    .map((box) => box.getBoundingClientRect());
  const pixels = (xOf) => boxes.map((box) =>
    pixelAt(xOf(box) - place.left, box.top + box.height / 2 - place.top));
  return {
    ground: pixelAt(place.width - 1, 1),
    entries: pixels((box) => box.left + 1.5),
    gaps: pixels((box) => box.right + 0.5),
  };
})()`;

function textOf(page: Page, region: string): Promise<string | null> {
  return page.getByRole("region", { name: region }).textContent();
}

describe("on a real cluster", () => {
  let playground: Playground;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    playground = await startPlayground(["--speed", "0.5"]);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(SLOW_MS);
    complaints = complaintsOf(page);
    await page.goto(playground.url);
    await page.getByRole("button", { name: /^Node 1,/ }).waitFor();
  });
  afterAll(async () => {
    await page?.context().close();
    await playground?.close();
  });

  const form = () => page.getByRole("form", { name: "Client" });
  const result = () => page.getByRole("region", { name: "Result" });

  async function ask(button: "Put" | "Get" | "Delete", key: string, value = ""): Promise<void> {
    await form().getByRole("textbox", { name: "Key" }).fill(key);
    await form().getByRole("textbox", { name: "Value" }).fill(value);
    await form().getByRole("button", { name: button, exact: true }).click();
  }
  const chooseNode = (id: string) =>
    form().getByRole("combobox", { name: "Which node to ask" }).selectOption(id);
  const said = (pattern: RegExp) =>
    expect.poll(() => result().textContent(), { timeout: SLOW_MS }).toMatch(pattern);

  test("a put, a get, a delete, and what came of each", async () => {
    await ask("Put", "fruit", "pear");
    await said(/^put fruit = pear ?revision \d+, 5 of 5 on disk, node \d, \d/);
    await ask("Get", "fruit");
    await said(/^get fruit ?pear ?revision \d+, node \d/);
    await ask("Delete", "fruit");
    await said(/^delete fruit ?deleted ?revision \d+/);
    await ask("Get", "fruit");
    await said(/^get fruit ?no such key/);
    await form().getByText("Earlier (3)").waitFor();
  });

  test("Enter puts, and a follower that is asked forwards", async () => {
    const leader = await playground.leader();
    const follower = leader.id === "1" ? "2" : "1";
    await chooseNode(follower);
    await form().getByRole("textbox", { name: "Key" }).fill("fig");
    await form().getByRole("textbox", { name: "Value" }).fill("1");
    await page.keyboard.press("Enter");
    await said(new RegExp(`^put fig = 1 ?revision .*node ${follower} via node ${leader.id}`));
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .toContain(
        `A client asked node ${follower} to put fig = 1; ` +
          `node ${follower} forwarded it to node ${leader.id}`,
      );
    await chooseNode("");
  });

  test("what cannot be asked is explained before it is sent", async () => {
    await ask("Get", "");
    await said(/^To get, name a key\.$/);
    const focused = await page.evaluate("document.activeElement.getAttribute('name')");
    expect(focused).toBe("key");
    await form().getByRole("textbox", { name: "Key" }).fill("big");
    // To type two million letters takes a while.
    await page.evaluate("document.querySelector('[name=value]').value = 'v'.repeat(2 * 1024 ** 2)");
    await form().getByRole("button", { name: "Put", exact: true }).click();
    await said(/1\.5 MiB together; these have 2\.0 MiB/);
  });

  test("keys and values are only ever text", async () => {
    const value = "<img src=x onerror=document.title='broken'>";
    await ask("Put", "<b id=evil>", value);
    await said(/^put <b id=evil> = <img.*revision/);
    await page.getByRole("tab", { name: "Store" }).click();
    await page.getByRole("rowheader", { name: "<b id=evil>" }).waitFor();
    await expect.poll(() => textOf(page, "What happened"), { timeout: SLOW_MS }).toContain(value);
    expect(await page.locator("#evil").count()).toBe(0);
    expect(await page.title()).toBe("Raftarium");
    await page.getByRole("tab", { name: "Log" }).click();
  });

  test("a dead node tells how it died, and can be restarted from the inspector", async () => {
    const leader = await playground.leader();
    const victim = leader.id === "1" ? "2" : "1";
    await page.getByRole("button", { name: new RegExp(`^Node ${victim},`) }).click();
    await page.getByRole("menuitem", { name: "Crash" }).click();
    const inspector = page.getByRole("region", { name: new RegExp(`^Node ${victim}\\b.*killed`) });
    await inspector.getByText(/killed \d+ s ago, signal 9/).waitFor();
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .toContain(`Node ${victim} was killed (SIGKILL)`);
    await chooseNode(victim);
    await ask("Put", "a", "1");
    await said(/failed: .*Nothing was changed/);
    await chooseNode("");
    await inspector.getByRole("button", { name: "Restart" }).click();
    await page.getByRole("region", { name: new RegExp(`^Node ${victim}\\b.*follower`) }).waitFor();
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .toContain(`Node ${victim} is up`);
  });

  test("of a write that was rolled back it is told that it was", async () => {
    const leader = await playground.leader();
    // So slow that it believes to lead until the write is in its log.
    await playground.call("SetSpeed", { speed: 0.05 });
    await page.getByRole("button", { name: new RegExp(`^Node ${leader.id},`) }).click();
    await page.getByRole("menuitem", { name: "Isolate" }).click();
    await page.locator(".wall-label").waitFor();
    await chooseNode(leader.id);
    await ask("Put", "lost", "write");
    await said(new RegExp(`waiting for node ${leader.id}`));
    await page.getByRole("gridcell", { name: "lost" }).first().waitFor();
    await page.getByRole("button", { name: "Stop waiting" }).click();
    await said(/unknown: it may or may not have taken effect \(you stopped waiting\)/);
    await playground.call("SetSpeed", { speed: 0.5 });
    await playground.leader([leader.id]);
    await page.getByRole("button", { name: "Heal all" }).click();
    await said(/it did not take effect, another entry was committed at index \d+/);
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .toMatch(new RegExp(`Node ${leader.id} took back index \\d+, never committed`));
    await chooseNode("");
  });

  test("the tape leads back into the past and out of it", async () => {
    const slider = page.getByRole("slider", { name: "Moment shown" });
    const live = page.getByRole("button", { name: "Live", exact: true });
    await slider.focus();
    await page.keyboard.press("Home");
    await expect
      .poll(() => slider.getAttribute("aria-valuetext"), { timeout: SLOW_MS })
      .toMatch(/^00:\d\d\.\d, in the/);
    expect(await live.getAttribute("aria-pressed")).toBe("false");
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .not.toContain("was killed");
    await page.keyboard.press("End");
    await expect.poll(() => live.getAttribute("aria-pressed"), { timeout: SLOW_MS }).toBe("true");
    await expect
      .poll(() => textOf(page, "What happened"), { timeout: SLOW_MS })
      .toContain("was killed");
    await page.getByRole("button", { name: "Pause here" }).click();
    await expect.poll(() => live.getAttribute("aria-pressed"), { timeout: SLOW_MS }).toBe("false");
    await live.click();
    await expect.poll(() => live.getAttribute("aria-pressed"), { timeout: SLOW_MS }).toBe("true");
  });

  test("no barrier with the store, the followers and the earlier requests open", async () => {
    await page.getByRole("tab", { name: "Store" }).click();
    await form()
      .getByText(/^Earlier/)
      .click();
    const { id } = await playground.leader();
    await page.getByRole("button", { name: new RegExp(`^Node ${id},`) }).click();
    await page.keyboard.press("Escape");
    await page.getByText("Followers").click();
    for (const theme of ["dark", "light"] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.locator(`html[data-theme=${theme}]`).waitFor();
      expect(await barriersOn(page)).toEqual([]);
    }
  });

  test("all this, refusals included, leaves the console quiet", () => {
    expect(complaints).toEqual([]);
  });
});

describe("on recordings", () => {
  let built: BuiltPage;
  beforeAll(() => {
    built = buildPage();
  });
  afterAll(() => built[Symbol.dispose]());

  async function on(
    { observations }: Puppets,
    viewport: { width: number; height: number },
    act: (page: Page) => Promise<void>,
  ): Promise<void> {
    const opened = await openRecording(browser, built, observations, "&at=end", { viewport });
    try {
      await act(opened.page);
      expect(opened.complaints).toEqual([]);
    } finally {
      await opened.page.context().close();
    }
  }
  const DESK = { width: 1440, height: 900 };

  test("of a long log only the columns in sight exist; the newest are followed", async () => {
    await on(busy(4, 1000), DESK, async (page) => {
      const grid = page.getByRole("grid", { name: "Logs of all nodes" });
      const cells = grid.getByRole("gridcell");
      expect(await cells.count()).toBeLessThan(5 * 45);
      const newest = page.getByRole("button", { name: "Newest" });
      expect(await newest.count()).toBe(0);
      const last = () => grid.getByRole("columnheader").last().textContent().then(Number);
      const before = await last();
      await grid.hover();
      await page.mouse.wheel(-50_000, 0);
      await expect.poll(last, { timeout: SLOW_MS }).toBeLessThan(before);
      await newest.click();
      await expect.poll(last, { timeout: SLOW_MS }).toBe(before);
      await expect.poll(() => newest.count()).toBe(0);
    });
  });

  test("what is painted of an entry lies below its box, and nothing where there is none", async () => {
    await on(evening(), DESK, async (page) => {
      const cells = page.getByRole("grid").getByRole("gridcell", { name: / term \d+, committed$/ });
      expect(await cells.count()).toBeGreaterThan(5);
      const seen = await page.evaluate<Painted>(PAINTED);
      expect(seen.entries).not.toContain(seen.ground);
      // Only the line of what is committed stands in a gap.
      const struck = seen.gaps.filter((pixel) => pixel !== seen.ground);
      expect(new Set(struck).size).toBeLessThanOrEqual(1);
      expect(struck.length).toBeLessThanOrEqual(5);
    });
  });

  test("the log can be read by keyboard, entry by entry", async () => {
    await on(evening(), DESK, async (page) => {
      await page.getByRole("grid", { name: "Logs of all nodes" }).focus();
      const tip = page.getByRole("tooltip");
      await expect.poll(() => tip.textContent()).toMatch(/^Index \d+, term \d/);
      const indexOf = async () => Number(/Index (\d+)/.exec((await tip.textContent()) ?? "")?.[1]);
      const from = await indexOf();
      await page.keyboard.press("ArrowLeft");
      await expect.poll(indexOf, { timeout: SLOW_MS }).toBe(from - 1);
      await page.keyboard.press("Home");
      await expect.poll(indexOf, { timeout: SLOW_MS }).toBe(1);
      const active = page.locator(".cell.active");
      expect(await active.getAttribute("id")).toBe("log-active");
      await page.keyboard.press("End");
      await expect.poll(indexOf, { timeout: SLOW_MS }).toBe(from);
      await page.keyboard.press("Escape");
      await expect.poll(() => tip.count()).toBe(0);
    });
  });

  test("an evening is painted on the tape: terms, gaps, a kill", async () => {
    await on(evening(), DESK, async (page) => {
      expect(await page.locator(".tape-paint .band").count()).toBeGreaterThanOrEqual(3);
      expect(await page.locator(".tape-paint .kill").count()).toBe(1);
    });
  });

  test("on a phone logs, stores and the tape are sheets that open and close", async () => {
    await on(evening(), { width: 390, height: 844 }, async (page) => {
      const grid = page.getByRole("grid", { name: "Logs of all nodes" });
      const store = page.getByRole("region", { name: "Stores of all nodes" });
      const tape = page.getByRole("slider", { name: "Moment shown" });
      expect(await grid.isVisible()).toBe(false);
      expect(await tape.isVisible()).toBe(false);
      await page.getByRole("button", { name: "Log", exact: true }).click();
      await grid.waitFor();
      await page.getByRole("button", { name: "Store", exact: true }).click();
      await store.waitFor();
      await page.getByRole("button", { name: "Store", exact: true }).click();
      await store.waitFor({ state: "hidden" });
      await page.getByRole("button", { name: "History", exact: true }).click();
      await tape.waitFor();
    });
  });

  test("a recording cannot be asked, and says so", async () => {
    await on(evening(), DESK, async (page) => {
      await page.getByRole("button", { name: "Put", exact: true }).click({ force: true });
      const result = page.getByRole("region", { name: "Result" });
      await expect.poll(() => result.textContent()).toContain("nothing can be asked of it");
    });
  });
});
