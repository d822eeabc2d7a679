/** A broken promise, in words. `invariant` is one of a fixed set, so that it can be counted. */
export type Invariant =
  /** At most one leader a term (Raft, figure 3). */
  | "election safety"
  /** A leader never overwrites or deletes entries of its own log (figure 3). */
  | "leader append-only"
  /** Same index and term in two logs: the same entry, and the same log before it (figure 3). */
  | "log matching"
  /** A committed entry is in the log of every leader of a later term (figure 3). */
  | "leader completeness"
  /** No two nodes apply different commands at one index (figure 3). */
  | "state-machine safety"
  /** What is committed is on stable storage of a majority. */
  | "committed is durable"
  /** Terms, votes, commit index and applied index of a node never go back. */
  | "monotonic"
  /** Nothing is promised to a peer before it is on stable storage. */
  | "persist before promise"
  /** A restarted node finds everything that its storage had called durable. */
  | "recovery"
  /** Configurations follow one another in one agreed order. */
  | "configuration chain"
  /** What Figure 2 demands of each server, where breaking it costs only time. */
  | "rules of Figure 2"
  /** A healed majority elects a leader and commits within the stated bound. */
  | "progress"
  /** In the end the healed nodes have the same state. */
  | "convergence"
  /** What a client was told agrees with the committed log. */
  | "client answers"
  /** No one-copy history explains what the clients saw (Herlihy and Wing). */
  | "linearizability"
  /** The code under test threw: one of its own assertions, or a plain mistake. */
  | "no crash of its own";

export interface Violation {
  readonly invariant: Invariant;
  /** One or two sentences: who, which term and index, what was expected and what was found. */
  readonly explanation: string;
  /** The nodes concerned. */
  readonly nodeIds: readonly number[];
}

/** What each promises, in a sentence or two for people who are about to read how it was broken. */
export const PROMISES: Readonly<Record<Invariant, string>> = {
  "election safety":
    "At most one leader in each term: a node gives one vote a term, and no two nodes win one.",
  "leader append-only": "A leader only appends to its log; it never overwrites or cuts it.",
  "log matching":
    "Where two logs have an entry of the same index and term, they are the same up to there.",
  "leader completeness": "What is committed is in the log of every leader of a later term.",
  "state-machine safety": "No two nodes carry out different commands at the same index.",
  "committed is durable": "What is committed is on the disks of a majority, and stays there.",
  monotonic: "A node's term, commit index and applied index never go back.",
  "persist before promise":
    "A node votes, and acknowledges entries, only when that is on its disk: after a crash it must " +
    "know what it promised.",
  recovery: "A node that starts again finds all that its storage had called durable.",
  "configuration chain":
    "Configurations follow one another in one order, one step at a time, so that any two " +
    "majorities in a row have a node in common.",
  "rules of Figure 2": "Each server does what Figure 2 of the paper asks of it.",
  progress: "When a majority is healed it elects a leader and commits within the stated time.",
  convergence: "In the end the healed nodes have the same state.",
  "client answers": "What a client is told is what the committed log says.",
  linearizability:
    "All that clients were told can be explained by one copy that did one thing after the other.",
  "no crash of its own": "The code itself never throws, whatever the world does to it.",
};
