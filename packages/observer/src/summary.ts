/** What a message is, in the few numbers that the page and the feed show of it. */
import type { Message } from "@raftarium/raft";
import type { MessageKind, MessageSummary } from "./observation.ts";

/** A heartbeat of term 0 that says nothing: what of a summary is not known is like this. */
export const BLANK_SUMMARY: MessageSummary = {
  kind: "heartbeat",
  reply: false,
  term: 0,
  success: false,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entryCount: 0,
  leaderCommit: 0,
  matchIndex: 0,
  readRound: 0,
  offset: 0,
  bytes: 0,
};

/** The kind that faults are set for and marks are drawn by: a request and its reply share it. */
export function messageKindOf(message: Message): MessageKind {
  switch (message.type) {
    case "request-vote":
    case "request-vote-response":
      return message.preVote ? "pre-vote" : "vote";
    case "append-entries":
      return message.entries.length === 0 ? "heartbeat" : "append";
    case "append-entries-response":
      return message.heartbeat ? "heartbeat" : "append";
    case "install-snapshot":
    case "install-snapshot-response":
      return "snapshot";
    case "timeout-now":
      return "transfer";
    case "read-index":
    case "read-index-response":
      return "read-index";
  }
}

/** True for a reply, which travels back on the stream that its request came on. */
export function isReply(message: Message): boolean {
  switch (message.type) {
    case "request-vote-response":
    case "append-entries-response":
    case "install-snapshot-response":
    case "read-index-response":
      return true;
    case "request-vote":
    case "append-entries":
    case "install-snapshot":
    case "timeout-now":
    case "read-index":
      return false;
  }
}

/** Everything of a message but its payload. What a type of message doesn't have is 0 or false. */
export function summarize(message: Message): MessageSummary {
  const blank = blankSummary(message);
  switch (message.type) {
    case "request-vote":
      return { ...blank, prevLogIndex: message.lastLogIndex, prevLogTerm: message.lastLogTerm };
    case "request-vote-response":
      return { ...blank, success: message.voteGranted };
    case "append-entries":
      return {
        ...blank,
        prevLogIndex: message.prevLogIndex,
        prevLogTerm: message.prevLogTerm,
        entryCount: message.entries.length,
        leaderCommit: message.leaderCommit,
        readRound: message.readRound,
        bytes: message.entries.reduce((sum, entry) => sum + entry.data.length, 0),
      };
    case "append-entries-response":
      return {
        ...blank,
        success: message.success,
        matchIndex: message.success ? message.matchIndex : message.hintIndex,
        readRound: message.readRound,
      };
    case "install-snapshot":
      return {
        ...blank,
        success: message.done,
        prevLogIndex: message.snapshot.index,
        prevLogTerm: message.snapshot.term,
        offset: message.offset,
        bytes: message.data.length,
      };
    case "install-snapshot-response":
      return {
        ...blank,
        success: message.done,
        prevLogIndex: message.snapshotIndex,
        offset: message.nextOffset,
      };
    case "timeout-now":
    case "read-index":
      return blank;
    case "read-index-response":
      return { ...blank, success: message.index > 0, matchIndex: message.index };
  }
}

function blankSummary(message: Message): MessageSummary {
  return {
    ...BLANK_SUMMARY,
    kind: messageKindOf(message),
    reply: isReply(message),
    term: message.term,
  };
}
