/** What keeps people from using the page, as far as axe can tell. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

/**
 * Rules that are broken, each with the elements that break it. Looked for with motion reduced:
 * the colours of the middle of a flash are nobody's.
 */
export async function barriersOn(page: Page): Promise<[string, string[]][]> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const { violations } = await new AxeBuilder({ page }).analyze();
  await page.emulateMedia({ reducedMotion: null });
  return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
}
