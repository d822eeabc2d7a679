/**
 * The log table's pixels: entries, what the leader knows of each log, how far it has committed.
 * Hundreds of cells of which all change at once are cheap to paint and dear to lay out, so the
 * elements above are empty boxes with names; their places and these must agree.
 */
import type { ClusterNode } from "@raftarium/observer";
import { termColour, type Palette } from "@raftarium/scene";
import { cellText, entryAt, type LogRow, type LogTable } from "./log-model.ts";

/** The columns that exist; the others are out of sight. */
export interface Sight {
  readonly from: number;
  readonly to: number;
}

/** Pixels; as CSS variables, these are tables.css's too. */
export interface LogSizes {
  readonly headHeight: number;
  readonly rowHeight: number;
  readonly cellHeight: number;
}

export const CELL_WIDTH = 46;
/** Between two cells. */
const GAP = 4;
const BOX_WIDTH = CELL_WIDTH - GAP;
const BORDER = 1.5;
const RADIUS = 3;
const DASHES = [3, 2.5];
/** How strongly a committed entry wears its term's colour; the same in a log without a process. */
const COMMITTED = 0.3;
const COMMITTED_FAINT = 0.12;
const COMMITTED_NOW = 0.8;
const FLASH_MS = 600;
/** Of a log without entries, the columns in which it says so (log-row.tsx). */
const EMPTY_COLUMNS = 4;
/** Of what is committed at once, so many of the newest flash. */
const FLASHES_MAX = 2;

const CELL_FONT = "400 10.5px 'JetBrains Mono', monospace";
const WORD_FONT = "400 11.5px Inter, sans-serif";

export interface LogPicture {
  readonly table: LogTable;
  readonly sight: Sight;
  readonly sizes: LogSizes;
  readonly palette: Palette;
  readonly pixelRatio: number;
  /** Whether a new commit is to be shown as new. */
  readonly flashing: boolean;
}

export interface LogPainter {
  draw(picture: LogPicture): void;
  /** The same picture once more. */
  again(): void;
  /** Goes on with what flashes. @param atMs the page's monotonic clock. */
  frame(atMs: number): void;
}

interface Flash {
  readonly fromIndex: number;
  readonly toIndex: number;
  readonly sinceMs: number;
}

/** How a line of a font stands in a box of its height: the way from its middle to the baseline. */
function baselineOf(draw: CanvasRenderingContext2D): number {
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = draw.measureText("0");
  return (Math.round(up) - Math.round(down)) / 2;
}

function fit(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const [pixelsX, pixelsY] = [Math.round(width * ratio), Math.round(height * ratio)];
  // To set a size, even to what it is, empties the canvas.
  if (canvas.width !== pixelsX) canvas.width = pixelsX;
  if (canvas.height !== pixelsY) canvas.height = pixelsY;
  const [styleX, styleY] = [`${width}px`, `${height}px`];
  if (canvas.style.width !== styleX) canvas.style.width = styleX;
  if (canvas.style.height !== styleY) canvas.style.height = styleY;
}

function opaqueContext(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new Error("expected a canvas that draws in 2d, got none");
  return context;
}

function begin(context: CanvasRenderingContext2D, ratio: number, palette: Palette): void {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.fillStyle = palette.ground;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
}

function leftOf(index: number, sight: Sight): number {
  return (index - sight.from) * CELL_WIDTH;
}

/** Paints all rows; the indexes above them are text. */
export function createLogPainter(canvas: HTMLCanvasElement): LogPainter {
  const draw = opaqueContext(canvas);
  let last: LogPicture | null = null;
  let nowMs = 0;
  let cellBaseline = 0;
  const committed = new Map<number, number>();
  const flashes = new Map<number, Flash>();

  /** To whole pixels of the screen, so that edges are sharp. */
  function topOf(at: number, { sizes, pixelRatio }: LogPicture): number {
    return Math.round(at * sizes.rowHeight * pixelRatio) / pixelRatio;
  }

  /** How strongly a committed entry's box is filled now. */
  function strengthOf(node: ClusterNode, index: number, faint: boolean): number {
    if (faint) return COMMITTED_FAINT;
    const flash = flashes.get(node.nodeId);
    if (flash === undefined || index < flash.fromIndex || index > flash.toIndex) return COMMITTED;
    const rest = Math.max(0, 1 - (nowMs - flash.sinceMs) / FLASH_MS);
    return COMMITTED + (COMMITTED_NOW - COMMITTED) * rest * rest;
  }

  function drawBoxes(picture: LogPicture, row: LogRow, at: number, { from, to }: Sight): void {
    const { palette, sizes, sight } = picture;
    const y = topOf(at, picture);
    const { commitIndex } = row.node;
    for (let index = from; index <= to; index += 1) {
      const entry = entryAt(row.node, index);
      if (entry === undefined) continue;
      const x = leftOf(index, sight);
      const colour = termColour(palette, entry.term);
      draw.beginPath();
      if (index <= commitIndex) {
        draw.roundRect(x, y, BOX_WIDTH, sizes.cellHeight, RADIUS);
        draw.fillStyle = colour;
        draw.globalAlpha = strengthOf(row.node, index, row.faint);
        draw.fill();
      } else {
        const [width, height] = [BOX_WIDTH - BORDER, sizes.cellHeight - BORDER];
        draw.roundRect(x + BORDER / 2, y + BORDER / 2, width, height, RADIUS);
        draw.strokeStyle = colour;
        draw.globalAlpha = row.faint ? 0.5 : 1;
        draw.lineWidth = BORDER;
        draw.setLineDash(DASHES);
        draw.stroke();
      }
    }
    draw.setLineDash([]);
    draw.globalAlpha = 1;
  }

  function drawTexts(picture: LogPicture, row: LogRow, at: number, { from, to }: Sight): void {
    const { palette, sizes, sight } = picture;
    // To set a font, even the one that is set, costs more than to draw with it.
    draw.font = CELL_FONT;
    draw.letterSpacing = "-0.21px";
    draw.fillStyle = row.faint ? palette.muted : palette.text;
    const baseline = Math.round(topOf(at, picture) + sizes.cellHeight / 2 + cellBaseline);
    for (let index = from; index <= to; index += 1) {
      const entry = entryAt(row.node, index);
      if (entry === undefined) continue;
      draw.fillText(cellText(entry), leftOf(index, sight) + BOX_WIDTH / 2, baseline);
    }
  }

  function drawCells(picture: LogPicture, row: LogRow, at: number, columns: Sight): void {
    drawBoxes(picture, row, at, columns);
    drawTexts(picture, row, at, columns);
  }

  /** Below a row: a dot where the leader knows it to agree, an arrow at what it sends next. */
  function drawProgress(picture: LogPicture, row: LogRow, at: number): void {
    const { palette, sizes, sight } = picture;
    const y = topOf(at, picture) + (sizes.cellHeight + sizes.rowHeight) / 2;
    const middle = (index: number) => leftOf(index, sight) + BOX_WIDTH / 2;
    if (row.matchIndex >= sight.from) {
      draw.beginPath();
      draw.arc(middle(row.matchIndex), y, 2, 0, 2 * Math.PI);
      draw.fillStyle = palette.text;
      draw.fill();
    }
    if (row.nextIndex >= sight.from) {
      const x = middle(row.nextIndex);
      draw.beginPath();
      draw.moveTo(x - 3.5, y + 1.5);
      draw.lineTo(x, y - 2);
      draw.lineTo(x + 3.5, y + 1.5);
      draw.strokeStyle = palette.muted;
      draw.lineWidth = 1.3;
      draw.stroke();
    }
    if (row.sending !== null) drawSending(picture, row, at);
  }

  /** "probe" or "snapshot", behind the end of its log, where it hides nothing. */
  function drawSending(picture: LogPicture, row: LogRow, at: number): void {
    const { palette, sizes, sight, table } = picture;
    const last = row.node.entries.at(-1)?.index ?? table.firstIndex + EMPTY_COLUMNS - 1;
    const x = leftOf(Math.max(row.nextIndex, last + 1), sight);
    draw.font = WORD_FONT;
    draw.letterSpacing = "0px";
    draw.textAlign = "left";
    draw.fillStyle = palette.muted;
    const middle = topOf(at, picture) + sizes.cellHeight / 2;
    draw.fillText(row.sending ?? "", x + 3, Math.round(middle + baselineOf(draw)));
    draw.textAlign = "center";
  }

  /** How far the leader has committed. */
  function drawCommitLine({ table, sight, sizes, palette }: LogPicture, height: number): void {
    const { commitIndex } = table;
    if (commitIndex === null || commitIndex < sight.from - 1) return;
    const x = leftOf(commitIndex + 1, sight) - GAP / 2;
    draw.fillStyle = palette.text;
    draw.fillRect(x, 0, BORDER, height);
    // The word stands where it hides no entry.
    const row = table.rows.findIndex(({ node }) => {
      const lastIndex = node.entries.at(-1)?.index ?? 0;
      return lastIndex <= commitIndex;
    });
    if (row < 0) return;
    const top = Math.round(row * sizes.rowHeight);
    draw.font = WORD_FONT;
    draw.letterSpacing = "0px";
    draw.textAlign = "left";
    draw.fillStyle = palette.ground;
    draw.fillRect(x + 7, top, draw.measureText("committed").width + 6, 17);
    draw.fillStyle = palette.muted;
    draw.fillText("committed", x + 10, Math.round(top + 8.5 + baselineOf(draw)));
    draw.textAlign = "center";
  }

  function drawRows(picture: LogPicture): void {
    const { table, sight, sizes, palette, pixelRatio } = picture;
    const height = table.rows.length * sizes.rowHeight;
    fit(canvas, (sight.to - sight.from + 1) * CELL_WIDTH, height, pixelRatio);
    begin(draw, pixelRatio, palette);
    draw.font = CELL_FONT;
    cellBaseline = baselineOf(draw);
    table.rows.forEach((row, at) => {
      const to = Math.min(sight.to, row.node.lastIndex);
      drawCells(picture, row, at, { from: sight.from, to });
      drawProgress(picture, row, at);
    });
    drawCommitLine(picture, height);
  }

  /** What has been committed since the picture before. */
  function noteCommits({ table, flashing }: LogPicture): void {
    for (const { node, faint } of table.rows) {
      const before = committed.get(node.nodeId);
      committed.set(node.nodeId, node.commitIndex);
      if (!flashing || faint || before === undefined || node.commitIndex <= before) continue;
      const fromIndex = Math.max(before + 1, node.commitIndex - FLASHES_MAX + 1);
      flashes.set(node.nodeId, { fromIndex, toIndex: node.commitIndex, sinceMs: nowMs });
    }
  }

  return {
    draw(picture) {
      noteCommits(picture);
      if (!picture.flashing) flashes.clear();
      last = picture;
      drawRows(picture);
    },
    again() {
      if (last !== null) drawRows(last);
    },
    frame(atMs) {
      nowMs = atMs;
      if (last === null || flashes.size === 0) return;
      const { sizes, sight } = last;
      for (const [at, row] of last.table.rows.entries()) {
        const flash = flashes.get(row.node.nodeId);
        if (flash === undefined) continue;
        const from = Math.max(flash.fromIndex, sight.from);
        const to = Math.min(flash.toIndex, sight.to);
        const width = (to - from + 1) * CELL_WIDTH - GAP;
        draw.fillStyle = last.palette.ground;
        if (width > 0) draw.fillRect(leftOf(from, sight), topOf(at, last), width, sizes.cellHeight);
        drawCells(last, row, at, { from, to });
        if (atMs - flash.sinceMs > FLASH_MS) flashes.delete(row.node.nodeId);
      }
    },
  };
}
