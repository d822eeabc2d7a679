/**
 * Observations in, a `ClusterView` out. Pure: no clock, no chance; the same observations in the
 * same order give the same view, live, recorded or simulated.
 *
 * The fold writes in place and shares on demand: `apply` is cheap (thousands a second), and
 * `snapshot` gives a view that never changes again, at the cost of what changed since the last.
 */
import type { NodeId } from "@raftarium/raft";
import type { LinkView, Observation, ObservationBody } from "./observation.ts";
import { beginIncarnation, foldNode, newNode, type NodeDraft } from "./node-fold.ts";
import { createFlights } from "./flights.ts";
import {
  REQUESTS_IN_VIEW_MAX,
  VIOLATIONS_IN_VIEW_MAX,
  linkKey,
  type ClusterView,
  type RequestView,
  type ViolationView,
} from "./view.ts";

export interface Fold {
  apply(observation: Observation): void;
  /** The view now. It never changes afterwards; unchanged parts are shared between snapshots. */
  snapshot(): ClusterView;
}

export const EMPTY_VIEW: ClusterView = {
  version: 0,
  timeUs: 0,
  nodes: [],
  messages: new Map(),
  links: new Map(),
  speed: 1,
  frozen: false,
  requests: new Map(),
  violations: [],
  receivedCount: 0,
  droppedCount: 0,
  omittedCount: 0,
  omittedRequestCount: 0,
  lostCount: 0,
};

/** Kinds that the node itself tells, and whose sequence therefore has no holes. */
function spokenByNode(body: ObservationBody): boolean {
  return (
    body.kind !== "health-changed" &&
    body.kind !== "node-removed" &&
    body.kind !== "disk-changed" &&
    body.kind !== "clock-changed" &&
    body.kind !== "gap" &&
    body.kind !== "invariant-violated"
  );
}

/**
 * @param start where to begin: a keyframe, or nothing known.
 */
export function createFold(start: ClusterView = EMPTY_VIEW): Fold {
  let { version, timeUs, speed, frozen, violations, omittedCount, omittedRequestCount, lostCount } =
    start;
  const drafts = new Map<NodeId, NodeDraft>(start.nodes.map((node) => [node.nodeId, node]));
  /** Drafts that no snapshot has handed out yet: these may be written in place. */
  const owned = new Set<NodeId>();
  const sequences = new Map<NodeId, number>();
  const flights = createFlights(start);
  let nodes: ClusterView["nodes"] | null = start.nodes;
  let links = start.links;
  let requests: ReadonlyMap<string, RequestView> = start.requests;
  let requestsOwned: Map<string, RequestView> | null = null;
  let latest: ClusterView | null = start;

  function draftOf(nodeId: NodeId): NodeDraft {
    const found = drafts.get(nodeId);
    if (found !== undefined && owned.has(nodeId)) return found;
    const draft = found === undefined ? newNode(nodeId) : { ...found };
    drafts.set(nodeId, draft);
    owned.add(nodeId);
    nodes = null;
    return draft;
  }

  function applyToNode(observation: Observation): void {
    const { nodeId, incarnation, sequence, body } = observation;
    const current = drafts.get(nodeId)?.incarnation ?? 0;
    if (incarnation < current) return;
    if (body.kind === "node-removed") {
      drafts.delete(nodeId);
      owned.delete(nodeId);
      sequences.delete(nodeId);
      nodes = null;
      return;
    }
    const draft = draftOf(nodeId);
    if (incarnation > current) {
      beginIncarnation(draft, incarnation);
      sequences.delete(nodeId);
    }
    if (body.kind === "gap") lostCount += body.droppedCount;
    if (body.kind === "messages-omitted") omittedCount += body.count;
    if (body.kind === "requests-omitted") omittedRequestCount += body.count;
    if (spokenByNode(body)) {
      const last = sequences.get(nodeId);
      const holes = last === undefined || body.kind === "node-view" ? 0 : sequence - last - 1;
      if (holes > 0) {
        draft.lostCount += holes;
        lostCount += holes;
      }
      if (last === undefined || sequence > last || body.kind === "node-view") {
        sequences.set(nodeId, sequence);
      }
      if (draft.health === "starting" && draft.pid === 0) draft.health = "running";
    }
    draft.heardAtUs = Math.max(draft.heardAtUs, observation.timeUs);
    foldNode(draft, observation);
    if (body.kind === "health-changed" && (body.health === "crashed" || body.health === "stopped"))
      flights.receiverEnded(nodeId, observation.timeUs);
  }

  function setRequest(request: RequestView): void {
    requestsOwned ??= new Map(requests);
    requestsOwned.set(request.requestId, request);
    if (requestsOwned.size > REQUESTS_IN_VIEW_MAX) {
      const oldest = requestsOwned.keys().next();
      if (!oldest.done) requestsOwned.delete(oldest.value);
    }
    requests = requestsOwned;
  }

  function applyRequest(observation: Observation): void {
    const { body } = observation;
    if (
      body.kind !== "request-started" &&
      body.kind !== "request-forwarded" &&
      body.kind !== "request-proposed" &&
      body.kind !== "request-finished"
    )
      return;
    const request = requests.get(body.requestId) ?? newRequest(body.requestId, observation);
    switch (body.kind) {
      case "request-started":
        return setRequest({
          ...request,
          nodeId: observation.nodeId,
          description: body.description,
          write: body.write,
          startedAtUs: observation.timeUs,
        });
      case "request-forwarded":
        return setRequest({ ...request, forwardedTo: body.leaderId });
      case "request-proposed":
        return setRequest({ ...request, index: body.index, term: body.term });
      case "request-finished":
        return setRequest({
          ...request,
          outcome: body.outcome,
          detail: body.detail,
          durationUs: body.durationUs,
          finishedAtUs: observation.timeUs,
        });
    }
  }

  function applyToCluster(observation: Observation): void {
    const { body } = observation;
    if (body.kind === "links-changed") {
      links = new Map(body.links.map((link): [string, LinkView] => [linkOf(link), link]));
    } else if (body.kind === "speed-changed") {
      speed = body.speed;
      frozen = body.frozen;
    } else if (body.kind === "invariant-violated") {
      const { invariant, explanation } = body;
      const violation = { invariant, explanation, atUs: observation.timeUs };
      if (isKnown(violation, violations)) return;
      violations = [...violations, violation].slice(-VIOLATIONS_IN_VIEW_MAX);
    } else if (body.kind === "gap") {
      lostCount += body.droppedCount;
    } else if (body.kind === "messages-omitted") {
      omittedCount += body.count;
    }
  }

  return {
    apply(observation) {
      version += 1;
      latest = null;
      timeUs = Math.max(timeUs, observation.timeUs);
      flights.apply(observation, timeUs, (nodeId) => drafts.get(nodeId)?.health === "paused");
      applyRequest(observation);
      if (observation.nodeId === 0 || observation.body.kind === "invariant-violated") {
        applyToCluster(observation);
      } else applyToNode(observation);
    },
    snapshot() {
      if (latest !== null) return latest;
      owned.clear();
      requestsOwned = null;
      nodes ??= [...drafts.values()].toSorted((a, b) => a.nodeId - b.nodeId);
      latest = {
        version,
        timeUs,
        nodes,
        messages: flights.snapshot(),
        links,
        speed,
        frozen,
        requests,
        violations,
        receivedCount: flights.receivedCount(),
        droppedCount: flights.droppedCount(),
        omittedCount,
        omittedRequestCount,
        lostCount,
      };
      return latest;
    },
  };
}

/** A state that is told again tells of the same violations again. */
function isKnown(violation: ViolationView, known: readonly ViolationView[]): boolean {
  return known.some(({ atUs, explanation }) => {
    return atUs === violation.atUs && explanation === violation.explanation;
  });
}

function linkOf(link: LinkView): string {
  return linkKey(link.source, link.target);
}

function newRequest(requestId: string, observation: Observation): RequestView {
  return {
    requestId,
    nodeId: observation.nodeId,
    description: "",
    write: false,
    startedAtUs: observation.timeUs,
    forwardedTo: null,
    index: null,
    term: null,
    outcome: null,
    detail: "",
    durationUs: 0,
    finishedAtUs: null,
  };
}

/** One observation onto a view, for those who keep views rather than a fold. */
export function fold(view: ClusterView, observation: Observation): ClusterView {
  const folding = createFold(view);
  folding.apply(observation);
  return folding.snapshot();
}
