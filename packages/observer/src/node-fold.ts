/** The part of the fold that concerns one node: its core's and its process's observations. */
import type { NodeId } from "@raftarium/raft";
import {
  ENTRIES_IN_VIEW_MAX,
  ROWS_IN_VIEW_MAX,
  type EntryRun,
  type EntryView,
  type NodeView,
  type Observation,
  type ObservationBody,
  type RowView,
} from "./observation.ts";
import type { ClusterNode } from "./view.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** Only the fold writes to it, and only until the next snapshot shares it. */
export type NodeDraft = Mutable<ClusterNode>;

export function newNode(nodeId: NodeId): NodeDraft {
  return {
    nodeId,
    incarnation: 0,
    role: "follower",
    term: 0,
    votedFor: null,
    leaderId: null,
    commitIndex: 0,
    appliedIndex: 0,
    durableIndex: 0,
    lastIndex: 0,
    firstIndex: 1,
    snapshotIndex: 0,
    snapshotTerm: 0,
    votesGranted: [],
    votesRejected: [],
    timer: null,
    entries: [],
    rows: [],
    progress: [],
    configuration: { voters: [], votersOutgoing: [], learners: [], addresses: {} },
    diskBytes: 0,
    lastSyncUs: 0,
    known: false,
    health: "starting",
    healthAtUs: 0,
    pid: 0,
    address: "",
    cause: "",
    lastWords: "",
    roleAtUs: 0,
    roleReason: "",
    preVote: false,
    commitAtUs: 0,
    durableAtUs: 0,
    connections: new Map(),
    transferTargetId: null,
    transferPhase: null,
    snapshotTransfers: [],
    configurationCommitted: true,
    disk: { delayMs: 0, fail: false, full: false },
    clockRate: 1,
    heardAtUs: 0,
    lostCount: 0,
    omittedCount: 0,
    omittedBytes: 0,
  };
}

/** A process of this node began: what its memory held is gone, what is on disk is as last known. */
export function beginIncarnation(draft: NodeDraft, incarnation: number): void {
  draft.incarnation = incarnation;
  draft.known = false;
  draft.timer = null;
  draft.leaderId = null;
  draft.votesGranted = [];
  draft.votesRejected = [];
  draft.progress = [];
  draft.connections = new Map();
  draft.snapshotTransfers = [];
  draft.transferTargetId = null;
  draft.transferPhase = null;
  if (draft.role !== "learner") draft.role = "follower";
}

/** A full view takes the place of everything the core said before. */
export function replaceByView(draft: NodeDraft, view: NodeView, atUs: number): void {
  if (view.role !== draft.role || view.term !== draft.term) {
    draft.roleAtUs = atUs;
    draft.roleReason = "";
  }
  const { timer, entries, rows, ...rest } = view;
  Object.assign(draft, rest);
  draft.timer = timer;
  draft.entries = entries.slice(-ENTRIES_IN_VIEW_MAX);
  draft.rows = rows.slice(0, ROWS_IN_VIEW_MAX);
  draft.preVote = view.role === "pre-candidate";
  draft.known = true;
}

type BodyOf<K extends ObservationBody["kind"]> = Extract<ObservationBody, { kind: K }>;

function changeRole(draft: NodeDraft, body: BodyOf<"role-changed">, atUs: number): void {
  if (draft.role !== body.role || draft.term !== body.term) {
    draft.roleAtUs = atUs;
    draft.roleReason = body.reason;
  }
  const campaigning = body.role === "candidate" || body.role === "pre-candidate";
  if (!campaigning || body.term !== draft.term || body.role !== draft.role) {
    draft.votesGranted = [];
    draft.votesRejected = [];
  }
  draft.preVote = body.role === "pre-candidate";
  if (body.role === "leader" || body.role === "learner") draft.timer = null;
  if (body.role !== "leader") {
    draft.progress = [];
    draft.transferTargetId = null;
    draft.transferPhase = null;
  }
  draft.role = body.role;
  draft.term = body.term;
  draft.leaderId = body.leaderId;
  draft.votedFor = body.votedFor;
}

function append(draft: NodeDraft, added: readonly EntryView[]): void {
  const first = added[0];
  const last = added.at(-1);
  if (first === undefined || last === undefined) return;
  const kept =
    first.index > draft.lastIndex && (draft.entries.at(-1)?.index ?? 0) < first.index
      ? draft.entries
      : draft.entries.filter((entry) => entry.index < first.index);
  const excess = Math.max(0, kept.length + added.length - ENTRIES_IN_VIEW_MAX);
  draft.entries = [...kept.slice(excess), ...added].slice(-ENTRIES_IN_VIEW_MAX);
  draft.lastIndex = last.index;
  if (first.index <= draft.durableIndex) draft.durableIndex = first.index - 1;
}

/** Of these nothing can be shown; what came before them is not next to what comes after. */
function skip(draft: NodeDraft, runs: readonly EntryRun[]): void {
  const first = runs[0];
  const last = runs.at(-1);
  if (first === undefined || last === undefined) return;
  draft.entries = [];
  draft.lastIndex = last.firstIndex + last.count - 1;
  if (first.firstIndex <= draft.durableIndex) draft.durableIndex = first.firstIndex - 1;
}

function truncate(draft: NodeDraft, body: BodyOf<"log-truncated">): void {
  draft.entries = draft.entries.filter((entry) => entry.index < body.fromIndex);
  draft.lastIndex = Math.min(draft.lastIndex, body.fromIndex - 1);
  draft.durableIndex = Math.min(draft.durableIndex, draft.lastIndex);
}

function compact(draft: NodeDraft, body: BodyOf<"log-compacted">): void {
  draft.entries = draft.entries.filter((entry) => entry.index > body.throughIndex);
  draft.firstIndex = body.throughIndex + 1;
  draft.snapshotIndex = body.snapshotIndex;
  draft.snapshotTerm = body.snapshotTerm;
  draft.lastIndex = Math.max(draft.lastIndex, body.throughIndex);
  draft.durableIndex = Math.max(draft.durableIndex, body.throughIndex);
}

/** Rows stay sorted by key (code units); beyond the window they are left out. */
function mergeRows(rows: readonly RowView[], changes: readonly RowView[]): readonly RowView[] {
  if (changes.length === 0) return rows;
  const merged = [...rows];
  for (const change of changes) {
    let at = merged.findIndex((row) => row.key >= change.key);
    if (at < 0) at = merged.length;
    const found = merged[at]?.key === change.key ? 1 : 0;
    if (change.value === null) merged.splice(at, found);
    else merged.splice(at, found, change);
  }
  return merged.slice(0, ROWS_IN_VIEW_MAX);
}

/** Replaces the element that `same` recognises, or adds one. */
function put<T>(list: readonly T[], value: T, same: (other: T) => boolean): readonly T[] {
  const at = list.findIndex(same);
  return at < 0 ? [...list, value] : list.with(at, value);
}

function changeHealth(draft: NodeDraft, body: BodyOf<"health-changed">, atUs: number): void {
  if (draft.health !== body.health || draft.pid !== body.pid) draft.healthAtUs = atUs;
  draft.health = body.health;
  draft.pid = body.pid;
  if (body.address !== "") draft.address = body.address;
  draft.cause = body.cause;
  draft.lastWords = body.lastWords;
  if (body.health === "crashed" || body.health === "stopped") {
    draft.timer = null;
    draft.connections = new Map();
    draft.snapshotTransfers = [];
  }
}

/** A leader has nothing more to do with whom a change removed. */
function progressOfMembers({ progress, configuration }: NodeDraft): NodeDraft["progress"] {
  const { voters, votersOutgoing, learners } = configuration;
  const members = new Set([...voters, ...votersOutgoing, ...learners]);
  return progress.filter(({ peerId }) => members.has(peerId));
}

/** Folds what concerns this node only. Messages, requests and the cluster are not for it. */
export function foldNode(draft: NodeDraft, observation: Observation): void {
  const { body, timeUs } = observation;
  switch (body.kind) {
    case "role-changed":
      return changeRole(draft, body, timeUs);
    case "votes-changed":
      draft.preVote = body.preVote;
      draft.votesGranted = body.granted;
      draft.votesRejected = body.rejected;
      return;
    case "timer-changed":
      // A learner counts as everybody does, but nothing comes of it: it may not campaign.
      draft.timer = draft.role === "learner" ? null : body.timer;
      return;
    case "log-appended":
      return append(draft, body.entries);
    case "entries-omitted":
      return skip(draft, body.runs);
    case "log-truncated":
      return truncate(draft, body);
    case "log-compacted":
      return compact(draft, body);
    case "durable-advanced":
      draft.durableIndex = body.durableIndex;
      draft.durableAtUs = timeUs;
      draft.lastSyncUs = body.lastSyncUs;
      draft.diskBytes = body.diskBytes;
      return;
    case "commit-advanced":
      draft.commitIndex = body.commitIndex;
      draft.commitAtUs = timeUs;
      return;
    case "progress-changed": {
      const { peerId } = body.progress;
      draft.progress = put(draft.progress, body.progress, (other) => other.peerId === peerId);
      return;
    }
    case "snapshot-transfer": {
      const { kind: _, ...transfer } = body;
      draft.snapshotTransfers = put(
        draft.snapshotTransfers,
        { ...transfer, atUs: timeUs },
        (other) => other.peerId === body.peerId && other.direction === body.direction,
      );
      return;
    }
    case "transfer-changed": {
      const over = body.phase === "done" || body.phase === "aborted";
      draft.transferTargetId = over ? null : body.targetId;
      draft.transferPhase = body.phase;
      return;
    }
    case "configuration-changed":
      draft.configuration = body.configuration;
      draft.configurationCommitted = body.committed;
      if (body.committed) draft.progress = progressOfMembers(draft);
      return;
    case "applied":
      draft.appliedIndex = body.appliedIndex;
      draft.rows = mergeRows(draft.rows, body.rows);
      return;
    case "restored":
      draft.snapshotIndex = body.snapshotIndex;
      draft.appliedIndex = body.snapshotIndex;
      draft.commitIndex = Math.max(draft.commitIndex, body.snapshotIndex);
      draft.rows = body.rows.slice(0, ROWS_IN_VIEW_MAX);
      return;
    case "connection-changed":
      draft.connections = new Map(draft.connections).set(body.peerId, body.state);
      return;
    case "messages-omitted":
      draft.omittedCount += body.count;
      draft.omittedBytes += body.bytes;
      return;
    case "node-view":
      return replaceByView(draft, body.view, timeUs);
    case "gap":
      draft.lostCount += body.droppedCount;
      return;
    case "disk-changed":
      draft.disk = body.disk;
      return;
    case "clock-changed":
      draft.clockRate = body.rate;
      return;
    case "health-changed":
      return changeHealth(draft, body, timeUs);
    default:
      return;
  }
}
