/**
 * The same invariants over a stream of observations: a live cluster's or a recording's. What the
 * stream does not tell is not judged: after a gap, a crash or a lost beginning a node counts again
 * from its next full view.
 */
import type { EntryView, NodeView, Observation } from "@raftarium/observer";
import { createInvariantChecker } from "./invariants.ts";
import type { EntryFact, InvariantChecker } from "./invariants.ts";
import type { Violation } from "./violation.ts";

export interface ObservationChecker {
  /** Takes the next observation; returns what it shows to be broken, mostly nothing. */
  observe(observation: Observation): readonly Violation[];
  /** Everything found so far. */
  readonly violations: readonly Violation[];
}

const NOTHING: readonly Violation[] = [];

interface Watched {
  readonly incarnation: number;
  /** The end of its log. */
  lastIndex: number;
}

/** Observations of all nodes in one causal order: no receive before its send. */
export function createObservationChecker(): ObservationChecker {
  // Streams are merged from several processes: what one has on disk may be told late.
  const checker = createInvariantChecker({ voters: [], durability: false });
  const watched = new Map<number, Watched>();

  function observe(observation: Observation): void {
    const { nodeId, incarnation, body } = observation;
    if (body.kind === "node-view") {
      watched.set(nodeId, { incarnation, lastIndex: body.view.lastIndex });
      startFrom(checker, body.view);
      return;
    }
    const known = watched.get(nodeId);
    if (known === undefined) return;
    const isLost =
      body.kind === "gap" ||
      incarnation !== known.incarnation ||
      (body.kind === "health-changed" && body.health !== "running" && body.health !== "paused");
    if (isLost) watched.delete(nodeId);
    else tell(checker, known, observation);
  }

  return {
    observe(observation) {
      const before = checker.violations.length;
      observe(observation);
      return checker.violations.length === before ? NOTHING : checker.violations.slice(before);
    },
    violations: checker.violations,
  };
}

function startFrom(checker: InvariantChecker, view: NodeView): void {
  const { nodeId, configuration } = view;
  checker.nodeStarted(nodeId, {
    term: view.term,
    votedFor: view.votedFor,
    snapshotIndex: view.snapshotIndex,
    snapshotTerm: view.snapshotTerm,
    entries: view.entries.map(factOf),
  });
  checker.configurationChanged(nodeId, configuration.voters, configuration.votersOutgoing);
  if (view.role === "leader") checker.leads(nodeId, view.term);
  if (view.commitIndex > 0) checker.committed(nodeId, view.commitIndex);
}

function tell(checker: InvariantChecker, known: Watched, { nodeId, body }: Observation): void {
  switch (body.kind) {
    case "role-changed":
      checker.hardStateChanged(nodeId, body.term, body.votedFor);
      if (body.role === "leader") checker.leads(nodeId, body.term);
      return;
    case "log-appended":
      for (const entry of body.entries) {
        // Of a long append only the end is told.
        if (entry.index > known.lastIndex + 1) checker.logUnknownBefore(nodeId, entry.index);
        known.lastIndex = entry.index;
        const { index, term, fingerprint, isCommand } = factOf(entry);
        checker.entryAppended(nodeId, index, term, fingerprint, isCommand);
      }
      return;
    case "entries-omitted":
      for (const { firstIndex, count, term } of body.runs) {
        if (firstIndex > known.lastIndex + 1) checker.logUnknownBefore(nodeId, firstIndex);
        known.lastIndex = firstIndex + count - 1;
        checker.entriesAppended(nodeId, firstIndex, count, term);
      }
      return;
    case "log-truncated":
      known.lastIndex = body.fromIndex - 1;
      checker.logTruncated(nodeId, body.fromIndex);
      return;
    case "log-compacted":
      checker.logCompacted(nodeId, body.throughIndex);
      return;
    case "snapshot-transfer":
      if (body.direction === "receiving" && body.done) {
        known.lastIndex = body.snapshotIndex;
        checker.logUnknownBefore(nodeId, body.snapshotIndex + 1);
      }
      return;
    case "commit-advanced":
      checker.committed(nodeId, body.commitIndex);
      return;
    case "configuration-changed":
      checker.configurationChanged(
        nodeId,
        body.configuration.voters,
        body.configuration.votersOutgoing,
      );
      return;
    default:
      return;
  }
}

function factOf({ index, term, kind, description }: EntryView): EntryFact {
  return { index, term, isCommand: kind === "command", fingerprint: hashOf(description) };
}

function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  }
  return hash;
}
