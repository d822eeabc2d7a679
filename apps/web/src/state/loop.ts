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
}

/** A hidden page gets no animation frames, but must not queue what it hears. */
const HIDDEN_MS = 1000;

export function createLoop(timeline: Timeline): Loop {
  const drawers = new Set<(frame: Frame, atMs: number) => void>();
  let framedAtMs = 0;
  const step = () => {
    framedAtMs = performance.now();
    const frame = timeline.frame(framedAtMs);
    for (const draw of drawers) draw(frame, framedAtMs);
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
  };
}
