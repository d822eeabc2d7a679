import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createTeller } from "./teller.ts";

let truth = 1;
let running = true;
let heard: number[] = [];
let answers: { resolve: () => void; reject: (error: Error) => void }[] = [];

const link = {};
const ask = () => teller(1);
let teller: (nodeId: number) => Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  truth = 1;
  running = true;
  heard = [];
  answers = [];
  teller = createTeller({
    linkTo: () => (running ? link : undefined),
    tell() {
      heard.push(truth);
      return new Promise((resolve, reject) => answers.push({ resolve, reject }));
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
});

test("changes while a call is under way are told together, as they are then", async () => {
  const first = ask();
  truth = 2;
  const second = ask();
  truth = 3;
  const third = ask();
  expect(heard).toEqual([1]);
  answers[0]?.resolve();
  await first;
  await vi.waitFor(() => expect(heard).toEqual([1, 3]));
  answers[1]?.resolve();
  await Promise.all([second, third]);
  expect(heard).toEqual([1, 3]);
});

test("a node that did not answer is told again until it has heard", async () => {
  const first = ask();
  answers[0]?.reject(new Error("busy"));
  await expect(first).rejects.toThrow("busy");
  truth = 2;
  await vi.advanceTimersByTimeAsync(500);
  answers[1]?.reject(new Error("busy"));
  await vi.advanceTimersByTimeAsync(500);
  answers[2]?.resolve();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(heard).toEqual([1, 2, 2]);
});

test("a node that is not running is not told, and nobody waits for it", async () => {
  running = false;
  await ask();
  expect(heard).toEqual([]);
});

test("whoever asks after a failure is answered by the next call", async () => {
  const first = ask();
  const second = ask();
  answers[0]?.reject(new Error("busy"));
  await expect(first).rejects.toThrow("busy");
  await vi.waitFor(() => expect(heard).toHaveLength(2));
  answers[1]?.resolve();
  await second;
});
