/**
 * The messages in flight. A message is told up to three times (sent, arriving, ended), by two
 * nodes, and any of these may be missing: its sender killed before it could tell, its receiver
 * killed with the message in its gate. Whatever comes first creates the flight.
 */
import type { NodeId } from "@raftarium/raft";
import type { MessageId, MessageSummary, Observation } from "./observation.ts";
import {
  MESSAGES_IN_VIEW_MAX,
  MESSAGE_AFTERLIFE_US,
  messageKey,
  type ClusterView,
  type DropReason,
  type FlightEnd,
  type MessageFlight,
} from "./view.ts";

/** A message of which nothing more is told is given up after this long past its last news. */
const SILENCE_US_MAX = 10_000_000;

export interface Flights {
  apply(observation: Observation, nowUs: number, isPaused: (nodeId: NodeId) => boolean): void;
  /** What waited in the gate of a process that ended is gone with it. */
  receiverEnded(target: NodeId, atUs: number): void;
  snapshot(): ReadonlyMap<string, MessageFlight>;
  receivedCount(): number;
  droppedCount(): number;
}

function newFlight(
  id: MessageId,
  target: NodeId,
  message: MessageSummary,
  sentAtUs: number,
): MessageFlight {
  return {
    key: messageKey(id),
    id,
    source: id.source,
    target,
    message,
    sentAtUs,
    dueAtUs: null,
    held: false,
    endedAtUs: null,
    end: null,
    dropReason: null,
  };
}

export function createFlights(start: ClusterView): Flights {
  let flights = new Map(start.messages);
  let shared = true;
  let { receivedCount, droppedCount } = start;
  /** Keys of flights that have ended, in the order of their end. */
  let ended: { key: string; atUs: number }[] = [];
  let endedFrom = 0;
  let sweepAtUs = 0;
  for (const flight of start.messages.values()) {
    if (flight.endedAtUs !== null) ended.push({ key: flight.key, atUs: flight.endedAtUs });
  }
  ended.sort((a, b) => a.atUs - b.atUs);

  function own(): Map<string, MessageFlight> {
    if (shared) {
      flights = new Map(flights);
      shared = false;
    }
    return flights;
  }

  function finish(flight: MessageFlight, end: FlightEnd, atUs: number, reason: DropReason | null) {
    if (flight.end !== null) return;
    if (end === "received") receivedCount += 1;
    else droppedCount += 1;
    own().set(flight.key, { ...flight, held: false, end, endedAtUs: atUs, dropReason: reason });
    ended.push({ key: flight.key, atUs });
  }

  /** Removes what ended long enough ago, then what has been silent too long, then the excess. */
  function prune(nowUs: number, isPaused: (nodeId: NodeId) => boolean): void {
    for (; endedFrom < ended.length; endedFrom += 1) {
      const next = ended[endedFrom];
      if (next === undefined || next.atUs + MESSAGE_AFTERLIFE_US > nowUs) break;
      own().delete(next.key);
    }
    if (endedFrom > 1024) {
      ended = ended.slice(endedFrom);
      endedFrom = 0;
    }
    if (nowUs >= sweepAtUs) {
      sweepAtUs = nowUs + 1_000_000;
      for (const flight of flights.values()) {
        if (flight.held || flight.end !== null || isPaused(flight.target)) continue;
        const newsUs = flight.dueAtUs ?? flight.sentAtUs;
        if (newsUs + SILENCE_US_MAX < nowUs) own().delete(flight.key);
      }
    }
    while (flights.size > MESSAGES_IN_VIEW_MAX) {
      const oldest = flights.keys().next();
      if (oldest.done) break;
      own().delete(oldest.value);
    }
  }

  return {
    apply(observation, nowUs, isPaused) {
      const { body, timeUs } = observation;
      switch (body.kind) {
        case "message-sent": {
          const key = messageKey(body.id);
          if (!flights.has(key)) {
            own().set(key, newFlight(body.id, body.target, body.message, timeUs));
          }
          break;
        }
        case "message-arriving": {
          const known = flights.get(messageKey(body.id));
          const flight = known ?? newFlight(body.id, body.target, body.message, body.sentAtUs);
          if (flight.end !== null) break;
          const held = body.dueAtUs === 0;
          own().set(flight.key, {
            ...flight,
            sentAtUs: body.sentAtUs,
            held,
            dueAtUs: held ? null : body.dueAtUs,
          });
          break;
        }
        case "message-received":
        case "message-dropped": {
          const known = flights.get(messageKey(body.id));
          const flight = known ?? newFlight(body.id, body.target, body.message, body.sentAtUs);
          const end = body.kind === "message-received" ? "received" : "dropped";
          finish(flight, end, timeUs, body.kind === "message-dropped" ? body.reason : null);
          break;
        }
        default:
          break;
      }
      prune(nowUs, isPaused);
    },
    receiverEnded(target, atUs) {
      for (const flight of flights.values()) {
        // What the gate never had may still be on the wire, and may find the next process.
        const inGate = flight.held || flight.dueAtUs !== null;
        if (flight.target === target && inGate) finish(flight, "lost", atUs, null);
      }
    },
    snapshot() {
      shared = true;
      return flights;
    },
    receivedCount: () => receivedCount,
    droppedCount: () => droppedCount,
  };
}
