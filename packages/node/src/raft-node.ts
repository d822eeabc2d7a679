/**
 * RaftNode: one core, run through ports. It carries out the core's effects in order, matches
 * committed entries with the requests that proposed them, applies them to the state machine, and
 * takes snapshots. It decides nothing that Raft decides.
 */
import { createRaft, type Effect, type Input, type Raft } from "@raftarium/raft";
import type {
  Configuration,
  ConfigurationChange,
  LogIndex,
  NodeId,
  RaftStatus,
} from "@raftarium/raft";
import type { NodeView, ObservationBody } from "@raftarium/observer";
import { summarize } from "@raftarium/observer";
import type { NodeApi, ProposalOutcome, ReadOutcome } from "./api.ts";
import { Applier } from "./applier.ts";
import { Narrator, type Observer } from "./narrator.ts";
import { PendingProposals } from "./pending-proposals.ts";
import { PendingReads } from "./pending-reads.ts";
import type { Ports, RaftNodeOptions } from "./options.ts";
import type { Envelope } from "./ports.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import { restoreMachine } from "./restore.ts";

/** How many entries are applied between two times that the machine is asked for maintenance. */
const MAINTENANCE_ENTRIES = 500;

/**
 * Starts a node: restores the state machine from the durable snapshot, then creates the core.
 *
 * @param ready called once, in a later turn, with the running node.
 */
export function startRaftNode<Result>(
  options: RaftNodeOptions,
  ports: Ports<Result>,
  ready: (node: NodeApi<Result>) => void,
): void {
  const { snapshot } = ports.storage.recovered;
  const start = (): void => ready(new RaftNode(options, ports));
  if (snapshot === null) {
    ports.scheduler.defer(start);
    return;
  }
  restoreMachine(ports.storage, ports.machine, snapshot.index, (found) => {
    if (!found) {
      throw new Error(
        `cannot start node ${options.raft.id}: expected storage to hold the snapshot at index ` +
          `${snapshot.index} that it recovered, found none`,
      );
    }
    start();
  });
}

class RaftNode<Result> implements NodeApi<Result> {
  readonly #options: RaftNodeOptions;
  readonly #ports: Ports<Result>;
  readonly #raft: Raft;
  readonly #proposals: PendingProposals<Result>;
  readonly #reads: PendingReads;
  readonly #applier: Applier<Result>;
  readonly #snapshots: SnapshotTaker<Result>;
  readonly #narrator: Narrator<Result>;
  /** Inputs that came while a step was being carried out; drained in order. */
  readonly #inbox: Input[] = [];
  #stepping = false;
  #stopped = false;
  /** Counts messages; part of each message's identity. */
  #messageSequence = 0;
  /** Highest ticket known durable and not yet told to the core; 0: none. */
  #persistedTicket = 0;
  #persistedDeferred = false;
  #configuration: Configuration;
  /** Where the machine was last asked for maintenance. */
  #maintainedIndex: LogIndex = 0;
  #maintaining = false;

  constructor(options: RaftNodeOptions, ports: Ports<Result>) {
    this.#options = options;
    this.#ports = ports;
    const { recovered } = ports.storage;
    this.#raft = (ports.createRaft ?? createRaft)({
      ...options.raft,
      incarnation: options.incarnation,
      recovered,
      observing: false,
    });
    this.#configuration = this.#raft.status().configuration;
    this.#narrator = new Narrator(options, ports, this.#raft);
    this.#proposals = new PendingProposals(ports.scheduler, (input) => this.#drive(input));
    this.#reads = new PendingReads(ports.scheduler, (input) => this.#drive(input));
    this.#snapshots = new SnapshotTaker(options, ports, (index) =>
      this.#drive({ kind: "snapshot-saved", index }),
    );
    this.#applier = new Applier(ports, {
      startIndex: recovered.snapshot?.index ?? 0,
      onApplied: (index) => this.#onApplied(index),
      onEntry: (entry, applied) => {
        this.#proposals.entryApplied(entry, applied?.result);
        this.#snapshots.entryApplied(entry);
        if (applied !== null) this.#narrator.entryApplied(applied.changes);
      },
      onRestored: (snapshot) => {
        this.#proposals.restored(snapshot.index);
        this.#snapshots.restored(snapshot);
        this.#narrator.restored(snapshot.index);
      },
    });
    this.#snapshots.start(recovered.snapshot);
  }

  tick(): void {
    if (!this.#stopped) this.#ports.storage.tick?.();
    this.#drive({ kind: "tick" });
  }

  receive(envelope: Envelope): void {
    this.#drive({ kind: "message", from: envelope.source, message: envelope.message });
  }

  unreachable(nodeId: NodeId): void {
    this.#drive({ kind: "unreachable", nodeId });
  }

  propose(
    command: Uint8Array,
    done: (outcome: ProposalOutcome<Result>) => void,
    onAccepted?: (index: LogIndex, term: number) => void,
  ): void {
    const reason = this.#refusal();
    if (reason === null) this.#proposals.add(command, done, onAccepted);
    else done({ kind: "refused", reason, leaderId: null });
  }

  read(done: (outcome: ReadOutcome) => void): void {
    if (this.#stopped) done({ kind: "refused", reason: "no-leader", leaderId: null });
    else this.#reads.add(done);
  }

  changeConfiguration(
    change: ConfigurationChange,
    done: (outcome: ProposalOutcome<null>) => void,
  ): void {
    const reason = this.#refusal();
    if (reason !== null) {
      done({ kind: "refused", reason, leaderId: null });
      return;
    }
    const id = this.#proposals.register((outcome) =>
      done(outcome.kind === "applied" ? { ...outcome, result: null } : outcome),
    );
    this.#drive({ kind: "change-configuration", id, change });
  }

  transferLeadership(to: NodeId): void {
    this.#drive({ kind: "transfer-leadership", to });
  }

  campaign(): void {
    this.#drive({ kind: "campaign" });
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  configuration(): Configuration {
    return this.#configuration;
  }

  view(): NodeView {
    return this.#narrator.view();
  }

  setObserver(observer: Observer | null): void {
    this.#narrator.setObserver(observer);
  }

  observe(body: ObservationBody): void {
    this.#narrator.observe(body);
  }

  gather(on: boolean): void {
    this.#narrator.gather(on);
  }

  tellGathered(): number {
    return this.#narrator.tellGathered();
  }

  setTickUs(tickUs: number): void {
    this.#narrator.setTickUs(tickUs);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#snapshots.stop();
    this.#proposals.stop();
    this.#reads.stop();
  }

  /** Why nothing may be proposed now. A full disk is the leader's concern: a follower passes on. */
  #refusal(): "not-leader" | "disk-full" | null {
    if (this.#stopped) return "not-leader";
    if (this.#ports.storage.stats().writable) return null;
    return this.#raft.status().role === "leader" ? "disk-full" : null;
  }

  /** Gives the core one input and carries out what it decides, then whatever came meanwhile. */
  #drive(input: Input): void {
    if (this.#stopped) return;
    if (this.#stepping) {
      this.#inbox.push(input);
      return;
    }
    this.#stepping = true;
    try {
      // Mostly one input, and nothing that comes meanwhile.
      for (const effect of this.#raft.step(input)) this.#execute(effect);
      while (this.#inbox.length > 0) {
        for (const effect of this.#raft.step(this.#inbox.shift()!)) this.#execute(effect);
      }
    } finally {
      this.#stepping = false;
    }
  }

  #execute(effect: Effect): void {
    const { storage } = this.#ports;
    switch (effect.kind) {
      case "persist": {
        const { ticket, hardState, entries, sync } = effect;
        storage.persist({ hardState, entries, sync }, () => this.#persisted(ticket));
        return;
      }
      case "persist-snapshot-chunk": {
        const { ticket, snapshot, offset, data, done } = effect;
        this.#snapshots.abandon();
        storage.writeSnapshotChunk({ snapshot, offset, data, done, origin: "received" }, () =>
          this.#persisted(ticket),
        );
        return;
      }
      case "send":
        this.#send(effect.to, effect.message);
        return;
      case "apply":
        this.#applier.apply(effect.entries);
        return;
      case "restore":
        this.#applier.restore(effect.snapshot);
        return;
      case "compact":
        storage.compact(effect.throughIndex);
        return;
      case "read-snapshot-chunk":
        this.#readSnapshotChunk(effect.to, effect.snapshotIndex, effect.offset, effect.bytesMax);
        return;
      case "proposal-accepted":
        this.#proposals.accepted(effect.id, effect.index, effect.term);
        return;
      case "proposal-refused":
        this.#proposals.refused(effect.id, effect.reason, effect.leaderId);
        return;
      case "read-ready":
        this.#reads.ready(effect.id, effect.index);
        return;
      case "read-refused":
        this.#reads.refused(effect.id, effect.reason, effect.leaderId);
        return;
      case "configuration":
        this.#configuration = effect.configuration;
        this.#options.onConfiguration?.(effect.configuration, effect.index);
        return;
      case "observe":
        this.#narrator.core(effect.observation);
        return;
      default:
        effect satisfies never;
    }
  }

  #send(target: NodeId, message: Envelope["message"]): void {
    this.#messageSequence += 1;
    const envelope: Envelope = {
      source: this.#options.raft.id,
      target,
      incarnation: this.#options.incarnation,
      sequence: this.#messageSequence,
      sentAtUs: this.#ports.scheduler.nowUs(),
      message,
    };
    if (this.#narrator.observing) {
      this.#narrator.tell(
        {
          kind: "message-sent",
          id: {
            source: envelope.source,
            incarnation: envelope.incarnation,
            sequence: envelope.sequence,
          },
          target,
          message: summarize(message),
        },
        envelope.sentAtUs,
      );
    }
    this.#ports.transport.send(envelope);
  }

  /** One sync completes many writes: the core needs to hear only of the last of a turn. */
  #persisted(ticket: number): void {
    this.#persistedTicket = ticket;
    if (this.#persistedDeferred) return;
    this.#persistedDeferred = true;
    this.#ports.scheduler.defer(() => {
      this.#persistedDeferred = false;
      this.#drive({ kind: "persisted", ticket: this.#persistedTicket });
    });
  }

  #readSnapshotChunk(to: NodeId, index: LogIndex, offset: number, bytesMax: number): void {
    this.#ports.storage.readSnapshotChunk(index, offset, bytesMax, (data, done) =>
      this.#drive({ kind: "snapshot-chunk", to, snapshotIndex: index, offset, data, done }),
    );
  }

  #onApplied(index: LogIndex): void {
    this.#narrator.appliedAdvanced(index);
    this.#drive({ kind: "applied", index });
    this.#snapshots.consider();
    if (index - this.#maintainedIndex >= MAINTENANCE_ENTRIES) this.#maintain(index);
  }

  /** The leader proposes what its machine wants done, so that all machines do the same. */
  #maintain(index: LogIndex): void {
    this.#maintainedIndex = index;
    if (this.#maintaining || this.#raft.status().role !== "leader") return;
    const command = this.#ports.machine.maintenance?.() ?? null;
    if (command === null) return;
    this.#maintaining = true;
    // Whatever becomes of it: if it's still wanted, the next asking will bring it again.
    this.propose(command, () => {
      this.#maintaining = false;
    });
  }
}
