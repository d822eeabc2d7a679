/** The hooks: the only place where the stores meet React. */
import {
  createContext,
  use,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { lostCommands, pastCommands, type Commands } from "../commands.ts";
import type { Loop } from "./loop.ts";
import type { Frame, Timeline, TimelineState } from "./timeline.ts";
import { uiStore, type UiState } from "./ui.ts";

export interface Services {
  readonly timeline: Timeline;
  readonly loop: Loop;
  readonly commands: Commands;
}

export const ServicesContext = createContext<Services | null>(null);

function useServices(): Services {
  const services = use(ServicesContext);
  if (services === null) throw new Error("expected to be inside ServicesContext");
  return services;
}

/** What can be asked now: nothing of a recording, of the past, or of what does not answer. */
export function useCommands(): Commands {
  const { commands } = useServices();
  const live = useTimeline((state) => state.live);
  const lost = useTimeline((state) => state.connection.state === "lost");
  if (commands.unavailable !== null) return commands;
  if (!live) return pastCommands;
  return lost ? lostCommands : commands;
}

/** The timeline itself: to seek, to listen to observations. */
export function useTimelineItself(): Timeline {
  return useServices().timeline;
}

/**
 * A part of the timeline's state. Rendered again only when the part differs: `select` may build
 * a new object if `same` tells that it means the same.
 */
export function useTimeline<T>(
  select: (state: TimelineState) => T,
  same: (a: T, b: T) => boolean = Object.is,
): T {
  const { timeline } = useServices();
  const last = useRef<{ readonly value: T } | null>(null);
  const read = () => {
    const value = select(timeline.getState());
    if (last.current === null || !same(last.current.value, value)) last.current = { value };
    return last.current.value;
  };
  const subscribe = useCallback((listener: () => void) => timeline.subscribe(listener), [timeline]);
  return useSyncExternalStore(subscribe, read, read);
}

/** Calls `draw` for every frame, outside React. */
export function useFrame(draw: (frame: Frame, atMs: number) => void): void {
  const { loop } = useServices();
  const latest = useRef(draw);
  useEffect(() => {
    latest.current = draw;
  });
  useEffect(() => loop.onFrame((frame, atMs) => latest.current(frame, atMs)), [loop]);
}

/** The animation loop itself: to have one's turn. */
export function useLoop(): Loop {
  return useServices().loop;
}

const subscribeUi = (listener: () => void) => uiStore.subscribe(listener);

export function useUi<T>(select: (state: UiState) => T): T {
  const read = () => select(uiStore.get());
  return useSyncExternalStore(subscribeUi, read, read);
}

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  const subscribe = useCallback(
    (listener: () => void) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [list],
  );
  return useSyncExternalStore(subscribe, () => list.matches);
}
