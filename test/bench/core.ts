/**
 * The core alone: three nodes in one process, no disk and no network. How many proposals of 256
 * bytes are committed and handed to the leader's state machine in a second, by size of batch:
 * `node test/bench/core.ts`, or `pnpm bench --core`.
 */
import { createRandom } from "@raftarium/node";
import { createRaft } from "@raftarium/raft";
import type { Input, NodeId, Raft } from "@raftarium/raft";

const valueBytes = 256;
const nodeIds = [1, 2, 3];
/** Batches that are proposed before the first of them is committed. */
const batchesInFlight = 4;
const batchSizes = [1, 16, 64, 256];
const snapshotEvery = 50_000;
const warmUpMs = 500;
const measureMs = 1_500;

export interface CoreBench {
  readonly valueBytes: number;
  readonly batches: readonly {
    readonly proposalsPerBatch: number;
    readonly committedPerSecond: number;
  }[];
}

export function benchCore(): CoreBench {
  const batches = batchSizes.map((proposalsPerBatch) => ({
    proposalsPerBatch,
    committedPerSecond: Math.round(measure(proposalsPerBatch)),
  }));
  return { valueBytes, batches };
}

/** One line for each size of batch. */
export function describeCore(figures: CoreBench): string[] {
  return figures.batches.map(({ proposalsPerBatch, committedPerSecond }) => {
    const batch = String(proposalsPerBatch).padStart(4);
    const rate = committedPerSecond.toLocaleString("en-US").padStart(12);
    return `batches of ${batch}: ${rate} proposals of ${figures.valueBytes} bytes a second`;
  });
}

/** Proposals committed in a second. */
function measure(batchSize: number): number {
  const cluster = new MemoryCluster();
  cluster.electLeader();
  const data = new Uint8Array(valueBytes).fill(7);
  const proposals = Array.from({ length: batchSize }, (_, id) => ({ id, data }));
  const runFor = (ms: number) => {
    const start = performance.now();
    const committedBefore = cluster.applied;
    while (performance.now() - start < ms) {
      for (let i = 0; i < batchesInFlight; i++) {
        cluster.give(cluster.leaderId, { kind: "propose", proposals });
      }
      cluster.settle();
    }
    return ((cluster.applied - committedBefore) * 1000) / (performance.now() - start);
  };
  runFor(warmUpMs);
  return runFor(measureMs);
}

class MemoryCluster {
  leaderId: NodeId = 1;
  /** Entries that the leader's state machine got. */
  applied = 0;
  private readonly nodes = new Map<NodeId, Raft>();
  /** In the order in which they were caused: to whom, and what. */
  private queue: { readonly to: NodeId; readonly input: Input }[] = [];

  constructor() {
    for (const id of nodeIds) this.nodes.set(id, createNode(id));
  }

  electLeader(): void {
    this.give(this.leaderId, { kind: "campaign" });
    this.settle();
    const { role } = this.nodes.get(this.leaderId)!.status();
    if (role !== "leader") throw new Error(`cannot measure: expected a leader, got a ${role}`);
  }

  give(to: NodeId, input: Input): void {
    this.queue.push({ to, input });
  }

  settle(): void {
    while (this.queue.length > 0) {
      const { queue } = this;
      this.queue = [];
      for (const { to, input } of queue) this.step(to, input);
    }
  }

  private step(id: NodeId, input: Input): void {
    for (const effect of this.nodes.get(id)!.step(input)) {
      if (effect.kind === "persist") {
        this.give(id, { kind: "persisted", ticket: effect.ticket });
      } else if (effect.kind === "send") {
        this.give(effect.to, { kind: "message", from: id, message: effect.message });
      } else if (effect.kind === "apply") {
        const { index } = effect.entries.at(-1)!;
        if (id === this.leaderId) this.applied += effect.entries.length;
        this.give(id, { kind: "applied", index });
        if (index % snapshotEvery < effect.entries.length) {
          this.give(id, { kind: "snapshot-saved", index });
        }
      } else if (effect.kind === "proposal-refused") {
        throw new Error(`cannot measure: a proposal was refused: ${effect.reason}`);
      }
    }
  }
}

function createNode(id: NodeId): Raft {
  return createRaft({
    id,
    incarnation: 1,
    initialConfiguration: { voters: nodeIds, votersOutgoing: [], learners: [], addresses: {} },
    recovered: {
      hardState: { term: 0, votedFor: null, commitIndex: 0 },
      snapshot: null,
      entries: [],
    },
    random: createRandom(id),
    electionTicksMin: 10,
    electionTicksMax: 20,
    heartbeatTicks: 1,
    preVote: true,
    checkQuorum: true,
    leaseReads: false,
    priority: 0,
    entriesPerAppendMax: 1024,
    bytesPerAppendMax: 1024 * 1024,
    inflightAppendsMax: 64,
    inflightBytesMax: 16 * 1024 * 1024,
    uncommittedBytesMax: 64 * 1024 * 1024,
    snapshotChunkBytes: 256 * 1024,
    trailingEntries: 10_000,
    observing: false,
  });
}

if (import.meta.main) {
  for (const line of describeCore(benchCore())) process.stdout.write(`${line}\n`);
}
