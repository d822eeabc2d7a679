import { createRandom, type Configuration, type RaftNodeOptions } from "@raftarium/node";
import { ticksOf, type NodeConfig } from "./config.ts";

/** What the core and the node around it are told of the configuration. */
export function nodeOptions(
  config: NodeConfig,
  incarnation: number,
  onConfiguration: (configuration: Configuration) => void,
): RaftNodeOptions {
  const { timing, limits, features, peers } = config;
  const ticks = (ms: number): number => ticksOf(ms, timing.tickMs);
  const addresses = peers.map(({ id, address }) => [id, address] as const);
  return {
    incarnation,
    snapshotEntries: limits.snapshotEntries,
    snapshotBytes: limits.snapshotBytes,
    tickUs: 0,
    onConfiguration,
    raft: {
      id: config.id,
      initialConfiguration: {
        voters: config.join ? [] : peers.map(({ id }) => id),
        votersOutgoing: [],
        learners: [],
        addresses: config.join ? {} : Object.fromEntries(addresses),
      },
      // No two nodes, and no two starts, draw the same timeouts.
      random: createRandom(Math.floor(Math.random() * 2 ** 32)),
      electionTicksMin: ticks(timing.electionTimeoutMinMs),
      electionTicksMax: ticks(timing.electionTimeoutMaxMs),
      heartbeatTicks: ticks(timing.heartbeatMs),
      preVote: features.preVote,
      checkQuorum: features.checkQuorum,
      leaseReads: features.leaseReads,
      priority: features.priority,
      entriesPerAppendMax: limits.entriesPerAppendMax,
      bytesPerAppendMax: limits.bytesPerAppendMax,
      inflightAppendsMax: limits.inflightAppendsMax,
      inflightBytesMax: limits.inflightBytesMax,
      uncommittedBytesMax: limits.uncommittedBytesMax,
      snapshotChunkBytes: limits.snapshotChunkBytes,
      trailingEntries: limits.trailingEntries,
    },
  };
}
