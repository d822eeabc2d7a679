/** How much of the legend there is room for. Pure. */
import { STRIP_CELLS, type Layout, type Place } from "@raftarium/scene";

export type LegendRoom = "all" | "shapes" | "none";

/** Its own size with a little air, pixels; without its two sentences it is lower. */
const WIDTH = 196;
const HEIGHT = 196;
const HEIGHT_SHAPES = 150;
/** Below this a stage is too narrow for it. */
const STAGE_WIDTH_MIN = 700;
/** A node's name, word and strip: below it, or beside it. */
const LABEL_BELOW = 62;
const LABEL_BESIDE = 24;
const CELL = 10;

interface Reach {
  readonly left: number;
  readonly bottom: number;
}

/** What a node reaches to, to the left and down: itself, and its name with the strip. */
function reachesOf({ x, y, labelSide }: Place, { timerRadius, scale }: Layout): readonly Reach[] {
  const beside = labelSide === "left" || labelSide === "right";
  const strip = STRIP_CELLS * CELL * Math.max(scale, 0.85);
  const disc = { left: x - timerRadius - 20, bottom: y + timerRadius };
  if (!beside) return [{ ...disc, bottom: disc.bottom + LABEL_BELOW }];
  const left = labelSide === "left" ? x - timerRadius - 14 - strip : x;
  return [disc, { left, bottom: y + LABEL_BESIDE }];
}

export function legendRoom(layout: Layout): LegendRoom {
  const { size, places } = layout;
  if (size.width < STAGE_WIDTH_MIN) return "none";
  let height = Infinity;
  for (const place of places.values()) {
    for (const { left, bottom } of reachesOf(place, layout)) {
      if (left < WIDTH) height = Math.min(height, size.height - bottom);
    }
  }
  if (height >= HEIGHT) return "all";
  return height >= HEIGHT_SHAPES ? "shapes" : "none";
}
