/**
 * Pictures of every state of the page, at several sizes, in both themes, for people to look at:
 * `node test/browser/shots.ts [DIRECTORY] [STORY...]`; SIZE and THEME choose among them.
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import {
  crashedAndPaused,
  evening,
  healthy,
  isolated,
  partition,
  slowLink,
  splitVote,
} from "../fixtures/stories.ts";
import type { Puppets } from "../fixtures/puppets.ts";
import { buildPage, launch, openRecording, settled } from "./recorded-page.ts";

const SIZES = [
  { name: "1280x720", width: 1280, height: 720 },
  { name: "1440x900", width: 1440, height: 900 },
  { name: "1920x1080", width: 1920, height: 1080 },
  { name: "390x844", width: 390, height: 844 },
];
const THEMES = ["dark", "light"] as const;

interface Shot {
  readonly story: () => Puppets;
  /** What to do on the page before the picture. */
  readonly act?: (page: Page) => Promise<void>;
}

async function openMenu(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Node 1,/ }).click();
}

async function openHelp(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Help" }).click();
}

async function openLink(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Link between 1 and 2/ }).focus();
  await page.keyboard.press("Enter");
}

const SHOTS: Record<string, Shot> = {
  healthy: { story: healthy },
  "split-vote": { story: splitVote },
  partition: { story: partition },
  isolated: { story: isolated },
  "crashed-and-paused": { story: crashedAndPaused },
  "slow-link": { story: slowLink },
  evening: { story: evening },
  "nine-nodes": { story: () => healthy({ nodeCount: 9, seed: 4 }) },
  "three-nodes": { story: () => healthy({ nodeCount: 3, seed: 4 }) },
  menu: { story: healthy, act: openMenu },
  link: { story: slowLink, act: openLink },
  help: { story: healthy, act: openHelp },
};

const [asked, ...wanted] = process.argv.slice(2);
const directory = asked ?? (await mkdtemp(join(tmpdir(), "raftarium-shots-")));
await mkdir(directory, { recursive: true });
const sizes = SIZES.filter((size) => !process.env["SIZE"] || size.name === process.env["SIZE"]);
const themes = THEMES.filter((theme) => !process.env["THEME"] || theme === process.env["THEME"]);

using built = buildPage();
const browser = await launch();
try {
  for (const [name, shot] of Object.entries(SHOTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { observations } = shot.story();
    for (const { name: sizeName, width, height } of sizes) {
      for (const colorScheme of themes) {
        const viewport = { width, height };
        const { page, complaints } = await openRecording(browser, built, observations, "&at=end", {
          viewport,
          colorScheme,
          deviceScaleFactor: width < 500 ? 2 : 1,
        });
        await shot.act?.(page);
        await settled(page);
        const path = join(directory, `${name}-${sizeName}-${colorScheme}.png`);
        await page.screenshot({ path });
        for (const complaint of complaints) process.stderr.write(`${name}: ${complaint}\n`);
        await page.context().close();
      }
    }
  }
} finally {
  await browser.close();
}
process.stdout.write(`${directory}\n`);
