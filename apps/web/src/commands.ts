/**
 * What a person can ask of the cluster, behind one facade: no call throws, every answer says in
 * words what happened. By gRPC-Web to the page's own origin; a refused request is an answer, not
 * an error on the console.
 */
import {
  Code,
  ConnectError,
  createClient,
  type CallOptions,
  type Client,
  type Transport,
} from "@connectrpc/connect";
import { outcomeOf } from "@raftarium/client";
import type { LinkFault } from "@raftarium/observer";
import { messageKinds } from "@raftarium/protocol";
import { KV } from "@raftarium/protocol/etcd";
import { MembershipService, SessionService } from "@raftarium/protocol/machine";
import { PlaygroundService } from "@raftarium/protocol/playground";
import { createOnce, type Once, type OnceOptions } from "./once.ts";

export interface CommandResult {
  readonly ok: boolean;
  /** Empty if ok; else a sentence that says what was refused and why. */
  readonly message: string;
}

/** `unknown`: it may or may not have taken effect. */
export type Outcome = "ok" | "failed" | "unknown";

/** What came back to the client, and how long it took (wall time). */
export interface Answer {
  readonly outcome: Outcome;
  /** In words: why it failed, or why nobody knows. */
  readonly message: string;
  readonly tookMs: number;
  /** The store's revision as of this answer; null if none came. */
  readonly revision: number | null;
  /** Of a get: the value, null if the key isn't there. Of a put or delete: null. */
  readonly value: string | null;
  /** How many keys were found (get) or deleted (delete). */
  readonly count: number;
  /** The node that answered; null if the door did not tell. */
  readonly nodeId: number | null;
  /** Of a write in a session: which one, and how often it was sent; null: of no session. */
  readonly once: { readonly session: number; readonly attempts: number } | null;
}

export interface ClientOptions {
  /** The node to ask; null: any. */
  readonly nodeId: number | null;
  /** A read that the asked node answers from what it has, however old. */
  readonly serializable: boolean;
  /** A write in a session: sent until its outcome is known, and carried out once. */
  readonly once: boolean;
  /** A name of the caller's own (letters, digits, dots, dashes) by which observations tell of it. */
  readonly requestId: string;
  /** Give up after so long. What was given up may still take effect. */
  readonly timeoutMs: number;
  /** Give up when this aborts. */
  readonly signal: AbortSignal;
}

export interface Commands {
  /** Why nothing can be asked of this cluster; null: it can. */
  readonly unavailable: string | null;
  crash(nodeId: number): Promise<CommandResult>;
  /** SIGTERM: it hands over, answers whom it can, and ends. */
  stop(nodeId: number): Promise<CommandResult>;
  restart(nodeId: number): Promise<CommandResult>;
  pause(nodeId: number): Promise<CommandResult>;
  resume(nodeId: number): Promise<CommandResult>;
  /** Cuts it off from all the others. */
  isolate(nodeId: number, others: readonly number[]): Promise<CommandResult>;
  campaign(nodeId: number): Promise<CommandResult>;
  transferLeadership(nodeId: number): Promise<CommandResult>;
  addNode(): Promise<CommandResult>;
  /** Out of the configuration, then out of the world. */
  remove(nodeId: number): Promise<CommandResult>;
  /** Replaces it by a new member, without data, that gets a new id. */
  wipe(nodeId: number): Promise<CommandResult>;
  /** Exactly these members vote, the others learn: one change, by joint consensus. */
  setVoters(nodeIds: readonly number[]): Promise<CommandResult>;
  setLink(source: number, target: number, fault: LinkFault): Promise<CommandResult>;
  heal(): Promise<CommandResult>;
  setSpeed(speed: number): Promise<CommandResult>;
  freeze(): Promise<CommandResult>;
  thaw(): Promise<CommandResult>;
  put(key: string, value: string, options: ClientOptions): Promise<Answer>;
  get(key: string, options: ClientOptions): Promise<Answer>;
  delete(key: string, options: ClientOptions): Promise<Answer>;
}

const CALL_MS_MAX = 15_000;

const DONE: CommandResult = { ok: true, message: "" };

function words(error: unknown): string {
  const { rawMessage, code, cause } = ConnectError.from(error);
  // Each browser has words of its own for this.
  if (cause instanceof TypeError) return "the connection to the playground broke";
  if (code === Code.Unimplemented) return "this is not built yet";
  const trimmed = rawMessage.trim();
  return trimmed === "" ? (Code[code] ?? "it failed") : trimmed;
}

async function command(what: string, call: () => Promise<unknown>): Promise<CommandResult> {
  try {
    await call();
    return DONE;
  } catch (error) {
    const said = words(error).replace(/^etcdserver: /, "");
    // The playground may have said it in full already.
    const full = said.startsWith(`cannot ${what}: `) ? said.slice(`cannot ${what}: `.length) : said;
    return { ok: false, message: `Cannot ${what}: ${full}` };
  }
}

interface Reply {
  readonly revision: bigint | undefined;
  readonly value: string | null;
  readonly count: number;
  readonly once?: Answer["once"];
}

async function ask(
  write: boolean,
  options: ClientOptions,
  call: (options: OnceOptions) => Promise<Reply>,
): Promise<Answer> {
  const startedMs = performance.now();
  const { timeoutMs, signal } = options;
  const headers = new Headers({ "raftarium-request-id": options.requestId });
  if (options.nodeId !== null) headers.set("raftarium-node-id", String(options.nodeId));
  let nodeId = options.nodeId;
  const onHeader = (answered: Headers) => {
    const told = Number(answered.get("raftarium-node-id"));
    if (Number.isSafeInteger(told) && told > 0) nodeId = told;
  };
  try {
    const reply = await call({ headers, timeoutMs, signal, onHeader });
    const { value, count, once = null } = reply;
    const revision = reply.revision === undefined ? null : Number(reply.revision);
    const tookMs = performance.now() - startedMs;
    return { outcome: "ok", message: "", tookMs, revision, value, count, nodeId, once };
  } catch (error) {
    const refusal = ConnectError.from(error);
    onHeader(refusal.metadata);
    // A read changes nothing: without an answer it has failed, and that is all.
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- one enum, declared per module system
    const outcome = write ? outcomeOf(refusal) : "failed";
    const tookMs = performance.now() - startedMs;
    const nothing = { revision: null, value: null, count: 0, nodeId, once: null };
    return { outcome, message: words(error), tookMs, ...nothing };
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function clientCommands(
  kv: Client<typeof KV>,
  once: Once,
): Pick<Commands, "put" | "get" | "delete"> {
  const write = async <Response>(
    options: ClientOptions,
    call: OnceOptions,
    send: (call: CallOptions) => Promise<Response>,
  ): Promise<{ readonly reply: Response; readonly once: Answer["once"] }> => {
    if (!options.once) return { reply: await send(call), once: null };
    const { reply, ...sent } = await once.write(call, send);
    return { reply, once: sent };
  };
  return {
    put: (key, value, options) =>
      ask(true, options, async (call) => {
        const request = { key: encoder.encode(key), value: encoder.encode(value) };
        const sent = await write(options, call, (attempt) => kv.put(request, attempt));
        const { header } = sent.reply;
        return { revision: header?.revision, value: null, count: 0, once: sent.once };
      }),
    get: (key, options) =>
      ask(false, options, async (call) => {
        const request = { key: encoder.encode(key), serializable: options.serializable };
        const { header, kvs } = await kv.range(request, call);
        const found = kvs[0];
        const value = found === undefined ? null : decoder.decode(found.value);
        return { revision: header?.revision, value, count: kvs.length };
      }),
    delete: (key, options) =>
      ask(true, options, async (call) => {
        const request = { key: encoder.encode(key) };
        const sent = await write(options, call, (attempt) => kv.deleteRange(request, attempt));
        const { header, deleted } = sent.reply;
        const count = Number(deleted);
        return { revision: header?.revision, value: null, count, once: sent.once };
      }),
  };
}

function of(nodeId: number): { readonly nodeId: bigint } {
  return { nodeId: BigInt(nodeId) };
}

export function createLiveCommands(transport: Transport): Commands {
  const playground = createClient(PlaygroundService, transport);
  const members = createClient(MembershipService, transport);
  const timed = { timeoutMs: CALL_MS_MAX };
  return {
    unavailable: null,
    crash: (id) => command(`crash node ${id}`, () => playground.crashNode(of(id), timed)),
    stop: (id) => command(`stop node ${id}`, () => playground.stopNode(of(id), timed)),
    restart: (id) => command(`restart node ${id}`, () => playground.restartNode(of(id), timed)),
    pause: (id) => command(`pause node ${id}`, () => playground.pauseNode(of(id), timed)),
    resume: (id) => command(`resume node ${id}`, () => playground.resumeNode(of(id), timed)),
    isolate: (id, others) =>
      command(`isolate node ${id}`, () =>
        playground.partition(
          { groups: [{ nodeIds: [BigInt(id)] }, { nodeIds: others.map(BigInt) }] },
          timed,
        ),
      ),
    campaign: (id) => command(`time out node ${id}`, () => playground.campaign(of(id), timed)),
    transferLeadership: (id) =>
      command(`transfer leadership to node ${id}`, () =>
        playground.transferLeadership(of(id), timed),
      ),
    // Members come and go at the cluster's own pace; the playground says when it gives up.
    addNode: () => command("add a node", () => playground.addNode({})),
    remove: (id) => command(`remove node ${id}`, () => playground.removeNode(of(id))),
    wipe: (id) => command(`wipe node ${id}`, () => playground.wipeNode(of(id))),
    setVoters: (nodeIds) =>
      command("change who votes", () => members.setVoters({ nodeIds: nodeIds.map(BigInt) })),
    setLink: (source, target, fault) =>
      command(`change the link from ${source} to ${target}`, () =>
        playground.setLink(
          {
            source: BigInt(source),
            target: BigInt(target),
            ...fault,
            messageKinds: fault.messageKinds.map((kind) => messageKinds.toWire(kind)),
          },
          timed,
        ),
      ),
    heal: () => command("heal the links", () => playground.heal({}, timed)),
    setSpeed: (speed) => command("change the speed", () => playground.setSpeed({ speed }, timed)),
    freeze: () => command("freeze", () => playground.freeze({}, timed)),
    thaw: () => command("thaw", () => playground.thaw({}, timed)),
    ...clientCommands(
      createClient(KV, transport),
      createOnce(createClient(SessionService, transport)),
    ),
  };
}

/** Commands of which none can be carried out, each with this answer. */
function refusing(reason: string): Commands {
  const refused = (): Promise<CommandResult> => Promise.resolve({ ok: false, message: reason });
  const nothing = { revision: null, value: null, count: 0, nodeId: null, once: null };
  const unanswered = (): Promise<Answer> =>
    Promise.resolve({ outcome: "failed", message: reason, tookMs: 0, ...nothing });
  return {
    unavailable: reason,
    crash: refused,
    stop: refused,
    restart: refused,
    pause: refused,
    resume: refused,
    isolate: refused,
    campaign: refused,
    transferLeadership: refused,
    addNode: refused,
    remove: refused,
    wipe: refused,
    setVoters: refused,
    setLink: refused,
    heal: refused,
    setSpeed: refused,
    freeze: refused,
    thaw: refused,
    put: unanswered,
    get: unanswered,
    delete: unanswered,
  };
}

export const recordedCommands = refusing("This is a recording: nothing can be asked of it.");

/** While the past is shown, nothing may be done by mistake to the present. */
export const pastCommands = refusing("This is the past: go live to change something.");

/** Nothing is sent that nobody is there to take: so it is known that nothing was changed. */
export const lostCommands = refusing("The playground does not answer. Is it still running?");
