/** What a RaftNode offers to the program around it. */
import type {
  Configuration,
  ConfigurationChange,
  LogIndex,
  NodeId,
  ProposalRefusal,
  RaftStatus,
  Term,
} from "@raftarium/raft";
import type { NodeView, Observation } from "@raftarium/observer";
import type { Envelope } from "./ports.ts";

/** How a proposal ended. Only `unknown` leaves open whether the command took effect. */
export type ProposalOutcome<Result> =
  | {
      readonly kind: "applied";
      readonly index: LogIndex;
      readonly term: Term;
      readonly result: Result;
    }
  /** It never entered the log and never will: it is safe to send it again. */
  | {
      readonly kind: "refused";
      readonly reason: ProposalRefusal | "disk-full";
      readonly leaderId: NodeId | null;
    }
  /** Another leader's entry took its place: definitely not applied. */
  | { readonly kind: "superseded"; readonly leaderId: NodeId | null }
  /** The node lost leadership or stops while the entry is in the log, not yet committed. */
  | { readonly kind: "unknown"; readonly leaderId: NodeId | null };

export type ReadOutcome =
  /** The state machine may be asked now, in this very callback. */
  | { readonly kind: "ready"; readonly index: LogIndex }
  | {
      readonly kind: "refused";
      readonly reason: "not-leader" | "leader-changed" | "no-leader";
      readonly leaderId: NodeId | null;
    };

export interface NodeApi<Result> {
  /** One tick of cluster time. */
  tick(): void;
  /** A message that the transport received (and its gate let through). */
  receive(envelope: Envelope): void;
  /** The connection to a peer broke. */
  unreachable(nodeId: NodeId): void;
  /** `onAccepted` tells where in the log the command is, before it is committed. */
  propose(
    command: Uint8Array,
    done: (outcome: ProposalOutcome<Result>) => void,
    onAccepted?: (index: LogIndex, term: Term) => void,
  ): void;
  /** Asks for the right to read the state machine linearizably. Works on any node. */
  read(done: (outcome: ReadOutcome) => void): void;
  changeConfiguration(
    change: ConfigurationChange,
    done: (outcome: ProposalOutcome<null>) => void,
  ): void;
  transferLeadership(to: NodeId): void;
  campaign(): void;
  status(): RaftStatus;
  configuration(): Configuration;
  view(): NodeView;
  /** Observations from now on; null ends it. While null, none are made. */
  setObserver(observer: ((observation: Observation) => void) | null): void;
  /** Puts an observation of somebody else (gate, client API) into this node's sequence. */
  observe(body: Observation["body"]): void;
  /**
   * On: what the next of its kind supersedes (entries, what is durable, committed and applied,
   * progress, timers) is told together, not one by one: when `tellGathered` is called, and before
   * anything else that the core says. Off, as at first: everything is told at once.
   */
  gather(on: boolean): void;
  /** Returns how much it told of together: observations, and entries of the log. */
  tellGathered(): number;
  /** How long a tick takes now, for the timers on the page; 0 while frozen. */
  setTickUs(tickUs: number): void;
  /** Ends: pending requests get `unknown` or `refused`; storage is not closed. */
  stop(): void;
}
