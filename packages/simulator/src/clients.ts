/**
 * Virtual clients: each does one thing at a time, waits for the answer or its time limit, and
 * follows the leader. What each asked and was told is the history.
 */
import type { Action, Operation, Outcome } from "@raftarium/checker";
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
  readonly history: readonly Operation[];
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
  readonly fingerprint: number;
  readonly callUs: number;
  /** The answer came, or nobody waits for it any more. */
  settled: boolean;
}

interface VirtualClient {
  /** Changes after every unknown outcome: the old one may still take effect. */
  identity: number;
  targetId: number;
  readonly lastSeen: LastSeen;
  /** Operations until it rests. */
  burstLeft: number;
}

/** `index` null: no good answer. */
type Settled = (outcome: Outcome, index: number | null) => void;

const NOTE_ANSWER = 16;
const LINK_US_MIN = 20;
const LINK_JITTER_US = 300;
/** Before a client tries anything else after it got no good answer. */
const BACK_OFF_US = 50_000;
const PROBE_PAUSE_US = 50_000;

export function createClients(swarm: Swarm, ports: ClientPorts): Clients {
  const { timeline, chance, counts, oracle, trace, fleet, tell } = ports;
  const history: Operation[] = [];
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
      const action = drawAction(chance, swarm, requestCount, client.lastSeen);
      attempt(client, action, false);
    });
  }

  /** Asks, and perhaps asks the same again as long as nobody knows what became of it. */
  function attempt(client: VirtualClient, action: Action, again: boolean): void {
    const id = requestCount;
    ask(client, { id, action, again }, (outcome, index) => {
      if (outcome === "unknown" && !stopped && chance.happens(swarm.retryRate)) {
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

  function ask(
    client: VirtualClient,
    { id, action, again }: { id: number; action: Action; again: boolean },
    then: Settled,
  ): void {
    const command = commandOf(action, id, again);
    const fingerprint = command === null ? 0 : fingerprintOf(command);
    const callUs = timeline.nowUs();
    const request: Request = { id, client, action, fingerprint, callUs, settled: false };
    oracle.proposed(fingerprint, id, action);
    const key = action.kind === "get" ? action.key : "";
    timeline.after(linkUs(), () => {
      const listens = fleet.find(client.targetId)?.request(command, key, (reply) => {
        timeline.after(linkUs(), () => settle(request, reply, then));
      });
      if (listens !== true) settle(request, { kind: "failed", leaderId: null }, then);
    });
    timeline.after(swarm.requestTimeoutUs, () => {
      settle(request, { kind: "unknown", leaderId: null }, then);
    });
  }

  function settle(request: Request, reply: Reply, then: Settled): void {
    if (request.settled) return;
    request.settled = true;
    const { id, client, fingerprint } = request;
    let { action } = request;
    trace.note(NOTE_ANSWER, id, reply.kind.length, reply.kind === "ok" ? reply.index : 0);
    let outcome: Outcome = "unknown";
    if (reply.kind === "ok") {
      outcome = "ok";
      acknowledgedCount += 1;
      action = answered(action, reply.answer);
      remember(client, action);
      if (action.kind === "get") oracle.answeredRead(id, action.key, reply.index, reply.answer);
      else oracle.answeredWrite(id, fingerprint, reply.index, reply.answer);
    } else if (reply.kind === "failed") {
      outcome = "fail";
      oracle.failed(id, fingerprint);
    }
    record(request, action, outcome);
    if (reply.kind !== "ok") {
      if (reply.kind === "unknown") client.identity = newIdentity();
      client.targetId =
        reply.leaderId === null || reply.leaderId === client.targetId
          ? chance.pick(fleet.all).nodeId
          : reply.leaderId;
    }
    then(outcome, reply.kind === "ok" ? reply.index : null);
  }

  function record(request: Request, action: Action, outcome: Outcome): void {
    const { id, client, callUs } = request;
    const returnUs = outcome === "unknown" ? null : timeline.nowUs();
    history.push({ client: client.identity, action, call: callUs, return: returnUs, outcome });
    if (tell === null || (action.kind === "get" && outcome !== "ok")) return;
    tell(
      `client ${client.identity}, request ${id} at node ${client.targetId}: ` +
        `${describe(action)}: ${outcome}`,
    );
  }

  function createClient(): VirtualClient {
    const targetId = chance.pick(fleet.all).nodeId;
    const burstLeft = swarm.burstOperations;
    return { identity: newIdentity(), targetId, lastSeen: new Map(), burstLeft };
  }

  for (let count = 0; count < swarm.clientCount; count += 1) run(createClient(), 0);

  return {
    history,
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
        ask(client, { id: requestCount, action, again: false }, (_outcome, index) => {
          if (index === null) timeline.after(PROBE_PAUSE_US, next);
          else acknowledged(index);
        });
      };
      next();
    },
  };
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
