/** Observations as sentences. */
import type { MessageSummary, Observation } from "@raftarium/observer";

/** null: nothing that a reader of a story would miss. */
export function tellObservation({ body }: Observation): string | null {
  switch (body.kind) {
    case "role-changed":
      if (body.reason === `voted for ${body.votedFor}`) {
        return `votes for ${body.votedFor} in term ${body.term}`;
      }
      return (
        `is a ${body.role} in term ${body.term}` +
        (body.votedFor === null ? "" : `, voted for ${body.votedFor}`) +
        (body.leaderId === null ? "" : `, follows ${body.leaderId}`) +
        ` (${body.reason})`
      );
    case "votes-changed":
      return (
        `has ${body.preVote ? "pre-votes" : "votes"} of ${listOf(body.granted)}` +
        ` in term ${body.term}; refused by ${listOf(body.rejected)}`
      );
    case "log-appended": {
      const entries = body.entries.map(
        ({ index, term, description }) => `${index}:${term} ${description}`,
      );
      return `appended ${entries.join(", ")}`;
    }
    case "entries-omitted": {
      const runs = body.runs.map(
        ({ firstIndex, count, term }) => `${count} from ${firstIndex}:${term}`,
      );
      return `appended ${runs.join(", ")}`;
    }
    case "log-truncated":
      return `cut its log from index ${body.fromIndex}`;
    case "log-compacted":
      return `compacted its log through ${body.throughIndex}`;
    case "durable-advanced":
      return `has index ${body.durableIndex} on disk`;
    case "commit-advanced":
      return `commits through index ${body.commitIndex}`;
    case "applied":
      return `applied through index ${body.appliedIndex}`;
    case "restored":
      return `restored the snapshot at index ${body.snapshotIndex}`;
    case "read-confirmed":
      return `may answer ${body.readCount === 1 ? "a read" : `${body.readCount} reads`} as of index ${body.index}`;
    case "transfer-changed":
      return `leadership transfer to ${body.targetId ?? "nobody"}: ${body.phase}`;
    case "snapshot-transfer":
      return (
        `${body.direction} snapshot ${body.snapshotIndex}, ` +
        `byte ${body.offset}${body.done ? ", done" : ""}`
      );
    case "configuration-changed":
      return `configuration of index ${body.index}: voters ${listOf(body.configuration.voters)}`;
    case "message-sent": {
      const message = tellMessage(body.message);
      return message === null ? null : `→ ${body.target}  ${message}`;
    }
    case "invariant-violated":
      return `${body.invariant}: ${body.explanation}`;
    case "timer-changed":
    case "progress-changed":
    case "message-arriving":
    case "message-received":
    case "message-dropped":
    case "connection-changed":
    case "messages-omitted":
    case "requests-omitted":
    case "request-started":
    case "request-forwarded":
    case "request-proposed":
    case "request-finished":
    case "node-view":
    case "gap":
    case "health-changed":
    case "node-removed":
    case "links-changed":
    case "speed-changed":
      return null;
    default:
      return null;
  }
}

/** null: a heartbeat, which nobody would miss. */
export function tellMessage(message: MessageSummary): string | null {
  const { kind, reply, term } = message;
  if (kind === "heartbeat") return null;
  return reply
    ? `${kind} reply, term ${term}: ${tellReply(message)}`
    : `${kind}, term ${term}: ${tellRequest(message)}`;
}

function tellReply({ kind, success, matchIndex, offset }: MessageSummary): string {
  if (kind === "append") return success ? `has index ${matchIndex}` : `no, try from ${matchIndex}`;
  if (kind === "snapshot") return success ? "installed" : `has it up to byte ${offset}`;
  const answer = success ? "yes" : "no";
  return kind === "read-index" && success ? `${answer}, as of index ${matchIndex}` : answer;
}

function tellRequest(message: MessageSummary): string {
  const { kind, entryCount, prevLogIndex, prevLogTerm, leaderCommit, offset } = message;
  switch (kind) {
    case "append": {
      const entries = entryCount === 1 ? "1 entry" : `${entryCount} entries`;
      return `${entries} after ${prevLogIndex}:${prevLogTerm}, commit ${leaderCommit}`;
    }
    case "snapshot":
      return `of index ${prevLogIndex}, from byte ${offset}`;
    case "transfer":
      return "campaign now";
    case "read-index":
      return "as of which index may be read?";
    default:
      return `its log ends with ${prevLogIndex}:${prevLogTerm}`;
  }
}

function listOf(nodeIds: readonly number[]): string {
  return nodeIds.length === 0 ? "nobody" : nodeIds.join(", ");
}
