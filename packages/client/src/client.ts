/** Calls that look for a node that can answer, and never do a write twice. */
import type {
  DescMethodUnary,
  DescMessage,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { Cluster, KV, Maintenance } from "@raftarium/protocol/etcd";
import { MembershipService, StateMachineService } from "@raftarium/protocol/machine";
import type { Failure, Outcome } from "./outcome.ts";
import { isWorthRetrying, nameOfCode, neverSent, outcomeOf } from "./outcome.ts";

export interface Endpoint {
  /** For people: an address. */
  readonly name: string;
  readonly transport: Transport;
}

export interface ClientOptions {
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
  /** For a whole call with all its attempts, milliseconds. */
  readonly timeoutMs?: number;
  /** A read that a node does not answer for so long goes to the next one; longer each round. */
  readonly readAttemptMs?: number;
  /** Give up once no endpoint at all could be connected to for so long. Default: timeoutMs. */
  readonly connectMs?: number;
  /** Between two rounds of the endpoints, milliseconds. */
  readonly retryMs?: number;
  /** Ends every call that has none of its own. */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Ask this endpoint only. */
  readonly endpoint?: string;
  /** Sent with each attempt. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Give up after so many attempts, even with time left. */
  readonly attemptsMax?: number;
}

/** `repeatable`: a write that does no harm when it is sent twice. */
export type CallKind = "read" | "write" | "repeatable";

export interface StatusOfEndpoint {
  readonly endpoint: string;
  readonly outcome: Outcome<MessageShape<typeof Maintenance.method.status.output>>;
}

type Call<Method> =
  Method extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<Outcome<MessageShape<O>>>
    : never;

export interface RaftClient {
  readonly range: Call<typeof KV.method.range>;
  readonly put: Call<typeof KV.method.put>;
  readonly deleteRange: Call<typeof KV.method.deleteRange>;
  readonly txn: Call<typeof KV.method.txn>;
  readonly compact: Call<typeof KV.method.compact>;
  readonly memberList: Call<typeof Cluster.method.memberList>;
  readonly memberAdd: Call<typeof Cluster.method.memberAdd>;
  readonly memberRemove: Call<typeof Cluster.method.memberRemove>;
  readonly memberPromote: Call<typeof Cluster.method.memberPromote>;
  readonly setVoters: Call<typeof MembershipService.method.setVoters>;
  readonly propose: Call<typeof StateMachineService.method.propose>;
  readonly query: Call<typeof StateMachineService.method.query>;
  /** Of every endpoint, asked at the same time. */
  status(options?: CallOptions): Promise<readonly StatusOfEndpoint[]>;
  /** The endpoint of the node that leads; null: none of them says so. */
  findLeader(options?: CallOptions): Promise<string | null>;
  /** Asks the leader to hand over. */
  moveLeader(targetId: bigint, options?: CallOptions): Promise<Outcome<void>>;
  /**
   * One unary call. A write is sent again only if the last attempt has certainly done nothing; a
   * read, or a write that the cluster recognises (see `openSession`), as long as there is time.
   * Never rejects.
   */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    kind: CallKind,
    options?: CallOptions,
  ): Promise<Outcome<MessageShape<O>>>;
}

const TIMEOUT_MS = 10_000;
const READ_ATTEMPT_MS = 2000;
const RETRY_MS = 50;

/** Remembers who answered last, and starts there. */
export function createRaftClient(options: ClientOptions): RaftClient {
  const { endpoints, timeoutMs = TIMEOUT_MS, readAttemptMs = READ_ATTEMPT_MS } = options;
  const { retryMs = RETRY_MS, connectMs = Infinity } = options;
  if (endpoints.length === 0) {
    throw new Error("cannot create a client: expected at least one endpoint, got none");
  }
  let preferred = 0;

  const call: RaftClient["call"] = async (method, request, kind, settings = {}) => {
    const deadlineMs = performance.now() + (settings.timeoutMs ?? timeoutMs);
    const { signal = options.signal, headers } = settings;
    const chosen = settings.endpoint === undefined ? null : indexOf(settings.endpoint);
    const first = chosen ?? preferred;
    const startedMs = performance.now();
    let connected = false;
    let doubtful = false;
    for (let attempts = 1; ; attempts += 1) {
      const at = chosen ?? (first + attempts - 1) % endpoints.length;
      const endpoint = endpoints[at] as Endpoint;
      const remainingMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
      const alone = chosen !== null || endpoints.length === 1;
      const round = Math.floor((attempts - 1) / endpoints.length);
      const patienceMs = kind === "write" || alone ? Infinity : readAttemptMs * 2 ** round;
      const attemptMs = Math.min(remainingMs, patienceMs);
      try {
        const { transport, name } = endpoint;
        const answer = await transport.unary(method, signal, attemptMs, headers, request);
        if (chosen === null) preferred = at;
        return { outcome: "ok", value: answer.message, endpoint: name, attempts };
      } catch (reason) {
        const error = ConnectError.from(reason);
        const failure = failureOf(error, kind, endpoint.name, attempts);
        // The node's answer to the request itself; of a repeatable one, to all its attempts.
        if (!isWorthRetrying(error)) return failure;
        doubtful ||= failure.outcome === "unknown";
        connected ||= !neverSent(error.cause);
        const nowMs = performance.now();
        const over =
          nowMs >= deadlineMs ||
          (!connected && nowMs - startedMs >= connectMs) ||
          signal?.aborted === true ||
          attempts >= (settings.attemptsMax ?? Infinity);
        if (over || (doubtful && kind !== "repeatable")) {
          return doubtful ? { ...failure, outcome: "unknown" } : failure;
        }
        // All were asked: give the cluster a moment.
        if (alone || attempts % endpoints.length === 0) await pause(retryMs, signal);
      }
    }
  };

  const indexOf = (name: string): number => {
    const index = endpoints.findIndex((endpoint) => endpoint.name === name);
    if (index >= 0) return index;
    const known = endpoints.map((endpoint) => endpoint.name).join(", ");
    throw new Error(`cannot ask ${name}: expected one of ${known}`);
  };

  const read =
    <I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) =>
    (request: MessageInitShape<I>, settings?: CallOptions): Promise<Outcome<MessageShape<O>>> =>
      call(method, request, "read", settings);
  const write =
    <I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) =>
    (request: MessageInitShape<I>, settings?: CallOptions): Promise<Outcome<MessageShape<O>>> =>
      call(method, request, "write", settings);

  const status: RaftClient["status"] = (settings) =>
    Promise.all(
      endpoints.map(async ({ name }) => {
        // One attempt each: a node that does not answer is news, not a reason to wait.
        const attempt = { timeoutMs: readAttemptMs, ...settings, endpoint: name, attemptsMax: 1 };
        const outcome = await call(Maintenance.method.status, {}, "read", attempt);
        return { endpoint: name, outcome };
      }),
    );

  const findLeader: RaftClient["findLeader"] = async (settings) => {
    const all = await status(settings);
    let found: { endpoint: string; term: bigint } | null = null;
    for (const { endpoint, outcome } of all) {
      if (outcome.outcome !== "ok") continue;
      const { header, leader, raftTerm } = outcome.value;
      if (leader === 0n || leader !== header?.memberId) continue;
      // One that was cut off may still believe in itself: the later term is right.
      if (found === null || raftTerm > found.term) found = { endpoint, term: raftTerm };
    }
    return found?.endpoint ?? null;
  };

  return {
    range: read(KV.method.range),
    put: write(KV.method.put),
    deleteRange: write(KV.method.deleteRange),
    txn: write(KV.method.txn),
    compact: write(KV.method.compact),
    memberList: read(Cluster.method.memberList),
    memberAdd: write(Cluster.method.memberAdd),
    memberRemove: write(Cluster.method.memberRemove),
    memberPromote: write(Cluster.method.memberPromote),
    setVoters: write(MembershipService.method.setVoters),
    propose: write(StateMachineService.method.propose),
    query: read(StateMachineService.method.query),
    status,
    findLeader,
    async moveLeader(targetID, settings) {
      const endpoint = await findLeader(settings);
      if (endpoint === null) {
        const message = "cannot move the leader: expected an endpoint that leads, found none";
        return { outcome: "failed", code: "unavailable", message, endpoint: "", attempts: 1 };
      }
      const leading = { ...settings, endpoint };
      const moved = await call(Maintenance.method.moveLeader, { targetID }, "write", leading);
      return moved.outcome === "ok" ? { ...moved, value: undefined } : moved;
    },
    call,
  };
}

function failureOf(
  error: ConnectError,
  kind: CallKind,
  endpoint: string,
  attempts: number,
): Failure {
  // A read changes nothing: without an answer it has failed, and that is all.
  const outcome = kind === "read" ? "failed" : outcomeOf(error);
  const code = nameOfCode(error.code);
  return { outcome, code, message: error.rawMessage, endpoint, attempts };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
