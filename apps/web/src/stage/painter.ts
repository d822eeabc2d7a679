/**
 * What moves, painted on a canvas: messages, lights, timers. Pixels only: where things are was
 * decided by the scene.
 */
import { type MessageFlight } from "@raftarium/observer";
import {
  DARK,
  LIGHT,
  latencyWords,
  motionOf,
  stageOf,
  termColour,
  type MessageMark,
  type Motion,
  type Palette,
  type PulseMark,
  type Size,
  type Stage,
  type StripCell,
  type TimerMark,
} from "@raftarium/scene";
import type { ClusterView } from "@raftarium/observer";
import type { Frame } from "../state/timeline.ts";
import type { Theme } from "../state/ui.ts";

export interface Painter {
  resize(size: Size, pixelRatio: number): void;
  setTheme(theme: Theme): void;
  setStill(still: boolean): void;
  draw(frame: Frame): void;
  /** The message drawn nearest to a point, if one is near. */
  messageAt(x: number, y: number): MessageFlight | null;
}

/** Beyond the ring's own breadth, pixels: half a log strip, and a mark's tail. */
const BESIDE_RING = 90;
/** More than this at once are drawn as lights on their lanes. */
const MARKS_MAX = 240;
const HIT = 15;
/** Until anything was measured: what a message may take, microseconds. */
const FLIGHT_US = 200_000;

const FLASH_US = 450_000;
const DASHES = [2, 1.5];
const SOLID: number[] = [];

const paths = new Map<string, Path2D>();

function pathOf(text: string): Path2D {
  let path = paths.get(text);
  if (path === undefined) {
    path = new Path2D(text);
    paths.set(text, path);
  }
  return path;
}

export function createPainter(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("expected a canvas that draws in 2d, got none");
  let palette: Palette = DARK;
  let size: Size = { width: 0, height: 0 };
  let ratio = 1;
  /** What is left out at either side: each frame costs what the canvas has of pixels. */
  let left = 0;
  let still = false;
  let stage: Stage | null = null;
  let staged: Pick<ClusterView, "nodes" | "links"> | null = null;
  let motion: Motion | null = null;
  let painted = false;

  function stageFor(view: ClusterView): Stage {
    if (stage === null || staged?.nodes !== view.nodes || staged.links !== view.links) {
      stage = stageOf(view, size);
      staged = view;
      fitTo(stage);
    }
    return stage;
  }

  /** The canvas is as wide as the ring with what may stand beside it, and as high as the stage. */
  function fitTo({ layout }: Stage): void {
    const half = layout.ringX + layout.timerRadius + BESIDE_RING;
    left = Math.max(0, Math.floor(layout.centre.x - half));
    const width = Math.min(size.width, Math.ceil(layout.centre.x + half)) - left;
    const [pixelsX, pixelsY] = [Math.round(width * ratio), Math.round(size.height * ratio)];
    // To set a size, even to what it is, empties the canvas.
    if (canvas.width !== pixelsX) canvas.width = pixelsX;
    if (canvas.height !== pixelsY) canvas.height = pixelsY;
    canvas.style.left = `${left}px`;
    canvas.style.width = `${width}px`;
  }

  /** From here on, coordinates are the stage's, in CSS pixels. */
  function toStage(draw: CanvasRenderingContext2D): void {
    draw.setTransform(ratio, 0, 0, ratio, -left * ratio, 0);
  }

  function drawTimer(timer: TimerMark): void {
    // Without motion the arc still tells, in eighths.
    const left = still ? Math.ceil(timer.remaining * 8) / 8 : timer.remaining;
    context!.globalAlpha = timer.faint ? 0.4 : 1;
    context!.strokeStyle = termColour(palette, timer.term);
    context!.lineWidth = 2.5;
    context!.lineCap = "round";
    context!.beginPath();
    const top = -Math.PI / 2;
    context!.arc(timer.x, timer.y, timer.radius, top, top + left * 2 * Math.PI);
    context!.stroke();
  }

  function drawStrips(cells: readonly StripCell[], timeUs: number): void {
    const draw = context!;
    for (const cell of cells) {
      const { x, y, width, height } = cell;
      draw.globalAlpha = cell.faint ? 0.4 : 1;
      draw.fillStyle = termColour(palette, cell.term);
      if (cell.committed) {
        // A commit flashes once.
        const flash = 1 - (timeUs - cell.committedAtUs) / FLASH_US;
        draw.fillRect(x, y, width, height);
        if (flash > 0 && flash <= 1 && !still) {
          draw.globalAlpha = flash;
          draw.fillStyle = palette.text;
          draw.fillRect(x - 1, y - 1, width + 2, height + 2);
        }
        continue;
      }
      draw.strokeStyle = draw.fillStyle;
      draw.lineWidth = 1;
      draw.setLineDash(DASHES);
      draw.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
      draw.setLineDash(SOLID);
    }
  }

  function drawPulse(pulse: PulseMark): void {
    const { from, to } = pulse;
    context!.globalAlpha = pulse.opacity * 0.9;
    context!.strokeStyle = termColour(palette, pulse.term);
    context!.lineWidth = 1.2 + Math.min(2.4, pulse.count * 0.08);
    context!.lineCap = "round";
    context!.beginPath();
    context!.moveTo(from.x, from.y);
    context!.lineTo(to.x, to.y);
    context!.stroke();
    context!.globalAlpha = Math.min(1, pulse.opacity * 1.6);
    context!.fillStyle = palette.muted;
    context!.font = "500 10px 'JetBrains Mono', monospace";
    context!.textAlign = "center";
    context!.fillText(pulse.label.text, pulse.label.x, pulse.label.y);
  }

  function drawShape(mark: MessageMark, colour: string, scale: number): void {
    const { shape } = mark;
    const draw = context!;
    const [cosine, sine] = [Math.cos(mark.angle) * scale, Math.sin(mark.angle) * scale];
    draw.setTransform(
      cosine * ratio,
      sine * ratio,
      -sine * ratio,
      cosine * ratio,
      (mark.x - left) * ratio,
      mark.y * ratio,
    );
    const outline = pathOf(shape.outline);
    draw.fillStyle = shape.filled ? colour : palette.ground;
    if (shape.filled && shape.dashed) {
      const alpha = draw.globalAlpha;
      draw.fillStyle = palette.ground;
      draw.fill(outline);
      draw.globalAlpha = alpha * 0.35;
      draw.fillStyle = colour;
      draw.fill(outline);
      draw.globalAlpha = alpha;
    } else draw.fill(outline);
    if (!shape.filled || shape.dashed) {
      draw.strokeStyle = colour;
      draw.lineWidth = 1.7;
      draw.setLineDash(shape.dashed ? [2.5, 2] : []);
      draw.stroke(outline);
      draw.setLineDash([]);
    }
    if (shape.inner !== "") {
      draw.strokeStyle = palette.ground;
      draw.lineWidth = 1.6;
      draw.lineCap = "round";
      draw.stroke(pathOf(shape.inner));
    }
    toStage(draw);
  }

  function drawMessage(mark: MessageMark, scale: number): void {
    const draw = context!;
    const colour = termColour(palette, mark.term);
    draw.globalAlpha = mark.opacity * 0.45;
    draw.strokeStyle = colour;
    draw.lineWidth = 1.5;
    draw.lineCap = "round";
    draw.beginPath();
    draw.moveTo(mark.tail.x, mark.tail.y);
    draw.lineTo(mark.x, mark.y);
    draw.stroke();
    draw.globalAlpha = mark.opacity;
    drawShape(mark, colour, Math.max(scale, 0.72));
    if (mark.sign !== "") {
      // To the left of its travel, away from the other lane.
      const [x, y] = [Math.sin(mark.angle) * 13, -Math.cos(mark.angle) * 13];
      draw.fillStyle = colour;
      draw.font = "600 13px Inter, sans-serif";
      draw.textAlign = "center";
      draw.fillText(mark.sign, mark.x + x, mark.y + y + 4.5);
    }
    if (mark.crossed) {
      draw.strokeStyle = palette.text;
      draw.lineWidth = 1.6;
      draw.beginPath();
      draw.moveTo(mark.x - 5, mark.y - 5);
      draw.lineTo(mark.x + 5, mark.y + 5);
      draw.moveTo(mark.x + 5, mark.y - 5);
      draw.lineTo(mark.x - 5, mark.y + 5);
      draw.stroke();
    }
  }

  /** Without motion a message is its lane, lit, with its shape at the middle and its age. */
  function drawStill(mark: MessageMark, timeUs: number, drawn: Stage): void {
    const draw = context!;
    const from = drawn.layout.places.get(mark.flight.source);
    const to = drawn.layout.places.get(mark.flight.target);
    if (from === undefined || to === undefined || mark.opacity < 1) return;
    const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const aside = { x: (to.y - from.y) / length, y: -(to.x - from.x) / length };
    const rim = drawn.layout.timerRadius + 8;
    const at = (fraction: number) => ({
      x: from.x + (to.x - from.x) * fraction + aside.x * 7,
      y: from.y + (to.y - from.y) * fraction + aside.y * 7,
    });
    const [start, end] = [at(rim / length), at(1 - rim / length)];
    const colour = termColour(palette, mark.term);
    draw.globalAlpha = 0.5;
    draw.strokeStyle = colour;
    draw.lineWidth = 1.3;
    draw.beginPath();
    draw.moveTo(start.x, start.y);
    draw.lineTo(end.x, end.y);
    draw.stroke();
    draw.globalAlpha = 1;
    const place = at(0.5);
    const angle = Math.atan2(to.y - from.y, to.x - from.x);
    drawShape({ ...mark, ...place, angle }, colour, Math.max(drawn.layout.scale, 0.72));
    const ageUs = Math.floor((timeUs - mark.flight.sentAtUs) / 50_000) * 50_000;
    draw.fillStyle = palette.muted;
    draw.font = "500 10px 'JetBrains Mono', monospace";
    draw.textAlign = "center";
    draw.fillText(latencyWords(ageUs), place.x + aside.x * 22, place.y + aside.y * 16 + 3);
  }

  return {
    resize(next, pixelRatio) {
      size = next;
      ratio = pixelRatio;
      stage = null;
    },
    setTheme(theme) {
      palette = theme === "dark" ? DARK : LIGHT;
    },
    setStill(next) {
      still = next;
    },
    draw({ view, timeUs, flightUs }) {
      if (size.width === 0 || size.height === 0) return;
      const drawn = stageFor(view);
      const expectedFlightUs = flightUs === 0 ? FLIGHT_US : flightUs;
      motion = motionOf(view, timeUs, drawn, { expectedFlightUs, marksMax: MARKS_MAX });
      const empty = motion.messages.length + motion.timers.length + drawn.strips.length === 0;
      if (empty && !painted) return;
      painted = !empty;
      toStage(context);
      context.globalAlpha = 1;
      context.clearRect(left, 0, size.width, size.height);
      drawStrips(drawn.strips, timeUs);
      for (const timer of motion.timers) drawTimer(timer);
      for (const pulse of motion.pulses) drawPulse(pulse);
      const { scale } = drawn.layout;
      for (const mark of motion.messages) {
        if (still) drawStill(mark, timeUs, drawn);
        else drawMessage(mark, scale);
      }
      context.globalAlpha = 1;
    },
    messageAt(x, y) {
      let nearest: MessageMark | null = null;
      let distance = HIT;
      for (const mark of motion?.messages ?? []) {
        const away = Math.hypot(mark.x - x, mark.y - y);
        if (away < distance) [nearest, distance] = [mark, away];
      }
      return nearest?.flight ?? null;
    },
  };
}
