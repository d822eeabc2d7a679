/** Fills what React has laid out of the log table: its canvas with pixels, its boxes with words. */
import { DARK, LIGHT } from "@raftarium/scene";
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";
import type { Theme } from "../state/ui.ts";
import { useFrame, useLoop, useMedia, useUi } from "../state/use.ts";
import { createLogPainter, type LogPainter, type LogSizes } from "./log-painter.ts";
import { writeNames, writeNumbers, type LogWords } from "./log-writer.ts";

interface PaintingProps extends LogWords {
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly scroller: RefObject<HTMLElement | null>;
  readonly sizes: LogSizes;
  /**
   * Where the first column in sight begins in the box that scrolls, pixels; null: where a person
   * scrolls it to. While that stays, the columns may move on below their pixels, unseen.
   */
  readonly offset: number | null;
  readonly calm: boolean;
  /** All at once; otherwise pixels and words each in their turn. */
  readonly hurry: boolean;
}

/** In what a picture must be like the last one, lest it be missed for a moment. */
interface Frame {
  readonly offset: number | null;
  readonly columns: number;
  readonly rows: number;
  readonly sizes: LogSizes;
  readonly theme: Theme;
}

function sameFrame(a: Frame | null, b: Frame): boolean {
  return (
    a !== null &&
    a.offset !== null &&
    a.offset === b.offset &&
    a.columns === b.columns &&
    a.rows === b.rows &&
    a.sizes === b.sizes &&
    a.theme === b.theme
  );
}

function writeAll(scroller: HTMLElement | null, words: LogWords): void {
  const boxesOf = (selector: string) => scroller?.querySelector(selector)?.children;
  const numbers = boxesOf(".log-head .boxes");
  if (numbers !== undefined) writeNumbers(numbers, words);
  for (const { node } of words.table.rows) {
    const boxes = boxesOf(`[data-node="${node.nodeId}"]`);
    if (boxes !== undefined) writeNames(boxes, node, words);
  }
}

/** Rendered before the tip, which looks for its cell. */
export function Painting(props: PaintingProps): null {
  const { canvas, scroller, table, sight, active, sizes, offset, calm, hurry } = props;
  const loop = useLoop();
  const still = useMedia("(prefers-reduced-motion: reduce)");
  const theme = useUi((state) => state.theme);
  const painter = useRef<LogPainter>(null);
  const painted = useRef<Frame>(null);
  useLayoutEffect(() => {
    if (canvas.current === null) return undefined;
    painter.current ??= createLogPainter(canvas.current);
    const it = painter.current;
    const columns = sight.to - sight.from + 1;
    const frame: Frame = { offset, columns, rows: table.rows.length, sizes, theme };
    const paint = () => {
      painted.current = frame;
      const palette = theme === "dark" ? DARK : LIGHT;
      const flashing = calm && !still;
      it.draw({ table, sight, sizes, palette, pixelRatio: devicePixelRatio, flashing });
    };
    const write = () => writeAll(scroller.current, { table, sight, active });
    if (hurry || !sameFrame(painted.current, frame)) {
      paint();
      write();
      return undefined;
    }
    const turns = [loop.inTurn(paint), loop.inTurn(write)];
    return () => turns.forEach((giveUp) => giveUp());
  }, [canvas, scroller, table, sight, active, sizes, offset, calm, hurry, still, theme, loop]);
  useEffect(() => {
    // What was painted before a font could be used has the wrong one.
    const onLoaded = () => painter.current?.again();
    document.fonts.addEventListener("loadingdone", onLoaded);
    return () => document.fonts.removeEventListener("loadingdone", onLoaded);
  }, []);
  useFrame((_, atMs) => painter.current?.frame(atMs));
  return null;
}
