/**
 * RaftNode runs one Raft core through ports.
 *
 *     startRaftNode(options, { storage, transport, machine, scheduler }, (node) => {
 *       transport.onReceive = (envelope) => node.receive(envelope);
 *       everyTenMs(() => node.tick());
 *       node.propose(command, (outcome) => …);
 *       node.read((outcome) => outcome.kind === "ready" && machine.query(question));
 *     });
 *
 * The same class runs in a process of its own (apps/node) and in the simulator.
 */
export { startRaftNode } from "./raft-node.ts";
export { textOf } from "./text.ts";
export { createRandom } from "@raftarium/raft";
export type * from "./api.ts";
export type * from "./options.ts";
export type * from "./ports.ts";
export type { Observer } from "./narrator.ts";
export type {
  Configuration,
  ConfigurationChange,
  Entry,
  EntryKind,
  HardState,
  LogIndex,
  Message,
  NodeId,
  PeerProgress,
  RecoveredState,
  SnapshotMetadata,
  Term,
} from "@raftarium/raft";
