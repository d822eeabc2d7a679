/**
 * The states of single nodes, each with a number, and what a node in one of them does on an input.
 * A core is a function of what it was started from and the inputs since: a state is reached by
 * playing those again, and every (state, input) is played only once. The search over clusters
 * then only combines numbers.
 */
import type { Violation } from "@raftarium/checker";
import type { createRaft, Entry, Input, Message, RaftOptions, Role } from "@raftarium/raft";
import { EMPTY_DISK, written } from "./disk.ts";
import type { Disk, PendingWrite } from "./disk.ts";
import { encodeMessage, encodeNode } from "./encode.ts";
import { brokenPromise, brokenStep, staleRead } from "./local-invariants.ts";
import { Fingerprints, NODE_IDS, PERMUTATIONS } from "./symmetry.ts";
import type { WindowedRaft } from "./window.ts";

const [UNCHANGED] = PERMUTATIONS as readonly [readonly number[]];

export interface NodeState {
  readonly number: number;
  readonly nodeId: number;
  readonly role: Role;
  readonly term: number;
  readonly votedFor: number | null;
  readonly leaderId: number | null;
  readonly commitIndex: number;
  /** In memory: `1- 1a 2-`, the terms and what the entries are. */
  readonly log: readonly string[];
  /** On disk; a write that is on its way is not there. */
  readonly diskLog: readonly string[];
  /** Numbers that are the same for the same logs. */
  readonly logNumber: number;
  readonly diskLogNumber: number;
  readonly pendingCount: number;
  /** Promises that wait for a write. */
  readonly withheldCount: number;
}

/** What a node is asked to do. */
export type Step =
  | { readonly kind: "deliver"; readonly message: number }
  | { readonly kind: "time-out" }
  | { readonly kind: "heartbeat" }
  | { readonly kind: "persisted" }
  | { readonly kind: "request"; readonly command: number }
  /** `floor`: the last index that was known to be committed anywhere when it came. */
  | { readonly kind: "read"; readonly floor: number }
  /** The first `kept` of its pending writes are on disk all the same. It starts again at once. */
  | { readonly kind: "crash"; readonly kept: number };

export interface Transition {
  readonly to: number;
  readonly sent: readonly number[];
  /** Indexes that reads were answered with. */
  readonly answered: readonly number[];
  /** What this one node did wrong. */
  readonly broken: Violation | null;
}

export interface SentMessage {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
}

export interface CoreSettings {
  readonly preVote: boolean;
  readonly entriesPerAppendMax: number;
  readonly inflightAppendsMax: number;
}

export interface NodeOptions extends CoreSettings {
  readonly slowDisks: boolean;
  readonly hasReads: boolean;
}

/** How a state was reached: from another one by inputs, or by a start from disk. */
interface Origin {
  readonly before: number | null;
  readonly inputs: readonly Input[];
  readonly disk: Disk;
  readonly pending: readonly PendingWrite[];
}

/** What a step has come to so far. */
interface Outcome {
  readonly nodeId: number;
  readonly inputs: Input[];
  readonly pending: PendingWrite[];
  readonly sent: number[];
  readonly answered: number[];
  disk: Disk;
  broken: Violation | null;
}

export class Nodes {
  readonly states: NodeState[] = [];
  readonly stateFingerprints = new Fingerprints();
  /** By number. */
  readonly logs: (readonly string[])[] = [];
  readonly messages: SentMessage[] = [];
  readonly messageFingerprints = new Fingerprints();
  readonly #createRaft: typeof createRaft;
  readonly #options: NodeOptions;
  readonly #origins: Origin[] = [];
  readonly #stateNumbers = new Map<string, number>();
  readonly #messageNumbers = new Map<string, number>();
  readonly #logNumbers = new Map<string, number>();
  readonly #transitions = new Map<number, Transition>();

  /** `create`: one whose cores can be looked into (see `window.ts`). */
  constructor(create: typeof createRaft, options: NodeOptions) {
    this.#createRaft = create;
    this.#options = options;
  }

  /** A node that was never started before. */
  first(nodeId: number): number {
    return this.#start(nodeId, EMPTY_DISK);
  }

  transition(number: number, step: Step): Transition {
    const key = number * 4_194_304 + codeOf(step);
    let transition = this.#transitions.get(key);
    if (transition === undefined) {
      transition = this.#play(number, step);
      this.#transitions.set(key, transition);
    }
    return transition;
  }

  #play(number: number, step: Step): Transition {
    const before = this.states[number]!;
    const { nodeId } = before;
    const { disk, pending } = this.#origins[number]!;
    if (step.kind === "crash") {
      return this.#restart(number, pending.slice(0, step.kept).reduce(written, disk));
    }
    const raft = this.#revive(number);
    const isWritten = step.kind === "persisted";
    const outcome: Outcome = {
      nodeId,
      inputs: [],
      pending: isWritten ? pending.slice(1) : [...pending],
      sent: [],
      answered: [],
      disk: isWritten ? written(disk, pending[0]!) : disk,
      broken: null,
    };
    const { inputs, sent, answered } = outcome;
    try {
      this.#take(raft, this.#inputOf(step, pending), outcome);
    } catch (error) {
      return { to: number, sent, answered, broken: ownCrash(nodeId, error) };
    }
    const { disk: diskAfter, pending: pendingAfter } = outcome;
    const origin = { before: number, inputs, disk: diskAfter, pending: pendingAfter };
    const to = this.#intern(nodeId, raft, origin);
    const broken = outcome.broken ?? brokenStep(before, this.states[to]!);
    return { to, sent, answered, broken };
  }

  #restart(number: number, disk: Disk): Transition {
    const { nodeId } = this.states[number]!;
    try {
      return { to: this.#start(nodeId, disk), sent: [], answered: [], broken: null };
    } catch (error) {
      return { to: number, sent: [], answered: [], broken: ownCrash(nodeId, error) };
    }
  }

  #start(nodeId: number, disk: Disk): number {
    const raft = this.#create(nodeId, disk);
    return this.#intern(nodeId, raft, { before: null, inputs: [], disk, pending: [] });
  }

  /** A state machine answers at once; a disk that is not slow does, too. */
  #take(raft: WindowedRaft, input: Input, outcome: Outcome): void {
    outcome.inputs.push(input);
    let appliedIndex = 0;
    for (const effect of raft.step(input)) {
      if (effect.kind === "persist") outcome.pending.push(effect);
      else if (effect.kind === "apply") appliedIndex = effect.entries.at(-1)!.index;
      else if (effect.kind === "read-ready") {
        outcome.answered.push(effect.index);
        outcome.broken ??= staleRead(outcome.nodeId, effect.id, effect.index);
      } else if (effect.kind === "send") {
        const { to, message } = effect;
        outcome.sent.push(this.#message(outcome.nodeId, to, message));
        outcome.broken ??= brokenPromise(outcome.nodeId, to, message, outcome.disk);
      }
    }
    if (appliedIndex > 0) this.#take(raft, { kind: "applied", index: appliedIndex }, outcome);
    if (this.#options.slowDisks) return;
    for (let write = outcome.pending.shift(); write; write = outcome.pending.shift()) {
      outcome.disk = written(outcome.disk, write);
      this.#take(raft, { kind: "persisted", ticket: write.ticket }, outcome);
    }
  }

  #inputOf(step: Exclude<Step, { kind: "crash" }>, pending: readonly PendingWrite[]): Input {
    switch (step.kind) {
      case "deliver": {
        const { from, message } = this.messages[step.message]!;
        return { kind: "message", from, message };
      }
      case "time-out":
        return { kind: "campaign" };
      case "heartbeat":
        return { kind: "tick" };
      case "persisted":
        return { kind: "persisted", ticket: pending[0]!.ticket };
      case "request": {
        const data = Uint8Array.of(step.command);
        return { kind: "propose", proposals: [{ id: step.command, data }] };
      }
      case "read":
        return { kind: "read", id: step.floor };
    }
  }

  /** The core itself in that state, by playing all that led there since its last start. */
  #revive(number: number): WindowedRaft {
    const played: (readonly Input[])[] = [];
    let origin = this.#origins[number]!;
    while (origin.before !== null) {
      played.push(origin.inputs);
      origin = this.#origins[origin.before]!;
    }
    const raft = this.#create(this.states[number]!.nodeId, origin.disk);
    for (const inputs of played.toReversed()) for (const input of inputs) raft.step(input);
    return raft;
  }

  #create(nodeId: number, disk: Disk): WindowedRaft {
    return this.#createRaft(optionsOf(nodeId, disk, this.#options)) as WindowedRaft;
  }

  #intern(nodeId: number, raft: WindowedRaft, origin: Origin): number {
    const { core } = raft;
    const { disk, pending } = origin;
    const { hasReads } = this.#options;
    const textOf = (permutation: readonly number[]): string =>
      encodeNode(core, disk, pending, { permutation, hasReads });
    const text = textOf(UNCHANGED);
    const known = this.#stateNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.states.length;
    this.#stateNumbers.set(text, number);
    const { role, term, votedFor, leaderId, commitIndex, lastIndex } = raft.status();
    const log = raft.entries(1, lastIndex).map(entryText);
    const diskLog = disk.entries.map(entryText);
    const [logNumber, diskLogNumber] = [this.#logNumber(log), this.#logNumber(diskLog)];
    const pendingCount = pending.length;
    const withheldCount = core.withheld.length;
    const logs = { log, diskLog, logNumber, diskLogNumber, pendingCount, withheldCount };
    this.states.push({ number, nodeId, role, term, votedFor, leaderId, commitIndex, ...logs });
    this.#origins.push(origin);
    this.stateFingerprints.push(textOf);
    return number;
  }

  #message(from: number, to: number, message: Message): number {
    const text = encodeMessage(from, to, message, UNCHANGED);
    const known = this.#messageNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.messages.length;
    this.#messageNumbers.set(text, number);
    this.messages.push({ from, to, message });
    this.messageFingerprints.push((permutation) => encodeMessage(from, to, message, permutation));
    return number;
  }

  #logNumber(log: readonly string[]): number {
    const text = log.join(" ");
    const known = this.#logNumbers.get(text);
    if (known !== undefined) return known;
    const number = this.logs.length;
    this.#logNumbers.set(text, number);
    this.logs.push(log);
    return number;
  }
}

function ownCrash(nodeId: number, error: unknown): Violation {
  const explanation = `node ${nodeId} threw: ${(error as Error).message}`;
  return { invariant: "no crash of its own", explanation, nodeIds: [nodeId] };
}

/** Of a node of the cluster that finds `disk` when it starts. */
export function optionsOf(nodeId: number, disk: Disk, settings: CoreSettings): RaftOptions {
  return {
    id: nodeId,
    incarnation: 1,
    initialConfiguration: { voters: NODE_IDS, votersOutgoing: [], learners: [], addresses: {} },
    recovered: { hardState: disk.hardState, snapshot: null, entries: disk.entries },
    random: { integer: (min) => min },
    // Time never runs out by itself: who times out, and when, is for the search to choose.
    electionTicksMin: 1_000_000,
    electionTicksMax: 1_000_000,
    heartbeatTicks: 1,
    preVote: settings.preVote,
    checkQuorum: false,
    leaseReads: false,
    priority: 0,
    entriesPerAppendMax: settings.entriesPerAppendMax,
    bytesPerAppendMax: 1_000_000,
    inflightAppendsMax: settings.inflightAppendsMax,
    inflightBytesMax: 1_000_000,
    uncommittedBytesMax: 1_000_000,
    snapshotChunkBytes: 1_000_000,
    trailingEntries: 1_000_000,
    observing: false,
  };
}

/** `2a`: term 2, the first command. `3-`: the no-op that begins term 3. */
export function entryText({ term, kind, data }: Entry): string {
  return `${term}${kind === "command" ? String.fromCharCode(96 + data[0]!) : "-"}`;
}

const COMMANDS_FROM = 8;
const READS_FROM = 64;
const CRASHES_FROM = 192;
const MESSAGES_FROM = 256;

function codeOf(step: Step): number {
  switch (step.kind) {
    case "time-out":
      return 0;
    case "heartbeat":
      return 1;
    case "persisted":
      return 2;
    case "request":
      return COMMANDS_FROM + step.command;
    case "read":
      return READS_FROM + step.floor;
    case "crash":
      return CRASHES_FROM + step.kept;
    case "deliver":
      return MESSAGES_FROM + step.message;
  }
}
