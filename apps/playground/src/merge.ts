/**
 * Many streams of observations in, one out, so that no receive is shown before its send.
 *
 * All stamps are readings of one monotonic clock, and each stream is in its own order. An
 * observation is shown once it is `windowUs` old, in order of (time, arrival). A receive whose
 * send has not been shown then holds its stream back until the send is shown, or until it is
 * clear that the send won't come: its sender has since told of later things, or is silent (gone
 * or paused), or `waitUsMax` has passed. The last case is told by a gap of the sender.
 *
 * A send that comes after its receive was shown is not shown any more: the receive told all of
 * it. In its place, with its stamp, comes a `messages-omitted`, so that the stream has no hole.
 */
import { messageKey, type MessageId, type Observation } from "@raftarium/observer";
import { createHeap } from "./heap.ts";

export interface MergeOptions {
  /** How old an observation must be before it is shown, so that others can overtake it. */
  readonly windowUs: number;
  /** How long a receive waits for a send of a sender that should be able to tell. */
  readonly waitUsMax: number;
}

export const MERGE_OPTIONS: MergeOptions = { windowUs: 50_000, waitUsMax: 150_000 };

/** Our own observations come as this stream. */
export const OWN_STREAM = 0;

export interface Merge {
  /** `streamId`: the node that told it; OWN_STREAM: we did. `nowUs`: the clock of the stamps. */
  push(streamId: number, observation: Observation, nowUs: number): void;
  /** Everything that may be shown by now. Call it again soon while `size()` is not 0. */
  take(nowUs: number): Observation[];
  /** A node that is gone or paused: its sends are not waited for, until it is not any more. */
  setSilent(nodeId: number, silent: boolean): void;
  /** How many observations are held back. */
  size(): number;
}

interface Item {
  readonly observation: Observation;
  readonly streamId: number;
  /** Its stamp, or that of its predecessor in the stream if that is later. */
  readonly atUs: number;
  readonly arrivedUs: number;
  readonly order: number;
}

/** What is known of one sender's messages. */
interface Sender {
  /** As we were told. */
  silent: boolean;
  /** It has told nothing yet, or was waited for in vain and has told nothing since. */
  unheard: boolean;
  incarnation: number;
  /** The highest sequence of a message-sent shown, of this incarnation. */
  shownSequence: number;
  /** The latest stamp that has come in from it. */
  heardUs: number;
}

/** A message-sent may be stamped this much later than the message itself. */
const STAMP_SLACK_US = 2_000;
/** Receives shown without their sends that are remembered, for the sends that come late. */
const TOLD_MAX = 20_000;
/** A send that we have is waited for this many times `waitUsMax` at most: never for ever. */
const PATIENCE = 10;

export function createMerge(options: MergeOptions = MERGE_OPTIONS): Merge {
  const heap = createHeap<Item>(
    (left, right) => left.atUs - right.atUs || left.order - right.order,
  );
  const senders = new Map<number, Sender>();
  const streamTimes = new Map<number, number>();
  /** Streams held back, each with what follows in its own order. */
  const blocked = new Map<number, Item[]>();
  /** Keys of sends that have come in and are not shown yet. */
  const pendingSends = new Set<string>();
  /** Keys of receives shown without their sends; oldest first. */
  const told = new Set<string>();
  let nextOrder = 0;
  let held = 0;

  function senderOf(nodeId: number): Sender {
    let sender = senders.get(nodeId);
    if (sender === undefined) {
      sender = { silent: false, unheard: true, incarnation: 0, shownSequence: 0, heardUs: 0 };
      senders.set(nodeId, sender);
    }
    return sender;
  }

  function push(streamId: number, observation: Observation, nowUs: number): void {
    const atUs = Math.max(observation.timeUs, streamTimes.get(streamId) ?? 0);
    streamTimes.set(streamId, atUs);
    if (streamId !== OWN_STREAM) {
      const sender = senderOf(streamId);
      sender.unheard = false;
      sender.heardUs = Math.max(sender.heardUs, observation.timeUs);
      if (observation.incarnation > sender.incarnation) {
        sender.incarnation = observation.incarnation;
        sender.shownSequence = 0;
      }
    }
    const { body } = observation;
    if (body.kind === "message-sent") pendingSends.add(messageKey(body.id));
    heap.push({ observation, streamId, atUs, arrivedUs: nowUs, order: nextOrder++ });
    held += 1;
  }

  /** Whether a receive must still wait; "in vain" when it has waited as long as it may. */
  function waits(item: Item, id: MessageId, sentAtUs: number, nowUs: number): Verdict {
    const sender = senderOf(id.source);
    if (id.incarnation === sender.incarnation && id.sequence <= sender.shownSequence) return "told";
    const waitedUs = nowUs - item.arrivedUs;
    if (pendingSends.has(messageKey(id))) {
      return waitedUs < PATIENCE * options.waitUsMax ? "waits" : "in vain";
    }
    if (told.has(messageKey(id)) || id.incarnation < sender.incarnation) return "untold";
    if (sender.silent || sender.unheard) return "untold";
    if (sender.heardUs > sentAtUs + STAMP_SLACK_US) return "untold";
    return waitedUs < options.waitUsMax ? "waits" : "in vain";
  }

  function remember(id: MessageId): void {
    told.add(messageKey(id));
    if (told.size > TOLD_MAX) {
      const oldest = told.values().next();
      if (!oldest.done) told.delete(oldest.value);
    }
  }

  /** Shows an item, and says so; or leaves it, because it must wait. */
  function show(item: Item, nowUs: number, shown: Observation[]): boolean {
    const { observation } = item;
    const { body } = observation;
    if (body.kind === "message-sent") {
      const key = messageKey(body.id);
      pendingSends.delete(key);
      const sender = senderOf(body.id.source);
      if (body.id.incarnation === sender.incarnation) {
        sender.shownSequence = Math.max(sender.shownSequence, body.id.sequence);
      }
      shown.push(told.delete(key) ? omitted(observation, body.message.bytes) : observation);
      held -= 1;
      return true;
    }
    if (
      body.kind === "message-arriving" ||
      body.kind === "message-received" ||
      body.kind === "message-dropped"
    ) {
      const verdict = waits(item, body.id, body.sentAtUs, nowUs);
      if (verdict === "waits") return false;
      if (verdict !== "told") remember(body.id);
      if (verdict === "in vain") {
        senderOf(body.id.source).unheard = true;
        shown.push(gapOf(body.id, nowUs));
      }
    }
    shown.push(observation);
    held -= 1;
    return true;
  }

  function take(nowUs: number): Observation[] {
    const shown: Observation[] = [];
    for (;;) {
      const item = heap.peek();
      if (item === undefined || item.atUs > nowUs - options.windowUs) break;
      heap.pop();
      const queue = blocked.get(item.streamId);
      if (queue !== undefined) queue.push(item);
      else if (!show(item, nowUs, shown)) blocked.set(item.streamId, [item]);
      else if (isSend(item)) unblock(nowUs, shown);
    }
    unblock(nowUs, shown);
    return shown;
  }

  /** Shows what waits no longer, until nothing more comes of it. */
  function unblock(nowUs: number, shown: Observation[]): void {
    for (let progress = true; progress;) {
      progress = false;
      for (const [streamId, queue] of blocked) {
        let count = 0;
        for (const item of queue) {
          if (!show(item, nowUs, shown)) break;
          count += 1;
        }
        if (count === 0) continue;
        progress = true;
        if (count === queue.length) blocked.delete(streamId);
        else queue.splice(0, count);
      }
    }
  }

  return {
    push,
    take,
    setSilent(nodeId, silent) {
      senderOf(nodeId).silent = silent;
    },
    size: () => held,
  };
}

/**
 * told: its send was shown; untold: it won't be, and that is no surprise; in vain: it should have
 * been.
 */
type Verdict = "told" | "untold" | "waits" | "in vain";

function isSend(item: Item): boolean {
  return item.observation.body.kind === "message-sent";
}

function omitted(send: Observation, bytes: number): Observation {
  return { ...send, body: { kind: "messages-omitted", count: 1, bytes } };
}

/** Sequence 0: not one of the node's own observations. */
function gapOf(id: MessageId, nowUs: number): Observation {
  return {
    nodeId: id.source,
    incarnation: id.incarnation,
    sequence: 0,
    timeUs: nowUs,
    body: { kind: "gap", droppedCount: 1 },
  };
}
