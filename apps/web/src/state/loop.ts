/**
 * The one animation loop. Whoever draws what moves registers here and writes attributes or pixels;
 * nobody renders React from it.
 */
import { timer } from "d3";
import type { Frame, Timeline } from "./timeline.ts";

export interface Loop {
  start(): void;
  /** @returns how to stop being called. */
  onFrame(draw: (frame: Frame, atMs: number) => void): () => void;
  /**
   * Calls this once, soon, in a frame that renders nothing else: nobody was told anything new, and
   * no other has its turn. So no frame has to render everything. @returns how to give up the turn.
   */
  inTurn(render: () => void): () => void;
}

/** A hidden page gets no animation frames, but must not queue what it hears. */
const HIDDEN_MS = 1000;
/** In a busy cluster there may be no frame without a notice: whoever waited so long has its turn. */
const TURN_MS_MAX = 100;

interface Turn {
  readonly render: () => void;
  readonly sinceMs: number;
}

export function createLoop(timeline: Timeline): Loop {
  const drawers = new Set<(frame: Frame, atMs: number) => void>();
  const turns = new Set<Turn>();
  let framedAtMs = 0;
  // What a turn renders is drawn with the frame after: that one has no turn of its own.
  let turned = false;
  const takeTurn = (atMs: number, quiet: boolean): boolean => {
    const [next] = turns;
    if (next === undefined || turned) return false;
    if (!quiet && atMs - next.sinceMs < TURN_MS_MAX) return false;
    turns.delete(next);
    next.render();
    return true;
  };
  const step = () => {
    framedAtMs = performance.now();
    const frame = timeline.frame(framedAtMs);
    for (const draw of drawers) draw(frame, framedAtMs);
    turned = takeTurn(framedAtMs, frame.quiet);
  };
  return {
    start() {
      timer(step);
      setInterval(() => {
        const nowMs = performance.now();
        if (nowMs - framedAtMs > HIDDEN_MS) timeline.frame(nowMs);
      }, HIDDEN_MS);
    },
    onFrame(draw) {
      drawers.add(draw);
      return () => drawers.delete(draw);
    },
    inTurn(render) {
      const turn = { render, sinceMs: performance.now() };
      turns.add(turn);
      return () => turns.delete(turn);
    },
  };
}
