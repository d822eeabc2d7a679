/** Messages for tests; what a test does not care about has some value. */
import type { Envelope, Message } from "@raftarium/node";

let sequenceLast = 0;

export function envelope(
  message: Message,
  overrides: Partial<Omit<Envelope, "message">> = {},
): Envelope {
  sequenceLast += 1;
  const defaults = { source: 1, target: 2, incarnation: 1, sequence: sequenceLast, sentAtUs: 0 };
  return { ...defaults, ...overrides, message };
}

export function append(entryBytes: readonly number[], term = 1): Message {
  return {
    type: "append-entries",
    term,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: entryBytes.map((bytes, offset) => ({
      index: offset + 1,
      term,
      kind: "command",
      data: new Uint8Array(bytes),
    })),
    leaderCommit: 0,
    readRound: 0,
  };
}

export const heartbeat = (term = 1): Message => append([], term);

export function vote(term = 1): Message {
  return {
    type: "request-vote",
    term,
    preVote: false,
    lastLogIndex: 0,
    lastLogTerm: 0,
    leadershipTransfer: false,
  };
}

export function voteResponse(term = 1): Message {
  return { type: "request-vote-response", term, preVote: false, voteGranted: true };
}

export function snapshotChunk(offset: number, bytes: number): Message {
  return {
    type: "install-snapshot",
    term: 1,
    snapshot: {
      index: 9,
      term: 1,
      configuration: { voters: [1, 2], votersOutgoing: [], learners: [], addresses: {} },
      configurationIndex: 0,
    },
    offset,
    data: new Uint8Array(bytes),
    done: false,
  };
}
