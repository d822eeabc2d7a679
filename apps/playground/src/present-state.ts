/** A view of the cluster as observations, for readers who come later. */
import type {
  ClusterNode,
  ClusterView,
  NodeView,
  Observation,
  ObservationBody,
} from "@raftarium/observer";

/**
 * Observations from which a fold that knows nothing arrives at `view`: speed, links, the promises
 * that were broken, and of each node its health, its view, its connections, and the messages that
 * wait in its gate.
 */
export function presentState(
  view: ClusterView,
  ofCluster: (body: ObservationBody) => Observation,
  sequenceOf: (nodeId: number) => number,
): readonly Observation[] {
  const { speed, frozen } = view;
  const state = [
    ofCluster({ kind: "speed-changed", speed, frozen }),
    ofCluster({ kind: "links-changed", links: [...view.links.values()] }),
  ];
  for (const { invariant, explanation, atUs } of view.violations) {
    const told = ofCluster({ kind: "invariant-violated", invariant, explanation });
    state.push({ ...told, timeUs: atUs });
  }
  for (const node of view.nodes) {
    const { nodeId, incarnation, health, pid, address, cause, lastWords } = node;
    const sequence = sequenceOf(nodeId);
    const { timeUs } = view;
    const tell = (body: ObservationBody) =>
      state.push({ nodeId, incarnation, sequence, timeUs, body });
    const ofProcess = (body: ObservationBody) =>
      state.push({ nodeId, incarnation, sequence: 0, timeUs: node.healthAtUs, body });
    ofProcess({ kind: "health-changed", health, pid, address, cause, lastWords });
    ofProcess({ kind: "disk-changed", disk: node.disk });
    ofProcess({ kind: "clock-changed", rate: node.clockRate });
    if (node.term === 0 && !node.known) continue;
    tell({ kind: "node-view", view: nodeViewOf(node) });
    for (const [peerId, connection] of node.connections) {
      tell({ kind: "connection-changed", peerId, state: connection });
    }
  }
  for (const flight of view.messages.values()) {
    const { id, source, target, message, sentAtUs, dueAtUs, held, endedAtUs } = flight;
    if (endedAtUs !== null) continue;
    const stamp = (nodeId: number) => ({
      nodeId,
      incarnation: view.nodes.find((node) => node.nodeId === nodeId)?.incarnation ?? 0,
      sequence: sequenceOf(nodeId),
      timeUs: view.timeUs,
    });
    state.push(
      dueAtUs === null && !held
        ? {
            ...stamp(source),
            timeUs: sentAtUs,
            body: { kind: "message-sent", id, target, message },
          }
        : {
            ...stamp(target),
            body: {
              kind: "message-arriving",
              id,
              target,
              sentAtUs,
              dueAtUs: dueAtUs ?? 0,
              message,
            },
          },
    );
  }
  return state;
}

function nodeViewOf(node: ClusterNode): NodeView {
  const { nodeId, incarnation, role, term, votedFor, leaderId, commitIndex, appliedIndex } = node;
  const { durableIndex, lastIndex, firstIndex, snapshotIndex, snapshotTerm } = node;
  const { votesGranted, votesRejected, timer, entries, rows, progress, configuration } = node;
  const { diskBytes, lastSyncUs } = node;
  return {
    nodeId,
    incarnation,
    role,
    term,
    votedFor,
    leaderId,
    commitIndex,
    appliedIndex,
    durableIndex,
    lastIndex,
    firstIndex,
    snapshotIndex,
    snapshotTerm,
    votesGranted,
    votesRejected,
    timer,
    entries,
    rows,
    progress,
    configuration,
    diskBytes,
    lastSyncUs,
  };
}
