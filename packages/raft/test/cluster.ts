/**
 * A cluster of cores in memory, driven by chance from a seed: messages are lost, repeated and
 * overtaken, writes complete late or (in a crash) never, nodes are cut off and restarted. After
 * every step the safety properties of the paper's Figure 3 are checked, and that what is promised
 * is on disk.
 */
import { createRaft } from "../src/index.ts";
import type {
  ConfigurationChange,
  Effect,
  Input,
  Message,
  NodeId,
  RaftOptions,
  Ticket,
} from "../src/index.ts";
import { optionsFor, voters } from "./driver.ts";
import { createRandom } from "./random.ts";
import { SafetyChecks, Violation, readState, writeState } from "./safety-checks.ts";
import type { Disk, TestNode } from "./safety-checks.ts";

interface Flight {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: Message;
}

export interface ClusterOptions {
  readonly seed: number;
  readonly voterCount: number;
  readonly overrides?: Partial<RaftOptions>;
  readonly overridesOf?: (id: NodeId) => Partial<RaftOptions>;
  readonly membership?: boolean;
}

export class Cluster {
  readonly nodes = new Map<NodeId, TestNode>();
  readonly random;
  private flights: Flight[] = [];
  private cut = new Set<string>();
  private readonly options: ClusterOptions;
  private nextId = 0;
  /** What happened, for whoever looks for the cause of a violation. */
  readonly history: string[] = [];

  acceptedCount = 0;
  readsReady = 0;
  restoredCount = 0;

  readonly checks = new SafetyChecks(this.nodes);

  constructor(options: ClusterOptions) {
    this.options = options;
    this.random = createRandom(options.seed);
    for (let id = 1; id <= options.voterCount; id++) this.addNode(id);
  }

  addNode(id: NodeId): void {
    const disk: Disk = {
      term: 0,
      votedFor: null,
      commitIndex: 0,
      snapshot: null,
      snapshotData: new Uint8Array(0),
      entries: [],
      incoming: [],
    };
    const node: TestNode = {
      id,
      disk,
      raft: undefined as never,
      starts: 0,
      up: false,
      writes: [],
      chores: [],
      machine: 0,
      appliedIndex: 0,
    };
    this.nodes.set(id, node);
    this.restart(id);
  }

  get leader(): TestNode | undefined {
    return [...this.nodes.values()]
      .filter((node) => node.up && node.raft.status().role === "leader")
      .toSorted((a, b) => b.raft.status().term - a.raft.status().term)[0];
  }

  restart(id: NodeId): void {
    const node = this.nodes.get(id)!;
    const { disk } = node;
    const initial =
      id <= this.options.voterCount
        ? voters(...Array.from({ length: this.options.voterCount }, (_, i) => i + 1))
        : voters();
    node.starts += 1;
    node.raft = createRaft(
      optionsFor(id, {
        incarnation: node.starts,
        initialConfiguration: initial,
        random: createRandom(this.random.integer(0, 1_000_000)),
        preVote: true,
        checkQuorum: true,
        entriesPerAppendMax: 3,
        inflightAppendsMax: 3,
        trailingEntries: 2,
        ...this.options.overrides,
        ...this.options.overridesOf?.(id),
        recovered: {
          hardState: {
            term: disk.term,
            votedFor: disk.votedFor,
            commitIndex: disk.commitIndex,
          },
          snapshot: disk.snapshot,
          entries: [...disk.entries],
        },
      }),
    );
    node.machine = disk.snapshot === null ? 0 : readState(disk.snapshotData);
    node.appliedIndex = disk.snapshot?.index ?? 0;
    node.writes = [];
    node.chores = [];
    disk.incoming = [];
    node.up = true;
  }

  /** Loses everything that is not on disk yet. */
  crash(id: NodeId): void {
    const node = this.nodes.get(id)!;
    node.up = false;
    node.writes = [];
    node.chores = [];
  }

  step(id: NodeId, input: Input): void {
    const node = this.nodes.get(id)!;
    if (!node.up) return;
    if (input.kind !== "tick") this.history.push(`${id} < ${brief(input)}`);
    const effects = node.raft.step(input);
    for (const effect of effects) this.carryOut(node, effect);
    this.checks.check(node);
  }

  private carryOut(node: TestNode, effect: Effect): void {
    const { disk } = node;
    switch (effect.kind) {
      case "persist":
        node.writes.push({
          ticket: effect.ticket,
          run: () => {
            if (effect.hardState !== null) Object.assign(disk, effect.hardState);
            const first = effect.entries[0];
            if (first === undefined) return;
            const base = disk.snapshot?.index ?? 0;
            const firstOnDisk = disk.entries[0]?.index ?? base + 1;
            const keep = first.index - firstOnDisk;
            if (keep < 0 || keep > disk.entries.length) {
              throw new Violation(`node ${node.id} writes a gap at ${first.index}`);
            }
            disk.entries.length = keep;
            disk.entries.push(...effect.entries);
          },
        });
        break;
      case "persist-snapshot-chunk":
        node.writes.push({
          ticket: effect.ticket,
          run: () => {
            if (effect.offset === 0) disk.incoming = [];
            if (effect.offset !== disk.incoming.length) throw new Violation("chunk out of place");
            disk.incoming.push(...effect.data);
            if (!effect.done) return;
            const { index, term } = effect.snapshot;
            const holds = disk.entries.some((e) => e.index === index && e.term === term);
            disk.entries = holds ? disk.entries.filter((e) => e.index > index) : [];
            disk.snapshot = effect.snapshot;
            disk.snapshotData = Uint8Array.from(disk.incoming);
          },
        });
        break;
      case "send":
        this.checks.sent(node, effect.message, effect.to);
        this.history.push(`${node.id} > ${effect.to} ${brief(effect.message)}`);
        this.flights.push({ from: node.id, to: effect.to, message: effect.message });
        break;
      case "apply":
        for (const entry of effect.entries) this.checks.apply(node, entry);
        node.chores.push({ kind: "applied", index: effect.entries.at(-1)!.index });
        break;
      case "restore": {
        if (effect.snapshot.index <= node.appliedIndex) throw new Violation("restore goes back");
        if (disk.snapshot?.index !== effect.snapshot.index) {
          throw new Violation("restore of a snapshot that is not durable");
        }
        this.restoredCount++;
        node.machine = readState(disk.snapshotData);
        node.appliedIndex = effect.snapshot.index;
        this.checks.restored(node);
        node.chores.push({ kind: "applied", index: node.appliedIndex });
        break;
      }
      case "compact":
        break;
      case "read-snapshot-chunk": {
        const gone = disk.snapshot?.index !== effect.snapshotIndex;
        const data = disk.snapshotData.slice(effect.offset, effect.offset + effect.bytesMax);
        node.chores.push({
          kind: "snapshot-chunk",
          to: effect.to,
          snapshotIndex: effect.snapshotIndex,
          offset: effect.offset,
          data: gone ? null : data,
          done: effect.offset + data.length >= disk.snapshotData.length,
        });
        break;
      }
      case "proposal-accepted":
        this.acceptedCount++;
        break;
      case "proposal-refused":
        this.checks.refuse(effect.id);
        break;
      case "read-ready":
        this.readsReady++;
        this.checks.readReady(node, effect.id);
        break;
      case "read-refused":
      case "configuration":
        break;
      case "observe":
        throw new Violation(`told of ${effect.observation.kind}, though nobody observes`);
    }
  }

  // --- chance -------------------------------------------------------------------------------

  /** One thing happens. `faults` 0: nothing goes wrong. */
  chance(faults: number): void {
    const dice = this.random.integer(1, 1000);
    if (dice <= 500 && this.flights.length > 0) this.deliverOne(faults);
    else if (dice <= 680) this.completeWrite(this.pick());
    else if (dice <= 800) this.chore(this.pick());
    else if (dice <= 930) this.step(this.pick(), { kind: "tick" });
    else if (dice <= 980) this.request();
    else if (dice <= 990) this.snapshot(this.pick());
    else if (faults > 0) this.fault();
  }

  private deliverOne(faults: number): void {
    const place = faults > 0 ? this.random.integer(0, Math.min(this.flights.length - 1, 20)) : 0;
    const flight = this.flights[place]!;
    const dice = this.random.integer(1, 100);
    if (faults === 0 || dice > 5) this.flights.splice(place, 1);
    if (this.flights.length > 200) this.flights.splice(0, 100);
    if (faults > 0 && dice > 95) return;
    if (this.cut.has(`${flight.from} ${flight.to}`)) return;
    this.step(flight.to, { kind: "message", from: flight.from, message: flight.message });
  }

  private completeWrite(id: NodeId): void {
    const node = this.nodes.get(id)!;
    const count = Math.min(node.writes.length, this.random.integer(1, 3));
    let ticket: Ticket | null = null;
    for (const write of node.writes.splice(0, count)) {
      write.run();
      ticket = write.ticket ?? ticket;
    }
    if (ticket !== null) this.step(id, { kind: "persisted", ticket });
  }

  private chore(id: NodeId): void {
    const chore = this.nodes.get(id)!.chores.shift();
    if (chore !== undefined) this.step(id, chore);
  }

  private request(): void {
    const id = this.pick();
    const dice = this.random.integer(1, 10);
    const requestId = ++this.nextId;
    if (dice <= 5) {
      const count = this.random.integer(1, 4);
      const proposals = Array.from({ length: count }, () => {
        const proposalId = ++this.nextId;
        return { id: proposalId, data: new TextEncoder().encode(`c${proposalId}`) };
      });
      this.step(this.leader?.id ?? id, { kind: "propose", proposals });
    } else if (dice <= 8) {
      this.checks.readAsked(requestId);
      this.step(id, { kind: "read", id: requestId });
    } else if (dice === 9) {
      this.step(this.leader?.id ?? id, { kind: "transfer-leadership", to: this.pick() });
    } else if (this.options.membership === true) {
      this.changeMembership(requestId);
    }
  }

  private changeMembership(id: number): void {
    const leader = this.leader;
    if (leader === undefined) return;
    const { configuration } = leader.raft.status();
    const nodeId = this.pick();
    const everybody = [...this.nodes.keys()];
    const dice = this.random.integer(1, 4);
    const target = everybody.filter(() => this.random.integer(0, 2) > 0);
    this.step(leader.id, {
      kind: "change-configuration",
      id,
      change:
        dice === 1
          ? { kind: "add-learner", nodeId, address: `node ${nodeId}` }
          : dice === 2
            ? { kind: "promote", nodeId: configuration.learners[0] ?? nodeId }
            : dice === 3 && configuration.voters.length > 2
              ? { kind: "remove", nodeId }
              : { kind: "replace", voters: target, learners: [], addresses: {} },
    });
  }

  /** The state machine's own snapshot, through the same queue of writes. */
  private snapshot(id: NodeId): void {
    const node = this.nodes.get(id)!;
    if (!node.up) return;
    const metadata = node.raft.snapshotMetadata(node.raft.status().appliedIndex);
    if (metadata === null || metadata.index <= node.raft.status().snapshotIndex) return;
    const data = writeState(this.checks.machineAt.get(metadata.index)!);
    node.writes.push({
      ticket: null,
      run: () => {
        const { disk } = node;
        if ((disk.snapshot?.index ?? 0) >= metadata.index) return;
        disk.snapshot = metadata;
        disk.snapshotData = data;
        disk.entries = disk.entries.filter((entry) => entry.index > metadata.index);
        node.chores.push({ kind: "snapshot-saved", index: metadata.index });
      },
    });
  }

  private fault(): void {
    const id = this.pick();
    const node = this.nodes.get(id)!;
    const dice = this.random.integer(1, 6);
    if (dice <= 2) {
      if (node.up) this.crash(id);
      else this.restart(id);
      this.history.push(`${id} ${node.up ? "restarted" : "crashed"}`);
    } else if (dice === 3) {
      this.cut.add(`${id} ${this.pick()}`);
    } else if (dice === 4) {
      for (const other of this.nodes.keys()) {
        this.cut.add(`${id} ${other}`);
        this.cut.add(`${other} ${id}`);
      }
    } else if (dice === 5) {
      this.cut.clear();
    } else {
      for (const other of this.nodes.values()) if (!other.up) this.restart(other.id);
    }
  }

  /** Everything works again: the cluster must make progress. */
  heal(): void {
    this.cut.clear();
    this.flights = [];
    for (const node of this.nodes.values()) if (!node.up) this.restart(node.id);
  }

  /** From now on nothing gets from `from` to `to`. */
  cutLink(from: NodeId, to: NodeId): void {
    this.cut.add(`${from} ${to}`);
  }

  /** From now on only these pairs hear each other. */
  connectOnly(...pairs: readonly (readonly [NodeId, NodeId])[]): void {
    this.cut.clear();
    const connected = new Set(pairs.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
    for (const from of this.nodes.keys()) {
      for (const to of this.nodes.keys()) {
        if (from !== to && !connected.has(`${from} ${to}`)) this.cutLink(from, to);
      }
    }
  }

  healLinks(): void {
    this.cut.clear();
  }

  changeConfiguration(change: ConfigurationChange): void {
    const { leader } = this;
    if (leader === undefined) return;
    this.step(leader.id, { kind: "change-configuration", id: ++this.nextId, change });
  }

  /** One round of orderly life: everything that is due is done, then everybody ticks. */
  calm(): void {
    for (let i = 0; i < 10_000; i++) {
      const busy = [...this.nodes.values()].find(
        (node) => node.writes.length > 0 || node.chores.length > 0,
      );
      if (this.flights.length > 0) this.deliverOne(0);
      else if (busy === undefined) break;
      else if (busy.writes.length > 0) this.completeWrite(busy.id);
      else this.chore(busy.id);
      if (i === 9_999) throw new Violation("the cluster never comes to rest");
    }
    for (const id of this.nodes.keys()) this.step(id, { kind: "tick" });
  }

  propose(text: string): void {
    const { leader } = this;
    if (leader === undefined) return;
    const proposals = [{ id: ++this.nextId, data: new TextEncoder().encode(text) }];
    this.step(leader.id, { kind: "propose", proposals });
  }

  private pick(): NodeId {
    const ids = [...this.nodes.keys()];
    return ids[this.random.integer(0, ids.length - 1)]!;
  }
}

function brief(value: unknown): string {
  return JSON.stringify(value, (key, inner) =>
    key === "data" && inner instanceof Uint8Array ? inner.length : inner,
  );
}
