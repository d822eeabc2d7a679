/**
 * The timeline: observations in, the view at the moment shown out. It knows no React and no DOM;
 * whoever owns a clock calls `frame`.
 *
 * The page shows the cluster a little late (`LAG_US`), so that what one node tells a few
 * milliseconds after another is drawn in its true order.
 */
import { EMPTY_VIEW, type ClusterView, type Observation } from "@raftarium/observer";
import { createClusterClock } from "./clock.ts";
import { createHistory, type History } from "./history.ts";

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
  /**
   * A stream begins; what was known is forgotten.
   *
   * @param present what it tells first: the present state.
   * @param atMs what the page's monotonic clock said when that arrived.
   * @param begunUs when the recording began of which the past may be joined; null: there is none.
   */
  begin(present: readonly Observation[], atMs: number, begunUs: number | null): void;
  /** The stream goes on. */
  push(observations: readonly Observation[], atMs: number): void;
  /**
   * What took effect after the present state that the stream began with, from the `from`-th on;
   * null: no past can be joined, or not any more.
   */
  since(from: number): readonly Observation[] | null;
  /** Takes `past` for the history: all before the stream, and the first `count` of `since`. */
  join(past: History, count: number): void;
  /** All that is remembered now. */
  history(): History;
  setConnection(connection: Connection): void;
  /** Moves to the moment that is due, and says what is to be drawn. */
  frame(atMs: number): Frame;
  getState(): TimelineState;
  /** Called at most about ten times a second, from within `frame`. */
  subscribe(listener: () => void): () => void;
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
/** If so much happens before the past is there, it is not waited for any longer. */
const SINCE_MAX = 50_000;

export function createTimeline(): Timeline {
  const clock = createClusterClock();
  let history = createHistory();
  let since: Observation[] | null = null;
  /** How many are still to take effect of those that tell the present state. */
  let presentLeft = 0;
  let waiting: Observation[] = [];
  let waitingFrom = 0;
  let shownUs = 0;
  let sought: { readonly timeUs: number; readonly view: ClusterView } | null = null;
  let flightUs = 0;
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
      history.append(observation);
      measure(observation);
      if (presentLeft > 0) presentLeft -= 1;
      else since?.push(observation);
    }
    if (waitingFrom === from) return;
    if ((since?.length ?? 0) > SINCE_MAX) since = null;
    if (waitingFrom === waiting.length || waitingFrom > 4096) {
      waiting = waiting.slice(waitingFrom);
      waitingFrom = 0;
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
    const view = sought?.view ?? history.view();
    const soughtUs = sought?.timeUs ?? null;
    return { view, live: sought === null, soughtUs, flightUs, firstUs: history.firstUs() };
  }

  /** @returns whether anybody was told. */
  function refresh(atMs: number): boolean {
    if (unnotified.length > 0) {
      notifyNext(Math.ceil(listeners.size / SPREAD_FRAMES));
      return true;
    }
    const view = sought?.view ?? history.view();
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

  function push(observations: readonly Observation[], atMs: number): void {
    for (const observation of observations) {
      clock.heard(observation.timeUs, atMs);
      waiting.push(observation);
    }
  }

  return {
    begin(present, atMs, begunUs) {
      clock.reset();
      history = createHistory(begunUs);
      since = begunUs === null ? null : [];
      presentLeft = present.length;
      waiting = [];
      waitingFrom = 0;
      shownUs = 0;
      sought = null;
      push(present, atMs);
    },
    push,
    since: (from) => since?.slice(from) ?? null,
    join(past, count) {
      for (const observation of since?.slice(count) ?? []) past.append(observation);
      since = null;
      history = past;
      if (sought !== null) sought = { ...sought, view: history.viewAt(sought.timeUs) };
      notify(stateNow());
    },
    history: () => history,
    setConnection(connection) {
      notify({ connection });
    },
    frame(atMs) {
      shownUs = Math.max(shownUs, clock.nowUs(atMs) - LAG_US);
      takeEffect(shownUs);
      const quiet = !refresh(atMs);
      if (sought !== null) return { ...sought, flightUs, quiet };
      return { view: history.view(), timeUs: shownUs, flightUs, quiet };
    },
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    seek(timeUs) {
      takeEffect(shownUs);
      const atUs = Math.min(timeUs, history.lastUs());
      sought = { timeUs: atUs, view: history.viewAt(atUs) };
      notify(stateNow());
    },
    goLive() {
      sought = null;
      notify(stateNow());
    },
  };
}
