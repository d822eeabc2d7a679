import type { ClusterView } from "@raftarium/observer";
import { motionOf, type MotionOptions } from "./motion.ts";
import { stageOf } from "./stage.ts";
import type { Scene, Size } from "./types.ts";

/** The whole picture of a view at a moment: what stands still and what moves. */
export function sceneOf(
  view: ClusterView,
  timeUs: number,
  size: Size,
  options: MotionOptions,
): Scene {
  const stage = stageOf(view, size);
  return { timeUs, stage, motion: motionOf(view, timeUs, stage, options) };
}
