import type { EntryView, NodeView, Observation, ObservationBody } from "@raftarium/observer";
import { beforeEach, expect, test } from "vitest";
import { createForeignWrites, type ForeignWrites } from "./foreign-writes.ts";

const bytes = (text: string) => Buffer.from(text);
const name = (key: Uint8Array) => Buffer.from(key).toString();
let writes: ForeignWrites;
let index = 0;
beforeEach(() => {
  writes = createForeignWrites();
  index = 0;
});

const told = (body: ObservationBody, nodeId = 1): Observation => ({
  nodeId,
  incarnation: 1,
  sequence: 1,
  timeUs: 1,
  body,
});
const entry = (description: string, at = (index += 1)): EntryView => ({
  index: at,
  term: 1,
  kind: description === "·" ? "no-op" : "command",
  description,
});
const append = (entries: readonly EntryView[], nodeId = 1) =>
  writes.observe([told({ kind: "log-appended", entries }, nodeId)]);
const commit = (commitIndex: number, nodeId = 1) =>
  writes.observe([told({ kind: "commit-advanced", commitIndex }, nodeId)]);
function committed(...descriptions: string[]): void {
  append(descriptions.map((description) => entry(description)));
  commit(index);
}
const touch = (...keys: string[]) => keys.forEach((key) => writes.touch(bytes(key), name));

test("what our clients wrote is theirs, each write once, whoever tells it", () => {
  touch("x");
  writes.expect("x=1")("ok");
  writes.expect("del x")("unknown");
  const entries = [entry("x=1"), entry("del x"), entry("·")];
  for (const nodeId of [1, 2, 3]) {
    append(entries, nodeId);
    commit(index, nodeId);
  }
  expect([writes.keys(), writes.untoldCount()]).toEqual([[], 0]);
  committed("x=1");
  expect(writes.keys()).toEqual(["x"]);
});

test("a write that failed accounts for no entry", () => {
  touch("x");
  writes.expect("x=1")("fail");
  committed("x=1");
  expect(writes.keys()).toEqual(["x"]);
});

test("only what is committed counts, and only after the key is known", () => {
  committed("x=0");
  touch("x");
  append([entry("x=1"), entry("x=2")]);
  writes.observe([told({ kind: "log-truncated", fromIndex: 2 })]);
  append([entry("y=1", 2), entry("y=2", 3)]);
  commit(3);
  expect([writes.keys(), writes.untoldCount()]).toEqual([[], 0]);
});

test.each([
  ["del ab", ["ab"]],
  ["del a*", ["ab", "a=b"]],
  ["del all keys", ["ab", "a=b", "c"]],
  ["a=b=c", ["a=b"]],
  ["txn if q=1: c=2; else del ab", ["ab", "c"]],
  ["get c", []],
  ["compact 7", []],
])("%s", (description, keys) => {
  touch("ab", "a=b", "c");
  committed(description);
  expect(writes.keys()).toEqual(keys);
});

test.each(["del a to b", "del a and after", "txn if q=1: del a*", `txn q=${"1".repeat(80)}…`])(
  "%s: nobody knows whether it is the key",
  (description) => {
    touch("x");
    committed(description);
    expect([writes.keys(), writes.untoldCount()]).toEqual([[], 1]);
  },
);

test("an entry that was truncated is not taken for the one that nobody told", () => {
  touch("x");
  append([entry("x=1")]);
  writes.observe([told({ kind: "log-truncated", fromIndex: 1 })]);
  commit(1);
  expect([writes.keys(), writes.untoldCount()]).toEqual([[], 1]);
});

test("what replaces an entry that was never committed counts, too", () => {
  append([entry("y=1"), entry("y=2")]);
  touch("x");
  writes.observe([told({ kind: "log-truncated", fromIndex: 1 })]);
  append([entry("x=1", 1)]);
  commit(1);
  expect(writes.keys()).toEqual(["x"]);
});

test("what the nodes began with is no matter, however much of it they tell", () => {
  const view = { lastIndex: 900, commitIndex: 0, entries: [entry("x=1", 900)] };
  writes.observe([told({ kind: "node-view", view: view as unknown as NodeView })]);
  touch("x");
  commit(900);
  expect([writes.keys(), writes.untoldCount()]).toEqual([[], 0]);
  commit(901);
  expect(writes.untoldCount()).toBe(1);
});

test("entries that no node tells are ours as long as our writes account for them", () => {
  touch("x");
  writes.expect("x=1")("ok");
  writes.expect("x=2")("ok");
  index = 2;
  commit(2);
  expect(writes.untoldCount()).toBe(0);
  index = 3;
  commit(3);
  expect(writes.untoldCount()).toBe(1);
});

test("what one node leaves out another may tell", () => {
  touch("x");
  commit(1);
  expect(writes.untoldCount()).toBe(1);
  append([entry("x=1", 1)], 2);
  commit(1, 2);
  expect([writes.keys(), writes.untoldCount()]).toEqual([["x"], 0]);
});

test("holes are counted however much follows them", () => {
  touch("x");
  index = 2;
  for (let round = 0; round < 50; round += 1) {
    committed(...Array.from({ length: 1000 }, () => "y=1"));
  }
  expect(writes.untoldCount()).toBe(2);
});

test("keys that are too long to be shown whole", () => {
  const long = "a".repeat(70);
  touch(long);
  committed(`${"a".repeat(64)}…=1`);
  expect(writes.keys()).toEqual([long]);
});

test("a write of a session is what it would be without", () => {
  touch("x", "y", "z");
  committed(
    "open a session",
    "x=1 (session 4, no. 1)",
    "del y (session 4, no. 2)",
    "close session 4",
  );
  expect(writes.keys()).toEqual(["x", "y"]);
  expect(writes.untoldCount()).toBe(0);
});
