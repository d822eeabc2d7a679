import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { staticPage } from "./page.ts";

let directory = "";
let server: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "raftarium-page-"));
  mkdirSync(join(directory, "page/assets"), { recursive: true });
  writeFileSync(join(directory, "secret.txt"), "secret");
  writeFileSync(join(directory, "page/index.html"), "<title>Raftarium</title>");
  writeFileSync(join(directory, "page/assets/main-1a2b.js"), "export {};");
  const page = staticPage(join(directory, "page"));
  server = createServer((incoming, response) => page.handle(incoming, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(directory, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Not fetch, which would tidy the path up first. */
function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const sent = request({ host: "127.0.0.1", port, path, ...options }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("the page is asked for again each time, and allows itself nothing foreign", async () => {
  const { status, headers, body } = await ask("/");
  expect(status).toBe(200);
  expect(body).toBe("<title>Raftarium</title>");
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(headers["cache-control"]).toBe("no-cache");
  expect(headers["content-security-policy"]).toMatch(
    /^default-src 'self';.*frame-ancestors 'none'/,
  );
  expect(headers["content-security-policy"]).not.toContain("unsafe");
  const again = await ask("/", { headers: { "if-none-match": headers.etag ?? "" } });
  expect(again).toMatchObject({ status: 304, body: "" });
});

test("what is named after its contents is kept for ever", async () => {
  const { headers } = await ask("/assets/main-1a2b.js");
  expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect(headers["cache-control"]).toContain("immutable");
});

test("a path of the page's own is the page; a file that isn't there is missing", async () => {
  expect((await ask("/history?at=1")).body).toBe("<title>Raftarium</title>");
  expect((await ask("/assets/old-9f.js")).status).toBe(404);
  expect((await ask("/%E0%A4%A")).status).toBe(404);
});

test.each([
  "/../secret.txt",
  "/..%2fsecret.txt",
  "/%2e%2e/secret.txt",
  "/assets/..%2f..%2fsecret.txt",
])("nothing outside is served: %s", async (path) => {
  const { body } = await ask(path);
  expect(body).not.toContain("secret");
});

test("only GET and HEAD", async () => {
  expect((await ask("/", { method: "POST" })).status).toBe(405);
  expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
});
