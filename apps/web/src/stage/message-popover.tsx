/** What one message says. */
import { nodeById, type MessageFlight, type MessageSummary } from "@raftarium/observer";
import { latencyWords } from "@raftarium/scene";
import { useTimeline } from "../state/use.ts";
import { Floating, type Anchor } from "./floating.tsx";

interface MessagePopoverProps {
  readonly flight: MessageFlight;
  readonly anchor: Anchor;
  readonly onClose: () => void;
}

const TITLES: Record<MessageSummary["kind"], string> = {
  append: "AppendEntries",
  heartbeat: "AppendEntries, empty: a heartbeat",
  vote: "RequestVote",
  "pre-vote": "RequestVote, only asking: a pre-vote",
  snapshot: "InstallSnapshot",
  transfer: "TimeoutNow",
  "read-index": "ReadIndex",
};

/** Only the fields that this kind has. */
function fieldsOf(message: MessageSummary): readonly (readonly [string, string | number])[] {
  const fields: [string, string | number][] = [["term", message.term]];
  const appends = message.kind === "append" || message.kind === "heartbeat";
  const votes = message.kind === "vote" || message.kind === "pre-vote";
  if (message.reply) {
    if (votes) fields.push(["voteGranted", String(message.success)]);
    else fields.push(["success", String(message.success)]);
    if (appends) fields.push([message.success ? "matchIndex" : "hintIndex", message.matchIndex]);
    if (message.kind === "snapshot") fields.push(["nextOffset", message.offset]);
    if (message.kind === "read-index") fields.push(["index", message.matchIndex]);
    return fields;
  }
  if (appends) {
    fields.push(["prevLogIndex", message.prevLogIndex], ["prevLogTerm", message.prevLogTerm]);
    fields.push(["entries", message.entryCount], ["leaderCommit", message.leaderCommit]);
  }
  if (votes) {
    fields.push(["lastLogIndex", message.prevLogIndex], ["lastLogTerm", message.prevLogTerm]);
  }
  if (message.kind === "snapshot") {
    fields.push(["lastIncludedIndex", message.prevLogIndex], ["offset", message.offset]);
  }
  if (message.bytes > 0) fields.push(["bytes", message.bytes]);
  return fields;
}

function fate(flight: MessageFlight): string {
  if (flight.end === "received") {
    return `delivered after ${latencyWords((flight.endedAtUs ?? 0) - flight.sentAtUs)}`;
  }
  if (flight.end === "dropped") return `dropped: ${flight.dropReason ?? "unknown"}`;
  if (flight.end === "lost") return "lost with its receiver's process";
  if (flight.held) return "held at its receiver until time goes on";
  if (flight.dueAtUs === null) return "on its way";
  return `takes ${latencyWords(flight.dueAtUs - flight.sentAtUs)}`;
}

export function MessagePopover({ flight, anchor, onClose }: MessagePopoverProps) {
  // Its end may come while it is being read.
  const now = useTimeline((state) => state.view.messages.get(flight.key)) ?? flight;
  const stale = useTimeline((state) => {
    const target = nodeById(state.view, flight.target);
    return target !== undefined && target.term > flight.message.term;
  });
  const { message } = flight;
  return (
    <Floating anchor={anchor} className="popover" role="dialog" label="A message" onClose={onClose}>
      <header>
        <h2>
          {TITLES[message.kind]}
          {message.reply ? ", reply" : ""}
        </h2>
        <button type="button" className="close" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      <dl>
        <dt>way</dt>
        <dd>
          {flight.source} → {flight.target}
        </dd>
        {fieldsOf(message).map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <dt>fate</dt>
        <dd>
          {fate(now)}
          {stale ? "; of an old term" : ""}
        </dd>
      </dl>
    </Floating>
  );
}
