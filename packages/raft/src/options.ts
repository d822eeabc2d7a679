import { isSound } from "./quorum.ts";
import type { RaftOptions } from "./types.ts";

/**
 * Checks everything that a caller could get wrong.
 *
 * @throws RangeError naming the option, what was expected and what was found.
 */
export function validateOptions(options: RaftOptions): void {
  atLeast("id", options.id, 1);
  atLeast("incarnation", options.incarnation, 1);
  atLeast("heartbeatTicks", options.heartbeatTicks, 1);
  // Twice: a single lost heartbeat must not make a follower doubt its leader.
  atLeast("electionTicksMin", options.electionTicksMin, 2 * options.heartbeatTicks);
  atLeast("electionTicksMax", options.electionTicksMax, options.electionTicksMin);
  atLeast("entriesPerAppendMax", options.entriesPerAppendMax, 1);
  atLeast("bytesPerAppendMax", options.bytesPerAppendMax, 1);
  atLeast("inflightAppendsMax", options.inflightAppendsMax, 1);
  atLeast("inflightBytesMax", options.inflightBytesMax, 1);
  atLeast("uncommittedBytesMax", options.uncommittedBytesMax, 1);
  atLeast("snapshotChunkBytes", options.snapshotChunkBytes, 1);
  atLeast("trailingEntries", options.trailingEntries, 0);
  atLeast("priority", options.priority, 0);
  if (options.leaseReads && !options.checkQuorum) {
    refuse("leaseReads", "off while checkQuorum is off: the lease rests on it", "on");
  }
  if (!isSound(options.initialConfiguration)) {
    const { voters, learners } = options.initialConfiguration;
    const got = `voters ${voters.join(", ")}; learners ${learners.join(", ")}`;
    refuse("initialConfiguration", "voters (and learners), each node once, ids from 1 up", got);
  }
  const { hardState, entries } = options.recovered;
  atLeast("recovered.hardState.commitIndex", hardState.commitIndex, 0);
  if (hardState.votedFor !== null) atLeast("recovered.hardState.votedFor", hardState.votedFor, 1);
  // An entry is written with the hard state of its term, or after it.
  atLeast("recovered.hardState.term", hardState.term, entries.at(-1)?.term ?? 0);
}

function atLeast(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min) {
    refuse(name, `a whole number from ${min} up`, String(value));
  }
}

function refuse(name: string, expected: string, got: string): never {
  throw new RangeError(`cannot create the core: ${name}: expected ${expected}, got ${got}`);
}
