import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { Window } from "./window.ts";

test("gives back what was set, once", () => {
  const window = new Window<string>();
  window.set(7, "seven");
  window.set(9, "nine");
  expect([window.get(7), window.get(8), window.get(9), window.get(6)]).toEqual([
    "seven",
    undefined,
    "nine",
    undefined,
  ]);
  expect([window.take(7), window.take(7), window.size]).toEqual(["seven", undefined, 1]);
  window.set(5, "five");
  expect([window.take(5), window.take(9), window.size]).toEqual(["five", "nine", 0]);
});

test("is like a Map under whatever comes and goes", () => {
  const source = createRandom(11);
  const random = (): number => source.integer(0, 999_999) / 1_000_000;
  const window = new Window<number>();
  const model = new Map<number, number>();
  let next = 1;
  for (let step = 0; step < 20_000; step += 1) {
    const draw = random();
    if (draw < 0.5) {
      next += draw < 0.02 ? 200 : 1;
      window.set(next, step);
      model.set(next, step);
    } else if (draw < 0.97) {
      const keys = [...model.keys()];
      const key = keys[draw < 0.9 ? 0 : Math.floor(random() * keys.length)] ?? next;
      expect(window.take(key)).toBe(model.get(key));
      model.delete(key);
    } else if (draw < 0.985) {
      // As after a truncation: a key that was here before, or is here still.
      next = Math.max(1, next - Math.floor(random() * 100));
      window.set(next, step);
      model.set(next, step);
    } else {
      const through = next - Math.floor(random() * 100);
      const taken = [...model.entries()].filter(([key]) => key <= through);
      taken.sort(([left], [right]) => left - right);
      expect(window.takeThrough(through)).toEqual(taken.map(([, value]) => value));
      for (const [key] of taken) model.delete(key);
    }
    expect(window.size).toBe(model.size);
    expect(window.get(next)).toBe(model.get(next));
  }
});
