/** Events of the core as lines of a scenario file. */
import { decodeConfiguration } from "@raftarium/raft";
import type { Configuration, CoreObservation, Entry, Message } from "@raftarium/raft";

type Decode = (data: Uint8Array) => string;

/** null: not worth a line. */
export function tellObservation(observation: CoreObservation, decode: Decode): string | null {
  switch (observation.kind) {
    case "role-changed": {
      const { role, term, reason } = observation;
      return `${role} of term ${term}: ${reason}`;
    }
    case "votes-changed": {
      const { term, preVote, granted, rejected } = observation;
      const refused = rejected.length === 0 ? "" : `, refused by ${rejected.join(", ")}`;
      const votes = preVote ? "pre-votes" : "votes";
      return `${votes} for term ${term}: ${granted.join(", ") || "none"}${refused}`;
    }
    case "log-appended":
      return `appended ${observation.entries.map((entry) => tellEntry(entry, decode)).join(", ")}`;
    case "log-truncated":
      return `cut its log from ${observation.fromIndex}`;
    case "log-compacted":
      return `compacted through ${observation.throughIndex}`;
    case "commit-advanced":
      return `commits ${observation.commitIndex}`;
    case "snapshot-transfer": {
      const { direction, peerId, snapshotIndex, offset, done } = observation;
      const other = direction === "sending" ? `to ${peerId}` : `from ${peerId}`;
      return `${direction} snapshot ${snapshotIndex} ${other}, byte ${offset}${done ? ", done" : ""}`;
    }
    case "transfer-changed":
      return `transfer to ${observation.targetId ?? "nobody"} ${observation.phase}`;
    case "configuration-changed": {
      const { configuration, index, committed } = observation;
      const state = committed ? "committed" : "in force";
      return `${tellConfiguration(configuration)} ${state} since ${index}`;
    }
    case "election-timer-reset":
    case "durable-advanced":
    case "progress-changed":
    case "read-confirmed":
      return null;
    default:
      return observation satisfies never;
  }
}

export function tellEntry({ index, term, kind, data }: Entry, decode: Decode): string {
  if (kind === "command") return `${index}:${term} ${decode(data)}`;
  const configuration = kind === "configuration" ? decodeConfiguration(data) : null;
  return `${index}:${term} ${configuration === null ? "·" : tellConfiguration(configuration)}`;
}

function tellConfiguration({ voters, votersOutgoing, learners }: Configuration): string {
  const both = votersOutgoing.length === 0 ? "" : ` and of ${votersOutgoing.join(", ")}`;
  const watching = learners.length === 0 ? "" : `, learners ${learners.join(", ")}`;
  return `voters ${voters.join(", ")}${both}${watching}`;
}

export function tellMessage(source: number, target: number, message: Message): string {
  return `${source} → ${target} ${what(message)}`;
}

function what(message: Message): string {
  switch (message.type) {
    case "request-vote": {
      const { term, preVote, lastLogIndex, lastLogTerm } = message;
      const name = preVote ? "would you vote" : "vote";
      return `${name} for me in term ${term}? my log ends at ${lastLogIndex}:${lastLogTerm}`;
    }
    case "request-vote-response": {
      const { term, preVote, voteGranted } = message;
      const would = voteGranted ? ", I would" : ", I would not";
      return `${voteGranted ? "yes" : "no"}${preVote ? would : ""}, term ${term}`;
    }
    case "append-entries": {
      const { term, prevLogIndex, prevLogTerm, entries, leaderCommit } = message;
      const list = entries.map((entry) => `${entry.index}:${entry.term}`).join(" ") || "nothing";
      return (
        `append ${list} after ${prevLogIndex}:${prevLogTerm}, ` +
        `commit ${leaderCommit}, term ${term}`
      );
    }
    case "append-entries-response": {
      const { term, success, matchIndex, hintIndex, hintTerm } = message;
      return success
        ? `have up to ${matchIndex}, term ${term}`
        : `no; try after ${hintIndex}:${hintTerm}, term ${term}`;
    }
    case "install-snapshot": {
      const { term, snapshot, offset, done } = message;
      return `snapshot ${snapshot.index} from byte ${offset}${done ? ", all of it" : ""}, term ${term}`;
    }
    case "install-snapshot-response":
      return `have ${message.nextOffset} bytes${message.done ? ", installed" : ""}, term ${message.term}`;
    case "timeout-now":
      return `campaign now, term ${message.term}`;
    case "read-index":
      return `may I read? term ${message.term}`;
    case "read-index-response":
      return `${message.index === 0 ? "no" : `as of ${message.index}`}, term ${message.term}`;
    default:
      return message satisfies never;
  }
}
