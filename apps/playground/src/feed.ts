/**
 * The cluster's observations: merged, recorded (bounded), and handed to whoever reads along. A
 * reader gets the present state first, then everything; one that is too slow gets a gap that
 * counts what it lost, and the present state again.
 */
import {
  createRecording,
  type ClusterView,
  type Observation,
  type ObservationBody,
} from "@raftarium/observer";
import { createMerge, OWN_STREAM } from "./merge.ts";
import { presentState } from "./present-state.ts";

export interface FeedOptions {
  readonly nowUs: () => number;
  /** Observations that may wait for one reader. */
  readonly backlogMax?: number;
  /** Observations kept in memory for those who come later. */
  readonly recordedMax?: number;
}

/** Where a reader began in what is recorded. */
export interface Place {
  /** What was recorded before: `recorded(recordedCount)`. All that comes after is read. */
  readonly recordedCount: number;
  /** When recording began, whatever of it is still kept. */
  readonly begunUs: number;
}

export interface Batch {
  readonly observations: readonly Observation[];
  /** Of the first batch. */
  readonly place: Place | null;
}

export interface Feed {
  /** What a node told, in its own order. */
  receive(nodeId: number, observations: readonly Observation[]): void;
  /** What we say ourselves: of a node's process, or (nodeId 0) of the cluster. */
  tell(nodeId: number, incarnation: number, body: ObservationBody): void;
  setSilent(nodeId: number, silent: boolean): void;
  view(): ClusterView;
  /** How many observations have been recorded, those that were let go included. */
  recordedCount(): number;
  /**
   * The state at the earliest moment that is still known, and everything since.
   *
   * @param untilCount only the first so many of all that were ever recorded.
   */
  recorded(untilCount?: number): readonly Observation[];
  /** Batches until `signal` aborts. Reading them slowly slows nobody. */
  subscribe(signal: AbortSignal): AsyncIterable<Batch>;
  /** Called after each change of the view, with what brought it about. */
  onChange(listener: (view: ClusterView, shown: readonly Observation[]) => void): void;
  close(): void;
}

/** Merged observations are handed on this often, in batches: cheap, and smooth enough. */
const FLUSH_MS = 15;
/** ... and this often while more are held back than anybody can follow. */
const BUSY_FLUSH_MS = 45;
const HELD_MANY = 12;
const BACKLOG_MAX = 20_000;
const RECORDED_MAX = 50_000;
/** So that no batch is a huge message. */
const BATCH_MAX = 2_000;

interface Reader {
  queue: Observation[];
  droppedCount: number;
  wake: () => void;
}

export function createFeed(options: FeedOptions): Feed {
  const { nowUs, backlogMax = BACKLOG_MAX } = options;
  const merge = createMerge();
  const recording = createRecording({ observationsMax: options.recordedMax ?? RECORDED_MAX });
  /** The last sequence shown of each node, for views that we make ourselves. */
  const sequences = new Map<number, number>();
  const readers = new Set<Reader>();
  const listeners: ((view: ClusterView, shown: readonly Observation[]) => void)[] = [];
  /** Removed for good: what is still heard of them is of no interest any more. */
  const gone = new Set<number>();
  const begunUs = nowUs();
  let recordedCount = 0;
  let clusterSequence = 0;
  let timer: NodeJS.Timeout | null = null;

  function schedule(): void {
    timer ??= setTimeout(flush, merge.size() > HELD_MANY ? BUSY_FLUSH_MS : FLUSH_MS);
  }

  function flush(): void {
    timer = null;
    const shown = merge.take(nowUs()).filter(({ nodeId, body }) => {
      if (gone.has(nodeId)) return false;
      if (body.kind === "node-removed") gone.add(nodeId);
      return true;
    });
    recordedCount += shown.length;
    for (const observation of shown) {
      recording.append(observation);
      if (observation.sequence > 0) sequences.set(observation.nodeId, observation.sequence);
    }
    if (shown.length > 0) {
      for (const reader of readers) offer(reader, shown);
      const view = recording.view();
      for (const listener of listeners) listener(view, shown);
    }
    if (merge.size() > 0) schedule();
  }

  function offer(reader: Reader, shown: readonly Observation[]): void {
    if (reader.droppedCount > 0 || reader.queue.length + shown.length > backlogMax) {
      reader.droppedCount += reader.queue.length + shown.length;
      reader.queue = [];
    } else reader.queue.push(...shown);
    reader.wake();
  }

  async function* subscribe(signal: AbortSignal): AsyncGenerator<Batch> {
    const reader: Reader = { queue: [], droppedCount: 0, wake: () => {} };
    const abort = () => reader.wake();
    signal.addEventListener("abort", abort);
    readers.add(reader);
    try {
      yield { observations: present(), place: { recordedCount, begunUs } };
      while (!signal.aborted) {
        if (reader.droppedCount > 0) {
          const gap: ObservationBody = { kind: "gap", droppedCount: reader.droppedCount };
          reader.droppedCount = 0;
          yield { observations: [ofCluster(gap), ...present()], place: null };
        } else if (reader.queue.length > 0) {
          yield { observations: reader.queue.splice(0, BATCH_MAX), place: null };
        } else {
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
        }
      }
    } finally {
      readers.delete(reader);
      signal.removeEventListener("abort", abort);
    }
  }

  function present(): readonly Observation[] {
    return presentState(recording.view(), ofCluster, (nodeId) => sequences.get(nodeId) ?? 0);
  }

  function ofCluster(body: ObservationBody): Observation {
    clusterSequence += 1;
    const sequence = clusterSequence;
    return { nodeId: 0, incarnation: 1, sequence, timeUs: nowUs(), body };
  }

  return {
    receive(nodeId, observations) {
      const arrivedUs = nowUs();
      for (const observation of observations) merge.push(nodeId, observation, arrivedUs);
      if (merge.size() > 0) schedule();
    },
    tell(nodeId, incarnation, body) {
      const timeUs = nowUs();
      const observation =
        nodeId === 0 ? ofCluster(body) : { nodeId, incarnation, sequence: 0, timeUs, body };
      merge.push(OWN_STREAM, observation, timeUs);
      schedule();
    },
    setSilent: (nodeId, silent) => merge.setSilent(nodeId, silent),
    view: () => recording.view(),
    recordedCount: () => recordedCount,
    recorded(untilCount = recordedCount) {
      const { start, observations } = recording.kept();
      const count = untilCount - (recordedCount - observations.length);
      return count > 0 ? withStart(start, observations.slice(0, count)) : [];
    },
    subscribe,
    onChange(listener) {
      listeners.push(listener);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      listeners.length = 0;
    },
  };
}

/** `start` as observations that lead to `since` without a hole, and `since`. */
function withStart(start: ClusterView, since: readonly Observation[]): readonly Observation[] {
  const fromUs = start.timeUs > 0 ? start.timeUs : (since[0]?.timeUs ?? 0);
  const firsts = new Map<number, number>();
  for (const { nodeId, sequence } of since) {
    if (sequence > 0 && !firsts.has(nodeId)) firsts.set(nodeId, sequence);
  }
  const ofCluster = (body: ObservationBody): Observation => {
    return { nodeId: 0, incarnation: 1, sequence: 0, timeUs: fromUs, body };
  };
  const sequenceOf = (nodeId: number) => (firsts.get(nodeId) ?? 1) - 1;
  return [...presentState(start, ofCluster, sequenceOf), ...since];
}
