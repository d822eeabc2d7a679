/** Arbitrary values of the core's and the observer's types, for property tests. */
import * as fc from "fast-check";
import type { Arbitrary } from "fast-check";
import type {
  EntryView,
  LinkView,
  MessageId,
  MessageSummary,
  NodeView,
  Observation,
  ObservationBody,
  ObservationKind,
  ProgressView,
  RowView,
  TimerView,
} from "@raftarium/observer";
import type { Envelope } from "../frame.ts";
import type { Configuration, Entry, Message, Role, SnapshotMetadata } from "@raftarium/raft";

/** Small, large, and both sides of every length of a varint. */
export const integer: Arbitrary<number> = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc
    .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: -1, max: 1 }))
    .map(([length, offset]) => 2 ** (7 * length) + offset),
  fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const uint32 = fc.nat(2 ** 32 - 1);
const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: "grapheme" });
const number = fc.double({ noNaN: true });
const bool = fc.boolean();
const ids = fc.array(integer, { maxLength: 5 });
const idOrNull = fc.option(integer, { nil: null });
const role = fc.constantFrom<Role[]>("follower", "pre-candidate", "candidate", "leader", "learner");
const entryKind = fc.constantFrom("command" as const, "no-op" as const, "configuration" as const);

export const entry: Arbitrary<Entry> = fc.record({
  index: integer,
  term: integer,
  kind: entryKind,
  data: bytes,
});

export const configuration: Arbitrary<Configuration> = fc.record({
  voters: ids,
  votersOutgoing: ids,
  learners: ids,
  addresses: fc
    .array(fc.tuple(integer, text), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
});

const snapshotMetadata: Arbitrary<SnapshotMetadata> = fc.record({
  index: integer,
  term: integer,
  configuration,
  configurationIndex: integer,
});

type OfType<T extends Message["type"]> = Extract<Message, { readonly type: T }>;

/** One per type: a new one cannot be forgotten, since this would not compile. */
export const messages: { readonly [T in Message["type"]]: Arbitrary<OfType<T>> } = {
  "request-vote": fc.record({
    type: fc.constant("request-vote"),
    term: integer,
    preVote: bool,
    lastLogIndex: integer,
    lastLogTerm: integer,
    leadershipTransfer: bool,
  }),
  "request-vote-response": fc.record({
    type: fc.constant("request-vote-response"),
    term: integer,
    preVote: bool,
    voteGranted: bool,
  }),
  "append-entries": fc.record({
    type: fc.constant("append-entries"),
    term: integer,
    prevLogIndex: integer,
    prevLogTerm: integer,
    entries: fc.array(entry, { maxLength: 6 }),
    leaderCommit: integer,
    readRound: integer,
  }),
  "append-entries-response": fc.record({
    type: fc.constant("append-entries-response"),
    term: integer,
    success: bool,
    matchIndex: integer,
    hintIndex: integer,
    hintTerm: integer,
    rejectedIndex: integer,
    readRound: integer,
    heartbeat: bool,
    priority: integer,
  }),
  "install-snapshot": fc.record({
    type: fc.constant("install-snapshot"),
    term: integer,
    snapshot: snapshotMetadata,
    offset: integer,
    data: bytes,
    done: bool,
  }),
  "install-snapshot-response": fc.record({
    type: fc.constant("install-snapshot-response"),
    term: integer,
    snapshotIndex: integer,
    nextOffset: integer,
    done: bool,
  }),
  "timeout-now": fc.record({ type: fc.constant("timeout-now"), term: integer }),
  "read-index": fc.record({
    type: fc.constant("read-index"),
    term: integer,
    requestId: integer,
  }),
  "read-index-response": fc.record({
    type: fc.constant("read-index-response"),
    term: integer,
    requestId: integer,
    index: integer,
  }),
};

export const message: Arbitrary<Message> = fc.oneof(...Object.values(messages));

const messageKind = fc.constantFrom(
  "append" as const,
  "heartbeat" as const,
  "vote" as const,
  "pre-vote" as const,
  "snapshot" as const,
  "transfer" as const,
  "read-index" as const,
);
const id: Arbitrary<MessageId> = fc.record({
  source: integer,
  incarnation: integer,
  sequence: integer,
});
const summary: Arbitrary<MessageSummary> = fc.record({
  kind: messageKind,
  reply: bool,
  term: integer,
  success: bool,
  prevLogIndex: integer,
  prevLogTerm: integer,
  entryCount: uint32,
  leaderCommit: integer,
  matchIndex: integer,
  readRound: integer,
  offset: integer,
  bytes: uint32,
});
const entryView: Arbitrary<EntryView> = fc.record({
  index: integer,
  term: integer,
  kind: entryKind,
  description: text,
});
const row: Arbitrary<RowView> = fc.record({
  key: text,
  value: fc.option(text, { nil: null }),
});
const rows = fc.array(row, { maxLength: 3 });
const progress: Arbitrary<ProgressView> = fc.record({
  peerId: integer,
  state: fc.constantFrom("probe" as const, "replicate" as const, "snapshot" as const),
  matchIndex: integer,
  nextIndex: integer,
  inflightCount: uint32,
});
const timer: Arbitrary<TimerView | null> = fc.option(
  fc.record({ atUs: integer, elapsedTicks: uint32, timeoutTicks: uint32, tickUs: integer }),
  { nil: null },
);
export const link: Arbitrary<LinkView> = fc.record({
  source: integer,
  target: integer,
  cut: bool,
  delayMs: number,
  jitterMs: number,
  dropRate: number,
  duplicateRate: number,
  messageKinds: fc.array(messageKind, { maxLength: 3 }),
});
export const nodeView: Arbitrary<NodeView> = fc.record({
  nodeId: integer,
  incarnation: integer,
  role,
  term: integer,
  votedFor: idOrNull,
  leaderId: idOrNull,
  commitIndex: integer,
  appliedIndex: integer,
  durableIndex: integer,
  lastIndex: integer,
  firstIndex: integer,
  snapshotIndex: integer,
  snapshotTerm: integer,
  votesGranted: ids,
  votesRejected: ids,
  timer,
  entries: fc.array(entryView, { maxLength: 3 }),
  rows,
  progress: fc.array(progress, { maxLength: 3 }),
  configuration,
  diskBytes: integer,
  lastSyncUs: integer,
});

type BodyOf<K extends ObservationKind> = Extract<ObservationBody, { readonly kind: K }>;

const flight = { id, target: integer, sentAtUs: integer, message: summary };

/** One per kind, without its tag: a new one cannot be forgotten, since this would not compile. */
const bodyFields: { readonly [K in ObservationKind]: Arbitrary<Omit<BodyOf<K>, "kind">> } = {
  "role-changed": fc.record({
    role,
    term: integer,
    leaderId: idOrNull,
    votedFor: idOrNull,
    reason: text,
  }),
  "votes-changed": fc.record({ term: integer, preVote: bool, granted: ids, rejected: ids }),
  "timer-changed": fc.record({ timer }),
  "log-appended": fc.record({ entries: fc.array(entryView, { maxLength: 3 }) }),
  "entries-omitted": fc.record({
    runs: fc.array(fc.record({ firstIndex: integer, count: uint32, term: integer }), {
      maxLength: 3,
    }),
  }),
  "log-truncated": fc.record({ fromIndex: integer }),
  "log-compacted": fc.record({
    throughIndex: integer,
    snapshotIndex: integer,
    snapshotTerm: integer,
  }),
  "durable-advanced": fc.record({
    durableIndex: integer,
    lastSyncUs: integer,
    diskBytes: integer,
  }),
  "commit-advanced": fc.record({ commitIndex: integer }),
  "progress-changed": fc.record({ progress }),
  "snapshot-transfer": fc.record({
    direction: fc.constantFrom("sending" as const, "receiving" as const),
    peerId: integer,
    snapshotIndex: integer,
    offset: integer,
    done: bool,
  }),
  "read-confirmed": fc.record({ index: integer, readCount: uint32, acknowledgedBy: ids }),
  "transfer-changed": fc.record({
    targetId: idOrNull,
    phase: fc.constantFrom(
      "started" as const,
      "sent" as const,
      "aborted" as const,
      "done" as const,
    ),
  }),
  "configuration-changed": fc.record({ configuration, index: integer, committed: bool }),
  applied: fc.record({ appliedIndex: integer, rows }),
  restored: fc.record({ snapshotIndex: integer, rows }),
  "message-sent": fc.record({ id, target: integer, message: summary }),
  "message-arriving": fc.record({ ...flight, dueAtUs: integer }),
  "message-received": fc.record(flight),
  "message-dropped": fc.record({
    ...flight,
    reason: fc.constantFrom(
      "cut" as const,
      "loss" as const,
      "overflow" as const,
      "stepped" as const,
      "restart" as const,
    ),
  }),
  "connection-changed": fc.record({
    peerId: integer,
    state: fc.constantFrom("connecting" as const, "ready" as const, "backoff" as const),
  }),
  "messages-omitted": fc.record({ count: integer, bytes: integer }),
  "requests-omitted": fc.record({ count: integer }),
  "request-started": fc.record({ requestId: text, description: text, write: bool }),
  "request-forwarded": fc.record({ requestId: text, leaderId: integer }),
  "request-proposed": fc.record({ requestId: text, index: integer, term: integer }),
  "request-finished": fc.record({
    requestId: text,
    outcome: fc.constantFrom("ok" as const, "failed" as const, "unknown" as const),
    detail: text,
    durationUs: integer,
  }),
  "node-view": fc.record({ view: nodeView }),
  gap: fc.record({ droppedCount: integer }),
  "health-changed": fc.record({
    health: fc.constantFrom(
      "starting" as const,
      "running" as const,
      "paused" as const,
      "stopped" as const,
      "crashed" as const,
    ),
    pid: uint32,
    address: text,
    cause: text,
    lastWords: text,
  }),
  "node-removed": fc.constant({}),
  "disk-changed": fc.record({ disk: fc.record({ delayMs: number, fail: bool, full: bool }) }),
  "clock-changed": fc.record({ rate: number }),
  "links-changed": fc.record({ links: fc.array(link, { maxLength: 3 }) }),
  "speed-changed": fc.record({ speed: number, frozen: bool }),
  "invariant-violated": fc.record({ invariant: text, explanation: text }),
};

export const observationKinds = Object.keys(bodyFields) as ObservationKind[];

export function observationOf(kind: ObservationKind): Arbitrary<Observation> {
  const body = bodyFields[kind].map((fields) => ({ kind, ...fields }) as ObservationBody);
  const stamp = { nodeId: integer, incarnation: integer, sequence: integer, timeUs: integer };
  return fc.record({ ...stamp, body });
}

export function envelope(of: Arbitrary<Message>): Arbitrary<Envelope> {
  return fc.record({
    source: integer,
    target: integer,
    incarnation: integer,
    sequence: integer,
    sentAtUs: integer,
    message: of,
  });
}
