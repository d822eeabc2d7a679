/**
 * What an observation has to say to a person who did not see it happen: one short sentence in
 * plain words, or nothing. Pure: the observation and the view just before it are all it needs.
 */
import type { LogIndex, NodeId, Term } from "@raftarium/raft";
import { linksTold } from "./feed-links.ts";
import {
  event,
  plain,
  secondsWords,
  strong,
  termWords,
  type FeedWords,
  type Telling,
} from "./feed-words.ts";
import type { DiskFault, LinkView, Observation, ObservationBody } from "./observation.ts";
import { leaderOf, linkKey, nodeById, type ClusterNode, type ClusterView } from "./view.ts";
import { listWords, membersWords, votersOf } from "./words.ts";

type BodyOf<K extends ObservationBody["kind"]> = Extract<ObservationBody, { kind: K }>;

/** "put fruit = pear", "get fruit", "delete fruit", from a state machine's own description. */
export function requestWords(description: string, write: boolean): string {
  if (!write || /^(txn|compact) /.test(description)) return description;
  if (description.startsWith("del ")) return `delete ${description.slice(4)}`;
  return description.includes("=") ? `put ${description.replace("=", " = ")}` : description;
}

/** How many nodes have this very entry on their disks, as far as their logs are in view. */
export function disksWith(view: ClusterView, index: LogIndex, term: Term): number {
  let count = 0;
  for (const node of view.nodes) {
    if (node.durableIndex < index) continue;
    const entry = node.entries[index - (node.entries[0]?.index ?? 0)];
    if (entry === undefined || entry.index !== index || entry.term === term) count += 1;
  }
  return count;
}

/** Error texts carry the name of the server that etcd's clients expect; people need not. */
function causeWords(detail: string): string {
  return detail.replace(/^etcdserver: /, "");
}

/** A leader has no timer of its own to tell how long a tick is; the others' have. */
function ticksWords(view: ClusterView, node: ClusterNode | undefined, ticks: number): string {
  const timed = [node, ...view.nodes].find((other) => (other?.timer?.tickUs ?? 0) > 0);
  const tickUs = timed?.timer?.tickUs ?? 0;
  return tickUs > 0 ? secondsWords(ticks * tickUs) : `${ticks} ticks`;
}

/** The core's reasons, in the feed's words. They count in ticks; people count in seconds. */
function reasonWords(view: ClusterView, reason: string, node: ClusterNode | undefined): string {
  return reason
    .replace(/^heard no (leader|majority) for (\d+) ticks$/, (_, whom: string, ticks: string) => {
      return `heard no ${whom} for ${ticksWords(view, node, Number(ticks))}`;
    })
    .replace(/^heard of term (\d+) from (\d+)$/, "heard of term $1 from node $2")
    .replace(/^(\d+) leads term (\d+)$/, "node $1 leads term $2");
}

function leaderTelling(nodeId: NodeId, body: BodyOf<"role-changed">): Telling {
  const { term, reason } = body;
  const votes = /^won with the votes of (.+)$/.exec(reason)?.[1];
  const how =
    votes === undefined
      ? ""
      : ` with ${votes.includes(" ") ? "the votes" : "the vote"} of ${votes}`;
  return event(`won:${nodeId}:${term}`, nodeId, [plain("won "), termWords(term), plain(how)]);
}

function campaignTelling(
  nodeId: NodeId,
  body: BodyOf<"role-changed">,
  node: ClusterNode | undefined,
  view: ClusterView,
): Telling {
  const { role, term, reason } = body;
  if (role === "candidate") {
    const why = reason === "" ? "" : `: ${reasonWords(view, reason, node)}`;
    const words = [plain("stands for election in "), termWords(term), plain(why)];
    return event(`stands:${nodeId}:${term}`, nodeId, words);
  }
  const again = node?.role === "pre-candidate" || node?.role === "candidate";
  if (again) {
    const words = [plain("was not answered by enough, and asks again about "), termWords(term + 1)];
    return event(`asks-again:${nodeId}:${term}`, nodeId, words);
  }
  const why = reason === "" ? "" : `${reasonWords(view, reason, node)}, and `;
  const words = [plain(`${why}asks whether it would win `), termWords(term + 1)];
  return event(`asks:${nodeId}:${term}`, nodeId, words);
}

function followerTelling(
  nodeId: NodeId,
  body: BodyOf<"role-changed">,
  node: ClusterNode | undefined,
  view: ClusterView,
): Telling | null {
  const { term, reason, leaderId, votedFor } = body;
  const was = node?.role ?? "follower";
  if (was === "leader" || was === "candidate" || was === "pre-candidate") {
    const refused = reason === "a majority refused its vote";
    if (was !== "leader" && refused) {
      const lost = was === "candidate" ? "lost the election of " : "would not have won ";
      const asked = was === "candidate" ? term : term + 1;
      const words = [plain(lost), termWords(asked), plain(": a majority refused")];
      return event(`lost:${nodeId}:${term}`, nodeId, words);
    }
    const deed = was === "leader" ? "stepped down" : "gave up its election";
    const isClause = leaderId !== null || reason.startsWith("the ");
    const why = reason === "" ? "" : `: ${isClause ? "" : "it "}${reasonWords(view, reason, node)}`;
    return event(`down:${nodeId}:${term}`, nodeId, [strong(deed), plain(why)]);
  }
  if (votedFor !== null && reason.startsWith("voted for ")) {
    const words = [plain(`voted for node ${votedFor} in `), termWords(term)];
    return event(`voted:${votedFor}:${term}`, nodeId, words);
  }
  if (leaderId !== null && leaderId !== nodeId) {
    const words = [plain(`accepted node ${leaderId} as the leader of `), termWords(term)];
    return event(`accepted:${leaderId}:${term}`, nodeId, words);
  }
  return null;
}

function roleTelling(
  nodeId: NodeId,
  body: BodyOf<"role-changed">,
  node: ClusterNode | undefined,
  view: ClusterView,
): Telling | null {
  switch (body.role) {
    case "leader":
      return leaderTelling(nodeId, body);
    case "candidate":
    case "pre-candidate":
      return campaignTelling(nodeId, body, node, view);
    case "follower":
    case "learner":
      return followerTelling(nodeId, body, node, view);
  }
}

function endWords(body: BodyOf<"health-changed">): string {
  const { health, cause, lastWords } = body;
  if (health === "stopped")
    return cause === "" ? "left in good order" : `left in good order (${cause})`;
  if (cause === "SIGKILL") return "was killed (SIGKILL)";
  if (cause.startsWith("SIG")) return `was ended by ${cause}`;
  const last = lastWords === "" ? "" : `. Its last words: ${lastWords}`;
  return `ended by itself${cause === "" ? "" : ` (${cause})`}${last}`;
}

function healthTelling(
  nodeId: NodeId,
  body: BodyOf<"health-changed">,
  node: ClusterNode | undefined,
): Telling | null {
  const { health, pid } = body;
  if (node === undefined || node.healthAtUs === 0) {
    if (health === "starting") return event("starting", nodeId, [plain("began to start")]);
    if (health === "running")
      return event("present", nodeId, [plain("ran when this page began to watch")]);
    if (health !== "paused") return event("absent", nodeId, [plain("had ended before")]);
  } else if (node.health === health && node.pid === pid) return null;
  switch (health) {
    case "starting":
      return event(`starting:${nodeId}:${pid}`, nodeId, [
        plain(`was started again, as process ${pid}`),
      ]);
    case "running":
      return node?.health === "paused"
        ? event(`resumed:${nodeId}`, nodeId, [strong("was resumed"), plain(" (SIGCONT)")])
        : event("runs", nodeId, [plain("is up")]);
    case "paused":
      return event(`paused:${nodeId}`, nodeId, [strong("was paused"), plain(" (SIGSTOP)")]);
    case "stopped":
    case "crashed":
      return event(`ended:${nodeId}:${node?.pid ?? 0}`, nodeId, [strong(endWords(body))]);
  }
}

function storedTelling(
  nodeId: NodeId,
  { durableIndex }: BodyOf<"durable-advanced">,
  node: ClusterNode | undefined,
): Telling | null {
  const from = (node?.durableIndex ?? 0) + 1;
  if (node === undefined || from > durableIndex) return null;
  const key = `stored:${from}:${durableIndex}`;
  return {
    kind: "stored",
    key,
    nodeIds: [nodeId],
    words: [],
    tone: "quiet",
    from,
    to: durableIndex,
  };
}

/** Only the leader decides; that the others hear of it later is no news. */
function committedTelling(
  nodeId: NodeId,
  { commitIndex }: BodyOf<"commit-advanced">,
  node: ClusterNode | undefined,
  view: ClusterView,
): Telling | null {
  if (node === undefined || node.role !== "leader") return null;
  const from = node.commitIndex + 1;
  if (from > commitIndex) return null;
  const term = node.entries.find((entry) => entry.index === commitIndex)?.term ?? node.term;
  const disks = disksWith(view, commitIndex, term);
  const words = [plain(`: on ${disks} of ${votersOf(view).length} disks`)];
  const key = `committed:${nodeId}:${commitIndex}`;
  return { kind: "committed", key, nodeIds: [nodeId], words, tone: "plain", from, to: commitIndex };
}

function truncatedTelling(
  nodeId: NodeId,
  { fromIndex }: BodyOf<"log-truncated">,
  node: ClusterNode | undefined,
): Telling {
  const last = Math.max(fromIndex, node?.lastIndex ?? fromIndex);
  const what = fromIndex === last ? `index ${last}` : `indexes ${fromIndex} to ${last}`;
  const leaderId = node?.leaderId ?? null;
  const why = leaderId === null ? "" : `: node ${leaderId} has others there`;
  const words = [strong(`took back ${what}`), plain(`, never committed${why}`)];
  return event(`truncated:${nodeId}:${fromIndex}`, nodeId, words);
}

function snapshotTelling(
  nodeId: NodeId,
  body: BodyOf<"snapshot-transfer">,
  node: ClusterNode | undefined,
): Telling | null {
  if (body.direction !== "sending") return null;
  const { peerId, snapshotIndex, done } = body;
  const earlier = node?.snapshotTransfers.find(
    (other) => other.peerId === peerId && other.direction === "sending" && !other.done,
  );
  if (!done && earlier?.snapshotIndex === snapshotIndex) return null;
  const deed = done ? "has sent node" : "began to send node";
  const words = [plain(`${deed} ${peerId} its snapshot of all through index ${snapshotIndex}`)];
  return event(`snapshot:${nodeId}:${peerId}:${snapshotIndex}:${done}`, nodeId, words);
}

function requestTelling(observation: Observation, view: ClusterView): Telling | null {
  const { body } = observation;
  if (body.kind !== "request-started" && body.kind !== "request-forwarded") return null;
  const { requestId } = body;
  const known = view.requests.get(requestId);
  const asked = body.kind === "request-started" ? observation.nodeId : known?.nodeId;
  const said = body.kind === "request-started" ? body : known;
  if (asked === undefined || said === undefined) return null;
  const what = requestWords(said.description, said.write);
  const words: FeedWords[] = [plain(`A client asked node ${asked} to `), strong(what)];
  if (body.kind === "request-forwarded") {
    words.push(plain(`; node ${asked} forwarded it to node ${body.leaderId}`));
  }
  const key = `request:${requestId}`;
  const to = body.kind === "request-started" ? 1 : 0;
  return { kind: "request", key, nodeIds: [], words, tone: "plain", from: 0, to };
}

function answerTelling(
  nodeId: NodeId,
  body: BodyOf<"request-finished">,
  view: ClusterView,
): Telling {
  const { requestId, outcome, detail, durationUs } = body;
  const request = view.requests.get(requestId);
  const what =
    request === undefined ? "the request" : requestWords(request.description, request.write);
  const why = detail === "" ? "" : `: ${causeWords(detail)}`;
  const key = `answer:${nodeId}:${outcome}:${what}`;
  switch (outcome) {
    case "ok":
      return event(
        key,
        nodeId,
        [plain(`answered its client after ${secondsWords(durationUs)}`)],
        "quiet",
      );
    case "failed":
      return event(key, nodeId, [plain("refused "), strong(what), plain(why)]);
    case "unknown":
      return event(key, nodeId, [
        plain("cannot tell its client whether "),
        strong(what),
        plain(` took effect${why}`),
      ]);
  }
}

function messageTelling(observation: Observation, view: ClusterView): Telling | null {
  const { body } = observation;
  if (body.kind === "message-sent" && body.message.kind === "heartbeat" && !body.message.reply) {
    const { nodeId } = observation;
    const key = `heartbeat:${nodeId}:${body.message.term}`;
    const nodeIds = [nodeId];
    return {
      kind: "tally",
      key,
      nodeIds,
      words: [plain("heartbeat")],
      tone: "heartbeat",
      from: 0,
      to: 1,
    };
  }
  if (body.kind === "message-dropped" && body.reason === "loss") {
    const { id, target } = body;
    // What is sent to a process that ended is lost too; that it ended has been told.
    const link = view.links.get(linkKey(id.source, target));
    if (link === undefined || link.dropRate === 0) return null;
    const key = `lost:${linkKey(id.source, target)}`;
    const words = [plain(`lost on the way from ${id.source} to ${target}`)];
    return { kind: "tally", key, nodeIds: [], words, tone: "quiet", from: 0, to: 1 };
  }
  return null;
}

function clusterTelling({ body, timeUs }: Observation, view: ClusterView): Telling | null {
  switch (body.kind) {
    case "links-changed": {
      const after = new Map(
        body.links.map((link): [string, LinkView] => [linkKey(link.source, link.target), link]),
      );
      const ids = view.nodes.map((node) => node.nodeId);
      const told = linksTold(ids, view.links, after);
      return told === null ? null : event(`links:${told.key}`, null, [strong(told.words)]);
    }
    case "speed-changed": {
      if (view.version <= 1) return null;
      if (body.frozen !== view.frozen) {
        return event(`freeze:${body.frozen}`, null, [
          strong(body.frozen ? "Time was frozen" : "Time goes on"),
        ]);
      }
      if (body.speed === view.speed) return null;
      const speed = body.speed >= 0.995 ? "real time" : `1/${Math.round(1 / body.speed)}`;
      return event("speed", null, [plain("The speed is now "), strong(speed)]);
    }
    case "invariant-violated":
      // A state that is told again tells of the same violations again.
      if (
        view.violations.some(({ atUs, explanation }) => {
          return atUs === timeUs && explanation === body.explanation;
        })
      )
        return null;
      return event(
        `broken:${body.invariant}:${body.explanation}`,
        null,
        [strong(`A promise is broken: ${body.invariant}. `), plain(body.explanation)],
        "broken",
      );
    case "gap": {
      const count = body.droppedCount;
      const lost = count === 1 ? "An observation was" : `${count} observations were`;
      const words = [plain(`${lost} lost on the way here`)];
      return event("gap", null, words, "quiet");
    }
    default:
      return null;
  }
}

/** Kinds that never say anything; a fold need not make a view for them. */
export function isSilent({ body }: Observation): boolean {
  switch (body.kind) {
    case "message-sent":
      return body.message.kind !== "heartbeat" || body.message.reply;
    case "message-dropped":
      return body.reason !== "loss";
    case "message-arriving":
    case "message-received":
    case "messages-omitted":
    case "requests-omitted":
    case "entries-omitted":
    case "timer-changed":
    case "votes-changed":
    case "log-appended":
    case "progress-changed":
    case "applied":
    case "request-proposed":
    case "connection-changed":
    case "node-view":
      return true;
    default:
      return false;
  }
}

const SOUND_DISK: DiskFault = { delayMs: 0, fail: false, full: false };

function sameDisk(a: DiskFault, b: DiskFault): boolean {
  return a.delayMs === b.delayMs && a.fail === b.fail && a.full === b.full;
}

function diskWords({ delayMs, fail, full }: DiskFault): string {
  const faults = [
    ...(full ? ["is full"] : []),
    ...(fail ? ["will fail the next write"] : []),
    ...(delayMs > 0 ? [`takes ${delayMs} ms longer for each sync`] : []),
  ];
  return faults.length === 0 ? "has a sound disk" : `has a disk that ${listWords(faults)}`;
}

function clockWords(rate: number): string {
  if (rate === 1) return "has a clock that runs right";
  const factor = rate > 1 ? rate : 1 / rate;
  const times = Number(factor.toFixed(2));
  return `has a clock that runs ${times} times too ${rate > 1 ? "fast" : "slow"}`;
}

/** @param before the view as it was just before this observation. @returns null: nothing. */
export function tellingOf(observation: Observation, before: ClusterView): Telling | null {
  const { nodeId, body } = observation;
  const node = nodeById(before, nodeId);
  switch (body.kind) {
    case "role-changed":
      return roleTelling(nodeId, body, node, before);
    case "health-changed":
      return healthTelling(nodeId, body, node);
    case "durable-advanced":
      return storedTelling(nodeId, body, node);
    case "commit-advanced":
      return committedTelling(nodeId, body, node, before);
    case "log-truncated":
      return truncatedTelling(nodeId, body, node);
    case "log-compacted":
      return event(`compacted:${body.throughIndex}`, nodeId, [
        plain(`put all through index ${body.throughIndex} into a snapshot`),
      ]);
    case "restored":
      return event(`restored:${nodeId}:${body.snapshotIndex}`, nodeId, [
        plain(`took over a snapshot of all through index ${body.snapshotIndex}`),
      ]);
    case "snapshot-transfer":
      return snapshotTelling(nodeId, body, node);
    case "read-confirmed": {
      const by = body.acknowledgedBy.length;
      const reads = body.readCount === 1 ? "a read" : `${body.readCount} reads`;
      if (by === 0 && votersOf(before).length > 1) {
        const words = [plain(`may answer ${reads} by its lease; stale if clocks run wrong`)];
        return event(`lease-read:${nodeId}`, nodeId, words, "quiet");
      }
      const follow = `${by} ${by === 1 ? "other follows" : "others follow"} it still`;
      const words = [plain(`may answer ${reads}: ${by === 0 ? "it votes alone" : follow}`)];
      return event(`read:${nodeId}`, nodeId, words, "quiet");
    }
    case "transfer-changed": {
      if (body.phase !== "started" && body.phase !== "aborted") return null;
      const deed =
        body.phase === "started" ? "hands leadership to" : "gave up handing leadership to";
      const words = [plain(`${deed} node ${body.targetId ?? "?"}`)];
      return event(`transfer:${nodeId}:${body.phase}`, nodeId, words);
    }
    case "configuration-changed": {
      if (leaderOf(before)?.nodeId !== nodeId) return null;
      const phase = body.committed ? "committed" : "proposed";
      return event(`members:${body.index}:${phase}`, nodeId, [
        plain(`${phase} the members ${membersWords(body.configuration)}`),
      ]);
    }
    case "disk-changed":
      return sameDisk(body.disk, node?.disk ?? SOUND_DISK)
        ? null
        : event(`disk:${nodeId}`, nodeId, [plain(diskWords(body.disk))]);
    case "clock-changed":
      return body.rate === (node?.clockRate ?? 1)
        ? null
        : event(`clock:${nodeId}`, nodeId, [plain(clockWords(body.rate))]);
    case "node-removed":
      return event(`removed:${nodeId}`, nodeId, [strong("was removed")]);
    case "request-started":
    case "request-forwarded":
      return requestTelling(observation, before);
    case "request-finished":
      return answerTelling(nodeId, body, before);
    case "message-sent":
    case "message-dropped":
      return messageTelling(observation, before);
    default:
      return clusterTelling(observation, before);
  }
}
