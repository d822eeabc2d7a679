/** The page: from its sources by Vite (dev), or as built (start). */
import { EventEmitter } from "node:events";
import { createReadStream, existsSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import type { Page } from "./door.ts";
import { isStale } from "./stale.ts";

/** Where the page lives in the repository. */
const WEB = "apps/web";
/** What the page is made of. */
const SOURCES = [WEB, "packages"];

/** Where Vite puts the built page: apps/web/vite.config.ts. */
const BUILT = join(WEB, "dist/page");

/** Scripts, styles and everything else from our own origin only; nobody may frame us. */
const POLICY = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
];
/** Hot reload needs inline scripts and styles, and a websocket. */
const DEV_POLICY = [
  ...POLICY,
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self' ws:",
];

/** Straight from the sources, with hot reload over a websocket of the same port. */
export async function devPage(root: string): Promise<Page> {
  const { createServer } = await import("vite");
  // Vite listens for upgrades here; only those that the door let pass are handed on.
  const upgrades = new EventEmitter();
  const vite = await createServer({
    root: join(root, WEB),
    appType: "spa",
    clearScreen: false,
    logLevel: "warn",
    // The door has checked the host, and CORS is what we don't want.
    server: {
      middlewareMode: true,
      hmr: { server: upgrades as Server },
      allowedHosts: true,
      cors: false,
    },
  });
  return {
    handle(request, response) {
      response.setHeader("content-security-policy", DEV_POLICY.join("; "));
      vite.middlewares(request, response, () => notFound(response));
    },
    upgrade(request, socket, head) {
      upgrades.emit("upgrade", request, socket, head);
    },
    warm: () => void vite.warmupRequest("/src/main.tsx"),
    close: () => vite.close(),
  };
}

/**
 * The built page; built now if it is missing or older than what it is made of. A page that can't
 * be built keeps nobody from the cluster: `report` gets the reason, and an older page serves.
 */
export async function builtPage(root: string, report: (text: string) => void): Promise<Page> {
  const dist = join(root, BUILT);
  if (isStale(root, join(dist, "index.html"), SOURCES)) {
    try {
      await buildPage(root, dist);
    } catch (error) {
      report(`cannot build the page: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return staticPage(dist);
}

/** Serves the files in `dist`, and index.html for every path that has no extension. */
export function staticPage(dist: string): Page {
  return { handle: (request, response) => serve(dist, request, response), close: async () => {} };
}

/** Beside the old one first, so that a playground that serves it misses nothing. */
async function buildPage(root: string, dist: string): Promise<void> {
  const { build } = await import("vite");
  const outDir = `${dist}-${process.pid}`;
  const begun = new Date();
  try {
    const output = { outDir, emptyOutDir: true };
    await build({ root: join(root, WEB), logLevel: "silent", clearScreen: false, build: output });
    // What changes while it is built makes it stale.
    utimesSync(join(outDir, "index.html"), begun, begun);
    rmSync(dist, { recursive: true, force: true });
    renameSync(outDir, dist);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".map": "application/json",
};

function serve(dist: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    response.writeHead(405).end();
    return;
  }
  const file = fileFor(dist, request.url ?? "/");
  if (file === null) {
    notFound(response);
    return;
  }
  // Vite names what is in assets/ after its contents: it never changes.
  const immutable = file.startsWith(join(dist, "assets") + sep);
  const { size, mtimeMs } = statSync(file);
  const etag = `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"`;
  const same = request.headers["if-none-match"] === etag;
  response.writeHead(same ? 304 : 200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    ...(same ? {} : { "content-length": size }),
    "cache-control": immutable ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    "content-security-policy": POLICY.join("; "),
    "referrer-policy": "no-referrer",
  });
  if (same || request.method === "HEAD") response.end();
  else createReadStream(file).pipe(response);
}

/** The file for a URL: a path without an extension is the page's own, so the page itself. */
function fileFor(dist: string, url: string): string | null {
  let path: string;
  try {
    path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  } catch {
    return null;
  }
  const file = join(dist, path);
  if (!file.startsWith(dist + sep) && file !== dist) return null;
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return file;
  const index = join(dist, "index.html");
  return extname(path) === "" && existsSync(index) ? index : null;
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
  response.end("There is nothing here. The page is at /, if it could be built.\n");
}
