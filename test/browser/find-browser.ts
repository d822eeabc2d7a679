/** A Chromium for the browser tests. */
import { existsSync } from "node:fs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** What the variable CHROMIUM names, or an installed one; null: none was found. */
export function findBrowser(): string | null {
  const named = process.env["CHROMIUM"];
  const candidates = named === undefined || named === "" ? PLACES : [named];
  return candidates.find((place) => existsSync(place)) ?? null;
}
