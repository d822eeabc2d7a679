/** The page on recordings: what must hold at every size and in every state, with no cluster. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createFold } from "@raftarium/observer";
import { sceneOf } from "@raftarium/scene";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { barriersOn } from "./barriers.ts";
import {
  crashedAndPaused,
  healthy,
  isolated,
  partition,
  slowLink,
  splitVote,
} from "../fixtures/stories.ts";
import type { Puppets } from "../fixtures/puppets.ts";
import { buildPage, launch, openRecording, type BuiltPage } from "./recorded-page.ts";

const SIZES = [
  { width: 1280, height: 720 },
  { width: 1440, height: 900 },
  { width: 1920, height: 1080 },
  { width: 390, height: 844 },
];

let browser: Browser;
let built: BuiltPage;
beforeAll(async () => {
  built = buildPage();
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
  built[Symbol.dispose]();
});

/** Opens the end of a story, does something there, and closes the page whatever happens. */
async function on(
  story: () => Puppets,
  options: Parameters<typeof openRecording>[4],
  act: (page: Page) => Promise<void>,
): Promise<void> {
  const { observations } = story();
  const { page, complaints } = await openRecording(
    browser,
    built,
    observations,
    "&at=end",
    options,
  );
  try {
    await act(page);
    expect(complaints).toEqual([]);
  } finally {
    await page.context().close();
  }
}

const DESK = { viewport: { width: 1440, height: 900 } };

test("what the page loads at first is made for use, and under 250 kB as it is sent", () => {
  const page = readFileSync(join(built.directory, "index.html"), "utf8");
  const names = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, name]) => name ?? "");
  const scripts = names.map((name) => readFileSync(join(built.directory, name), "utf8"));
  const bytes = scripts.map((script) => gzipSync(script).length).reduce((a, b) => a + b, 0);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(250_000);
  // React's development version, which is larger and much slower.
  expect(scripts.filter((script) => script.includes("jsxDEV"))).toEqual([]);
});

describe("no barrier: axe finds nothing", () => {
  const stories = { healthy, splitVote, crashedAndPaused, slowLink };
  for (const colorScheme of ["dark", "light"] as const) {
    for (const [name, story] of Object.entries(stories)) {
      test(`${name}, ${colorScheme}`, async () => {
        await on(story, { ...DESK, colorScheme }, async (page) => {
          expect(await barriersOn(page)).toEqual([]);
        });
      });
    }

    test(`with a menu, the help and a link open, ${colorScheme}`, async () => {
      await on(healthy, { ...DESK, colorScheme }, async (page) => {
        const check = async () => {
          expect(await barriersOn(page)).toEqual([]);
        };
        await page.getByRole("button", { name: /^Node 1,/ }).click();
        await check();
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: /^Link between 1 and 2/ }).press("Enter");
        await check();
        await page.keyboard.press("Escape");
        await page.keyboard.press("?");
        await check();
      });
    });
  }
});

interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Every visible box of these, as the browser laid them out. */
async function boxesOf(page: Page, selector: string): Promise<Box[]> {
  const boxes: Box[] = [];
  for (const element of await page.locator(selector).all()) {
    const box = await element.boundingBox();
    if (box === null || box.width === 0 || box.height === 0) continue;
    const label = (await element.getAttribute("aria-label")) ?? (await element.textContent()) ?? "";
    boxes.push({ name: `${selector} ${label.slice(0, 40)}`, ...box });
  }
  return boxes;
}

function overlaps(a: Box, b: Box): boolean {
  // Half a pixel may be shared by rounding.
  return (
    a.x + a.width > b.x + 0.5 &&
    b.x + b.width > a.x + 0.5 &&
    a.y + a.height > b.y + 0.5 &&
    b.y + b.height > a.y + 0.5
  );
}

function overlapping(boxes: readonly Box[]): string[] {
  const found: string[] = [];
  boxes.forEach((a, at) => {
    for (const b of boxes.slice(at + 1)) {
      if (overlaps(a, b)) found.push(`${a.name} | ${b.name}`);
    }
  });
  return found;
}

describe("nothing overlaps, nothing is cut off", () => {
  for (const viewport of SIZES) {
    test(`at ${viewport.width}x${viewport.height}`, async () => {
      await on(isolated, { viewport }, async (page) => {
        // On a phone the log and the tape are sheets: they may lie over the rest.
        const sheets = viewport.width < 500 ? "" : ", .log-area, .tape-area";
        const regions = `.top, .stage-area, .side${sheets}`;
        expect(overlapping(await boxesOf(page, regions))).toEqual([]);
        expect(overlapping(await boxesOf(page, ".top button, .speed, .wordmark"))).toEqual([]);
        expect(overlapping(await boxesOf(page, ".node-button"))).toEqual([]);
        expect(overlapping(await boxesOf(page, ".node .name, .legend"))).toEqual([]);
        expect(overlapping(await boxesOf(page, ".node .word, .legend"))).toEqual([]);
        expect(overlapping(await boxesOf(page, ".node .name, .node-button"))).toEqual([]);
        const scrolls = await page.evaluate(
          "document.documentElement.scrollWidth > document.documentElement.clientWidth",
        );
        expect(scrolls).toBe(false);
        for (const box of await boxesOf(page, ".node .name, .node .word")) {
          expect(box.x, box.name).toBeGreaterThanOrEqual(0);
          expect(box.x + box.width, box.name).toBeLessThanOrEqual(viewport.width);
        }
      });
    });
  }
});

describe("by keyboard", () => {
  test("a node's menu opens, moves by arrows, closes, and gives the focus back", async () => {
    await on(crashedAndPaused, DESK, async (page) => {
      const node = page.getByRole("button", { name: /^Node 1,/ });
      await node.focus();
      await page.keyboard.press("Enter");
      const items = page.getByRole("menuitem");
      for (const name of ["Crash", "Restart", "Pause", "Resume", "Isolate", "Time out now"]) {
        await page.getByRole("menuitem", { name, exact: true }).waitFor();
      }
      await page.getByRole("menuitem", { name: "Transfer leadership here" }).waitFor();
      const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
      expect(await focused()).toBe("Crash");
      await page.keyboard.press("ArrowDown");
      expect(await focused()).toBe("Restart");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowUp");
      const names = await items.allTextContents();
      expect(await focused()).toBe(names.at(-1));
      await page.keyboard.press("Home");
      expect(await focused()).toBe("Crash");
      await page.keyboard.press("Escape");
      expect(await items.count()).toBe(0);
      expect(await focused()).toMatch(/^Node 1,/);
    });
  });

  test("K takes up the hammer and lays it down, but not while somebody writes", async () => {
    await on(healthy, DESK, async (page) => {
      const hammer = page.getByRole("button", { name: /^Hammer/ });
      await page.keyboard.press("k");
      expect(await hammer.getAttribute("aria-pressed")).toBe("true");
      await page.keyboard.press("k");
      expect(await hammer.getAttribute("aria-pressed")).toBe("false");
      await page.getByLabel("Key", { exact: true }).press("k");
      expect(await hammer.getAttribute("aria-pressed")).toBe("false");
    });
  });
});

test("each node, and nothing else, is a button named Node", async () => {
  await on(partition, DESK, async (page) => {
    const names = await page
      .getByRole("button", { name: /^Node / })
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute("aria-label")));
    expect(names).toHaveLength(5);
    for (const name of names) expect(name).toMatch(/^Node \d, [a-z-]+, term \d+, [a-z]+$/);
  });
});

test("what cannot be done now says why", async () => {
  await on(healthy, DESK, async (page) => {
    await page.getByRole("button", { name: "Add node" }).click({ force: true });
    await page.getByText("nothing can be asked of it").waitFor();
  });
});

test("a message says what it carries when it is clicked", async () => {
  const folding = createFold();
  for (const observation of healthy().observations) folding.apply(observation);
  const view = folding.snapshot();
  await on(healthy, DESK, async (page) => {
    const stage = await page.locator(".stage").boundingBox();
    if (stage === null) throw new Error("expected a stage");
    const options = { expectedFlightUs: 240_000, marksMax: 240 };
    const { motion } = sceneOf(view, view.timeUs, stage, options);
    const mark = motion.messages.find(({ flight }) => flight.message.reply && flight.end === null);
    if (mark === undefined) throw new Error("expected a reply in flight");
    await page.mouse.click(stage.x + mark.x, stage.y + mark.y);
    const said = page.getByRole("dialog", { name: "A message" });
    await said.getByText("AppendEntries, reply").waitFor();
    await said.getByText(`${mark.flight.source} → ${mark.flight.target}`).waitFor();
    await page.mouse.click(stage.x + 5, stage.y + stage.height - 5);
    await said.waitFor({ state: "detached" });
  });
});

test("a stroke across a link asks for its cut, a stroke across nothing does not", async () => {
  await on(healthy, DESK, async (page) => {
    const stage = await page.locator(".stage").boundingBox();
    const line = await page.getByRole("button", { name: /^Link between 3 and 4/ }).boundingBox();
    if (stage === null || line === null) throw new Error("expected a stage and a link");
    const stroke = async (x: number, fromY: number, toY: number) => {
      await page.mouse.move(x, fromY);
      await page.mouse.down();
      await page.mouse.move(x, toY, { steps: 6 });
      await page.mouse.up();
    };
    const refused = page.locator(".notice", { hasText: "This is a recording" });
    await stroke(stage.x + 40, stage.y + 150, stage.y + 250);
    expect(await refused.count()).toBe(0);
    const [x, y] = [line.x + line.width / 2, line.y + line.height / 2];
    await stroke(x, y - 30, y + 30);
    await refused.first().waitFor();
  });
});

test("the theme is kept", async () => {
  await on(healthy, { ...DESK, colorScheme: "dark" }, async (page) => {
    const theme = () => page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("dark");
    await page.getByRole("button", { name: "Use the light theme" }).click();
    expect(await theme()).toBe("light");
    await page.reload();
    await page.getByRole("button", { name: /^Node 1,/ }).waitFor();
    expect(await theme()).toBe("light");
  });
});
