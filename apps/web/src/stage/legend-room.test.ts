import { stageOf, type Size } from "@raftarium/scene";
import { expect, test } from "vitest";
import { clusterOf, entries } from "../panels/testing.ts";
import { legendRoom } from "./legend-room.ts";

/** The stage of the page at common sizes. */
const SIZES: readonly Size[] = [
  { width: 946, height: 430 },
  { width: 1066, height: 570 },
  { width: 1420, height: 745 },
];
/** What the legend covers: from the lower left corner. */
const COVERS = { all: 176, shapes: 132, none: 0 };
const WIDTH = 24 + 172;

function stageWith(count: number, size: Size) {
  const nodes = Array.from({ length: count }, () => ({ entries: entries(1, 12) }));
  return stageOf(clusterOf(nodes), size);
}

for (let count = 1; count <= 9; count += 1) {
  test(`with ${count} nodes the legend touches no node and no strip`, () => {
    for (const size of SIZES) {
      const { layout, strips } = stageWith(count, size);
      const room = legendRoom(layout);
      const top = room === "none" ? Infinity : size.height - 18 - COVERS[room];
      for (const { x, y, height } of strips) {
        expect(x < WIDTH && y + height > top, `strip at ${x}, ${y} of ${size.width}`).toBe(false);
      }
      for (const { x, y } of layout.places.values()) {
        const [left, bottom] = [x - layout.timerRadius, y + layout.timerRadius];
        expect(left < WIDTH && bottom > top, `node at ${x}, ${y} of ${size.width}`).toBe(false);
      }
    }
  });
}

test("there is room for all of it beside five nodes, for the shapes beside nine", () => {
  const size = { width: 1066, height: 570 };
  expect(legendRoom(stageWith(5, size).layout)).toBe("all");
  expect(legendRoom(stageWith(9, size).layout)).toBe("shapes");
  expect(legendRoom(stageWith(5, { width: 390, height: 470 }).layout)).toBe("none");
});
