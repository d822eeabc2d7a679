/** Nodes on a ring, any number of them; a wide stage makes it an ellipse. */
import type { LabelSide, Layout, NodeId, Place, Point, Size } from "./types.ts";

/** Of the disc, at scale 1. */
const NODE_RADIUS = 43;
const TIMER_GAP = 8;
/** Room for a node's name, word and strip. */
export const LABEL_HEIGHT = 54;
const ASPECT_MAX = 1.7;
/** From this width on names have room beside the nodes. */
const WIDE = 640;

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}

/** Unit positions, first at the top, clockwise; two stand side by side. */
function unitPlaces(count: number): readonly Point[] {
  const start = count === 2 ? -Math.PI : -Math.PI / 2;
  return Array.from({ length: count }, (_, at) => {
    const angle = start + (2 * Math.PI * at) / count;
    return { x: Math.cos(angle), y: Math.sin(angle) };
  });
}

function range(values: readonly number[]): { min: number; max: number } {
  return { min: Math.min(...values), max: Math.max(...values) };
}

/**
 * @param nodeIds in ascending order; their order on the ring, clockwise from the top.
 */
export function layoutOf(nodeIds: readonly NodeId[], size: Size): Layout {
  const { width, height } = size;
  const crowd = nodeIds.length <= 5 ? 13.2 : 13.2 + (nodeIds.length - 5) * 1.4;
  const nodeRadius = clamp(Math.min(width * 1.02, height) / crowd, 18, NODE_RADIUS);
  const scale = nodeRadius / NODE_RADIUS;
  const timerRadius = nodeRadius + Math.max(5, TIMER_GAP * scale);
  // On a wide stage what stands at a side has its name beside it: below it, lanes come and go.
  const beside = nodeIds.length > 3 && width >= WIDE;
  const marginX = timerRadius + (beside ? 120 : 34);

  if (nodeIds.length <= 1) {
    const centre = { x: width / 2, y: height / 2 - LABEL_HEIGHT / 3 };
    const places = nodeIds.map((nodeId): [NodeId, Place] => [
      nodeId,
      { nodeId, ...centre, labelSide: "below" },
    ]);
    const ring = { ringX: 0, ringY: 0, nodeRadius, timerRadius, scale };
    return { size, centre, ...ring, places: new Map(places) };
  }

  const units = unitPlaces(nodeIds.length);
  const unitX = range(units.map((unit) => unit.x));
  const unitY = range(units.map((unit) => unit.y));
  const sides = units.map((unit): LabelSide => {
    const lowest = unit.y > unitY.max - 0.1;
    if (beside && !lowest && Math.abs(unit.x) > 0.55) return unit.x < 0 ? "left" : "right";
    return unit.y < -0.5 ? "above" : "below";
  });
  const top = timerRadius + (sides.includes("above") ? LABEL_HEIGHT : 0) + 14;
  const bottom = timerRadius + LABEL_HEIGHT + 12;
  const spanY = unitY.max - unitY.min;
  const freeY = Math.max(height - top - bottom, 20);
  const spanX = unitX.max - unitX.min;
  const freeX = Math.max((width - 2 * marginX) / spanX, 20);
  const ringY = spanY < 0.01 ? 0 : Math.min(freeY / spanY, freeX * 1.25);
  const ringX = Math.min(freeX, spanY < 0.01 ? 260 : ringY * ASPECT_MAX);
  const centre = {
    x: width / 2,
    y: top + (height - top - bottom) / 2 - (ringY * (unitY.max + unitY.min)) / 2,
  };
  const places = new Map<NodeId, Place>();
  nodeIds.forEach((nodeId, at) => {
    const unit = units[at];
    if (unit === undefined) return;
    places.set(nodeId, {
      nodeId,
      x: centre.x + unit.x * ringX,
      y: centre.y + unit.y * ringY,
      labelSide: sides[at] ?? "below",
    });
  });
  return { size, centre, ringX, ringY, nodeRadius, timerRadius, scale, places };
}
