/**
 * Listens at the edges of one node - its core, its disk, its messages, its state machine - and
 * tells the invariant checker and the trace what it hears. Changes nothing.
 */
import type { InvariantChecker } from "@raftarium/checker";
import type { Applied, Envelope, StateMachine, Storage } from "@raftarium/node";
import { decodeConfiguration } from "@raftarium/raft";
import type {
  Configuration,
  Effect,
  Entry,
  HardState,
  LogIndex,
  Raft,
  RecoveredState,
} from "@raftarium/raft";
import type { ConfigurationChain } from "./configuration-chain.ts";
import { createServerRules } from "./server-rules.ts";
import { fingerprintOf } from "./trace.ts";
import type { Trace } from "./trace.ts";

export interface TapPorts {
  readonly nodeId: number;
  /** Indices of the snapshots that the machine is to be restored from, in order. */
  readonly restores: LogIndex[];
  readonly checker: InvariantChecker;
  readonly chain: ConfigurationChain;
  readonly trace: Trace;
  /** Of the configuration in force. */
  configurationIndex: LogIndex;
}

const NOTE = { persist: 1, durable: 2, send: 3, apply: 4, restore: 5, snapshot: 6 } as const;

export function tellStart(
  recovered: RecoveredState,
  { voters, votersOutgoing }: Configuration,
  ports: TapPorts,
): void {
  const { hardState, snapshot, entries } = recovered;
  if (snapshot !== null) ports.restores.push(snapshot.index);
  ports.checker.nodeStarted(ports.nodeId, {
    term: hardState.term,
    votedFor: hardState.votedFor,
    snapshotIndex: snapshot?.index ?? 0,
    snapshotTerm: snapshot?.term ?? 0,
    entries: entries.map((entry) => ({
      index: entry.index,
      term: entry.term,
      isCommand: entry.kind === "command",
      fingerprint: fingerprintOfEntry(entry),
    })),
  });
  // Who waits to be added knows of nobody.
  if (voters.length > 0) ports.checker.configurationChanged(ports.nodeId, voters, votersOutgoing);
}

/** What is committed, and who votes, is known first by the core. */
export function tapRaft(raft: Raft, ports: TapPorts): Raft {
  const { nodeId, checker } = ports;
  function hear(effect: Effect): void {
    if (effect.kind === "apply") {
      const last = effect.entries.at(-1);
      if (last !== undefined) checker.committed(nodeId, last.index);
    } else if (effect.kind === "restore") {
      ports.restores.push(effect.snapshot.index);
    } else if (effect.kind === "configuration") {
      const { voters, votersOutgoing } = effect.configuration;
      checker.configurationChanged(nodeId, voters, votersOutgoing);
      ports.configurationIndex = effect.index;
    } else if (effect.kind === "persist") {
      // Before storage sees it: what follows in this very step builds on it.
      if (effect.hardState !== null) {
        checker.hardStateChanged(nodeId, effect.hardState.term, effect.hardState.votedFor);
      }
      for (const entry of effect.entries) {
        tellAppended(entry, ports);
        if (entry.kind === "configuration") tellConfiguration(entry);
      }
    } else if (effect.kind === "persist-snapshot-chunk" && effect.done) {
      checker.snapshotInstalled(nodeId, effect.snapshot.index, effect.snapshot.term);
    }
  }
  /** The core tells of the configuration in force before it tells of the write that has it. */
  function tellConfiguration({ index, term, data }: Entry): void {
    const configuration = decodeConfiguration(data);
    if (configuration === null) return;
    ports.chain.appended(index, term, configuration);
    const { role, term: currentTerm, commitIndex } = raft.status();
    if (role !== "leader" || term !== currentTerm) return;
    ports.chain.begun(nodeId, index, configurationBefore, commitIndex);
  }
  /** Where the configuration was when the step under way began. */
  let configurationBefore = ports.configurationIndex;
  const rules = createServerRules(nodeId, raft, checker);
  return {
    step(input) {
      configurationBefore = ports.configurationIndex;
      const effects = raft.step(input);
      for (const effect of effects) hear(effect);
      rules.stepped(input, effects);
      return effects;
    },
    status: () => raft.status(),
    entries: (from, to) => raft.entries(from, to),
    snapshotMetadata: (index) => raft.snapshotMetadata(index),
    setObserving: (observing) => raft.setObserving(observing),
  };
}

function tellAppended(entry: Entry, { nodeId, checker, trace }: TapPorts): void {
  const fingerprint = fingerprintOfEntry(entry);
  trace.note(NOTE.persist, nodeId, entry.index, fingerprint);
  checker.entryAppended(nodeId, entry.index, entry.term, fingerprint, entry.kind === "command");
}

/** Each command's bytes are unique, so its fingerprint names it; other kinds need their kind. */
function fingerprintOfEntry(entry: Entry): number {
  return entry.kind === "command" ? fingerprintOf(entry.data) : -1 - fingerprintOf(entry.data);
}

/** A write under way: what the log is once it is done. */
interface PendingWrite {
  /** Where its entries begin; infinite if it has none. */
  readonly fromIndex: number;
  readonly lastIndex: number;
  readonly hardState: HardState | null;
}

/** Tells what the real storage calls durable, when it does. */
export function tapStorage(storage: Storage, ports: TapPorts): Storage {
  const { nodeId, checker, trace } = ports;
  const pending: PendingWrite[] = [];
  /** Of these, such as replace entries of a write before them: few, and mostly none. */
  const replacing: PendingWrite[] = [];
  let lastPending = 0;
  /** Written but not synced: a later sync covers it. */
  let writtenIndex = 0;
  let writtenHardState: HardState | null = null;

  function completed(sync: boolean): void {
    const write = pending.shift();
    if (write === undefined) return;
    if (write === replacing[0]) replacing.shift();
    if (write.lastIndex > 0) writtenIndex = write.lastIndex;
    writtenHardState = write.hardState ?? writtenHardState;
    if (!sync) return;
    if (writtenHardState !== null) {
      checker.hardStateDurable(nodeId, writtenHardState.term, writtenHardState.votedFor);
    }
    // Without what a later write, not yet durable, is about to replace.
    let durable = writtenIndex;
    for (const later of replacing) durable = Math.min(durable, later.fromIndex - 1);
    trace.note(NOTE.durable, nodeId, durable, 0);
    if (durable > 0) checker.logDurable(nodeId, durable);
  }

  function begin(fromIndex: number, lastIndex: number, hardState: HardState | null): void {
    const write = { fromIndex, lastIndex, hardState };
    pending.push(write);
    if (lastIndex === 0) return;
    if (fromIndex <= lastPending) replacing.push(write);
    // A snapshot may leave what the log has after it.
    const isSnapshot = fromIndex === Number.POSITIVE_INFINITY;
    lastPending = isSnapshot ? Math.max(lastPending, lastIndex) : lastIndex;
  }

  return {
    recovered: storage.recovered,
    persist(write, done) {
      const { entries, hardState, sync } = write;
      const first = entries[0]?.index ?? Number.POSITIVE_INFINITY;
      begin(first, entries[entries.length - 1]?.index ?? 0, hardState);
      storage.persist(write, () => {
        completed(sync);
        done();
      });
    },
    writeSnapshotChunk(chunk, done) {
      const { snapshot, origin } = chunk;
      const isInstalled = chunk.done && origin === "received";
      trace.note(NOTE.snapshot, nodeId, snapshot.index, chunk.offset);
      if (isInstalled) {
        begin(Number.POSITIVE_INFINITY, snapshot.index, null);
      }
      storage.writeSnapshotChunk(chunk, () => {
        if (isInstalled) completed(true);
        done();
      });
    },
    readSnapshotChunk: (index, offset, bytesMax, done) =>
      storage.readSnapshotChunk(index, offset, bytesMax, done),
    compact(throughIndex) {
      checker.logCompacted(nodeId, throughIndex);
      storage.compact(throughIndex);
    },
    tick: () => storage.tick?.(),
    stats: () => storage.stats(),
    close: (done) => storage.close(done),
  };
}

export function tapSend(envelope: Envelope, { nodeId, checker, trace }: TapPorts): void {
  const { message, target } = envelope;
  switch (message.type) {
    case "append-entries":
      checker.leads(nodeId, message.term);
      trace.note(NOTE.send, target, message.prevLogIndex, message.entries.length);
      return;
    case "append-entries-response":
      if (message.success) checker.acknowledgementSent(nodeId, message.term, message.matchIndex);
      trace.note(NOTE.send, target, message.matchIndex, message.hintIndex);
      return;
    case "request-vote-response":
      if (message.voteGranted && !message.preVote) {
        checker.voteSent(nodeId, message.term, target);
      }
      trace.note(NOTE.send, target, message.term, message.voteGranted ? 1 : 0);
      return;
    default:
      trace.note(NOTE.send, target, message.term, message.type.length);
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

export interface TappedMachine<Result> extends StateMachine<Result> {
  /** The last command or snapshot that the machine took in. */
  readonly appliedIndex: number;
}

export function tapMachine<Result>(
  machine: StateMachine<Result>,
  ports: TapPorts,
): TappedMachine<Result> {
  const { nodeId, checker, trace, restores } = ports;
  const maintenance = machine.maintenance?.bind(machine);
  const tapped: Mutable<TappedMachine<Result>> = {
    appliedIndex: 0,
    apply(command, index): Applied<Result> {
      tapped.appliedIndex = index;
      checker.applied(nodeId, index, fingerprintOf(command));
      trace.note(NOTE.apply, nodeId, index, command.length);
      return machine.apply(command, index);
    },
    query: (question) => machine.query(question),
    snapshot: () => machine.snapshot(),
    restore() {
      const restoring = machine.restore();
      const index = restores.shift() ?? 0;
      return {
        write: (piece) => restoring.write(piece),
        end() {
          restoring.end();
          tapped.appliedIndex = index;
          checker.restored(nodeId, index);
          trace.note(NOTE.restore, nodeId, index, 0);
        },
      };
    },
    describe: (command) => machine.describe(command),
    rows: (rowsMax) => machine.rows(rowsMax),
    ...(maintenance === undefined ? {} : { maintenance }),
  };
  return tapped;
}
