/** The playground as its users start it, and its services as `curl` would call them. */
import { join } from "node:path";
import type { Observation } from "@raftarium/observer";
import { end, eventually, run, type Running } from "./spawn.ts";

export interface NodeStatus {
  readonly id: string;
  readonly address: string;
  readonly pid?: number;
  readonly incarnation?: string;
  readonly health: string;
  readonly role?: string;
  readonly term?: string;
  readonly leaderId?: string;
  readonly commitIndex?: string;
  readonly appliedIndex?: string;
  readonly lastIndex?: string;
}

/** The nodes' key-value API, as the playground hands it on. */
export interface KeyValueDoor {
  /** One RPC of etcdserverpb.KV, in JSON. Throws a Refusal; another error is a broken connection. */
  kv<Answer = object>(method: string, body: object, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  /** Absent: the leader. */
  readonly nodeId?: string | undefined;
  readonly timeoutMs?: number;
}

export interface Playground extends KeyValueDoor {
  readonly url: string;
  readonly running: Running;
  /** One RPC in Connect's JSON. Throws an Error with code and message if it is refused. */
  call<Answer = object>(method: string, body?: object, timeoutMs?: number): Promise<Answer>;
  nodes(): Promise<readonly NodeStatus[]>;
  /** Waits for a leader that a majority of the running nodes follow; not one of `except`. */
  leader(except?: readonly string[]): Promise<NodeStatus>;
  put(key: string, value: string, nodeId?: string): Promise<void>;
  /** null: no such key. Linearizable. */
  get(key: string, nodeId?: string): Promise<string | null>;
  /** What the playground itself found to be broken; it should be nothing. */
  violations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A request that was answered by an error. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** `fail`: it has had no effect and never will. When in doubt: unknown. */
  readonly outcome: "fail" | "unknown";

  /** @param outcome the header raftarium-outcome, which nodes set; the playground doesn't. */
  constructor(path: string, code: string, message: string, outcome: string | null) {
    super(`${path}: ${code}: ${message}`);
    // By these the playground refuses what it never handed on to a node.
    const untold =
      outcome === null && (code === "invalid_argument" || code === "failed_precondition");
    this.outcome = untold || outcome === "failed" ? "fail" : "unknown";
  }
}

const READY = /^Raftarium is ready at (http:\S+)$/m;

/** Starts `pnpm start` (or `dev`) with any port, and waits until it says that it is ready. */
export async function startPlayground(args: readonly string[] = []): Promise<Playground> {
  const main = join(import.meta.dirname, "../../apps/playground/src/main.ts");
  const running = run(process.execPath, [main, "--port", "0", ...args]);
  let url: string;
  try {
    const ready = () => READY.exec(running.output())?.[1];
    const ended = running.ended.then((how) => {
      throw new Error(`it ended (${how})`);
    });
    url = await Promise.race([eventually("the playground's ready line", ready, 60_000), ended]);
  } catch (error) {
    await end(running);
    throw new Error(`${String(error)}\n${running.output()}`, { cause: error });
  }
  return playgroundAt(url, running);
}

/** Bytes in JSON: text as base64, and back. */
export const base64Of = (text: string): string => Buffer.from(text, "utf8").toString("base64");
export const textOf = (base64: string): string => Buffer.from(base64, "base64").toString("utf8");

function playgroundAt(url: string, running: Running): Playground {
  async function post<Answer>(
    path: string,
    body: object,
    { nodeId, timeoutMs = 10_000 }: AskOptions = {},
  ): Promise<Answer> {
    const response = await fetch(`${url}/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "connect-timeout-ms": String(timeoutMs),
        ...(nodeId === undefined ? {} : { "raftarium-node-id": nodeId }),
      },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Answer & { code?: string; message?: string };
    if (response.ok) return answer;
    const { code = "no code", message = "" } = answer;
    throw new Refusal(path, code, message, response.headers.get("raftarium-outcome"));
  }

  const playground: Playground = {
    url,
    running,
    call: (method, body = {}, timeoutMs = 10_000) =>
      post(`raftarium.playground.v1.PlaygroundService/${method}`, body, { timeoutMs }),
    async nodes() {
      const { nodes } = await playground.call<{ nodes: NodeStatus[] }>("GetCluster");
      return nodes;
    },
    leader: (except = []) =>
      eventually("a leader that a majority follows", async () => {
        const nodes = await playground.nodes();
        return nodes.find(
          (node) =>
            node.role === "ROLE_LEADER" &&
            node.health === "HEALTH_RUNNING" &&
            !except.includes(node.id) &&
            nodes.filter((other) => other.leaderId === node.id && other.term === node.term).length >
              nodes.length / 2,
        );
      }),
    kv: (method, body, options) => post(`etcdserverpb.KV/${method}`, body, options),
    async put(key, value, nodeId) {
      await playground.kv("Put", { key: base64Of(key), value: base64Of(value) }, { nodeId });
    },
    async get(key, nodeId) {
      const { kvs } = await playground.kv<{ kvs?: { value?: string }[] }>(
        "Range",
        { key: base64Of(key) },
        { nodeId },
      );
      const [found] = kvs ?? [];
      return found === undefined ? null : textOf(found.value ?? "");
    },
    async violations() {
      const response = await fetch(`${url}/recording.jsonl`);
      const lines = (await response.text()).trimEnd().split("\n");
      return lines
        .map((line) => (JSON.parse(line) as Observation).body)
        .filter((body) => body.kind === "invariant-violated")
        .map(({ invariant, explanation }) => `${invariant}: ${explanation}`);
    },
    close: () => end(running),
  };
  return playground;
}
