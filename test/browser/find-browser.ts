/** A Chromium for the browser tests: one that is there, or one brought from the registry. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** A package that carries a headless Chromium for Linux x64 in itself. */
const PACKAGE = "@sparticuz/chromium";
const VERSION = "153.0.0";
const BROUGHT = join(import.meta.dirname, "../../node_modules/.browser");

/** What the variable CHROMIUM names, or an installed one; null: none was found. */
export function findBrowser(): string | null {
  const named = process.env["CHROMIUM"];
  const candidates = named === undefined || named === "" ? PLACES : [named];
  return candidates.find((place) => existsSync(place)) ?? null;
}

/** Installs a Chromium beside the other packages, once. null: there is none for this machine. */
export async function bringBrowser(): Promise<string | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  const folder = join(BROUGHT, "node_modules", PACKAGE);
  if (!existsSync(folder)) {
    const install = ["install", "--prefix", BROUGHT, "--no-save", `${PACKAGE}@${VERSION}`];
    if (spawnSync("npm", install, { stdio: "ignore" }).status !== 0) return null;
  }
  try {
    const loaded = (await import(pathToFileURL(join(folder, "build/index.js")).href)) as {
      default: { executablePath(): Promise<string> };
    };
    return await loaded.default.executablePath();
  } catch {
    return null;
  }
}
