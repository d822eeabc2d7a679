/** One core under test, with everything around it in the hands of the test. */
import { createRaft } from "../src/index.ts";
import type {
  AppendEntries,
  Configuration,
  CoreObservation,
  Effect,
  Entry,
  Input,
  LogIndex,
  Message,
  NodeId,
  Raft,
  RaftOptions,
  RecoveredState,
  SnapshotMetadata,
  Term,
} from "../src/index.ts";
import { createRandom } from "./random.ts";

export type EffectOf<Kind extends Effect["kind"]> = Extract<Effect, { kind: Kind }>;

export const nothingRecovered: RecoveredState = {
  hardState: { term: 0, votedFor: null, commitIndex: 0 },
  snapshot: null,
  entries: [],
};

export function voters(...ids: NodeId[]): Configuration {
  return { voters: ids, votersOutgoing: [], learners: [], addresses: {} };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function command(index: LogIndex, term: Term, text = `${index}@${term}`): Entry {
  return { index, term, kind: "command", data: bytes(text) };
}

/** A log given by the term of each entry from index 1 on, as in the paper's Figure 7. */
export function logOf(...terms: Term[]): Entry[] {
  return terms.map((term, i) => command(i + 1, term));
}

export function recovered(
  term: Term,
  entries: readonly Entry[],
  rest: Partial<RecoveredState["hardState"]> & { snapshot?: SnapshotMetadata } = {},
): RecoveredState {
  const { snapshot, ...hardState } = rest;
  return {
    hardState: { term, votedFor: null, commitIndex: 0, ...hardState },
    snapshot: snapshot ?? null,
    entries,
  };
}

export function optionsFor(id: NodeId, overrides: Partial<RaftOptions> = {}): RaftOptions {
  return {
    id,
    incarnation: 1,
    initialConfiguration: voters(1, 2, 3),
    recovered: nothingRecovered,
    random: createRandom(id),
    electionTicksMin: 10,
    electionTicksMax: 19,
    heartbeatTicks: 2,
    preVote: false,
    checkQuorum: false,
    leaseReads: false,
    priority: 0,
    entriesPerAppendMax: 64,
    bytesPerAppendMax: 1_000_000,
    inflightAppendsMax: 8,
    inflightBytesMax: 8_000_000,
    uncommittedBytesMax: 64_000_000,
    snapshotChunkBytes: 4,
    trailingEntries: 0,
    observing: false,
    ...overrides,
  };
}

export class Driver {
  readonly raft: Raft;
  readonly effects: Effect[] = [];
  /** Complete writes and applications at once. */
  auto: boolean;
  private readonly tickets: number[] = [];
  private observing: boolean;
  private taken = 0;

  constructor(options: RaftOptions, auto = true) {
    const raft = createRaft(options);
    this.observing = options.observing;
    const setObserving = (observing: boolean): void => {
      this.observing = observing;
      raft.setObserving(observing);
    };
    this.raft = { ...raft, setObserving };
    this.auto = auto;
  }

  /** Returns what this step (and, if automatic, what follows from it) decided. */
  step(input: Input): Effect[] {
    const before = this.effects.length;
    this.run(input);
    return this.effects.slice(before);
  }

  receive(from: NodeId, message: Message): Effect[] {
    return this.step({ kind: "message", from, message });
  }

  propose(...texts: string[]): Effect[] {
    const proposals = texts.map((text, i) => ({ id: i + 1, data: bytes(text) }));
    return this.step({ kind: "propose", proposals });
  }

  tick(count = 1): Effect[] {
    const before = this.effects.length;
    for (let i = 0; i < count; i++) this.run({ kind: "tick" });
    return this.effects.slice(before);
  }

  /** Completes every write under way. */
  persist(): Effect[] {
    const before = this.effects.length;
    while (this.tickets.length > 0) {
      this.run({ kind: "persisted", ticket: this.tickets.shift()! });
    }
    return this.effects.slice(before);
  }

  /** Completes the oldest write under way. */
  persistOne(): Effect[] {
    const before = this.effects.length;
    this.run({ kind: "persisted", ticket: this.tickets.shift()! });
    return this.effects.slice(before);
  }

  get writesPending(): number {
    return this.tickets.length;
  }

  /** Ticks until the election timer fires. */
  timeOut(): Effect[] {
    const { electionElapsedTicks, electionTimeoutTicks } = this.raft.status();
    return this.tick(electionTimeoutTicks - electionElapsedTicks);
  }

  /** Campaigns and gets the votes of `others`. Whatever is sent is dropped. */
  lead(...others: NodeId[]): this {
    this.step({ kind: "campaign" });
    this.persist();
    const { term } = this.raft.status();
    for (const from of others) {
      this.receive(from, {
        type: "request-vote-response",
        term,
        preVote: false,
        voteGranted: true,
      });
    }
    if (this.raft.status().role !== "leader") throw new Error("did not win");
    return this;
  }

  /** The messages sent since the last call. */
  sent(): { to: NodeId; message: Message }[] {
    const sends = this.effects.slice(this.taken).filter((effect) => effect.kind === "send");
    this.taken = this.effects.length;
    return sends.map(({ to, message }) => ({ to, message }));
  }

  /** The messages of one type sent since the last call, to whomever or to one node. */
  sentOf<Type extends Message["type"]>(type: Type, to?: NodeId) {
    return this.sent()
      .filter((sent) => sent.message.type === type && (to === undefined || sent.to === to))
      .map((sent) => sent.message as Extract<Message, { type: Type }>);
  }

  /** A follower at `from` has everything up to `matchIndex`. */
  acknowledge(from: NodeId, matchIndex: LogIndex, readRound = 0, priority = 0): Effect[] {
    return this.receive(from, {
      type: "append-entries-response",
      term: this.raft.status().term,
      success: true,
      matchIndex,
      hintIndex: 0,
      hintTerm: 0,
      rejectedIndex: 0,
      readRound,
      heartbeat: false,
      priority,
    });
  }

  /** The terms of the log, from its first entry on. */
  get terms(): Term[] {
    return this.raft.entries(0, Number.MAX_SAFE_INTEGER).map((entry) => entry.term);
  }

  private run(input: Input): void {
    for (const effect of this.raft.step(input)) {
      if (effect.kind === "observe" && !this.observing) {
        throw new Error(`told of ${effect.observation.kind}, though nobody observes`);
      }
      this.effects.push(effect);
      if (effect.kind === "persist" || effect.kind === "persist-snapshot-chunk") {
        this.tickets.push(effect.ticket);
      }
    }
    if (!this.auto) return;
    if (this.tickets.length > 0) {
      this.run({ kind: "persisted", ticket: this.tickets.shift()! });
    }
    const { appliedIndex } = this.raft.status();
    const handedOut = this.effects.findLast(
      (effect) => effect.kind === "apply" || effect.kind === "restore",
    );
    if (handedOut?.kind === "apply") {
      const { index } = handedOut.entries.at(-1)!;
      if (index > appliedIndex) this.run({ kind: "applied", index });
    } else if (handedOut?.kind === "restore") {
      const { index } = handedOut.snapshot;
      if (index > appliedIndex) this.run({ kind: "applied", index });
    }
  }
}

export function only<Kind extends Effect["kind"]>(
  effects: readonly Effect[],
  kind: Kind,
): EffectOf<Kind>[] {
  return effects.filter((effect): effect is EffectOf<Kind> => effect.kind === kind);
}

export function messages<Type extends Message["type"]>(effects: readonly Effect[], type: Type) {
  return only(effects, "send")
    .map(({ message }) => message)
    .filter((message): message is Extract<Message, { type: Type }> => message.type === type);
}

export function observations<Kind extends CoreObservation["kind"]>(
  effects: readonly Effect[],
  kind: Kind,
) {
  return only(effects, "observe")
    .map(({ observation }) => observation)
    .filter(
      (observation): observation is Extract<CoreObservation, { kind: Kind }> =>
        observation.kind === kind,
    );
}

export function append(
  term: Term,
  prev: readonly [index: LogIndex, term: Term],
  entries: readonly Entry[] = [],
  rest: Partial<AppendEntries> = {},
): AppendEntries {
  return {
    type: "append-entries",
    term,
    prevLogIndex: prev[0],
    prevLogTerm: prev[1],
    entries,
    leaderCommit: 0,
    readRound: 0,
    ...rest,
  };
}

export function requestVote(
  term: Term,
  last: readonly [index: LogIndex, term: Term],
  rest: Partial<Extract<Message, { type: "request-vote" }>> = {},
): Message {
  return {
    type: "request-vote",
    term,
    preVote: false,
    lastLogIndex: last[0],
    lastLogTerm: last[1],
    leadershipTransfer: false,
    ...rest,
  };
}

export function vote(term: Term, voteGranted: boolean, preVote = false): Message {
  return { type: "request-vote-response", term, preVote, voteGranted };
}
