/**
 * Real cores, and a world that does only what it is told: messages are delivered at once and in
 * order (unless held or cut), writes are durable at once (unless held), time passes by `tick`.
 */
import { createRaft } from "@raftarium/raft";
import type {
  ConfigurationChange,
  CoreObservation,
  Effect,
  Entry,
  HardState,
  Input,
  Message,
  Raft,
  SnapshotMetadata,
} from "@raftarium/raft";
import { Replica } from "./replica.ts";
import { tellEntry, tellMessage, tellObservation } from "./words.ts";

export interface WorldOptions {
  readonly nodeCount: number;
  readonly preVote: boolean;
  readonly entriesPerAppendMax: number;
  readonly trailingEntries: number;
  /** The one node with a priority; 0: none. */
  readonly preferred: number;
  readonly leaseReads: boolean;
  readonly inflightAppendsMax: number;
  readonly uncommittedBytesMax: number;
}

interface Disk {
  hardState: HardState;
  snapshot: SnapshotMetadata | null;
  /** Null: none was taken. */
  snapshotBytes: Uint8Array | null;
  entries: Entry[];
}

interface Member {
  readonly nodeId: number;
  readonly disk: Disk;
  raft: Raft | null;
  /** What the state machine has applied. */
  replica: Replica;
  appliedIndex: number;
  /** Writes that wait for `disk N done`; null: they are durable at once. */
  heldWrites: (() => void)[] | null;
  /** How often it was started. */
  starts: number;
  /** Chunks of a snapshot that is coming in. */
  incoming: readonly number[];
}

interface Flight {
  readonly source: number;
  readonly target: number;
  readonly message: Message;
}

const ELECTION_TICKS = 10;
const DELIVERIES_MAX = 10_000;
const CHUNK_BYTES = 16;
const NOTHING: HardState = { term: 0, votedFor: null, commitIndex: 0 };

const encoder = new TextEncoder();

export class World {
  readonly #options: WorldOptions;
  readonly #members = new Map<number, Member>();
  readonly #cuts = new Set<string>();
  #flights: Flight[] = [];
  readonly #pending: (() => void)[] = [];
  #held = false;
  #showsMessages = false;
  #requestId = 0;
  #output: string[] = [];

  constructor(options: WorldOptions) {
    this.#options = options;
    for (let nodeId = 1; nodeId <= options.nodeCount; nodeId += 1) this.addNode(nodeId);
  }

  /** A node beyond the first ones belongs to nobody until the log says so. */
  addNode(nodeId: number): void {
    const disk: Disk = { hardState: NOTHING, snapshot: null, snapshotBytes: null, entries: [] };
    const member: Member = {
      nodeId,
      disk,
      raft: null,
      replica: new Replica(),
      appliedIndex: 0,
      heldWrites: null,
      starts: 0,
      incoming: [],
    };
    this.#members.set(nodeId, member);
    this.#start(member);
  }

  /** What happened since the last call, line by line. */
  takeOutput(): readonly string[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }

  get nodeIds(): readonly number[] {
    return [...this.#members.keys()];
  }

  give(nodeId: number, input: Input): void {
    this.#step(this.#running(nodeId), input);
    if (!this.#held) this.deliver(null, null);
  }

  propose(nodeId: number, command: string): void {
    this.proposeBytes(nodeId, encoder.encode(command));
  }

  /** As it shall stand in the log. */
  proposeBytes(nodeId: number, data: Uint8Array): void {
    this.#requestId += 1;
    const proposal = { id: this.#requestId, data };
    this.give(nodeId, { kind: "propose", proposals: [proposal] });
  }

  read(nodeId: number): void {
    this.#requestId += 1;
    this.give(nodeId, { kind: "read", id: this.#requestId });
  }

  change(nodeId: number, change: ConfigurationChange): void {
    this.#requestId += 1;
    this.give(nodeId, { kind: "change-configuration", id: this.#requestId, change });
  }

  /** How a leader sees its peers, a line each. */
  describeProgress(nodeId: number): void {
    for (const peer of this.#running(nodeId).raft!.status().progress) {
      const { state, matchIndex, nextIndex, inflightCount } = peer;
      this.#say(
        `${nodeId} sees ${peer.nodeId}: ${state}, match ${matchIndex}, next ${nextIndex}, ` +
          `${inflightCount} appends out`,
      );
    }
  }

  /** One after the other, so that ties have an order. */
  tick(nodeIds: readonly number[], count: number): void {
    for (let passed = 0; passed < count; passed += 1) {
      for (const nodeId of nodeIds) {
        if (this.#member(nodeId).raft !== null) this.give(nodeId, { kind: "tick" });
      }
    }
  }

  crash(nodeId: number): void {
    const member = this.#running(nodeId);
    const { role, term } = member.raft!.status();
    this.#say(`${nodeId} crashed (was ${role} of term ${term})`);
    const lost = member.heldWrites?.length ?? 0;
    if (lost > 0) this.#say(`${nodeId} lost ${lost} writes that were not durable`);
    member.raft = null;
    member.heldWrites = null;
    member.incoming = [];
  }

  restart(nodeId: number): void {
    const member = this.#member(nodeId);
    if (member.raft !== null) throw new Error(`expected node ${nodeId} to be down, it runs`);
    this.#start(member);
    const { role, term, lastIndex } = member.raft!.status();
    this.#say(`${nodeId} is back: ${role} of term ${term}, log up to ${lastIndex}`);
  }

  cut(source: number, target: number): void {
    this.#cuts.add(`${source} ${target}`);
  }

  heal(): void {
    this.#cuts.clear();
  }

  hold(): void {
    this.#held = true;
  }

  /** Delivers what is held (from `source` to `target`, null: any), and what follows from it. */
  deliver(source: number | null, target: number | null): void {
    for (let count = 0; count < DELIVERIES_MAX; count += 1) {
      const at = this.#flights.findIndex(
        (flight) =>
          (source === null || flight.source === source) &&
          (target === null || flight.target === target),
      );
      if (at === -1) return;
      const [flight] = this.#flights.splice(at, 1);
      this.#arrive(flight!);
    }
    throw new Error(`expected the messages to end, got more than ${DELIVERIES_MAX}`);
  }

  /** What is held never arrives. */
  lose(source: number | null, target: number | null): void {
    this.#flights = this.#flights.filter(
      (flight) =>
        (source !== null && flight.source !== source) ||
        (target !== null && flight.target !== target),
    );
  }

  flow(): void {
    this.#held = false;
    this.deliver(null, null);
  }

  showMessages(shows: boolean): void {
    this.#showsMessages = shows;
  }

  holdWrites(nodeId: number): void {
    this.#running(nodeId).heldWrites ??= [];
  }

  finishWrites(nodeId: number): void {
    const member = this.#running(nodeId);
    const writes = member.heldWrites ?? [];
    member.heldWrites = null;
    for (const write of writes) write();
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) next();
    if (!this.#held) this.deliver(null, null);
  }

  snapshot(nodeId: number): void {
    const member = this.#running(nodeId);
    const metadata = member.raft!.snapshotMetadata(member.appliedIndex);
    if (metadata === null) throw new Error(`expected node ${nodeId} to have applied something`);
    member.disk.snapshot = metadata;
    member.disk.snapshotBytes = member.replica.snapshot();
    this.give(nodeId, { kind: "snapshot-saved", index: metadata.index });
  }

  /** One line a node: what it is, its log, what it applied. */
  describe(): void {
    for (const { nodeId, raft, replica } of this.#members.values()) {
      if (raft === null) {
        this.#say(`${nodeId} down`);
        continue;
      }
      const { role, term, commitIndex, firstIndex, lastIndex } = raft.status();
      const log = raft.entries(firstIndex, lastIndex).map((entry) => {
        return tellEntry(entry, (data) => replica.describe(data));
      });
      this.#say(
        `${nodeId} ${role} of term ${term}, commit ${commitIndex}, log [${log.join(", ")}], ` +
          `state [${replica.commands.join(", ")}]`,
      );
    }
  }

  #start(member: Member): void {
    const { nodeId, disk } = member;
    member.replica = new Replica();
    if (disk.snapshotBytes !== null) member.replica.restore(disk.snapshotBytes);
    member.appliedIndex = disk.snapshot?.index ?? 0;
    const { preVote, entriesPerAppendMax, trailingEntries, preferred } = this.#options;
    const { leaseReads, inflightAppendsMax, uncommittedBytesMax, nodeCount } = this.#options;
    const founders = Array.from({ length: nodeCount }, (_, at) => at + 1);
    member.starts += 1;
    member.raft = createRaft({
      id: nodeId,
      incarnation: member.starts,
      initialConfiguration: {
        voters: nodeId <= nodeCount ? founders : [],
        votersOutgoing: [],
        learners: [],
        addresses: {},
      },
      recovered: {
        hardState: disk.hardState,
        snapshot: disk.snapshot,
        entries: disk.entries.filter(({ index }) => index > (disk.snapshot?.index ?? 0)),
      },
      // Lower ids time out first.
      random: { integer: (min, max) => Math.min(min + nodeId - 1, max) },
      electionTicksMin: ELECTION_TICKS,
      electionTicksMax: ELECTION_TICKS * 2,
      heartbeatTicks: 3,
      preVote,
      checkQuorum: preVote,
      leaseReads,
      priority: nodeId === preferred ? 1 : 0,
      entriesPerAppendMax,
      bytesPerAppendMax: 1 << 20,
      inflightAppendsMax,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax,
      snapshotChunkBytes: CHUNK_BYTES,
      trailingEntries,
      observing: true,
    });
  }

  /** One input, and what storage and state machine answer to what follows from it. */
  #step(member: Member, input: Input): void {
    this.#carryOutAll(member, input);
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) next();
  }

  #carryOutAll(member: Member, input: Input): void {
    if (member.raft === null) return;
    for (const effect of member.raft.step(input)) this.#carryOut(member, effect);
  }

  #carryOut(member: Member, effect: Effect): void {
    const { nodeId } = member;
    switch (effect.kind) {
      case "observe":
        this.#observe(nodeId, effect.observation);
        return;
      case "send":
        this.#flights.push({ source: nodeId, target: effect.to, message: effect.message });
        return;
      case "persist":
        this.#write(member, effect.ticket, () => {
          const first = effect.entries[0]?.index ?? Number.POSITIVE_INFINITY;
          const kept = member.disk.entries.filter(({ index }) => index < first);
          member.disk.entries = [...kept, ...effect.entries];
          member.disk.hardState = effect.hardState ?? member.disk.hardState;
        });
        return;
      case "persist-snapshot-chunk":
        this.#write(member, effect.ticket, () => this.#takeChunk(member, effect));
        return;
      case "apply":
        for (const entry of effect.entries) {
          const told = entry.kind === "command" ? member.replica.apply(entry) : null;
          if (told !== null) this.#say(`${nodeId} ${told}`);
          member.appliedIndex = entry.index;
        }
        this.#applied(member);
        return;
      case "restore":
        member.replica.restore(member.disk.snapshotBytes!);
        member.appliedIndex = effect.snapshot.index;
        this.#say(`${nodeId} restored [${member.replica.commands.join(", ")}]`);
        this.#applied(member);
        return;
      case "read-snapshot-chunk":
        this.#readChunk(member, effect);
        return;
      case "proposal-refused":
        this.#say(`${nodeId} refuses: ${effect.reason}, leader ${effect.leaderId ?? "unknown"}`);
        return;
      case "read-ready":
        this.#say(
          `${nodeId} may read as of ${effect.index}: [${member.replica.commands.join(", ")}]`,
        );
        return;
      case "read-refused":
        this.#say(`${nodeId} may not read: ${effect.reason}`);
        return;
      case "compact":
      case "proposal-accepted":
      case "configuration":
        return;
      default:
        effect satisfies never;
    }
  }

  #write(member: Member, ticket: number, make: () => void): void {
    const life = member.raft;
    const complete = (): void => {
      make();
      this.#later(member, life, { kind: "persisted", ticket });
    };
    if (member.heldWrites === null) complete();
    else member.heldWrites.push(complete);
  }

  /** For after the step under way, in order. */
  #later(member: Member, life: Raft | null, input: Input): void {
    this.#pending.push(() => {
      if (member.raft === life) this.#carryOutAll(member, input);
    });
  }

  #applied(member: Member): void {
    this.#later(member, member.raft, { kind: "applied", index: member.appliedIndex });
  }

  #takeChunk(member: Member, chunk: Extract<Effect, { kind: "persist-snapshot-chunk" }>): void {
    member.incoming = [...(chunk.offset === 0 ? [] : member.incoming), ...chunk.data];
    if (!chunk.done) return;
    const { index, term } = chunk.snapshot;
    const agrees = member.disk.entries.some(
      (entry) => entry.index === index && entry.term === term,
    );
    member.disk.entries = agrees ? member.disk.entries.filter((entry) => entry.index > index) : [];
    member.disk.snapshot = chunk.snapshot;
    member.disk.snapshotBytes = Uint8Array.from(member.incoming);
  }

  #readChunk(member: Member, read: Extract<Effect, { kind: "read-snapshot-chunk" }>): void {
    const { to, snapshotIndex, offset, bytesMax } = read;
    const bytes = member.disk.snapshotBytes ?? new Uint8Array(0);
    const data = bytes.slice(offset, offset + bytesMax);
    const done = offset + data.length >= bytes.length;
    this.#later(member, member.raft, {
      kind: "snapshot-chunk",
      to,
      snapshotIndex,
      offset,
      data,
      done,
    });
  }

  #arrive({ source, target, message }: Flight): void {
    if (this.#cuts.has(`${source} ${target}`)) return;
    const member = this.#members.get(target);
    if (member === undefined || member.raft === null) return;
    if (this.#showsMessages) this.#say(tellMessage(source, target, message));
    this.#step(member, { kind: "message", from: source, message });
  }

  #observe(nodeId: number, observation: CoreObservation): void {
    const { replica } = this.#member(nodeId);
    const text = tellObservation(observation, (data) => replica.describe(data));
    if (text !== null) this.#say(`${nodeId} ${text}`);
  }

  #say(line: string): void {
    this.#output.push(line);
  }

  #member(nodeId: number): Member {
    const member = this.#members.get(nodeId);
    if (member === undefined) {
      throw new Error(`expected a node from 1 to ${this.#options.nodeCount}, got ${nodeId}`);
    }
    return member;
  }

  #running(nodeId: number): Member {
    const member = this.#member(nodeId);
    if (member.raft === null) throw new Error(`expected node ${nodeId} to run, it is down`);
    return member;
  }
}
