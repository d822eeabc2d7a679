import { expect, test } from "vitest";
import type { Operation } from "../history.ts";
import { checkLinearizable } from "../linearizability/check.ts";
import { historyPage } from "./picture.ts";

const put = (client: number, value: string, call: number, end: number): Operation => ({
  client,
  action: { kind: "put", key: "x", value },
  call,
  return: end,
  outcome: "ok",
});
const get = (client: number, value: string, call: number, end: number): Operation => ({
  ...put(client, value, call, end),
  action: { kind: "get", key: "x", value },
});

const stale = [put(1, "1", 10, 20), put(2, "2", 30, 40), get(3, "1", 50, 60), get(4, "2", 50, 60)];

interface Drawn {
  readonly bars: readonly {
    from: number;
    window?: true;
    impossible?: true;
    at?: number;
    lane?: number;
  }[];
  readonly lanes: readonly number[];
  readonly faults: readonly object[];
}

function page(history: readonly Operation[], faults = [{ label: "cut", from: 1, to: null }]) {
  const result = checkLinearizable(history, { thorough: true });
  const html = historyPage({ title: "a < b", history, result, faults, lines: [1, 2, 4, 5] });
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? "";
  return { html, data: JSON.parse(data) as Drawn };
}

test("marks the window and the first impossible operation, and says why", () => {
  const { html, data } = page(stale);
  expect(data.bars.map(({ window = false }) => window)).toEqual([true, true, true, false]);
  expect(data.bars.map(({ impossible = false }) => impossible)).toEqual([
    false,
    false,
    true,
    false,
  ]);
  expect(html).toContain("<h1>Not linearizable</h1>");
  expect(html).toContain("x = &quot;1&quot; was seen although it had been overwritten before.");
  expect(html).toContain(">4</button>");
  expect(data.faults).toEqual([{ label: "cut", from: 1, to: null }]);
});

test("says whether fewer operations would do", () => {
  expect(page(stale).html).toContain("None of them can be left out.");
  const result = { ...checkLinearizable(stale), isSmallest: false };
  const html = historyPage({ title: "", history: stale, result });
  expect(html).toContain("It was given up to find out whether fewer would do.");
});

test("bars of one client that overlap lie in lanes of their own", () => {
  const { data } = page([put(1, "1", 10, 30), get(1, "1", 20, 40), put(2, "1", 10, 20)]);
  expect(data.bars.map(({ lane = 0 }) => lane)).toEqual([0, 1, 0]);
  expect(data.lanes).toEqual([2, 1]);
});

test("shows when each operation takes effect where there is an order", () => {
  const { html, data } = page([stale[0]!, stale[1]!, stale[3]!]);
  expect(html).toContain("<h1>Linearizable</h1>");
  expect(data.bars.map(({ at }) => at)).toEqual([10, 30, 50]);
});

test("keys and values are never markup", () => {
  const evil = '</script><img src=x onerror="alert(1)">';
  const { html } = page([put(1, evil, 1, 2), get(2, `${evil}!`, 3, 4)]);
  expect(html).not.toContain("<img");
  expect(html).toContain("a &lt; b");
});

test("asks for nothing from anywhere", () => {
  const { html } = page(stale);
  expect(html).toContain("default-src 'none'");
  expect(html).not.toMatch(/https?:|<link|@import|url\(/);
});

test("nothing at all is a page, too", () => {
  expect(page([], []).html).toContain("0 operations of 0 clients on 0 keys");
});
