/**
 * Hands calls of the nodes' client API on to a node, as they are: the node named by the header
 * raftarium-node-id, else the leader, else any that runs. The answer names the node that gave it
 * by the same header.
 */
import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Cluster } from "./cluster.ts";
import { PlaygroundError } from "./playground-error.ts";

export const NODE_ID_HEADER = "raftarium-node-id";
/** The caller's own name for its request; observations repeat it. */
const REQUEST_ID_HEADER = "raftarium-request-id";
/** Which write of which session it is; it may come again, and counts once. */
const SESSION_HEADERS = ["raftarium-session", "raftarium-sequence", "raftarium-answered"];
/** Of an error: `failed` (no effect, ever) or `unknown`. */
const OUTCOME_HEADER = "raftarium-outcome";

/** A node that is paused or cut off answers nothing; the caller hears of it after this ... */
const ANSWER_MS_MAX = 10_000;
/** ... in cluster time, since an election in slow motion takes long; but not later than this. */
const ANSWER_WALL_MS_MAX = 120_000;

/** Lets a call happen; may remember it. */
interface Recorder {
  record<Answer>(method: string, request: object, call: () => Promise<Answer>): Promise<Answer>;
}

const forgetful: Recorder = { record: (_method, _request, call) => call() };

/** All unary methods of a service; the others remain unimplemented. */
export function proxied<Service extends DescService>(
  service: Service,
  cluster: Pick<Cluster, "route" | "speed">,
  recorder: Recorder = forgetful,
): Partial<ServiceImpl<Service>> {
  const methods: Record<string, unknown> = {};
  for (const method of service.methods) {
    if (method.methodKind !== "unary") continue;
    methods[method.localName] = async (request: never, context: HandlerContext) => {
      const { nodeId, link } = cluster.route(requestedNode(context.requestHeader));
      context.responseHeader.set(NODE_ID_HEADER, String(nodeId));
      const timeoutMs = Math.min(
        context.timeoutMs() ?? Infinity,
        ANSWER_MS_MAX / cluster.speed(),
        ANSWER_WALL_MS_MAX,
      );
      const unary = method as DescMethodUnary;
      const { signal } = context;
      const header = handedOn(context.requestHeader);
      // One of a session took effect when its first copy did, which may be long before this one.
      const remembering = header.has("raftarium-session") ? forgetful : recorder;
      return remembering.record(method.localName, request, async () => {
        try {
          const { transport } = link;
          return (await transport.unary(unary, signal, timeoutMs, header, request)).message;
        } catch (error) {
          throw fromNode(nodeId, error);
        }
      });
    };
  }
  return methods as Partial<ServiceImpl<Service>>;
}

function requestedNode(headers: Headers): number | null {
  const value = headers.get(NODE_ID_HEADER);
  if (value === null || value === "") return null;
  if (/^[1-9][0-9]{0,8}$/.test(value)) return Number(value);
  throw new PlaygroundError(
    "invalid",
    `cannot choose a node: expected ${NODE_ID_HEADER} to be a node id, got '${value}'`,
  );
}

/** What is handed on of the caller's headers. A name that isn't a short word is left out. */
function handedOn(headers: Headers): Headers {
  const some = new Headers();
  const id = headers.get(REQUEST_ID_HEADER);
  if (id !== null && /^[\w.-]{1,64}$/.test(id)) some.set(REQUEST_ID_HEADER, id);
  for (const name of SESSION_HEADERS) {
    const value = headers.get(name);
    if (value !== null && value.length <= 20) some.set(name, value);
  }
  return some;
}

/** The node's own refusal as it is; a connection that broke is named for what it is. */
function fromNode(nodeId: number, error: unknown): ConnectError {
  const { code, rawMessage, metadata } = ConnectError.from(error);
  const header = new Headers({ [NODE_ID_HEADER]: String(nodeId) });
  const outcome = metadata.get(OUTCOME_HEADER);
  if (outcome !== null) header.set(OUTCOME_HEADER, outcome);
  // A stream that HTTP/2 refuses or cuts is a connection that ends.
  const ended = code === Code.Internal && rawMessage.includes("NGHTTP2_");
  switch (ended ? Code.Aborted : code) {
    case Code.Canceled:
    case Code.Aborted:
      return new ConnectError(
        `node ${nodeId} ended before it answered; the request may or may not have taken effect`,
        Code.Unavailable,
        header,
      );
    case Code.DeadlineExceeded:
      return new ConnectError(
        `node ${nodeId} did not answer in time; the request may or may not have taken effect`,
        code,
        header,
      );
    default:
      return new ConnectError(rawMessage, code, header);
  }
}
