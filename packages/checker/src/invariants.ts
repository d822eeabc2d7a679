/**
 * Raft's invariants, checked as facts about the nodes come in: each fact costs a constant number
 * of look-ups, so that a simulation can check after every single event.
 *
 * The facts are what can be seen from outside a node: what it writes to its disk, what it sends,
 * what it applies. A watcher of observations feeds the same checks (see `observation-checks.ts`).
 */
import { createCommittedTerms } from "./committed-terms.ts";
import { createEntryRegistry } from "./entry-registry.ts";
import type { EntryRegistry } from "./entry-registry.ts";
import {
  compactThrough,
  createLogMirror,
  holds,
  installSnapshot,
  lastIndexOf,
  termAt,
  truncateFrom,
} from "./log-mirror.ts";
import type { LogMirror } from "./log-mirror.ts";
import type { Invariant, Violation } from "./violation.ts";

export interface EntryFact {
  readonly index: number;
  readonly term: number;
  readonly isCommand: boolean;
  /** A number that is the same for the same content, and hardly ever otherwise. */
  readonly fingerprint: number;
}

export interface StartFact {
  readonly term: number;
  readonly votedFor: number | null;
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** Contiguous. What is before the first, and not in the snapshot, is unknown. */
  readonly entries: readonly EntryFact[];
}

/** Tell what happened, in the order in which it happened; read `violations` whenever you like. */
export interface InvariantChecker {
  readonly violations: readonly Violation[];
  /** The highest index that any node is known to have committed. */
  readonly commitIndex: number;
  /** The fingerprint of the committed command at `index`; null for a no-op and the like. */
  committedCommand(index: number): number | null;
  /** The term of the committed entry at `index`, 0 if nothing is committed there. */
  committedTerm(index: number): number;
  nodeStarted(nodeId: number, start: StartFact): void;
  /** The node took this term and vote; not necessarily durable yet. */
  hardStateChanged(nodeId: number, term: number, votedFor: number | null): void;
  hardStateDurable(nodeId: number, term: number, votedFor: number | null): void;
  /** The node put an entry into its log, in place of whatever it had from that index on. */
  entryAppended(
    nodeId: number,
    index: number,
    term: number,
    fingerprint: number,
    isCommand: boolean,
  ): void;
  /** The same for entries in a row of which only the term is known. */
  entriesAppended(nodeId: number, firstIndex: number, count: number, term: number): void;
  logTruncated(nodeId: number, fromIndex: number): void;
  /** Nothing is known of the node's log but that it now ends before `index`. */
  logUnknownBefore(nodeId: number, index: number): void;
  /** The node began to replace its log by a leader's snapshot. */
  snapshotInstalled(nodeId: number, index: number, term: number): void;
  logCompacted(nodeId: number, throughIndex: number): void;
  /** Everything that the node's log has up to here is on stable storage. */
  logDurable(nodeId: number, throughIndex: number): void;
  /** The node acts as leader of the term. */
  leads(nodeId: number, term: number): void;
  committed(nodeId: number, index: number): void;
  /** The node's state machine carried out the command at `index`. */
  applied(nodeId: number, index: number, fingerprint: number): void;
  /** The node's state machine was replaced by a snapshot. */
  restored(nodeId: number, index: number): void;
  voteSent(nodeId: number, term: number, candidateId: number): void;
  acknowledgementSent(nodeId: number, term: number, matchIndex: number): void;
  configurationChanged(
    nodeId: number,
    voters: readonly number[],
    votersOutgoing: readonly number[],
  ): void;
  /** Puts in a violation that somebody else found. */
  report(violation: Violation): void;
}

interface NodeFacts {
  readonly nodeId: number;
  readonly log: LogMirror;
  term: number;
  votedFor: number | null;
  durableTerm: number;
  durableVotedFor: number | null;
  durableIndex: number;
  /** The term in which it was last known to lead; it still does while `term` is the same. */
  leaderTerm: number;
  commitIndex: number;
  appliedIndex: number;
  voters: readonly number[];
  votersOutgoing: readonly number[];
  started: boolean;
}

/** As `termAt` answers for what the log does not tell. */
const UNKNOWN_TERM = -1;
/** Node ids below this are found by their place in an array. */
const SMALL_IDS = 256;
/** Facts about entries this far behind the commit index are forgotten, to bound memory. */
const HISTORY_ENTRIES_MAX = 200_000;

export interface InvariantOptions {
  /** The voters before any configuration is known. */
  readonly voters: readonly number[];
  /** False where nobody tells of durability: the checks that need it are left out. */
  readonly durability: boolean;
}

export function createInvariantChecker(options: InvariantOptions): InvariantChecker {
  return new Invariants(options);
}

class Invariants implements InvariantChecker {
  readonly violations: Violation[] = [];
  commitIndex = 0;
  readonly #durability: boolean;
  readonly #voters: readonly number[];
  readonly #nodes: NodeFacts[] = [];
  /** By node id, where that is small; the rest by search. */
  readonly #byId: (NodeFacts | undefined)[] = [];
  readonly #registry: EntryRegistry = createEntryRegistry();
  readonly #leaderOfTerm = new Map<number, number>();
  /** Whose majorities made the latest commitment: both halves of a configuration. */
  #electorates: readonly (readonly number[])[];
  readonly #committed = createCommittedTerms(HISTORY_ENTRIES_MAX);

  constructor(options: InvariantOptions) {
    this.#durability = options.durability;
    this.#voters = options.voters;
    this.#electorates = [options.voters];
  }

  committedTerm(index: number): number {
    return this.#committed.termAt(index);
  }

  committedCommand(index: number): number | null {
    const entry = this.#registry.find(index, this.committedTerm(index));
    return entry !== null && entry.isCommand ? entry.fingerprint : null;
  }

  report(violation: Violation): void {
    this.violations.push(violation);
  }

  nodeStarted(nodeId: number, start: StartFact): void {
    const facts = this.#node(nodeId);
    if (facts.started && this.#durability) this.#checkRecovery(facts, start);
    facts.started = true;
    facts.term = start.term;
    facts.votedFor = start.votedFor;
    facts.durableTerm = start.term;
    facts.durableVotedFor = start.votedFor;
    facts.leaderTerm = 0;
    facts.commitIndex = start.snapshotIndex;
    facts.appliedIndex = 0;
    const log = facts.log;
    log.terms.length = 0;
    log.snapshotIndex = start.snapshotIndex;
    log.snapshotTerm = start.snapshotTerm;
    log.firstIndex = start.entries[0]?.index ?? start.snapshotIndex + 1;
    for (const entry of start.entries) {
      this.entryAppended(nodeId, entry.index, entry.term, entry.fingerprint, entry.isCommand);
    }
    facts.durableIndex = lastIndexOf(log);
  }

  #checkRecovery(facts: NodeFacts, start: StartFact): void {
    const { nodeId, durableTerm, durableVotedFor, durableIndex } = facts;
    if (
      start.term < durableTerm ||
      (start.term === durableTerm && durableVotedFor !== null && start.votedFor !== durableVotedFor)
    ) {
      this.#fail(
        "recovery",
        `node ${nodeId} restarted with term ${start.term} and vote ${start.votedFor}, ` +
          `but its storage had called term ${durableTerm} and vote ${durableVotedFor} durable`,
        [nodeId],
      );
    }
    const found = new Map<number, number>();
    for (const entry of start.entries) found.set(entry.index, entry.term);
    for (let index = start.snapshotIndex + 1; index <= durableIndex; index += 1) {
      const expected = termAt(facts.log, index);
      const term = found.get(index) ?? -1;
      if (expected === -1 || term === expected) continue;
      this.#fail(
        "recovery",
        `node ${nodeId} restarted ${term === -1 ? "without" : `with term ${term} at`} index ` +
          `${index}, but its storage had called the entry of term ${expected} there durable`,
        [nodeId],
      );
      return;
    }
  }

  hardStateChanged(nodeId: number, term: number, votedFor: number | null): void {
    const facts = this.#node(nodeId);
    if (term < facts.term) {
      this.#fail("monotonic", `node ${nodeId} went back from term ${facts.term} to ${term}`, [
        nodeId,
      ]);
    } else if (term === facts.term && facts.votedFor !== null && votedFor !== facts.votedFor) {
      this.#fail(
        "election safety",
        `node ${nodeId} voted for ${facts.votedFor} in term ${term}, then for ${votedFor}`,
        [nodeId],
      );
    }
    facts.term = term;
    facts.votedFor = votedFor;
  }

  hardStateDurable(nodeId: number, term: number, votedFor: number | null): void {
    const facts = this.#node(nodeId);
    facts.durableTerm = term;
    facts.durableVotedFor = votedFor;
  }

  entryAppended(
    nodeId: number,
    index: number,
    term: number,
    fingerprint: number | null,
    isCommand: boolean,
  ): void {
    const facts = this.#node(nodeId);
    const log = facts.log;
    const lastIndex = lastIndexOf(log);
    if (index <= lastIndex) this.logTruncated(nodeId, index);
    else if (index > lastIndex + 1) {
      this.#fail(
        "log matching",
        `node ${nodeId} appended index ${index} after ${lastIndex}: there is a hole`,
        [nodeId],
      );
      return;
    }
    const previousTerm = termAt(log, index - 1);
    log.terms.push(term);
    this.#register(nodeId, index, term, previousTerm, fingerprint, isCommand);
  }

  entriesAppended(nodeId: number, firstIndex: number, count: number, term: number): void {
    for (let index = firstIndex; index < firstIndex + count; index += 1) {
      this.entryAppended(nodeId, index, term, null, false);
    }
  }

  #register(
    nodeId: number,
    index: number,
    term: number,
    previousTerm: number,
    fingerprint: number | null,
    isCommand: boolean,
  ): void {
    const known = this.#registry.find(index, term);
    if (known === null) {
      this.#registry.add(index, term, previousTerm, fingerprint, isCommand);
      return;
    }
    if (known.fingerprint === null) {
      known.fingerprint = fingerprint;
      known.isCommand = isCommand;
    }
    const isOther = known.fingerprint !== fingerprint || known.isCommand !== isCommand;
    if (fingerprint !== null && isOther) {
      this.#fail(
        "log matching",
        `node ${nodeId} has at index ${index}, term ${term} another entry than a node before it`,
        [nodeId],
      );
    } else if (
      known.previousTerm !== previousTerm &&
      known.previousTerm >= 0 &&
      previousTerm >= 0
    ) {
      this.#fail(
        "log matching",
        `node ${nodeId} shares index ${index}, term ${term} with another node, but has term ` +
          `${previousTerm} before it, where the other has term ${known.previousTerm}`,
        [nodeId],
      );
    }
  }

  logTruncated(nodeId: number, fromIndex: number): void {
    const facts = this.#node(nodeId);
    const log = facts.log;
    if (fromIndex > lastIndexOf(log)) return;
    if (facts.leaderTerm === facts.term && facts.term > 0) {
      this.#fail(
        "leader append-only",
        `node ${nodeId} leads term ${facts.term} and cuts its own log from index ${fromIndex}`,
        [nodeId],
      );
    }
    if (fromIndex <= facts.commitIndex) {
      this.#fail(
        "state-machine safety",
        `node ${nodeId} cuts its log from index ${fromIndex}, but knew everything up to index ` +
          `${facts.commitIndex} to be committed`,
        [nodeId],
      );
    }
    truncateFrom(log, fromIndex);
    facts.durableIndex = Math.min(facts.durableIndex, fromIndex - 1);
    // A node that slept through a commitment may still obey an older leader and cut what is
    // committed, as long as a quorum has it without this node.
    if (fromIndex <= this.commitIndex) {
      this.#checkDurableOnQuorum(facts, fromIndex, "cuts", this.#electorates);
    }
  }

  logUnknownBefore(nodeId: number, index: number): void {
    const { log } = this.#node(nodeId);
    log.terms.length = 0;
    log.firstIndex = index;
    log.snapshotIndex = index - 1;
    log.snapshotTerm = UNKNOWN_TERM;
  }

  snapshotInstalled(nodeId: number, index: number, term: number): void {
    const facts = this.#node(nodeId);
    if (index <= this.commitIndex && this.#isKnownCommitted(index)) {
      const expected = this.committedTerm(index);
      if (expected !== term) {
        this.#fail(
          "state-machine safety",
          `node ${nodeId} installs a snapshot of index ${index}, term ${term}, ` +
            `but term ${expected} is committed there`,
          [nodeId],
        );
      }
    }
    installSnapshot(facts.log, index, term);
    // Until the snapshot is durable, only what was committed before is sure to be of this log.
    facts.durableIndex = Math.min(facts.durableIndex, facts.commitIndex);
  }

  logCompacted(nodeId: number, throughIndex: number): void {
    compactThrough(this.#node(nodeId).log, throughIndex);
  }

  logDurable(nodeId: number, throughIndex: number): void {
    const facts = this.#node(nodeId);
    facts.durableIndex = Math.max(facts.durableIndex, throughIndex);
  }

  leads(nodeId: number, term: number): void {
    const facts = this.#node(nodeId);
    if (facts.leaderTerm === term) return;
    facts.leaderTerm = term;
    const other = this.#leaderOfTerm.get(term);
    if (other !== undefined && other !== nodeId) {
      this.#fail("election safety", `nodes ${other} and ${nodeId} both lead term ${term}`, [
        other,
        nodeId,
      ]);
    }
    this.#leaderOfTerm.set(term, nodeId);
    let index = this.commitIndex;
    while (index > 0 && this.#committed.committedInAt(index) >= term) index -= 1;
    this.#checkLeaderHolds(facts, index);
  }

  #checkLeaderHolds(facts: NodeFacts, index: number): void {
    if (index <= 0 || !this.#isKnownCommitted(index)) return;
    const term = this.committedTerm(index);
    if (holds(facts.log, index, term)) return;
    const found = termAt(facts.log, index);
    this.#fail(
      "leader completeness",
      `node ${facts.nodeId} leads term ${facts.leaderTerm} ` +
        `${found === -1 ? "without an entry" : `with term ${found}`} at index ${index}, ` +
        `but term ${term} is committed there since term ${this.#committed.committedInAt(index)}`,
      [facts.nodeId],
    );
  }

  committed(nodeId: number, index: number): void {
    const facts = this.#node(nodeId);
    if (index < facts.commitIndex) {
      this.#fail(
        "monotonic",
        `node ${nodeId} went back from commit index ${facts.commitIndex} to ${index}`,
        [nodeId],
      );
    }
    const from = facts.commitIndex + 1;
    facts.commitIndex = Math.max(facts.commitIndex, index);
    const knownThrough = Math.min(index, this.commitIndex);
    // Log Matching makes the highest common index speak for all below it.
    if (knownThrough >= from && this.#isKnownCommitted(knownThrough)) {
      const term = this.committedTerm(knownThrough);
      if (!holds(facts.log, knownThrough, term)) {
        this.#fail(
          "state-machine safety",
          `node ${nodeId} commits index ${knownThrough} with term ` +
            `${termAt(facts.log, knownThrough)}, but term ${term} is committed there`,
          [nodeId],
        );
      }
    }
    if (index > this.commitIndex) this.#commitNew(facts, index);
  }

  #commitNew(facts: NodeFacts, index: number): void {
    const { nodeId, log } = facts;
    // Of what lies before the log only the snapshot's own term is known.
    const firstKnown = Math.min(log.firstIndex, log.snapshotIndex || log.firstIndex);
    for (let next = Math.max(this.commitIndex + 1, firstKnown); next <= index; next += 1) {
      const term = termAt(log, next);
      if (term === -1 && next > lastIndexOf(log)) {
        this.#fail(
          "state-machine safety",
          `node ${nodeId} commits index ${index}, but its log ends at ${lastIndexOf(log)}`,
          [nodeId],
        );
        return;
      }
      if (term > 0) this.#committed.set(next, term, facts.term);
    }
    this.commitIndex = index;
    this.#registry.forgetBelow(index - HISTORY_ENTRIES_MAX);
    this.#electorates = [facts.voters, facts.votersOutgoing];
    this.#checkDurableOnQuorum(facts, index, "commits", this.#electorates);
    for (const other of this.#nodes) {
      if (other.leaderTerm > facts.term && other.leaderTerm === other.term) {
        this.#checkLeaderHolds(other, index);
      }
    }
  }

  #checkDurableOnQuorum(
    facts: NodeFacts,
    index: number,
    does: string,
    electorates: readonly (readonly number[])[],
  ): void {
    if (!this.#durability || !this.#isKnownCommitted(index)) return;
    const term = this.committedTerm(index);
    for (const voters of electorates) {
      if (voters.length === 0) continue;
      let count = 0;
      for (const voter of voters) {
        const other = this.#known(voter);
        if (other !== undefined && other.durableIndex >= index && holds(other.log, index, term)) {
          count += 1;
        }
      }
      if (count * 2 > voters.length) continue;
      this.#fail(
        "committed is durable",
        `node ${facts.nodeId} ${does} index ${index}, and of the voters ${voters.join(", ")} ` +
          `only ${count} have the committed entry of term ${term} on stable storage`,
        voters,
      );
    }
  }

  applied(nodeId: number, index: number, fingerprint: number): void {
    const facts = this.#node(nodeId);
    if (index > facts.commitIndex) this.committed(nodeId, index);
    for (let skipped = facts.appliedIndex + 1; skipped < index; skipped += 1) {
      if (this.committedCommand(skipped) === null) continue;
      this.#fail(
        "state-machine safety",
        `node ${nodeId} applied index ${index} without the command at ${skipped} before it`,
        [nodeId],
      );
    }
    if (index <= facts.appliedIndex) {
      this.#fail("monotonic", `node ${nodeId} applied index ${index} after ${facts.appliedIndex}`, [
        nodeId,
      ]);
    }
    facts.appliedIndex = index;
    const entry = this.#registry.find(index, this.committedTerm(index));
    if (entry !== null && !(entry.isCommand && entry.fingerprint === fingerprint)) {
      this.#fail(
        "state-machine safety",
        `node ${nodeId} applied another command at index ${index} than was committed there`,
        [nodeId],
      );
    }
  }

  restored(nodeId: number, index: number): void {
    const facts = this.#node(nodeId);
    if (index < facts.appliedIndex) {
      this.#fail(
        "monotonic",
        `node ${nodeId} restored a snapshot of index ${index} after applying ${facts.appliedIndex}`,
        [nodeId],
      );
    }
    facts.appliedIndex = index;
    facts.commitIndex = Math.max(facts.commitIndex, index);
  }

  voteSent(nodeId: number, term: number, candidateId: number): void {
    const facts = this.#node(nodeId);
    if (facts.durableTerm > term) return;
    if (facts.durableTerm === term && facts.durableVotedFor === candidateId) return;
    this.#fail(
      "persist before promise",
      `node ${nodeId} granted its vote of term ${term} to ${candidateId} while its disk had ` +
        `term ${facts.durableTerm} and vote ${facts.durableVotedFor}`,
      [nodeId, candidateId],
    );
  }

  acknowledgementSent(nodeId: number, term: number, matchIndex: number): void {
    const facts = this.#node(nodeId);
    if (facts.durableTerm > term) return;
    if (facts.durableTerm === term && facts.durableIndex >= matchIndex) return;
    this.#fail(
      "persist before promise",
      `node ${nodeId} acknowledged index ${matchIndex} in term ${term} while its disk had ` +
        `index ${facts.durableIndex} and term ${facts.durableTerm}`,
      [nodeId],
    );
  }

  configurationChanged(
    nodeId: number,
    voters: readonly number[],
    votersOutgoing: readonly number[],
  ): void {
    const facts = this.#node(nodeId);
    facts.voters = voters;
    facts.votersOutgoing = votersOutgoing;
  }

  /** False for what is too old, or was committed inside a snapshot that nobody showed. */
  #isKnownCommitted(index: number): boolean {
    return index <= this.commitIndex && this.committedTerm(index) > 0;
  }

  #known(nodeId: number): NodeFacts | undefined {
    if (nodeId < SMALL_IDS) return this.#byId[nodeId];
    return this.#nodes.find((facts) => facts.nodeId === nodeId);
  }

  #node(nodeId: number): NodeFacts {
    const known = this.#known(nodeId);
    if (known !== undefined) return known;
    const facts: NodeFacts = {
      nodeId,
      log: createLogMirror(),
      term: 0,
      votedFor: null,
      durableTerm: 0,
      durableVotedFor: null,
      durableIndex: 0,
      leaderTerm: 0,
      commitIndex: 0,
      appliedIndex: 0,
      voters: this.#voters,
      votersOutgoing: [],
      started: false,
    };
    this.#nodes.push(facts);
    if (nodeId < SMALL_IDS) this.#byId[nodeId] = facts;
    return facts;
  }

  #fail(invariant: Invariant, explanation: string, nodeIds: readonly number[]): void {
    this.violations.push({ invariant, explanation, nodeIds });
  }
}
