/**
 * A cut is a wall of dots where messages stop. A node cut off from everybody has an arc of them
 * before it; two or more groups have a straight wall between them; any other cut has a short wall
 * across its lane, or across both.
 */
import { linkKey, type ClusterView } from "@raftarium/observer";
import { approach, crossing, laneOf, pointAt } from "./lanes.ts";
import { LABEL_HEIGHT } from "./layout.ts";
import type { Layout, NodeId, Place, Point, WallMark } from "./types.ts";

export interface Walls {
  readonly walls: readonly WallMark[];
  /** How far a message may get, by `linkKey`: 0 to 1. */
  readonly stops: ReadonlyMap<string, number>;
}

/** Between dots, pixels. */
const DOT_GAP = 6.5;

function isCut(view: ClusterView, source: NodeId, target: NodeId): boolean {
  const link = view.links.get(linkKey(source, target));
  return link !== undefined && link.cut && link.messageKinds.length === 0;
}

/** Groups between which no message passes in either direction; each in ascending order. */
export function groupsOf(view: ClusterView): readonly (readonly NodeId[])[] {
  const nodeIds = view.nodes.map((node) => node.nodeId);
  const left = new Set(nodeIds);
  const groups: NodeId[][] = [];
  for (const start of nodeIds) {
    if (!left.delete(start)) continue;
    const group = [start];
    for (const member of group) {
      for (const other of left) {
        if (isCut(view, member, other) && isCut(view, other, member)) continue;
        left.delete(other);
        group.push(other);
      }
    }
    groups.push(group.toSorted((a, b) => a - b));
  }
  return groups;
}

function dotsAlong(from: Point, to: Point): readonly Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const count = Math.max(2, Math.round(length / DOT_GAP) + 1);
  return Array.from({ length: count }, (_, at) => {
    const fraction = at / (count - 1);
    return { x: from.x + (to.x - from.x) * fraction, y: from.y + (to.y - from.y) * fraction };
  });
}

/** Whether a point lies where a node's name is written. */
function onLabel(layout: Layout, place: Place, point: Point): boolean {
  if (place.labelSide === "left" || place.labelSide === "right") return false;
  const beyond = (point.y - place.y) * (place.labelSide === "above" ? -1 : 1) - layout.timerRadius;
  return beyond > 4 && beyond < LABEL_HEIGHT + 4 && Math.abs(point.x - place.x) < 50;
}

/** The arc of dots before a node that is alone, over the directions of all the others. */
function isolationWall(layout: Layout, nodeId: NodeId, radius: number): WallMark | null {
  const place = layout.places.get(nodeId);
  if (place === undefined) return null;
  const middle = Math.atan2(layout.centre.y - place.y, layout.centre.x - place.x);
  let half = 0.5;
  for (const other of layout.places.values()) {
    if (other.nodeId === nodeId) continue;
    const turn = Math.atan2(other.y - place.y, other.x - place.x) - middle;
    half = Math.max(half, Math.abs(Math.atan2(Math.sin(turn), Math.cos(turn))));
  }
  half = Math.min(half + 0.35, 2.2);
  const count = Math.max(3, Math.round((2 * half * radius) / DOT_GAP));
  const dots = Array.from({ length: count }, (_, at) => {
    const angle = middle - half + (2 * half * at) / (count - 1);
    return { x: place.x + Math.cos(angle) * radius, y: place.y + Math.sin(angle) * radius };
  }).filter((dot) => !onLabel(layout, place, dot));
  // The label stands past the end of the arc that is nearer to the middle of the stage's width.
  const ends = [dots[0], dots.at(-1)].filter((dot) => dot !== undefined);
  const end = ends.toSorted((a, b) => a.y - b.y)[0] ?? place;
  const text = "cut off";
  const label = { x: end.x, y: end.y - 8, text };
  return { key: `alone-${nodeId}`, dots, label };
}

/** Gaps on the ring between neighbours of different groups; a group in one piece has two. */
function gapsOf(layout: Layout, groups: readonly (readonly NodeId[])[]): readonly Point[] {
  const places = [...layout.places.values()];
  const groupOf = (nodeId: NodeId) => groups.findIndex((group) => group.includes(nodeId));
  const gaps: Point[] = [];
  places.forEach((place, at) => {
    const next = places[(at + 1) % places.length];
    if (next === undefined || groupOf(place.nodeId) === groupOf(next.nodeId)) return;
    gaps.push({ x: (place.x + next.x) / 2, y: (place.y + next.y) / 2 });
  });
  return gaps;
}

function stretched(from: Point, to: Point, by: number): readonly [Point, Point] {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const along = { x: ((to.x - from.x) / length) * by, y: ((to.y - from.y) / length) * by };
  return [
    { x: from.x - along.x, y: from.y - along.y },
    { x: to.x + along.x, y: to.y + along.y },
  ];
}

/** A short wall across one lane, or across both of a link. */
function laneWall(layout: Layout, source: NodeId, target: NodeId, both: boolean): WallMark | null {
  const lane = laneOf(layout, source, target);
  if (lane === null) return null;
  const at = pointAt(lane, both ? 0.5 : 0.68);
  const length = Math.hypot(lane.to.x - lane.from.x, lane.to.y - lane.from.y) || 1;
  const aside = { x: (lane.to.y - lane.from.y) / length, y: -(lane.to.x - lane.from.x) / length };
  const offset = 7 * Math.max(layout.scale, 0.6);
  const [near, far] = both ? [-offset - 22, 22 - offset] : [-offset + 1, 27];
  const from = { x: at.x + aside.x * near, y: at.y + aside.y * near };
  const to = { x: at.x + aside.x * far, y: at.y + aside.y * far };
  const beside = { x: at.x + aside.x * 56, y: at.y + aside.y * 38 + 4, text: "one way" };
  const label = both ? null : beside;
  return { key: `cut-${source}-${target}`, dots: dotsAlong(from, to), label };
}

export function wallsOf(view: ClusterView, layout: Layout): Walls {
  const walls: WallMark[] = [];
  const stops = new Map<string, number>();
  const groups = groupsOf(view);
  const alone = groups.filter((group) => group.length === 1 && view.nodes.length > 1);
  const together = groups.filter((group) => group.length > 1);
  const groupOf = (nodeId: NodeId) => groups.findIndex((group) => group.includes(nodeId));
  const radius = layout.timerRadius + 34 * Math.max(layout.scale, 0.7);

  const isolated = together.length <= 1 ? alone.flat() : [];
  for (const nodeId of groups.length > 1 ? isolated : []) {
    const wall = isolationWall(layout, nodeId, radius);
    if (wall !== null) walls.push(wall);
  }
  const gaps = groups.length === 2 && together.length === 2 ? gapsOf(layout, groups) : [];
  const [first, second] = gaps;
  let wallEnds: readonly [Point, Point] | null = null;
  if (gaps.length === 2 && first !== undefined && second !== undefined) {
    wallEnds = stretched(first, second, radius);
    const label = { x: wallEnds[0].x, y: wallEnds[0].y - 10, text: "cut off" };
    walls.push({ key: "groups", dots: dotsAlong(...wallEnds), label });
  }

  for (const source of layout.places.keys()) {
    for (const target of layout.places.keys()) {
      if (source === target || !isCut(view, source, target)) continue;
      const lane = laneOf(layout, source, target);
      if (lane === null) continue;
      const key = linkKey(source, target);
      const apart = groupOf(source) !== groupOf(target);
      if (apart && wallEnds !== null) {
        stops.set(key, crossing(lane, ...wallEnds) ?? 0.5);
        continue;
      }
      const lonely = apart ? isolated.find((id) => id === target || id === source) : undefined;
      if (apart && lonely !== undefined) {
        const place = layout.places.get(lonely === source ? source : target);
        const near =
          place === undefined ? null : wallFraction(layout, source, target, place, radius);
        stops.set(key, near ?? 0.5);
        continue;
      }
      const both = isCut(view, target, source);
      stops.set(key, both ? 0.5 : 0.68);
      if (both && source > target) continue;
      const wall = laneWall(layout, source, target, both);
      if (wall !== null) walls.push(wall);
    }
  }
  return { walls, stops };
}

/** Where a lane meets the wall before the lonely node at one of its ends. */
function wallFraction(
  layout: Layout,
  source: NodeId,
  target: NodeId,
  place: Point & { readonly nodeId: NodeId },
  radius: number,
): number | null {
  if (place.nodeId === target) {
    const lane = laneOf(layout, source, target);
    return lane === null ? null : approach(lane, place, radius);
  }
  const lane = laneOf(layout, target, source);
  const fraction = lane === null ? null : approach(lane, place, radius);
  return fraction === null ? null : 1 - fraction;
}
