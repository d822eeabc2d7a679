/**
 * Lanes: each direction of a link has its own, to the left of its travel, so that a request and
 * its reply do not meet. A slow lane bends outwards and is longer.
 */
import type { Layout, NodeId, Point } from "./types.ts";

export interface Lane {
  readonly from: Point;
  readonly to: Point;
  /** Of a quadratic curve; null: straight. */
  readonly bend: Point | null;
}

/** Half the distance between the two lanes of a link, pixels, at scale 1. */
const LANE_OFFSET = 7;
/** Between a node's timer and the end of a lane, pixels. */
const RIM = 13;

export function laneOf(layout: Layout, source: NodeId, target: NodeId, bend = 0): Lane | null {
  const a = layout.places.get(source);
  const b = layout.places.get(target);
  if (a === undefined || b === undefined) return null;
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const along = { x: (b.x - a.x) / length, y: (b.y - a.y) / length };
  // Left of the direction of travel, as y grows downwards.
  const aside = { x: along.y, y: -along.x };
  const offset = LANE_OFFSET * Math.max(layout.scale, 0.6);
  const rim = Math.min(layout.timerRadius + RIM, length / 2 - 1);
  const from = {
    x: a.x + along.x * rim + aside.x * offset,
    y: a.y + along.y * rim + aside.y * offset,
  };
  const to = {
    x: b.x - along.x * rim + aside.x * offset,
    y: b.y - along.y * rim + aside.y * offset,
  };
  if (bend === 0) return { from, to, bend: null };
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  return {
    from,
    to,
    bend: { x: middle.x + aside.x * bend * 2, y: middle.y + aside.y * bend * 2 },
  };
}

/** The point at a fraction (0 to 1) of a lane. */
export function pointAt(lane: Lane, fraction: number): Point {
  const { from, to, bend } = lane;
  const rest = 1 - fraction;
  if (bend === null) {
    return { x: from.x * rest + to.x * fraction, y: from.y * rest + to.y * fraction };
  }
  const [p, q, r] = [rest * rest, 2 * rest * fraction, fraction * fraction];
  return {
    x: p * from.x + q * bend.x + r * to.x,
    y: p * from.y + q * bend.y + r * to.y,
  };
}

/** The direction of travel at a fraction of a lane, radians. */
export function angleAt(lane: Lane, fraction: number): number {
  const { from, to, bend } = lane;
  if (bend === null) return Math.atan2(to.y - from.y, to.x - from.x);
  const x = (1 - fraction) * (bend.x - from.x) + fraction * (to.x - bend.x);
  const y = (1 - fraction) * (bend.y - from.y) + fraction * (to.y - bend.y);
  return Math.atan2(y, x);
}

export function laneLength(lane: Lane): number {
  const { from, to, bend } = lane;
  const chord = Math.hypot(to.x - from.x, to.y - from.y);
  if (bend === null) return chord;
  const legs =
    Math.hypot(bend.x - from.x, bend.y - from.y) + Math.hypot(to.x - bend.x, to.y - bend.y);
  // Gravesen's estimate for a quadratic curve.
  return (2 * chord + legs) / 3;
}

/** Where (fraction of the lane) it first comes within `radius` of a point; null: nowhere. */
export function approach(lane: Lane, centre: Point, radius: number): number | null {
  for (let step = 0; step <= 60; step += 1) {
    const at = pointAt(lane, step / 60);
    if (Math.hypot(at.x - centre.x, at.y - centre.y) <= radius) return step / 60;
  }
  return null;
}

/** Where (fraction of the lane) it crosses the segment from `a` to `b`; null: nowhere. */
export function crossing(lane: Lane, a: Point, b: Point): number | null {
  const side = (point: Point) => (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x);
  let before = side(pointAt(lane, 0));
  for (let step = 1; step <= 60; step += 1) {
    const now = side(pointAt(lane, step / 60));
    if (Math.sign(now) !== Math.sign(before)) {
      return (step - 1 + before / (before - now)) / 60;
    }
    before = now;
  }
  return null;
}
