/**
 * Rules of Figure 2 that safety does not rest on: who breaks them loses time, and keeps all
 * promises. No log shows that, so each step is looked at.
 */
import type { InvariantChecker } from "@raftarium/checker";
import type { Effect, Input, LogIndex, Message, NodeId, Raft, Term } from "@raftarium/raft";

export interface ServerRules {
  /** After each step: what went in, and what came of it. */
  stepped(input: Input, effects: readonly Effect[]): void;
}

export function createServerRules(
  nodeId: NodeId,
  raft: Raft,
  checker: InvariantChecker,
): ServerRules {
  return new Rules(nodeId, raft, checker);
}

class Rules implements ServerRules {
  readonly #nodeId: NodeId;
  readonly #raft: Raft;
  readonly #checker: InvariantChecker;
  /** Asking the core for its status at every step would cost too much: as far as is known here. */
  #term: Term;
  /** Its leader was heard, and followed. */
  #termFollowed: Term = 0;
  /** What each peer has acknowledged to this node in this term. */
  readonly #acknowledged = new Map<NodeId, LogIndex>();

  constructor(nodeId: NodeId, raft: Raft, checker: InvariantChecker) {
    this.#nodeId = nodeId;
    this.#raft = raft;
    this.#checker = checker;
    this.#term = raft.status().term;
  }

  stepped(input: Input, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "persist" && effect.hardState !== null) this.#know(effect.hardState.term);
    }
    if (input.kind === "message") this.#heard(input.from, input.message);
    for (const effect of effects) {
      if (effect.kind === "send") this.#sent(effect.to, effect.message);
    }
  }

  #know(term: Term): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#acknowledged.clear();
  }

  #heard(from: NodeId, message: Message): void {
    const { type, term } = message;
    if (term > this.#term && mustBeEntered(message)) this.#demandTerm(from, message);
    if (term !== this.#term) return;
    if (type === "append-entries" && term > this.#termFollowed) this.#demandFollower(from);
    if (type === "append-entries-response" && message.success) {
      const known = this.#acknowledged.get(from) ?? 0;
      if (message.matchIndex > known) this.#acknowledged.set(from, message.matchIndex);
    }
  }

  /** Rules for all servers: a later term, in a request or a response, is entered. */
  #demandTerm(from: NodeId, { type, term }: Message): void {
    const found = this.#raft.status().term;
    if (found < term) {
      this.#fail(`heard of term ${term} in an ${type} from ${from}, and is in term ${found}`);
    }
  }

  /** Rules for candidates: who hears the leader of its term follows it. */
  #demandFollower(from: NodeId): void {
    const { role } = this.#raft.status();
    this.#termFollowed = this.#term;
    if (role === "follower" || role === "learner") return;
    this.#fail(`heard the leader of term ${this.#term}, ${from}, and is a ${role}`);
  }

  /** State on leaders: matchIndex never falls. */
  #sent(to: NodeId, message: Message): void {
    if (message.type !== "append-entries" || message.prevLogIndex === 0) return;
    const acknowledged = this.#acknowledged.get(to);
    if (acknowledged === undefined || message.prevLogIndex >= acknowledged) return;
    this.#fail(
      `sends ${to} what follows index ${message.prevLogIndex}, ` +
        `though ${to} has acknowledged everything up to ${acknowledged}`,
    );
  }

  #fail(what: string): void {
    const explanation = `node ${this.#nodeId} ${what}`;
    this.#checker.report({ invariant: "rules of Figure 2", explanation, nodeIds: [this.#nodeId] });
  }
}

/** Nobody is yet in the term that a pre-vote is about, and who hears a leader hears no candidate. */
function mustBeEntered({ type }: Message): boolean {
  return type === "append-entries" || type === "append-entries-response";
}
