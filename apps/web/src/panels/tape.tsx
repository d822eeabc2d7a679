/** The tape: the history, painted, and the way back into it. */
import { scaleLinear, type ScaleLinear } from "d3";
import {
  useEffect,
  useReducer,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
} from "react";
import { hueOf } from "../shell/words.tsx";
import type { TapeModel } from "../state/tape-model.ts";
import { useLoop, useTimeline, useTimelineItself } from "../state/use.ts";
import { clockWords } from "./format.ts";
import { sheets, useSheets, type LogTab } from "./sheets.ts";

/** A tape this long at least, so that the first seconds don't fill it. */
const SPAN_US_MIN = 30_000_000;
const STEP_US = 1_000_000;
const LEAP_US = 10_000_000;
const REPAINT_MS = 500;

interface Scale {
  readonly fromUs: number;
  readonly nowUs: number;
  readonly toUs: number;
  readonly width: number;
  /** Moments to pixels, and back. */
  readonly x: ScaleLinear<number, number>;
}

/** One tick for each pixel that has a write. */
function ticksPath(scale: Scale, writes: readonly number[]): string {
  let path = "";
  let last = -1;
  for (const us of writes) {
    if (us < scale.fromUs) continue;
    const at = Math.round(scale.x(us));
    if (at - last < 2) continue;
    last = at;
    path += `M${at + 0.5} 23v5`;
  }
  return path;
}

interface PaintingProps {
  readonly model: TapeModel;
  readonly scale: Scale;
  /** Where the moment shown is, pixels. */
  readonly cursor: number;
}

function Painting({ model, scale, cursor }: PaintingProps) {
  return (
    <svg className="tape-paint" width={scale.width} height={34} aria-hidden="true">
      {model.bands
        .filter((band) => band.toUs === null || band.toUs > scale.fromUs)
        .map((band) => {
          const from = scale.x(band.fromUs);
          const width = Math.max(1, scale.x(band.toUs ?? scale.nowUs) - from);
          return (
            <g key={`${band.term}.${band.fromUs}`} data-hue={hueOf(band.term)}>
              <rect className="band" x={from} y={8} width={width} height={20} />
              {band.fromUs > scale.fromUs ? (
                <path className="began" d={`M${from + 0.5} 3v28`} />
              ) : null}
              {width > 64 ? (
                <text x={from + 7} y={20} className="band-name">
                  term {band.term}
                </text>
              ) : null}
            </g>
          );
        })}
      <path className="writes" d={ticksPath(scale, model.writes)} />
      {model.kills
        .filter((kill) => kill.atUs >= scale.fromUs)
        .map((kill) => {
          const at = scale.x(kill.atUs);
          return (
            <path
              key={`${kill.nodeId}.${kill.atUs}`}
              className="kill"
              d={`M${at - 3} 1l6 6m0 -6l-6 6`}
            />
          );
        })}
      <rect className="tape-cursor" x={cursor - 1.5} y={1} width={3} height={32} rx={1} />
    </svg>
  );
}

/** Renders again every so often, so that the tape grows while the past is shown, too. */
function useRepaint(): void {
  const loop = useLoop();
  const [, repaint] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let giveUp: (() => void) | undefined;
    const timer = setInterval(() => {
      giveUp?.();
      giveUp = loop.inTurn(repaint);
    }, REPAINT_MS);
    return () => {
      clearInterval(timer);
      giveUp?.();
    };
  }, [loop]);
}

function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const track = element.current;
    if (track === null) return;
    const observer = new ResizeObserver(() => setWidth(track.clientWidth));
    observer.observe(track);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

function PauseGlyph() {
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor" />
    </svg>
  );
}

function PlayGlyph() {
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <path d="M2 1l9 5l-9 5z" fill="currentColor" />
    </svg>
  );
}

/** Where a key leads from a moment; null: nowhere. Infinity: now. */
function keyed(key: string, shift: boolean, shownUs: number, scale: Scale): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return shownUs - (shift ? LEAP_US : STEP_US);
    case "ArrowRight":
    case "ArrowUp":
      return shownUs + (shift ? LEAP_US : STEP_US);
    case "PageDown":
      return shownUs - LEAP_US;
    case "PageUp":
      return shownUs + LEAP_US;
    case "Home":
      return scale.fromUs;
    case "End":
      return Infinity;
    default:
      return null;
  }
}

function openLog(chosen: LogTab): void {
  sheets.update((state) => ({
    ...state,
    tab: chosen,
    logOpen: !(state.logOpen && state.tab === chosen),
  }));
}

function Sheets() {
  const { logOpen, tapeOpen, tab } = useSheets();
  return (
    <div className="sheet-bar" role="group" aria-label="Sheets">
      <button
        type="button"
        className="button"
        aria-expanded={logOpen && tab === "log"}
        onClick={() => openLog("log")}
      >
        Log
      </button>
      <button
        type="button"
        className="button"
        aria-expanded={logOpen && tab === "store"}
        onClick={() => openLog("store")}
      >
        Store
      </button>
      <button
        type="button"
        className="button"
        aria-expanded={tapeOpen}
        onClick={() => sheets.update((state) => ({ ...state, tapeOpen: !state.tapeOpen }))}
      >
        History
      </button>
    </div>
  );
}

function liveTitle(live: boolean, lost: boolean): string {
  if (!live) return "Show what happens now";
  return lost ? "What was heard last; the playground does not answer" : "What is shown happens now";
}

export function TapePanel() {
  const timeline = useTimelineItself();
  const history = timeline.history();
  const live = useTimeline((state) => state.live);
  const soughtUs = useTimeline((state) => state.soughtUs);
  const lost = useTimeline((state) => state.connection.state === "lost");
  const { element, width } = useWidth();
  useRepaint();

  const { view, firstUs } = timeline.getState();
  const shownUs = soughtUs ?? view.timeUs;
  const startUs = history.startUs();
  const nowUs = Math.max(history.lastUs(), shownUs);
  const fromUs = Math.max(startUs, firstUs);
  const toUs = Math.max(nowUs, fromUs + SPAN_US_MIN);
  const x = scaleLinear([fromUs, toUs], [0, width]).clamp(true);
  const scale: Scale = { fromUs, nowUs, toUs, width, x };
  const known = startUs > 0;
  const cursor = scale.x(live ? nowUs : shownUs);

  const show = (us: number) => {
    if (us >= nowUs) return timeline.goLive();
    timeline.seek(Math.max(scale.fromUs, us));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const us = keyed(event.key, event.shiftKey, shownUs, scale);
    if (us === null) return;
    event.preventDefault();
    show(us);
  };
  const scrub = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    show(scale.x.invert(((event.clientX - box.left) / box.width) * width));
  };
  return (
    <div className="tape">
      <Sheets />
      <div className="tape-line">
        <button
          type="button"
          className="button play"
          aria-label={live ? "Pause here" : "Go on live"}
          title={live ? "Stand still at this moment; the cluster goes on" : "Show what happens now"}
          aria-disabled={!known}
          onClick={() => (live ? show(shownUs - 1) : timeline.goLive())}
        >
          {live ? <PauseGlyph /> : <PlayGlyph />}
        </button>
        <time className="tape-clock">{clockWords((live ? nowUs : shownUs) - startUs)}</time>
        <div
          ref={element}
          className="tape-track"
          role="slider"
          tabIndex={0}
          aria-label="Moment shown"
          aria-valuemin={0}
          aria-valuemax={Math.max(0, Math.round((nowUs - fromUs) / 1_000_000))}
          aria-valuenow={Math.max(0, Math.round(((live ? nowUs : shownUs) - fromUs) / 1_000_000))}
          aria-valuetext={live ? "now, live" : `${clockWords(shownUs - startUs)}, in the past`}
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            if (!known) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            scrub(event);
          }}
          onPointerMove={(event) => {
            if (event.currentTarget.hasPointerCapture(event.pointerId)) scrub(event);
          }}
        >
          <Painting model={history.tape()} scale={scale} cursor={cursor} />
        </div>
        <button
          type="button"
          className={live && !lost ? "button primary live" : "button live"}
          aria-pressed={live}
          title={liveTitle(live, lost)}
          onClick={() => timeline.goLive()}
        >
          Live
        </button>
      </div>
    </div>
  );
}
