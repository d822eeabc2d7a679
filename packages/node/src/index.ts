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
export { createRandom } from "./random.ts";
export { closeSession, loggedCommand, openSession } from "./sessions/commands.ts";
export type { SessionPosition } from "./sessions/commands.ts";
export { isSessionNotice, withSessions } from "./sessions/machine.ts";
export type { ResultCodec, SessionNotice } from "./sessions/machine.ts";
export { SESSION_LIMITS } from "./sessions/table.ts";
export type { SessionLimits } from "./sessions/table.ts";
export { textOf } from "./text.ts";
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
  RaftStatus,
  NodeId,
  PeerProgress,
  RecoveredState,
  SnapshotMetadata,
  Term,
} from "@raftarium/raft";
