/**
 * `pnpm picture`: the README's pictures, taken from the running page of a running cluster.
 */
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { startPlayground, type Playground } from "../processes/playground.ts";
import { eventually } from "../processes/spawn.ts";
import { bringBrowser, findBrowser } from "./find-browser.ts";

const SIZE = { width: 1440, height: 900 };
const WORDS = ["a=1", "b=7", "k=q", "a=2", "b=8", "z=0", "a=3", "fig=1", "b=9", "n=4"];

async function put(playground: Playground, word: string): Promise<void> {
  const [key = "", value = ""] = word.split("=");
  await playground.put(key, value);
}

/** Some history: three terms with a few writes each, at full speed. */
async function live(playground: Playground): Promise<void> {
  await playground.call("SetSpeed", { speed: 1 });
  for (const [position, word] of WORDS.entries()) {
    await put(playground, word);
    if (position !== 3 && position !== 6) continue;
    const leader = await playground.leader();
    const next = (Number(leader.id) % 5) + 1;
    await playground.call("TransferLeadership", { nodeId: String(next) });
    await playground.leader([leader.id]);
  }
}

/** One node killed, one cut off and asking for votes, a write on its way. */
async function breakThings(playground: Playground, page: Page): Promise<void> {
  const leader = await playground.leader();
  const [killed = "", isolated = "", ...rest] = (await playground.nodes())
    .map(({ id }) => id)
    .filter((id) => id !== leader.id);
  await playground.call("CrashNode", { nodeId: killed });
  await put(playground, "x=5");
  await playground.call("Partition", {
    groups: [{ nodeIds: [isolated] }, { nodeIds: [leader.id, killed, ...rest] }],
  });
  await page
    .getByRole("button", { name: new RegExp(`^Node ${isolated}, pre-candidate`) })
    .waitFor();
  await playground.call("SetSpeed", { speed: 0.05 });
  await page.getByLabel("Key", { exact: true }).fill("fruit");
  await page.getByLabel("Value", { exact: true }).fill("pear");
  await page.getByRole("button", { name: "Put", exact: true }).click();
  await eventually("the write on its way to the followers", async () => {
    const status = (await playground.nodes()).find(({ id }) => id === leader.id);
    return Number(status?.lastIndex) > Number(status?.commitIndex) ? true : undefined;
  });
}

const browserPath = findBrowser() ?? (await bringBrowser());
if (browserPath === null) throw new Error("expected a Chromium: install one, or set CHROMIUM");
const playground = await startPlayground(["--nodes", "5"]);
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "dark", bypassCSP: true });
  await page.goto(playground.url);
  await page.getByRole("button", { name: /^Node 1,/ }).waitFor();
  await live(playground);
  await breakThings(playground, page);
  for (const [scheme, file] of [
    ["dark", "page-dark.png"],
    ["light", "page-light.png"],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    // The colours fade into each other, a moment later: none of them may still be on its way.
    await page.waitForFunction(`(() => {
      const fading = document.getAnimations().some((moving) => moving instanceof CSSTransition);
      if (fading || window.fadedTo !== "${scheme}") window.fadedAtMs = performance.now();
      window.fadedTo = "${scheme}";
      return performance.now() - window.fadedAtMs > 200;
    })()`);
    await page.screenshot({ path: join(import.meta.dirname, "../../docs", file) });
  }
} finally {
  await browser.close();
  await playground.close();
}
