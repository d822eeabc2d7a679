/**
 * What moves with time: messages at their true place, timers, and the lights of messages too
 * quick to be seen one by one. Called for every frame, so it allocates little.
 */
import {
  MESSAGE_AFTERLIFE_US,
  linkKey,
  type ClusterNode,
  type ClusterView,
  type MessageFlight,
} from "@raftarium/observer";
import { angleAt, laneLength, laneOf, pointAt, type Lane } from "./lanes.ts";
import { shapeOf } from "./shapes.ts";
import type { MessageMark, Motion, NodeId, PulseMark, Stage, TimerMark } from "./types.ts";

export interface MotionOptions {
  /**
   * How long a message takes whose receiver has not told yet when it is due, microseconds.
   */
  readonly expectedFlightUs: number;
  /** More messages than this at once are drawn as lights. */
  readonly marksMax: number;
}

/** A shorter flight is over before an eye could follow it: it is drawn as a light. */
const SEEN_US_MIN = 60_000;
const PULSE_US = 320_000;
/** How long a received message fades at the rim of its receiver. */
const ARRIVAL_US = 140_000;
const TAIL = 26;
/** Makes one number of two node ids: cheaper to look up than a string, for every message. */
const PAIR = 2 ** 26;

/** How much of a node's timer is left, 0 to 1; null: it has none. */
export function timerRemaining(node: ClusterNode, timeUs: number): number | null {
  const { timer } = node;
  if (timer === null || timer.timeoutTicks <= 0) return null;
  // A stopped process counts no ticks.
  const nowUs = node.health === "paused" ? Math.min(timeUs, node.healthAtUs) : timeUs;
  const ticks = timer.tickUs > 0 ? Math.max(0, nowUs - timer.atUs) / timer.tickUs : 0;
  return 1 - Math.min(1, (timer.elapsedTicks + ticks) / timer.timeoutTicks);
}

function timersOf(view: ClusterView, timeUs: number, stage: Stage): readonly TimerMark[] {
  const timers: TimerMark[] = [];
  for (const node of view.nodes) {
    const place = stage.layout.places.get(node.nodeId);
    const remaining = timerRemaining(node, timeUs);
    if (place === undefined || remaining === null) continue;
    if (node.health === "crashed" || node.health === "stopped") continue;
    timers.push({
      nodeId: node.nodeId,
      x: place.x,
      y: place.y,
      term: node.term,
      radius: stage.layout.timerRadius,
      remaining,
      faint: node.health === "paused",
    });
  }
  return timers;
}

/** How far along its lane a message is, 0 to 1, and how visible. */
function progressOf(
  flight: MessageFlight,
  timeUs: number,
  stop: number,
  expectedFlightUs: number,
  gone: boolean,
): { readonly fraction: number; readonly opacity: number; readonly crossed: boolean } | null {
  if (timeUs < flight.sentAtUs) return null;
  const ended = flight.endedAtUs !== null && flight.endedAtUs <= timeUs;
  const received = flight.end === "received";
  const end = received && flight.endedAtUs !== null ? flight.endedAtUs : flight.dueAtUs;
  const due = end ?? flight.sentAtUs + expectedFlightUs;
  const at = ended && !received ? (flight.endedAtUs ?? timeUs) : timeUs;
  // Held in the gate: it waits a little before its receiver.
  const limit = flight.held ? 0.86 : 1;
  const travelled = (at - flight.sentAtUs) / Math.max(due - flight.sentAtUs, 1);
  const fraction = Math.max(0, Math.min(limit, travelled));
  if (!ended) {
    // Nobody is there to take it, or to say that it came.
    const overdueUs = gone && stop === 1 ? timeUs - due : 0;
    const opacity = overdueUs > 0 ? 1 - overdueUs / MESSAGE_AFTERLIFE_US : 1;
    if (opacity <= 0) return null;
    return { fraction: Math.min(fraction, stop), opacity, crossed: overdueUs > 0 };
  }
  const sinceUs = timeUs - (flight.endedAtUs ?? timeUs);
  const lifeUs = received ? ARRIVAL_US : MESSAGE_AFTERLIFE_US;
  const opacity = 1 - sinceUs / lifeUs;
  if (opacity <= 0) return null;
  if (received) return { fraction: 1, opacity, crossed: false };
  const place = stop < 1 ? stop : flight.dropReason === "loss" ? 0.6 : Math.min(fraction, 0.94);
  return { fraction: place, opacity, crossed: true };
}

function signOf(flight: MessageFlight): string {
  const { message } = flight;
  if (!message.reply) return "";
  if (message.kind === "heartbeat") return message.success ? "" : "\u2212";
  return message.success ? "+" : "\u2212";
}

interface LaneState {
  readonly key: string;
  readonly lane: Lane;
  readonly length: number;
  readonly stop: number;
  pulse: { newest: MessageFlight; count: number; atUs: number; latencyUs: number } | null;
}

function pulseOf(state: LaneState, timeUs: number): PulseMark | null {
  const { pulse, lane, key } = state;
  if (pulse === null) return null;
  const opacity = 1 - Math.max(0, timeUs - pulse.atUs) / PULSE_US;
  if (opacity <= 0) return null;
  const { source, target, message } = pulse.newest;
  const middle = pointAt(lane, 0.38);
  const tilt = angleAt(lane, 0.5);
  const text = latencyWords(pulse.latencyUs);
  return {
    key,
    source,
    target,
    from: lane.from,
    to: lane.to,
    term: message.term,
    opacity,
    count: pulse.count,
    latencyUs: pulse.latencyUs,
    label: {
      x: middle.x + Math.sin(tilt) * (10 + 18 * Math.abs(Math.sin(tilt))),
      y: middle.y - Math.cos(tilt) * 12 + 3,
      text,
    },
  };
}

export function latencyWords(latencyUs: number): string {
  if (latencyUs >= 1_000_000) return `${(latencyUs / 1_000_000).toFixed(1)} s`;
  const ms = latencyUs / 1000;
  return `${ms >= 100 ? Math.round(ms) : ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

/** The moving part of the scene, at a moment. */
export function motionOf(
  view: ClusterView,
  timeUs: number,
  stage: Stage,
  options: MotionOptions,
): Motion {
  const messages: MessageMark[] = [];
  const lanes = new Map<number, LaneState>();
  const gone = new Set<NodeId>();
  for (const node of view.nodes) {
    if (node.health === "crashed" || node.health === "stopped") gone.add(node.nodeId);
  }
  for (const flight of view.messages.values()) {
    // What ended long ago is most of a busy cluster's messages.
    if (flight.endedAtUs !== null && timeUs - flight.endedAtUs > MESSAGE_AFTERLIFE_US) continue;
    const pair = flight.source * PAIR + flight.target;
    let state = lanes.get(pair);
    if (state === undefined) {
      const key = linkKey(flight.source, flight.target);
      const lane = laneOf(stage.layout, flight.source, flight.target, stage.bends.get(key) ?? 0);
      if (lane === null) continue;
      state = { lane, length: laneLength(lane), stop: stage.stops.get(key) ?? 1, pulse: null, key };
      lanes.set(pair, state);
    }
    const quick =
      flight.end === "received" &&
      flight.endedAtUs !== null &&
      flight.endedAtUs - flight.sentAtUs < SEEN_US_MIN;
    const unseen = !quick && messages.length >= options.marksMax;
    if (quick || unseen) {
      const atUs = flight.endedAtUs ?? flight.sentAtUs;
      if (atUs > timeUs || timeUs - atUs > PULSE_US) continue;
      const latencyUs = atUs - flight.sentAtUs;
      const count = (state.pulse?.count ?? 0) + 1;
      if (state.pulse === null || state.pulse.atUs <= atUs) {
        state.pulse = { newest: flight, count, atUs, latencyUs };
      } else state.pulse.count = count;
      continue;
    }
    const progress = progressOf(
      flight,
      timeUs,
      state.stop,
      options.expectedFlightUs,
      gone.has(flight.target),
    );
    if (progress === null) continue;
    const { fraction, opacity, crossed } = progress;
    const at = pointAt(state.lane, fraction);
    messages.push({
      key: flight.key,
      flight,
      x: at.x,
      y: at.y,
      term: flight.message.term,
      angle: angleAt(state.lane, fraction),
      tail: pointAt(state.lane, Math.max(0, fraction - (TAIL * stage.layout.scale) / state.length)),
      shape: shapeOf(flight.message),
      opacity,
      sign: signOf(flight),
      crossed,
    });
  }
  const pulses: PulseMark[] = [];
  for (const state of lanes.values()) {
    const pulse = pulseOf(state, timeUs);
    if (pulse !== null) pulses.push(pulse);
  }
  return { timers: timersOf(view, timeUs, stage), messages, pulses };
}
