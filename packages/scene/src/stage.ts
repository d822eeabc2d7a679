/** What stands still: nodes, links, walls. It changes only when an observation changes it. */
import { path } from "d3-path";
import { linkKey, nodeWord, type ClusterNode, type ClusterView } from "@raftarium/observer";
import { laneOf, pointAt } from "./lanes.ts";
import { layoutOf } from "./layout.ts";
import { wallsOf } from "./walls.ts";
import type {
  Layout,
  LinkMark,
  NodeId,
  NodeMark,
  Place,
  Point,
  Size,
  Stage,
  StripCell,
  VoteDot,
} from "./types.ts";

/** How many of the newest entries the strip under a node shows. */
export const STRIP_CELLS = 9;

/** A link's delay (cluster time) bends its lane by so much: 10 ms little, a second a lot. */
function bendOf(delayMs: number, scale: number): number {
  if (delayMs <= 0) return 0;
  return Math.min(56, 10 + Math.log10(1 + delayMs) * 12) * Math.max(scale, 0.6);
}

function isAsking(node: ClusterNode): boolean {
  return node.role === "candidate" || node.role === "pre-candidate";
}

/** The peers inside a candidate, laid out like the cluster itself, below its term. */
function votesOf(node: ClusterNode, layout: Layout, place: Place): readonly VoteDot[] {
  if (!isAsking(node) || layout.ringY === 0) return [];
  const told = node.configuration.voters;
  const voters = told.length > 0 ? told : [...layout.places.keys()];
  const radius = layout.nodeRadius * 0.27;
  const dots: VoteDot[] = [];
  for (const voterId of voters) {
    const at = layout.places.get(voterId);
    if (at === undefined) continue;
    const granted = node.votesGranted.includes(voterId);
    const rejected = node.votesRejected.includes(voterId);
    dots.push({
      voterId,
      x: place.x + ((at.x - layout.centre.x) / layout.ringX) * radius * 1.15,
      y:
        place.y +
        layout.nodeRadius * 0.43 +
        ((at.y - layout.centre.y) / layout.ringY) * radius * 0.85,
      state: granted ? "granted" : rejected ? "rejected" : "pending",
    });
  }
  return dots;
}

interface Labels {
  readonly nameAt: Point;
  readonly wordAt: Point;
  /** The upper left corner of a strip of this width. */
  readonly stripAt: (width: number) => Point;
  readonly textAnchor: NodeMark["textAnchor"];
}

function labelsOf(layout: Layout, place: Place): Labels {
  const edge = layout.timerRadius;
  const at = (x: number, y: number): Point => ({ x: place.x + x, y: place.y + y });
  if (place.labelSide === "above" || place.labelSide === "below") {
    const [name, word, strip] =
      place.labelSide === "above"
        ? [-edge - 43, -edge - 27, -edge - 18]
        : [22, 38, 45].map((down) => edge + down);
    return {
      nameAt: at(0, name ?? 0),
      wordAt: at(0, word ?? 0),
      stripAt: (width) => at(-width / 2, strip ?? 0),
      textAnchor: "middle",
    };
  }
  const sign = place.labelSide === "left" ? -1 : 1;
  const x = sign * (edge + 14);
  return {
    nameAt: at(x, -8),
    wordAt: at(x, 9),
    stripAt: (width) => at(sign < 0 ? x - width : x, 17),
    textAnchor: sign < 0 ? "end" : "start",
  };
}

function stripOf(node: ClusterNode, layout: Layout, place: Place): readonly StripCell[] {
  const newest = node.entries.slice(-STRIP_CELLS);
  const scale = Math.max(layout.scale, 0.85);
  const [width, height, gap] = [8 * scale, 6 * scale, 2 * scale];
  const total = newest.length * width + Math.max(0, newest.length - 1) * gap;
  const corner = labelsOf(layout, place).stripAt(total);
  return newest.map((entry, position) => ({
    nodeId: node.nodeId,
    index: entry.index,
    term: entry.term,
    committed: entry.index <= node.commitIndex,
    committedAtUs: entry.index === node.commitIndex ? node.commitAtUs : 0,
    faint: gone(node),
    x: corner.x + position * (width + gap),
    y: corner.y,
    width,
    height,
  }));
}

function nodeMark(node: ClusterNode, layout: Layout, place: Place): NodeMark {
  const { nameAt, wordAt, textAnchor } = labelsOf(layout, place);
  return {
    nodeId: node.nodeId,
    x: place.x,
    y: place.y,
    role: node.role,
    health: node.health,
    term: node.term,
    radius: node.role === "learner" ? layout.nodeRadius * 0.72 : layout.nodeRadius,
    timerRadius: layout.timerRadius,
    faint: gone(node) || node.health === "starting",
    votes: votesOf(node, layout, place),
    preVote: node.role === "pre-candidate",
    name: `Node ${node.nodeId}`,
    word: nodeWord(node),
    nameAt,
    wordAt,
    textAnchor,
  };
}

function gone(node: ClusterNode): boolean {
  return node.health === "crashed" || node.health === "stopped";
}

function seconds(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`;
}

/** The faults of one direction in words, for its lane: "+120 ms, 30 % lost". Empty: none. */
function faultWords(view: ClusterView, source: NodeId, target: NodeId): string {
  const link = view.links.get(linkKey(source, target));
  if (link === undefined) return "";
  const words: string[] = [];
  const only = link.messageKinds.length > 0 ? ` (${link.messageKinds.join(", ")})` : "";
  if (link.cut && only !== "") words.push(`cut${only}`);
  if (link.delayMs > 0 || link.jitterMs > 0) {
    const jitter = link.jitterMs > 0 ? ` ± ${seconds(link.jitterMs)}` : "";
    words.push(`+${seconds(link.delayMs)}${jitter}`);
  }
  if (link.dropRate > 0) words.push(`${Math.round(link.dropRate * 100)} % lost`);
  if (link.duplicateRate > 0) words.push(`${Math.round(link.duplicateRate * 100)} % twice`);
  return words.join(", ");
}

function lanePath(lane: NonNullable<ReturnType<typeof laneOf>>): string {
  const drawing = path();
  drawing.moveTo(lane.from.x, lane.from.y);
  if (lane.bend === null) drawing.lineTo(lane.to.x, lane.to.y);
  else drawing.quadraticCurveTo(lane.bend.x, lane.bend.y, lane.to.x, lane.to.y);
  return drawing.toString();
}

function linkMark(view: ClusterView, layout: Layout, a: ClusterNode, b: ClusterNode): LinkMark {
  const labels: (Point & { text: string })[] = [];
  const lanes: { path: string; lossy: boolean }[] = [];
  for (const [source, target] of [
    [a.nodeId, b.nodeId],
    [b.nodeId, a.nodeId],
  ] as const) {
    const fault = view.links.get(linkKey(source, target));
    const bend = bendOf(fault?.delayMs ?? 0, layout.scale);
    const lossy = (fault?.dropRate ?? 0) > 0;
    const lane = laneOf(layout, source, target, bend);
    if (lane === null) continue;
    if (bend > 0 || lossy) lanes.push({ path: lanePath(lane), lossy });
    const text = faultWords(view, source, target);
    if (text === "") continue;
    const at = pointAt(lane, 0.5);
    const straight = pointAt(laneOf(layout, source, target) ?? lane, 0.5);
    const middle = pointAt(laneOf(layout, target, source) ?? lane, 0.5);
    const away = { x: straight.x - middle.x, y: straight.y - middle.y };
    const length = Math.hypot(away.x, away.y) || 1;
    const gap = 13 + Math.abs(away.x / length) * text.length * 2.6;
    labels.push({
      x: at.x + (away.x / length) * gap,
      y: at.y + (away.y / length) * gap + 4,
      text,
    });
  }
  const from = layout.places.get(a.nodeId) ?? layout.centre;
  const to = layout.places.get(b.nodeId) ?? layout.centre;
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const rim = Math.min(layout.timerRadius + 6, length / 2);
  const along = { x: ((to.x - from.x) / length) * rim, y: ((to.y - from.y) / length) * rim };
  const cut = (source: NodeId, target: NodeId) =>
    view.links.get(linkKey(source, target))?.cut === true;
  return {
    a: a.nodeId,
    b: b.nodeId,
    from: { x: from.x + along.x, y: from.y + along.y },
    to: { x: to.x - along.x, y: to.y - along.y },
    lanes,
    cutAb: cut(a.nodeId, b.nodeId),
    cutBa: cut(b.nodeId, a.nodeId),
    dead: gone(a) || gone(b),
    labels,
  };
}

/** The standing part of the scene. */
export function stageOf(view: ClusterView, size: Size): Stage {
  const layout = layoutOf(
    view.nodes.map((node) => node.nodeId),
    size,
  );
  const nodes: NodeMark[] = [];
  const strips: StripCell[] = [];
  const links: LinkMark[] = [];
  view.nodes.forEach((node, at) => {
    const place = layout.places.get(node.nodeId);
    if (place !== undefined) {
      nodes.push(nodeMark(node, layout, place));
      strips.push(...stripOf(node, layout, place));
    }
    for (const other of view.nodes.slice(at + 1)) links.push(linkMark(view, layout, node, other));
  });
  const bends = new Map<string, number>();
  for (const [key, link] of view.links) {
    const bend = bendOf(link.delayMs, layout.scale);
    if (bend > 0) bends.set(key, bend);
  }
  return { layout, nodes, strips, links, bends, ...wallsOf(view, layout) };
}
