import { expect, test } from "vitest";
import { refusal } from "./guard.ts";

test("our own names on our own port pass, with our own origin or none", () => {
  for (const host of ["localhost:7100", "127.0.0.1:7100", "[::1]:7100", "LOCALHOST:7100"]) {
    expect(refusal({ host }, 7100)).toBeNull();
    expect(refusal({ host, origin: `http://${host}` }, 7100)).toBeNull();
    expect(refusal({ host, "sec-fetch-site": "same-origin" }, 7100)).toBeNull();
    expect(refusal({ host, "sec-fetch-site": "none" }, 7100)).toBeNull();
  }
});

test("another host is refused: a name that was made to point at this machine", () => {
  for (const host of ["evil.example:7100", "localhost:7101", "localhost", "127.0.0.1", ""]) {
    expect(refusal({ host }, 7100)).toContain("expected the header Host to be one of");
  }
  expect(refusal({}, 7100)).toContain("got ''");
});

test("another origin is refused, be it of this machine", () => {
  const host = "localhost:7100";
  for (const origin of [
    "http://evil.example",
    "http://localhost:3000",
    "https://localhost:7100",
    "http://127.0.0.1:7100",
    "null",
  ]) {
    expect(refusal({ host, origin }, 7100)).toContain(`got '${origin}'`);
  }
});

test("what a browser calls another site's request is refused, even without an origin", () => {
  const host = "localhost:7100";
  expect(refusal({ host, "sec-fetch-site": "cross-site" }, 7100)).toContain("cross-site");
  expect(refusal({ host, "sec-fetch-site": "same-site" }, 7100)).toContain("same-site");
});

test("the port of plain http may be left out, as browsers do", () => {
  expect(refusal({ host: "localhost", origin: "http://localhost" }, 80)).toBeNull();
});
