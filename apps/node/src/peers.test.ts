import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Peers } from "./peers.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function peersOf(...ids: number[]) {
  let current: readonly number[] = [];
  let told: readonly number[] = [];
  const peers = new Peers({
    configured: new Map(ids.map((id) => [id, `at:${id}`])),
    setPeers: (map) => (current = [...map.keys()].toSorted((a, b) => a - b)),
    told: () => told,
  });
  const changed = (...members: number[]) =>
    peers.changed({ addresses: Object.fromEntries(members.map((id) => [id, `at:${id}`])) });
  return { peers, changed, current: () => current, tell: (...to: number[]) => (told = to) };
}

test("what all agree on wins over what the file says", () => {
  const { changed, current } = peersOf(1, 2);
  changed(1, 3);
  expect(current()).toEqual([1, 3]);
});

test("before anything is agreed on, the file says whom to dial", () => {
  const { changed, current } = peersOf(1, 2);
  changed();
  expect(current()).toEqual([1, 2]);
});

test("an id whose node is gone is nobody's", () => {
  const { peers, current } = peersOf(1);
  peers.changed({ addresses: { 1: "at:1", 2: "at:2", 5: "" } });
  expect(current()).toEqual([1, 2]);
});

test("a leader keeps the stream to whom it removes until it has told it", () => {
  const { changed, current, tell } = peersOf(1, 2, 3);
  tell(2, 3);
  changed(1, 2);
  expect(current()).toEqual([1, 2, 3]);
  vi.advanceTimersByTime(1000);
  expect(current()).toEqual([1, 2, 3]);
  tell(2);
  vi.advanceTimersByTime(1000);
  expect(current()).toEqual([1, 2]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a follower ends its stream to whom a change removes at once", () => {
  const { changed, current } = peersOf(1, 2, 3);
  changed(1, 2);
  expect(current()).toEqual([1, 2]);
});
