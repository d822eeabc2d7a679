/** Views for tests, made as the page makes them: by folding observations. */
import {
  createFold,
  type ClusterView,
  type EntryView,
  type NodeView,
  type Observation,
  type ObservationBody,
} from "@raftarium/observer";

const NODE: NodeView = {
  nodeId: 0,
  incarnation: 1,
  role: "follower",
  term: 1,
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
};

/** Entries `from` to `to` of one term: `k7=v`. */
export function entries(from: number, to: number, term = 1): readonly EntryView[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => ({
    index: from + at,
    term,
    kind: "command" as const,
    description: `k${from + at}=v`,
  }));
}

/** Observations of a cluster of these nodes, numbered from 1, all running. */
export function observationsOf(
  nodes: readonly Partial<NodeView>[],
  more: readonly (readonly [nodeId: number, body: ObservationBody])[] = [],
): readonly Observation[] {
  const health = { kind: "health-changed", health: "running" } as const;
  const process = { pid: 1, address: "", cause: "", lastWords: "" };
  const told = nodes.flatMap((node, at): (readonly [number, ObservationBody])[] => {
    const nodeId = at + 1;
    const last = node.entries?.at(-1)?.index ?? 0;
    const view = { ...NODE, lastIndex: last, durableIndex: last, ...node, nodeId };
    return [
      [nodeId, { ...health, ...process }],
      [nodeId, { kind: "node-view", view }],
    ];
  });
  return [...told, ...more].map(([nodeId, body], at) => ({
    nodeId,
    incarnation: 1,
    sequence: at + 1,
    timeUs: (at + 1) * 1_000_000,
    body,
  }));
}

export function clusterOf(...about: Parameters<typeof observationsOf>): ClusterView {
  const folding = createFold();
  for (const observation of observationsOf(...about)) folding.apply(observation);
  return folding.snapshot();
}

export function killed(nodeId: number): readonly [number, ObservationBody] {
  const process = { pid: 0, address: "", cause: "SIGKILL", lastWords: "" };
  return [nodeId, { kind: "health-changed", health: "crashed", ...process }];
}
