/**
 * The timeline: observations in, the view at the moment shown out. It knows no React and no DOM;
 * whoever owns a clock calls `frame`.
 *
 * The page shows the cluster a little late (`LAG_US`), so that what one node tells a few
 * milliseconds after another is drawn in its true order.
 */
import {
  EMPTY_VIEW,
  createRecording,
  type ClusterView,
  type Observation,
} from "@raftarium/observer";
import { createClusterClock } from "./clock.ts";

export interface Connection {
  /** `recorded`: there is no cluster, this is a recording. */
  readonly state: "connecting" | "open" | "lost" | "recorded";
  /** What a person should know about it; empty when all is well. */
  readonly detail: string;
}

export interface TimelineState {
  /** The cluster at the moment shown. Never changes once handed out. */
  readonly view: ClusterView;
  /** False: a moment of the past is shown, and stands still. */
  readonly live: boolean;
  /** The moment of the past that is shown, microseconds; null: live. */
  readonly soughtUs: number | null;
  readonly connection: Connection;
  /** How long messages take now between sending and delivery, microseconds; 0: unknown. */
  readonly flightUs: number;
  /** What of the past can still be shown, microseconds. */
  readonly firstUs: number;
}

export interface Frame {
  readonly view: ClusterView;
  readonly timeUs: number;
  readonly flightUs: number;
  /** Nobody was told of anything new since the frame before. */
  readonly quiet: boolean;
}

export interface Timeline {
  /** @param atMs what the page's monotonic clock said when they arrived. */
  push(observations: readonly Observation[], atMs: number): void;
  /** The stream begins anew: what it tells first is a full view. */
  restart(): void;
  setConnection(connection: Connection): void;
  /** Moves to the moment that is due, and says what is to be drawn. */
  frame(atMs: number): Frame;
  getState(): TimelineState;
  /** Called at most about ten times a second, from within `frame`. */
  subscribe(listener: () => void): () => void;
  /** Every observation as it takes effect, in order, whatever moment is shown. */
  onObservations(listener: (batch: readonly Observation[], view: ClusterView) => void): () => void;
  /** Shows a moment of the past. */
  seek(timeUs: number): void;
  goLive(): void;
}

const LAG_US = 90_000;
const NOTIFY_MS = 100;
/** More observations than this between two notices is a busy cluster. */
const BUSY = 100;
/** Then the notice is spread over so many frames, so that no frame has to render everything. */
const SPREAD_FRAMES = 2;
/** More waiting than this take effect at once: never queue without bound. */
const WAITING_MAX = 20_000;

export function createTimeline(): Timeline {
  const clock = createClusterClock();
  let recording = createRecording();
  let waiting: Observation[] = [];
  let waitingFrom = 0;
  let shownUs = 0;
  let sought: { readonly timeUs: number; readonly view: ClusterView } | null = null;
  let flightUs = 0;
  let restarting = false;
  let state: TimelineState = {
    view: EMPTY_VIEW,
    live: true,
    soughtUs: null,
    connection: { state: "connecting", detail: "" },
    flightUs: 0,
    firstUs: 0,
  };
  let notifiedAtMs = -Infinity;
  let notifiedVersion = 0;
  /** Who has yet to hear of the newest state, in a busy cluster. */
  let unnotified: (() => void)[] = [];
  const listeners = new Set<() => void>();
  const watchers = new Set<(batch: readonly Observation[], view: ClusterView) => void>();

  function measure(observation: Observation): void {
    const { body } = observation;
    if (body.kind !== "message-received") return;
    const tookUs = observation.timeUs - body.sentAtUs;
    if (tookUs < 0) return;
    flightUs = flightUs === 0 ? tookUs : flightUs + (tookUs - flightUs) * 0.08;
  }

  function takeEffect(untilUs: number): void {
    const from = waitingFrom;
    const overfull = waiting.length - waitingFrom > WAITING_MAX;
    for (; waitingFrom < waiting.length; waitingFrom += 1) {
      const observation = waiting[waitingFrom];
      if (observation === undefined || (observation.timeUs > untilUs && !overfull)) break;
      recording.append(observation);
      measure(observation);
    }
    if (waitingFrom === from) return;
    const batch = waiting.slice(from, waitingFrom);
    if (waitingFrom === waiting.length || waitingFrom > 4096) {
      waiting = waiting.slice(waitingFrom);
      waitingFrom = 0;
    }
    if (watchers.size > 0) {
      const view = recording.view();
      for (const watcher of watchers) watcher(batch, view);
    }
  }

  function notify(change: Partial<TimelineState>): void {
    state = { ...state, ...change };
    unnotified = [...listeners];
    notifyNext(unnotified.length);
  }

  function notifyNext(count: number): void {
    for (const listener of unnotified.splice(0, count)) {
      if (listeners.has(listener)) listener();
    }
  }

  function stateNow(): Partial<TimelineState> {
    const view = sought?.view ?? recording.view();
    const soughtUs = sought?.timeUs ?? null;
    return { view, live: sought === null, soughtUs, flightUs, firstUs: recording.firstUs() };
  }

  /** @returns whether anybody was told. */
  function refresh(atMs: number): boolean {
    if (unnotified.length > 0) {
      notifyNext(Math.ceil(listeners.size / SPREAD_FRAMES));
      return true;
    }
    const view = sought?.view ?? recording.view();
    if (view === state.view && (sought === null) === state.live) return false;
    if (atMs - notifiedAtMs < NOTIFY_MS) return false;
    notifiedAtMs = atMs;
    const busy = view.version - notifiedVersion > BUSY && sought === null;
    notifiedVersion = view.version;
    if (busy) {
      state = { ...state, ...stateNow() };
      unnotified = [...listeners];
      notifyNext(Math.ceil(listeners.size / SPREAD_FRAMES));
    } else notify(stateNow());
    return true;
  }

  return {
    push(observations, atMs) {
      if (restarting) {
        restarting = false;
        clock.reset();
        recording = createRecording();
        waiting = [];
        waitingFrom = 0;
        shownUs = 0;
        sought = null;
      }
      for (const observation of observations) {
        clock.heard(observation.timeUs, atMs);
        waiting.push(observation);
      }
    },
    restart() {
      restarting = true;
    },
    setConnection(connection) {
      notify({ connection });
    },
    frame(atMs) {
      shownUs = Math.max(shownUs, clock.nowUs(atMs) - LAG_US);
      takeEffect(shownUs);
      const quiet = !refresh(atMs);
      if (sought !== null) return { ...sought, flightUs, quiet };
      return { view: recording.view(), timeUs: shownUs, flightUs, quiet };
    },
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onObservations(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    seek(timeUs) {
      takeEffect(shownUs);
      const atUs = Math.min(timeUs, recording.lastUs());
      sought = { timeUs: atUs, view: recording.viewAt(atUs) };
      notify(stateNow());
    },
    goLive() {
      sought = null;
      notify(stateNow());
    },
  };
}
