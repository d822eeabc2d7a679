/**
 * Shape says what a message is, fill says which way it goes. Each shape is drawn around (0, 0),
 * pointing along x, at scale 1.
 */
import { path } from "d3-path";
import type { MessageFlight } from "@raftarium/observer";
import type { MessageShape } from "./types.ts";

/** More entries than this are not told apart: the slab is full. */
const NOTCHES_MAX = 6;
const NOTCH_GAP = 4;

function roundedBox(width: number, height: number, radius: number): string {
  const drawing = path();
  const [x, y] = [-width / 2, -height / 2];
  drawing.moveTo(x + radius, y);
  drawing.arcTo(x + width, y, x + width, y + height, radius);
  drawing.arcTo(x + width, y + height, x, y + height, radius);
  drawing.arcTo(x, y + height, x, y, radius);
  drawing.arcTo(x, y, x + width, y, radius);
  drawing.closePath();
  return drawing.toString();
}

function disc(radius: number): string {
  const drawing = path();
  drawing.arc(0, 0, radius, 0, 2 * Math.PI);
  drawing.closePath();
  return drawing.toString();
}

function polygon(points: readonly (readonly [number, number])[]): string {
  const drawing = path();
  points.forEach(([x, y], at) => (at === 0 ? drawing.moveTo(x, y) : drawing.lineTo(x, y)));
  drawing.closePath();
  return drawing.toString();
}

function notches(count: number, height: number): string {
  const drawing = path();
  for (let at = 0; at < count; at += 1) {
    const x = (at - (count - 1) / 2) * NOTCH_GAP;
    drawing.moveTo(x, -height / 2);
    drawing.lineTo(x, height / 2);
  }
  return drawing.toString();
}

const HEARTBEAT = disc(4.2);
const VOTE = polygon([
  [7.5, 0],
  [0, 7.5],
  [-7.5, 0],
  [0, -7.5],
]);
const TRANSFER = polygon([
  [8, 0],
  [-6, 7],
  [-2.5, 0],
  [-6, -7],
]);
const READ_INDEX = polygon([
  [6, 0],
  [3, 5.2],
  [-3, 5.2],
  [-6, 0],
  [-3, -5.2],
  [3, -5.2],
]);
const SNAPSHOT = roundedBox(19, 15, 2);
const SNAPSHOT_INNER = "M-5.5,3.5L5.5,3.5M-5.5,0L5.5,0M-5.5,-3.5L5.5,-3.5";

const cache = new Map<string, MessageShape>();

function build(message: MessageFlight["message"]): MessageShape {
  const filled = !message.reply;
  switch (message.kind) {
    case "append": {
      const count = message.reply ? 0 : Math.min(message.entryCount, NOTCHES_MAX);
      const width = 13 + Math.max(0, count - 1) * NOTCH_GAP;
      return { outline: roundedBox(width, 13, 3), inner: notches(count, 7), filled, dashed: false };
    }
    case "heartbeat":
      return { outline: HEARTBEAT, inner: "", filled, dashed: false };
    case "vote":
      return { outline: VOTE, inner: "", filled, dashed: false };
    case "pre-vote":
      return { outline: VOTE, inner: "", filled, dashed: true };
    case "snapshot":
      return {
        outline: SNAPSHOT,
        inner: message.reply ? "" : SNAPSHOT_INNER,
        filled,
        dashed: false,
      };
    case "transfer":
      return { outline: TRANSFER, inner: "", filled, dashed: false };
    case "read-index":
      return { outline: READ_INDEX, inner: "", filled, dashed: false };
  }
}

/** The same object for the same look, so that a renderer may keep what it made of it. */
export function shapeOf(message: MessageFlight["message"]): MessageShape {
  const entries = message.reply ? 0 : Math.min(message.entryCount, NOTCHES_MAX);
  const key = `${message.kind}/${message.reply}/${entries}`;
  let shape = cache.get(key);
  if (shape === undefined) {
    shape = build(message);
    cache.set(key, shape);
  }
  return shape;
}

/** Rays of a leader: short strokes around its disc, every third a little longer. */
export function raysPath(radius: number, count = 36): string {
  const drawing = path();
  for (let at = 0; at < count; at += 1) {
    const angle = (2 * Math.PI * at) / count;
    const inner = radius + 5;
    const outer = inner + (at % 3 === 0 ? 6 : 3);
    drawing.moveTo(Math.cos(angle) * inner, Math.sin(angle) * inner);
    drawing.lineTo(Math.cos(angle) * outer, Math.sin(angle) * outer);
  }
  return drawing.toString();
}
