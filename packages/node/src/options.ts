import type { Configuration, LogIndex, Raft, RaftOptions } from "@raftarium/raft";
import type { Scheduler, StateMachine, Storage, Transport } from "./ports.ts";

export interface RaftNodeOptions {
  readonly raft: Omit<RaftOptions, "incarnation" | "recovered" | "observing">;
  /** How often this node was started; from 1 up. Part of each message's identity. */
  readonly incarnation: number;
  /** Take a snapshot once this many entries were applied since the last one. */
  readonly snapshotEntries: number;
  /** ... or once the commands applied since the last one hold this many bytes. */
  readonly snapshotBytes: number;
  /** Wall time of one tick, microseconds; for the timers that people see. */
  readonly tickUs: number;
  /** Told whenever the configuration in force changes, so that the transport can follow. */
  readonly onConfiguration?: (configuration: Configuration, index: LogIndex) => void;
}

/** The world around one node. */
export interface Ports<Result> {
  readonly storage: Storage;
  readonly transport: Transport;
  readonly machine: StateMachine<Result>;
  readonly scheduler: Scheduler;
  /** For tests that break the core on purpose. */
  readonly createRaft?: (options: RaftOptions) => Raft;
}
