/** All processes of a run: those of the first start, and those that joined later. */
import type { InvariantChecker } from "@raftarium/checker";
import { createRandom } from "@raftarium/node";
import type { Observation } from "@raftarium/observer";
import { openStorage } from "@raftarium/storage";
import { createChance } from "./chance.ts";
import type { ConfigurationChain } from "./configuration-chain.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Network } from "./network.ts";
import { createProcess } from "./process.ts";
import type { ProcessHealth, ProcessOptions, Sabotage, VirtualProcess } from "./process.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";
import { createVirtualDisk } from "./virtual-disk.ts";

/** Ids are below this. */
export const NODE_IDS = 64;

export interface Fleet {
  /** In the order in which they came. */
  readonly all: readonly VirtualProcess[];
  /** An id that nobody had yet; null: there are no more. */
  readonly nextId: number | null;
  find(nodeId: number): VirtualProcess | undefined;
  /** A process with an empty disk that waits to be added; the same one if it is there already. */
  join(nodeId: number): VirtualProcess;
  /** There is such a process, and its disk is good. */
  isUsable(nodeId: number): boolean;
}

export interface FleetPorts {
  /** Together with the id it makes all chance of a process. */
  readonly seed: number;
  readonly swarm: Swarm;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly counts: FaultCounts;
  readonly checker: InvariantChecker;
  readonly chain: ConfigurationChain;
  readonly network: Network;
  readonly sabotage: Sabotage;
  /** Who throws has crashed; otherwise the run is over then. */
  readonly throwingIsFatal: boolean;
  readonly observer: ((observation: Observation) => void) | null;
  readonly healthChanged: (nodeId: number, health: ProcessHealth) => void;
}

export function createFleet(firstIds: readonly number[], ports: FleetPorts): Fleet {
  const all: VirtualProcess[] = [];
  const byId: (VirtualProcess | undefined)[] = [];

  function add(nodeId: number, voters: readonly number[]): VirtualProcess {
    const crash = (): void => byId[nodeId]?.crash();
    const process = createOne(nodeId, voters, ports, ports.throwingIsFatal ? crash : null);
    all.push(process);
    byId[nodeId] = process;
    return process;
  }

  for (const nodeId of firstIds) add(nodeId, firstIds);

  return {
    all,
    get nextId() {
      // Two may join at once.
      return byId.length + 1 < NODE_IDS ? byId.length : null;
    },
    find: (nodeId) => byId[nodeId],
    join: (nodeId) => byId[nodeId] ?? add(nodeId, []),
    isUsable(nodeId) {
      const process = byId[nodeId];
      return process !== undefined && !process.retired && !process.rotten;
    },
  };
}

function createOne(
  nodeId: number,
  voters: readonly number[],
  ports: FleetPorts,
  onThrow: (() => void) | null,
): VirtualProcess {
  const { swarm, timeline, counts, checker, sabotage, trace, network } = ports;
  // Of the id alone, so that who joins earlier changes nothing for who joins later.
  const chance = createChance(ports.seed, nodeId);
  const disk = createVirtualDisk({
    nodeId,
    swarm,
    timeline,
    counts,
    chance: chance.fork(1),
    openStorage: sabotage.openStorage ?? openStorage,
  });
  return createProcess(optionsOf(nodeId, voters, swarm, chance.integer(1, 2 ** 48)), {
    timeline,
    chance,
    counts,
    disk,
    checker,
    chain: ports.chain,
    trace,
    sabotage,
    observer: ports.observer,
    send: (envelope) => network.send(envelope),
    failed: (failedId, error) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      checker.report({
        invariant: "no crash of its own",
        explanation: `node ${failedId} threw: ${text}`,
        nodeIds: [failedId],
      });
      onThrow?.();
    },
    healthChanged: ports.healthChanged,
  });
}

function optionsOf(
  id: number,
  voters: readonly number[],
  swarm: Swarm,
  seed: number,
): ProcessOptions {
  return {
    tickUs: swarm.tickUs,
    snapshotEntries: swarm.snapshotEntries,
    historyRevisionsMax: swarm.historyRevisionsMax,
    snapshotBytes: 1 << 20,
    raft: {
      id,
      initialConfiguration: { voters, votersOutgoing: [], learners: [], addresses: {} },
      random: createRandom(seed),
      electionTicksMin: swarm.electionTicksMin,
      electionTicksMax: swarm.electionTicksMax,
      heartbeatTicks: swarm.heartbeatTicks,
      preVote: true,
      checkQuorum: true,
      leaseReads: swarm.leaseReads,
      priority: swarm.priorities ? id % 3 : 0,
      entriesPerAppendMax: swarm.entriesPerAppendMax,
      bytesPerAppendMax: swarm.bytesPerAppendMax,
      inflightAppendsMax: swarm.inflightAppendsMax,
      inflightBytesMax: 1 << 20,
      uncommittedBytesMax: swarm.uncommittedBytesMax,
      snapshotChunkBytes: swarm.snapshotChunkBytes,
      trailingEntries: swarm.trailingEntries,
    },
  };
}
