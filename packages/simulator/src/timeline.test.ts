import { expect, test } from "vitest";
import { createChance } from "./chance.ts";
import { createTimeline } from "./timeline.ts";

test("tasks run by time, and at equal times in the order of scheduling", () => {
  const timeline = createTimeline();
  const ran: string[] = [];
  timeline.after(20, () => ran.push("20 first"));
  timeline.after(10, () => {
    ran.push("10");
    timeline.after(10, () => ran.push("20 third"));
    timeline.soon(() => ran.push("10 soon"));
    timeline.after(0, () => ran.push("10 sooner is later"));
  });
  timeline.after(20, () => ran.push("20 second"));
  while (timeline.step(100));
  expect(ran).toEqual(["10", "10 soon", "10 sooner is later", "20 first", "20 second", "20 third"]);
  expect(timeline.nowUs()).toBe(100);
});

test("what is due later than asked for stays, and time stops where it was asked to", () => {
  const timeline = createTimeline();
  let ran = false;
  timeline.after(50, () => {
    ran = true;
  });
  expect(timeline.step(49)).toBe(false);
  expect([ran, timeline.nowUs()]).toEqual([false, 49]);
  expect(timeline.step(50)).toBe(true);
  expect([ran, timeline.nowUs()]).toEqual([true, 50]);
});

test("the order is that of a stable sort by time, for thousands of tasks", () => {
  const chance = createChance(7);
  const timeline = createTimeline();
  const expected: { time: number; name: number }[] = [];
  const ran: number[] = [];
  for (let name = 0; name < 5000; name += 1) {
    const time = chance.integer(0, 300);
    expected.push({ time, name });
    timeline.after(time, () => ran.push(name));
  }
  while (timeline.step(1000));
  const sorted = expected.toSorted((left, right) => left.time - right.time);
  expect(ran).toEqual(sorted.map(({ name }) => name));
  expect(timeline.stepCount).toBe(5000);
});
