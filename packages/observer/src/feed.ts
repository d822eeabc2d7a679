/**
 * What happened, in plain words: observations in, lines out. Pure: no clock, no chance.
 *
 * Lines are joined where a reader would: the same again is counted, several nodes that do the
 * same share a line, and under load stretches of the log and requests are told in sum.
 */
import type { NodeId } from "@raftarium/raft";
import { createFold } from "./fold.ts";
import { isSilent, tellingOf } from "./feed-telling.ts";
import {
  indexWords,
  plain,
  strong,
  type FeedTone,
  type FeedWords,
  type Telling,
} from "./feed-words.ts";
import type { Observation } from "./observation.ts";
import { listWords } from "./words.ts";

export interface FeedLine {
  /** Stays the same while the line grows. */
  readonly id: number;
  /** When it happened; of what happened several times, the last. Microseconds. */
  readonly atUs: number;
  /** Whom it is about, if it is about nodes. */
  readonly nodeIds: readonly NodeId[];
  readonly words: readonly FeedWords[];
  readonly tone: FeedTone;
  /** How often; 1: once. */
  readonly count: number;
}

export interface Feed {
  take(observation: Observation): void;
  /** Newest first. The same array as long as nothing was added. */
  lines(): readonly FeedLine[];
}

export const FEED_LINES_MAX = 500;
/** How far back a line may be for another telling to join it. */
const JOIN_WITHIN_LINES = 10;
/** More routine tellings (requests, writes, commits) than this in a second are told in sum. */
const ROUTINE_PER_SECOND = 12;
/** A sum goes on for so long after its last telling, and no longer than this in all. */
const SUM_WITHIN_US = 2_000_000;
const SUM_US_MAX = 5_000_000;
/** From so many on, who are all are called so. */
const ALL_MIN = 3;

interface Line {
  readonly id: number;
  telling: Telling;
  atUs: number;
  /** When something last joined it. */
  joinedAtUs: number;
  count: number;
  shown: FeedLine | null;
}

function subject(nodeIds: readonly NodeId[], nodeCount: number): readonly FeedWords[] {
  if (nodeIds.length === 0) return [];
  if (nodeIds.length >= ALL_MIN && nodeIds.length === nodeCount) {
    return [strong("All nodes"), plain(" ")];
  }
  const name = nodeIds.length === 1 ? "Node" : "Nodes";
  return [strong(`${name} ${listWords(nodeIds)}`), plain(" ")];
}

function tallyWords(telling: Telling, nodeCount: number): readonly FeedWords[] {
  const { nodeIds, to } = telling;
  if (telling.tone === "heartbeat") {
    return [
      ...subject(nodeIds, nodeCount),
      plain(to === 1 ? "sent a heartbeat" : `sent ${to} heartbeats`),
    ];
  }
  return [plain(to === 1 ? "A message was " : `${to} messages were `), ...telling.words];
}

/** The whole sentence, in a cluster of so many nodes. */
function sentence(telling: Telling, nodeCount: number): readonly FeedWords[] {
  const { kind, nodeIds, words, from, to } = telling;
  switch (kind) {
    case "event":
      return [...subject(nodeIds, nodeCount), ...words];
    case "stored":
      return [...subject(nodeIds, nodeCount), plain(`stored ${indexWords(from, to)}`)];
    case "committed":
      return [
        ...subject(nodeIds, nodeCount),
        plain("committed "),
        strong(indexWords(from, to)),
        ...words,
      ];
    case "request":
      return to <= 1
        ? words
        : [plain(`Clients made ${to} requests, the last: `), ...words.slice(1, 2)];
    case "tally":
      return tallyWords(telling, nodeCount);
  }
}

function union(a: readonly NodeId[], b: readonly NodeId[]): readonly NodeId[] {
  const added = b.filter((nodeId) => !a.includes(nodeId));
  return added.length === 0 ? a : [...a, ...added].toSorted((x, y) => x - y);
}

/** One telling from two of the same key. */
function joined(first: Telling, second: Telling): Telling {
  const nodeIds = union(first.nodeIds, second.nodeIds);
  switch (second.kind) {
    case "event":
      return { ...first, nodeIds, words: second.words };
    case "stored":
    case "committed": {
      const from = Math.min(first.from, second.from);
      return { ...second, nodeIds, from, to: Math.max(first.to, second.to) };
    }
    case "request":
    case "tally":
      return { ...second, nodeIds, to: first.to + second.to };
  }
}

function isRoutine(telling: Telling): boolean {
  const { kind, key } = telling;
  return (
    kind === "request" || kind === "stored" || kind === "committed" || key.startsWith("answer:")
  );
}

function textOf({ words }: Telling): string {
  return words.map(({ text }) => text).join("");
}

/** @param linesMax the oldest are let go. */
export function createFeed(linesMax: number = FEED_LINES_MAX): Feed {
  const folding = createFold();
  /** Newest last. */
  let lines: Line[] = [];
  let nextId = 1;
  let shown: readonly FeedLine[] | null = [];
  /** Stamps of the newest routine tellings. */
  let routine: number[] = [];

  /** Whether so much happens now that it is told in sum. */
  function isBusy(atUs: number): boolean {
    routine.push(atUs);
    if (routine.length > ROUTINE_PER_SECOND) routine = routine.slice(-ROUTINE_PER_SECOND);
    return routine.length === ROUTINE_PER_SECOND && atUs - (routine[0] ?? 0) < 1_000_000;
  }

  function find(key: string): Line | undefined {
    for (let at = lines.length - 1; at >= Math.max(0, lines.length - JOIN_WITHIN_LINES); at -= 1) {
      const line = lines[at];
      if (line?.telling.key === key) return line;
    }
    return undefined;
  }

  function add(telling: Telling, atUs: number): void {
    shown = null;
    lines.push({ id: nextId, telling, atUs, joinedAtUs: atUs, count: 1, shown: null });
    nextId += 1;
    // A slice for every line would be dear under load.
    if (lines.length > linesMax + 64) lines = lines.slice(-linesMax);
  }

  function join(line: Line, telling: Telling, atUs: number): void {
    shown = null;
    line.shown = null;
    const again =
      telling.kind === "event" && telling.nodeIds.every((id) => line.telling.nodeIds.includes(id));
    const same = textOf(line.telling) === textOf(telling);
    line.telling = joined(line.telling, telling);
    line.joinedAtUs = atUs;
    if (!again) return;
    if (same) line.count += 1;
    line.atUs = atUs;
    lines.splice(lines.indexOf(line), 1);
    lines.push(line);
  }

  function tell(telling: Telling, atUs: number): void {
    const line = find(telling.key);
    if (line === undefined && isRoutine(telling) && isBusy(atUs)) {
      // That a request was answered, or forwarded, is in the sum of them.
      if (telling.kind === "event" || telling.to === 0) return;
      const sum = { ...telling, key: `sum:${telling.kind}` };
      const open = find(sum.key);
      const goesOn =
        open !== undefined &&
        atUs - open.joinedAtUs <= SUM_WITHIN_US &&
        atUs - open.atUs <= SUM_US_MAX;
      return goesOn ? join(open, sum, atUs) : add(sum, atUs);
    }
    if (line === undefined) return add(telling, atUs);
    if (telling.kind === "request") {
      line.telling = telling;
      line.shown = null;
      shown = null;
      return;
    }
    join(line, telling, atUs);
  }

  function show(line: Line): FeedLine {
    line.shown ??= {
      id: line.id,
      atUs: line.atUs,
      nodeIds: line.telling.nodeIds,
      words: sentence(line.telling, folding.snapshot().nodes.length),
      tone: line.telling.tone,
      count: line.count,
    };
    return line.shown;
  }

  return {
    take(observation) {
      if (!isSilent(observation)) {
        const telling = tellingOf(observation, folding.snapshot());
        if (telling !== null) tell(telling, observation.timeUs);
      }
      // Messages in flight say nothing here, and are many.
      if (!observation.body.kind.startsWith("message-")) folding.apply(observation);
    },
    lines() {
      shown ??= lines.slice(-linesMax).toReversed().map(show);
      return shown;
    },
  };
}
