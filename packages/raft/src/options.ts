import type { Configuration, RaftOptions } from "./types.ts";
import { membersOf } from "./quorum.ts";

const limits = [
  "entriesPerAppendMax",
  "bytesPerAppendMax",
  "inflightAppendsMax",
  "inflightBytesMax",
  "uncommittedBytesMax",
  "snapshotChunkBytes",
] as const;

/**
 * Checks everything that a caller could get wrong.
 *
 * @throws RangeError naming the option, what was expected and what was found.
 */
export function validateOptions(options: RaftOptions): void {
  atLeast("id", options.id, 1);
  atLeast("heartbeatTicks", options.heartbeatTicks, 1);
  // Twice: a single lost heartbeat must not make a follower doubt its leader.
  atLeast("electionTicksMin", options.electionTicksMin, 2 * options.heartbeatTicks);
  atLeast("electionTicksMax", options.electionTicksMax, options.electionTicksMin);
  for (const name of limits) atLeast(name, options[name], 1);
  atLeast("trailingEntries", options.trailingEntries, 0);
  atLeast("priority", options.priority, 0);
  if (options.leaseReads && !options.checkQuorum) {
    refuse("leaseReads", "off while checkQuorum is off: the lease rests on it", "on");
  }
  validateConfiguration("initialConfiguration", options.initialConfiguration);
  validateRecovered(options);
}

function validateConfiguration(name: string, configuration: Configuration): void {
  const { voters, votersOutgoing, learners } = configuration;
  for (const list of [voters, votersOutgoing, learners]) {
    for (const nodeId of list) atLeast(`${name}: a node id`, nodeId, 1);
    if (new Set(list).size !== list.length) {
      refuse(name, "each node once in a list", list.join(", "));
    }
  }
  const both = learners.find((nodeId) => voters.includes(nodeId));
  if (both !== undefined) refuse(name, "learners that are no voters", `node ${both} as both`);
  if (voters.length === 0 && membersOf(configuration).length > 0) {
    refuse(name, "at least one voter, or nobody at all", "members without a voter");
  }
}

function validateRecovered(options: RaftOptions): void {
  const { hardState, snapshot, entries } = options.recovered;
  atLeast("recovered.hardState.term", hardState.term, 0);
  atLeast("recovered.hardState.commitIndex", hardState.commitIndex, 0);
  if (hardState.votedFor !== null) atLeast("recovered.hardState.votedFor", hardState.votedFor, 1);
  let index = snapshot?.index ?? 0;
  let term = snapshot?.term ?? 0;
  for (const entry of entries) {
    if (entry.index !== index + 1) {
      refuse("recovered.entries", `an entry with index ${index + 1}`, `index ${entry.index}`);
    }
    if (entry.term < term) {
      refuse(`recovered.entries, index ${entry.index}`, `a term from ${term} up`, `${entry.term}`);
    }
    index = entry.index;
    term = entry.term;
  }
  if (hardState.term < term) {
    refuse("recovered.hardState.term", `at least ${term}, as in the log`, `${hardState.term}`);
  }
}

function atLeast(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min) {
    refuse(name, `a whole number from ${min} up`, String(value));
  }
}

function refuse(name: string, expected: string, got: string): never {
  throw new RangeError(`cannot create the core: ${name}: expected ${expected}, got ${got}`);
}
