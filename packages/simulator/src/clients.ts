/**
 * Virtual clients: each does one thing at a time, waits for the answer or its time limit, and
 * follows the leader. What each asked and was told is the history.
 */
import type { Action, Operation, Outcome } from "@raftarium/checker";
import { loggedCommand, openSession } from "@raftarium/node";
import type { SessionPosition } from "@raftarium/node";
import type { Chance } from "./chance.ts";
import { answered, commandOf } from "./commands.ts";
import type { Oracle } from "./oracle.ts";
import type { FaultCounts } from "./fault-counts.ts";
import type { Fleet } from "./fleet.ts";
import type { Reply } from "./process.ts";
import type { Swarm } from "./swarm.ts";
import type { Timeline } from "./timeline.ts";
import { fingerprintOf } from "./trace.ts";
import type { Trace } from "./trace.ts";
import { drawAction } from "./workload.ts";
import type { LastSeen } from "./workload.ts";
import type { Placed } from "./witness.ts";

export interface ClientPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly oracle: Oracle;
  readonly trace: Trace;
  readonly counts: FaultCounts;
  readonly fleet: Fleet;
  /** null: nobody listens, so nothing is put into words. */
  readonly tell: ((text: string) => void) | null;
}

export interface Clients {
  /** What is still under way is there, too: nobody knows what becomes of it. */
  history(): readonly Operation[];
  /** The history, and where in the log each operation took effect. */
  placed(): readonly Placed[];
  readonly acknowledgedCount: number;
  /** From now on nobody begins anything new. */
  stop(): void;
  /** Puts a fresh value through one node after the other until it is acknowledged. */
  probe(nodeIds: readonly number[], acknowledged: (index: number) => void): void;
}

interface Request {
  readonly id: number;
  readonly client: VirtualClient;
  readonly action: Action;
  /** Its number in the client's session; null: of none, so it may count as often as it is sent. */
  readonly position: SessionPosition | null;
  /** Null: a read. The same bytes each time that it is sent. */
  readonly command: Uint8Array | null;
  readonly fingerprint: number;
  readonly callUs: number;
  /** It was sent before, and may count yet, whatever becomes of it now. */
  readonly retried: boolean;
}

interface VirtualClient {
  /** Changes after every unknown outcome: the old one may still take effect. */
  identity: number;
  targetId: number;
  readonly lastSeen: LastSeen;
  /** Operations until it rests. */
  burstLeft: number;
  /** Null: it has none (yet). */
  session: { readonly id: number; sequence: number } | null;
  /** Under way now; null: nothing is. */
  request: Request | null;
}

/** Of an operation: how to recognise its command in the log, or as of what index it read. */
interface Trail {
  readonly fingerprint: number;
  readonly readIndex: number | null;
}

/** A read as of an index saw that entry, and not the next. */
const AFTER_ITS_ENTRY = 0.5;
/** `index` null: no good answer. */
type Settled = (outcome: Outcome, index: number | null) => void;

const NOTE_ANSWER = 16;
/** Of the clients that do not know what became of a request, so many begin another session. */
const NEW_SESSION_SHARE = 0.3;
const LINK_US_MIN = 20;
const LINK_JITTER_US = 300;
/** Before a client tries anything else after it got no good answer. */
const BACK_OFF_US = 50_000;
const PROBE_PAUSE_US = 50_000;

export function createClients(swarm: Swarm, ports: ClientPorts): Clients {
  const { timeline, chance, counts, oracle, trace, fleet, tell } = ports;
  const history: Operation[] = [];
  /** One for each of the history. */
  const trails: Trail[] = [];
  const clients: VirtualClient[] = [];
  let acknowledgedCount = 0;
  let identityCount = 0;
  let requestCount = 0;
  let stopped = false;

  function newIdentity(): number {
    identityCount += 1;
    return identityCount;
  }

  function linkUs(): number {
    return LINK_US_MIN + chance.tail(LINK_JITTER_US);
  }

  function run(client: VirtualClient, pauseUs: number): void {
    timeline.after(1 + pauseUs + chance.tail(swarm.thinkUs), () => {
      if (stopped) return;
      requestCount += 1;
      if (swarm.sessions && client.session === null) {
        beginSession(client);
        return;
      }
      const action = drawAction(chance, swarm, requestCount, client.lastSeen);
      attempt(client, action, false);
    });
  }

  function beginSession(client: VirtualClient): void {
    const id = requestCount;
    exchange(client, openSession(), "", (reply) => {
      const opened = reply.kind === "notice" && reply.notice.session === "opened";
      trace.note(NOTE_ANSWER, id, reply.kind.length, opened ? reply.notice.id : 0);
      if (opened) {
        counts.add("session begun");
        client.session = { id: reply.notice.id, sequence: 0 };
      } else turnElsewhere(client, reply);
      run(client, opened ? 0 : BACK_OFF_US);
    });
  }

  /** Asks, and perhaps asks the same again as long as nobody knows what became of it. */
  function attempt(client: VirtualClient, action: Action, again: boolean): void {
    const position = action.kind === "get" ? null : nextPosition(client);
    begin(client, action, position, again, (outcome, index) => {
      const isNumbered = position !== null;
      if (!isNumbered && outcome === "unknown" && !stopped && chance.happens(swarm.retryRate)) {
        counts.add("client tried again");
        requestCount += 1;
        attempt(client, action, true);
        return;
      }
      run(client, index === null ? BACK_OFF_US : restUs(client));
    });
  }

  function restUs(client: VirtualClient): number {
    client.burstLeft -= 1;
    if (client.burstLeft > 0) return 0;
    client.burstLeft = swarm.burstOperations;
    return swarm.restUs === 0 ? 0 : chance.tail(swarm.restUs);
  }

  function begin(
    client: VirtualClient,
    action: Action,
    position: SessionPosition | null,
    again: boolean,
    then: Settled,
  ): void {
    const id = requestCount;
    const bare = commandOf(action, id, again);
    const command = bare === null ? null : loggedCommand(bare, position);
    const fingerprint = command === null ? 0 : fingerprintOf(command);
    oracle.proposed(fingerprint, id, action, position);
    const callUs = timeline.nowUs();
    const request = { id, client, action, position, command, fingerprint, callUs, retried: false };
    client.request = request;
    ask(request, then);
  }

  function ask(request: Request, then: Settled): void {
    const { client, action, command } = request;
    const key = action.kind === "get" ? action.key : "";
    exchange(client, command, key, (reply) => settle(request, reply, then));
  }

  /** `then` gets the answer, or hears that nobody waits for it any more. */
  function exchange(
    client: VirtualClient,
    command: Uint8Array | null,
    key: string,
    then: (reply: Reply) => void,
  ): void {
    let settled = false;
    const end = (reply: Reply): void => {
      if (settled) return;
      settled = true;
      then(reply);
    };
    timeline.after(linkUs(), () => {
      const listens = fleet.find(client.targetId)?.request(command, key, (reply) => {
        timeline.after(linkUs(), () => end(reply));
      });
      if (listens !== true) end({ kind: "failed", leaderId: null });
    });
    timeline.after(swarm.requestTimeoutUs, () => end({ kind: "unknown", leaderId: null }));
  }

  function settle(request: Request, reply: Reply, then: Settled): void {
    const { id, client, position } = request;
    trace.note(NOTE_ANSWER, id, reply.kind.length, "index" in reply ? reply.index : 0);
    const outcome = outcomeOf(request, reply);
    const action = reply.kind === "ok" ? answered(request.action, reply.answer) : request.action;
    if (reply.kind === "ok") take(request, action, reply);
    if (reply.kind === "failed" && outcome === "fail") oracle.failed(id, request.fingerprint);
    if (reply.kind === "notice") oracle.refused(id, reply.notice.session);
    const isSentAgain =
      position !== null && outcome === "unknown" && !stopped && chance.happens(swarm.retryRate);
    const index = reply.kind === "ok" ? reply.index : null;
    if (!isSentAgain) record(request, action, outcome, index);
    if (reply.kind !== "ok") turnElsewhere(client, reply);
    if (isSentAgain) {
      counts.add("client tried again in its session");
      // A quick refusal would be asked for again and again.
      const pauseUs = reply.kind === "failed" ? BACK_OFF_US : 1;
      timeline.after(pauseUs, () => ask({ ...request, retried: true }, then));
      return;
    }
    if (outcome === "unknown") {
      client.identity = newIdentity();
      if (client.session !== null && chance.happens(NEW_SESSION_SHARE)) client.session = null;
    }
    then(outcome, index);
  }

  function take(request: Request, action: Action, reply: Extract<Reply, { kind: "ok" }>): void {
    const { id, client, fingerprint } = request;
    acknowledgedCount += 1;
    remember(client, action);
    if (action.kind === "get") oracle.answeredRead(id, action.key, reply.index, reply.answer);
    else oracle.answeredWrite(id, fingerprint, reply.index, reply.answer);
  }

  function turnElsewhere(client: VirtualClient, reply: Reply): void {
    const leaderId = reply.kind === "failed" || reply.kind === "unknown" ? reply.leaderId : null;
    client.targetId =
      leaderId === null || leaderId === client.targetId ? chance.pick(fleet.all).nodeId : leaderId;
  }

  function record(request: Request, action: Action, outcome: Outcome, index: number | null): void {
    const { id, client, fingerprint, callUs } = request;
    client.request = null;
    const returnUs = outcome === "unknown" ? null : timeline.nowUs();
    trails.push({ fingerprint, readIndex: action.kind === "get" ? index : null });
    history.push({ client: client.identity, action, call: callUs, return: returnUs, outcome });
    if (tell === null || (action.kind === "get" && outcome !== "ok")) return;
    tell(
      `client ${client.identity}, request ${id} at node ${client.targetId}: ` +
        `${describe(action)}: ${outcome}`,
    );
  }

  function createClient(): VirtualClient {
    const targetId = chance.pick(fleet.all).nodeId;
    const client: VirtualClient = {
      identity: newIdentity(),
      targetId,
      lastSeen: new Map(),
      burstLeft: swarm.burstOperations,
      session: null,
      request: null,
    };
    clients.push(client);
    return client;
  }

  function stillOpen(): Placed[] {
    return clients.flatMap(({ request, identity }): Placed[] => {
      if (request === null) return [];
      const { action, callUs, fingerprint } = request;
      const open = { client: identity, action, call: callUs, return: null } as const;
      const place = placeOf({ fingerprint, readIndex: null });
      return [{ operation: { ...open, outcome: "unknown" }, place }];
    });
  }

  function placeOf({ fingerprint, readIndex }: Trail): number | null {
    if (readIndex !== null) return readIndex + AFTER_ITS_ENTRY;
    return oracle.placeOf(fingerprint) || null;
  }

  for (let count = 0; count < swarm.clientCount; count += 1) run(createClient(), 0);

  return {
    history: () => [...history, ...stillOpen().map(({ operation }) => operation)],
    placed() {
      const settled = history.map((operation, at) => ({ operation, place: placeOf(trails[at]!) }));
      return [...settled, ...stillOpen()];
    },
    get acknowledgedCount() {
      return acknowledgedCount;
    },
    stop() {
      stopped = true;
    },
    probe(nodeIds, acknowledged) {
      const client = createClient();
      let turn = 0;
      const next = (): void => {
        client.targetId = nodeIds[turn % nodeIds.length]!;
        turn += 1;
        requestCount += 1;
        const action: Action = { kind: "put", key: "probe", value: `v${requestCount}` };
        begin(client, action, null, false, (_outcome, index) => {
          if (index === null) timeline.after(PROBE_PAUSE_US, next);
          else acknowledged(index);
        });
      };
      next();
    },
  };
}

function outcomeOf({ retried }: Request, reply: Reply): Outcome {
  if (reply.kind === "ok") return "ok";
  return reply.kind === "failed" && !retried ? "fail" : "unknown";
}

function nextPosition({ session }: VirtualClient): SessionPosition | null {
  if (session === null) return null;
  session.sequence += 1;
  const { id, sequence } = session;
  return { session: id, sequence, answeredThrough: sequence - 1 };
}

function remember(client: VirtualClient, action: Action): void {
  if (action.kind === "get" || action.kind === "put") {
    client.lastSeen.set(action.key, action.value);
  } else if (action.kind === "txn") {
    for (const { key, value } of action.reads) client.lastSeen.set(key, value);
  } else client.lastSeen.set(action.key, action.kind === "cas" ? action.value : null);
}

function describe(action: Action): string {
  switch (action.kind) {
    case "get":
      return `get ${action.key} → ${action.value ?? "nothing"}`;
    case "put":
      return `put ${action.key}=${action.value}`;
    case "delete":
      return `delete ${action.key}`;
    case "cas":
      return (
        `cas ${action.key}: ${action.expected ?? "nothing"} → ${action.value}` +
        (action.swapped === null ? "" : action.swapped ? ", swapped" : ", not swapped")
      );
    case "txn": {
      const writes = action.writes.map(({ key, value }) => `${key}=${value ?? "deleted"}`);
      return `txn ${writes.join(", ")}${action.succeeded === false ? ", not done" : ""}`;
    }
  }
}
