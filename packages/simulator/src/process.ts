/**
 * One virtual process: a real RaftNode over real storage on a virtual disk, with its own clock. It
 * can crash (losing what it had not synced), restart, pause and resume like a real process.
 */
import type { InvariantChecker } from "@raftarium/checker";
import type { Answer } from "./model.ts";
import type { Chance } from "./chance.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Standing } from "./healing.ts";
import type { ConfigurationAt, ConfigurationChain } from "./configuration-chain.ts";
import type { Envelope, NodeApi, Ports, RaftNodeOptions, Storage } from "@raftarium/node";
import { isSessionNotice, startRaftNode, withSessions } from "@raftarium/node";
import type { SessionNotice } from "@raftarium/node";
import { createRaft, decodeConfiguration } from "@raftarium/raft";
import type { Configuration, ConfigurationChange, RecoveredState } from "@raftarium/raft";
import { createKv, decodeResult, encodeResult } from "@raftarium/kv";
import type { KvMachine, KvResult } from "@raftarium/kv";
import type { Observation } from "@raftarium/observer";
import type { openStorage } from "@raftarium/storage";
import { answerOf } from "./commands.ts";
import { tapMachine, tapRaft, tapSend, tapStorage, tellStart } from "./taps.ts";
import type { TappedMachine, TapPorts } from "./taps.ts";
import { asciiOf, bytesOfAscii } from "./text.ts";
import type { Timeline } from "./timeline.ts";
import { fingerprintOf } from "./trace.ts";
import type { Trace } from "./trace.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

export type ProcessHealth = "starting" | "running" | "paused" | "crashed";

export type Reply =
  | { readonly kind: "ok"; readonly index: number; readonly answer: Answer }
  /** Of the sessions themselves. */
  | { readonly kind: "notice"; readonly index: number; readonly notice: SessionNotice }
  /** It had no effect and never will. */
  | { readonly kind: "failed"; readonly leaderId: number | null }
  | { readonly kind: "unknown"; readonly leaderId: number | null };

/** Parts of the code under test that a test may replace by broken ones. */
export interface Sabotage {
  readonly createRaft?: typeof createRaft;
  readonly startRaftNode?: typeof startRaftNode;
  readonly openStorage?: typeof openStorage;
  readonly createKv?: typeof createKv;
  readonly withSessions?: typeof withSessions;
  /** `soon` runs a task right after what is due now. */
  readonly wrapStorage?: (storage: Storage, soon: (task: () => void) => void) => Storage;
}

export interface ProcessPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly counts: FaultCounts;
  readonly checker: InvariantChecker;
  readonly trace: Trace;
  readonly disk: VirtualDisk;
  readonly chain: ConfigurationChain;
  readonly sabotage: Sabotage;
  readonly send: (envelope: Envelope) => void;
  /** Something in the code under test threw. */
  readonly failed: (nodeId: number, error: unknown) => void;
  readonly healthChanged: (nodeId: number, health: ProcessHealth) => void;
  /** null: no observations are made. */
  readonly observer: ((observation: Observation) => void) | null;
}

export interface VirtualProcess {
  readonly nodeId: number;
  readonly health: ProcessHealth;
  /** Gone for good: it has left the cluster, or its disk was refused. */
  readonly retired: boolean;
  /** A durable bit of its disk has turned. */
  readonly rotten: boolean;
  /** In force, as far as it knows, or knew when it was last running. */
  readonly configuration: ConfigurationAt;
  start(): void;
  crash(): void;
  pause(): void;
  resume(): void;
  deliver(envelope: Envelope): void;
  unreachable(nodeId: number): void;
  /** `command` null: a linearizable read of `key`. False: nobody listens. */
  request(command: Uint8Array | null, key: string, reply: (reply: Reply) => void): boolean;
  setClockRate(rate: number): void;
  setDiskSlowness(factor: number): void;
  failDisk(): void;
  fillDisk(roomBytes: number): void;
  repairDisk(): void;
  /** Turns a durable bit of a crashed process's disk; see `VirtualDisk.rot`. */
  rotDisk(place: number, bit: number): boolean;
  setSnapshotTrap(count: number, sprung: ((operation: string) => void) | null): void;
  /** Ends it for good. */
  retire(): void;
  /** So many ticks at once; below 0: so many are left out. */
  jumpClock(ticks: number): void;
  transferLeadership(target: number): void;
  campaign(): void;
  /** `done(true)`: the change is committed; false: it was refused, or nobody knows. */
  changeMembers(change: ConfigurationChange, done: (committed: boolean) => void): void;
  isLeader(): boolean;
  /** 0 while it is not running. */
  term(): number;
  /** null while it is not running. */
  standing(): Standing | null;
  /** In a few words, for people. */
  describe(): string;
  /** Where the state machine stands; -1 while it is not running. */
  appliedIndex(): number;
  /** The whole state as text, to compare nodes; null while not running. */
  stateText(): string | null;
  /** Of the state machine's snapshot, which must be the same bytes on every node. */
  snapshotFingerprint(): string;
}

type Result = KvResult | SessionNotice;
type Node = NodeApi<Result>;

export type ProcessOptions = Omit<RaftNodeOptions, "incarnation"> & {
  readonly historyRevisionsMax: number;
};

const RESULTS = { encode: encodeResult, decode: decodeResult };

export function createProcess(options: ProcessOptions, ports: ProcessPorts): VirtualProcess {
  return new Process(options, ports);
}

class Process implements VirtualProcess {
  readonly nodeId: number;
  health: ProcessHealth = "crashed";
  readonly #options: ProcessOptions;
  readonly #ports: ProcessPorts;
  #incarnation = 0;
  #node: Node | null = null;
  #kv: KvMachine | null = null;
  #machine: TappedMachine<Result> | null = null;
  /** What reached the process while it was paused; runs in order when it goes on. */
  #backlog: (() => void)[] = [];
  /** Requests whose answer is still due: a crash breaks their connections. */
  #openReplies = new Set<(reply: Reply) => void>();
  #clockRate = 1;
  /** Ticks that the clock is still to leave out. */
  #ticksLeftOut = 0;
  retired = false;
  configuration: ConfigurationAt;

  constructor(options: ProcessOptions, ports: ProcessPorts) {
    this.nodeId = options.raft.id;
    this.configuration = { index: 0, configuration: options.raft.initialConfiguration };
    this.#options = options;
    this.#ports = ports;
  }

  get rotten(): boolean {
    return this.#ports.disk.rotten;
  }

  start(): void {
    if (this.health !== "crashed" || this.retired) return;
    this.#incarnation += 1;
    this.#setHealth("starting");
    const { disk, checker, trace, sabotage, timeline } = this.#ports;
    const incarnation = this.#incarnation;
    const enter = (task: () => void): void => this.#enter(incarnation, task);
    enter(() => {
      disk.open(
        enter,
        (storage) => {
          const { initialConfiguration } = this.#options.raft;
          this.configuration = configurationOf(storage.recovered, initialConfiguration);
          const taps: TapPorts = {
            nodeId: this.nodeId,
            checker,
            chain: this.#ports.chain,
            trace,
            restores: [],
            configurationIndex: this.configuration.index,
          };
          tellStart(storage.recovered, this.configuration.configuration, taps);
          const wrapped = sabotage.wrapStorage?.(storage, (task) => timeline.soon(task));
          this.#startNode(tapStorage(wrapped ?? storage, taps), taps, incarnation);
        },
        (forGood) => this.#end(incarnation, forGood),
      );
    });
  }

  #startNode(storage: Storage, taps: TapPorts, incarnation: number): void {
    const { timeline, sabotage, observer, send } = this.#ports;
    const { historyRevisionsMax } = this.#options;
    const kv = (sabotage.createKv ?? createKv)({ historyRevisionsMax });
    const replicated = (sabotage.withSessions ?? withSessions)(kv, RESULTS);
    const machine = tapMachine<Result>(replicated, taps);
    const ports: Ports<Result> = {
      storage,
      machine,
      transport: {
        send: (envelope) => {
          tapSend(envelope, taps);
          send(envelope);
        },
      },
      scheduler: {
        nowUs: () => timeline.nowUs(),
        defer: (task) => timeline.soon(() => this.#enter(incarnation, task)),
      },
      createRaft: (options) => tapRaft((sabotage.createRaft ?? createRaft)(options), taps),
    };
    const options: RaftNodeOptions = {
      ...this.#options,
      incarnation,
      onConfiguration: (configuration, index) => {
        this.configuration = { index, configuration };
      },
    };
    (sabotage.startRaftNode ?? startRaftNode)(options, ports, (node) => {
      this.#node = node;
      this.#kv = kv;
      this.#machine = machine;
      if (observer !== null) {
        node.setObserver(observer);
        node.observe({ kind: "node-view", view: node.view() });
      }
      this.#setHealth("running");
      this.#scheduleTick(incarnation, this.#ports.chance.integer(0, this.#options.tickUs));
    });
  }

  #scheduleTick(incarnation: number, delayUs: number): void {
    const { timeline } = this.#ports;
    const turn = (): void => this.#node?.tick();
    const tick = (): void => {
      if (this.#incarnation !== incarnation || this.health === "crashed") return;
      // A paused process misses its ticks; they don't add up.
      if (this.#ticksLeftOut > 0) this.#ticksLeftOut -= 1;
      else if (this.health === "running") this.#enter(incarnation, turn);
      timeline.after(Math.round(this.#options.tickUs / this.#clockRate), tick);
    };
    timeline.after(delayUs, tick);
  }

  /** Every way into the code under test: not after a crash, not during a pause. */
  #enter(incarnation: number, task: () => void): void {
    if (this.#incarnation !== incarnation || this.health === "crashed") return;
    if (this.health === "paused") {
      this.#backlog.push(task);
      return;
    }
    try {
      task();
    } catch (error) {
      this.#ports.failed(this.nodeId, error);
    }
  }

  /** The process ends itself: as from outside, but the disk loses nothing. */
  #end(incarnation: number, forGood: boolean): void {
    if (this.#incarnation !== incarnation || this.health === "crashed") return;
    this.retired ||= forGood;
    this.#leave();
    this.#ports.disk.kill();
  }

  crash(): void {
    if (this.health === "crashed") return;
    this.#leave();
    this.#ports.disk.crash();
  }

  #leave(): void {
    this.#setHealth("crashed");
    this.#node = null;
    this.#kv = null;
    this.#machine = null;
    this.#backlog = [];
    const replies = this.#openReplies;
    this.#openReplies = new Set();
    for (const reply of replies) reply({ kind: "unknown", leaderId: null });
  }

  pause(): void {
    if (this.health === "running") this.#setHealth("paused");
  }

  resume(): void {
    if (this.health !== "paused") return;
    this.#setHealth("running");
    const backlog = this.#backlog;
    this.#backlog = [];
    // All at once and in order: nothing newer may overtake it.
    for (const task of backlog) this.#enter(this.#incarnation, task);
  }

  deliver(envelope: Envelope): void {
    if (this.health !== "running") {
      this.#enter(this.#incarnation, () => this.#node?.receive(envelope));
      return;
    }
    try {
      this.#node?.receive(envelope);
    } catch (error) {
      this.#ports.failed(this.nodeId, error);
    }
  }

  unreachable(nodeId: number): void {
    this.#enter(this.#incarnation, () => this.#node?.unreachable(nodeId));
  }

  request(command: Uint8Array | null, key: string, reply: (reply: Reply) => void): boolean {
    if (this.#node === null) return false;
    this.#openReplies.add(reply);
    const answer = (result: Reply): void => {
      if (this.#openReplies.delete(reply)) reply(result);
    };
    this.#enter(this.#incarnation, () => {
      if (command === null) this.#read(key, answer);
      else this.#write(command, answer);
    });
    return true;
  }

  #write(command: Uint8Array, answer: (reply: Reply) => void): void {
    this.#node?.propose(command, (outcome) => {
      if (outcome.kind === "applied") {
        const { index, result } = outcome;
        if (isSessionNotice(result)) answer({ kind: "notice", index, notice: result });
        else this.#answerWrite(index, result, answer);
      } else if (outcome.kind === "unknown") {
        answer({ kind: "unknown", leaderId: outcome.leaderId });
      } else {
        if (outcome.kind === "refused" && outcome.reason === "overloaded") {
          this.#ports.counts.add("refused: too much is uncommitted");
        }
        answer({ kind: "failed", leaderId: outcome.leaderId });
      }
    });
  }

  #answerWrite(index: number, result: KvResult, answer: (reply: Reply) => void): void {
    const said = answerOf(result);
    if (said !== null) answer({ kind: "ok", index, answer: said });
    else this.#ports.failed(this.nodeId, new Error("the machine refused a good command"));
  }

  #read(key: string, answer: (reply: Reply) => void): void {
    this.#node?.read((outcome) => {
      if (outcome.kind === "refused") {
        answer({ kind: "failed", leaderId: outcome.leaderId });
        return;
      }
      const said = this.#kv?.range({ kind: "range", key: bytesOfAscii(key) });
      // The machine stands at its last command, and no-ops up to the read index change nothing.
      const index = Math.max(outcome.index, this.#machine?.appliedIndex ?? 0);
      if (said?.ok === true) answer({ kind: "ok", index, answer: answerOf(said) as Answer });
    });
  }

  setClockRate(rate: number): void {
    this.#clockRate = rate;
  }

  setDiskSlowness(factor: number): void {
    this.#ports.disk.setSlowness(factor);
  }

  failDisk(): void {
    this.#ports.disk.failNext();
  }

  fillDisk(roomBytes: number): void {
    this.#ports.disk.fill(roomBytes);
  }

  repairDisk(): void {
    this.#ports.disk.repair();
  }

  rotDisk(place: number, bit: number): boolean {
    return this.#ports.disk.rot(place, bit);
  }

  setSnapshotTrap(count: number, sprung: ((operation: string) => void) | null): void {
    this.#ports.disk.setSnapshotTrap(count, sprung);
  }

  retire(): void {
    this.retired = true;
    this.crash();
  }

  jumpClock(ticks: number): void {
    if (ticks < 0) this.#ticksLeftOut = -ticks;
    const turn = (): void => this.#node?.tick();
    if (this.health === "running") {
      for (let count = 0; count < ticks; count += 1) this.#enter(this.#incarnation, turn);
    }
  }

  changeMembers(change: ConfigurationChange, done: (committed: boolean) => void): void {
    this.#enter(this.#incarnation, () =>
      this.#node?.changeConfiguration(change, (outcome) => done(outcome.kind === "applied")),
    );
  }

  term(): number {
    return this.#node?.status().term ?? 0;
  }

  transferLeadership(target: number): void {
    this.#enter(this.#incarnation, () => this.#node?.transferLeadership(target));
  }

  campaign(): void {
    this.#enter(this.#incarnation, () => this.#node?.campaign());
  }

  isLeader(): boolean {
    return this.#node !== null && this.#node.status().role === "leader";
  }

  standing(): Standing | null {
    return this.#node?.status() ?? null;
  }

  describe(): string {
    if (this.#node === null) return `node ${this.nodeId} ${this.health}`;
    const status = this.#node.status();
    return (
      `node ${this.nodeId} ${this.health}, ${status.role} of term ${status.term}, leader ` +
      `${status.leaderId}, last ${status.lastIndex}, commit ${status.commitIndex}, ` +
      `applied ${status.appliedIndex}, durable ${status.durableIndex}`
    );
  }

  appliedIndex(): number {
    return this.#node?.status().appliedIndex ?? -1;
  }

  stateText(): string | null {
    const all = new Uint8Array(1);
    const said = this.#kv?.range({ kind: "range", key: all, rangeEnd: all });
    if (said?.ok !== true) return null;
    const { revision, kvs } = said.response;
    const rows = kvs.map(({ key, value }) => `${asciiOf(key)}=${asciiOf(value)}`);
    return `revision ${revision}: ${rows.join(", ")}`;
  }

  snapshotFingerprint(): string {
    let total = 0;
    let hash = 0;
    for (const piece of this.#machine?.snapshot() ?? []) {
      total += piece.length;
      hash = (Math.imul(hash, 31) + fingerprintOf(piece)) | 0;
    }
    return `${total} bytes, ${(hash >>> 0).toString(16)}`;
  }

  #setHealth(health: ProcessHealth): void {
    this.health = health;
    this.#ports.healthChanged(this.nodeId, health);
  }
}

function configurationOf(recovered: RecoveredState, initial: Configuration): ConfigurationAt {
  const { snapshot, entries } = recovered;
  const last = entries.findLast(({ kind }) => kind === "configuration");
  const found = last === undefined ? null : decodeConfiguration(last.data);
  if (last !== undefined && found !== null) return { index: last.index, configuration: found };
  if (snapshot === null) return { index: 0, configuration: initial };
  return { index: snapshot.configurationIndex, configuration: snapshot.configuration };
}
