/** Connections of one run, all closed at its end: an idle one would keep the process alive. */
import {
  Http2SessionManager,
  createConnectTransport,
  createGrpcTransport,
} from "@connectrpc/connect-node";
import { createRaftClient } from "@raftarium/client";
import type { RaftClient } from "@raftarium/client";
import { InvalidArgumentError } from "commander";

/** Long enough for a cluster that is just starting, short enough for one that isn't there. */
const CONNECT_MS = 2000;
const FIRST_PORT = 7101;
const DEFAULT_NODES = 5;

export const DEFAULT_ENDPOINTS: readonly string[] = Array.from(
  { length: DEFAULT_NODES },
  (_, index) => `127.0.0.1:${FIRST_PORT + index}`,
);
export const DEFAULT_PLAYGROUND = "http://localhost:7100";

/** `host:port,host:port`, each with or without `http://`. */
export function parseEndpoints(text: string): readonly string[] {
  const endpoints = text.split(",").map((part) => part.trim().replace(/^http:\/\/|\/$/g, ""));
  for (const endpoint of endpoints) {
    const hasForm = /^(\[[0-9a-fA-F:.]+\]|[^\s:/?#@]+):\d{1,5}$/.test(endpoint);
    // A URL knows which ports and hosts there are.
    if (!hasForm || !URL.canParse(`http://${endpoint}`)) {
      throw new InvalidArgumentError(`expected host:port,host:port…, got '${endpoint}'`);
    }
  }
  return endpoints;
}

export function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError(`expected a URL such as ${DEFAULT_PLAYGROUND}, got ${text}`);
}

export interface Connection {
  readonly client: RaftClient;
  close(): void;
}

/** To the nodes, by gRPC. */
export function connectNodes(
  endpoints: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Connection {
  const managers: Http2SessionManager[] = [];
  const client = createRaftClient({
    timeoutMs,
    signal,
    connectMs: CONNECT_MS,
    endpoints: endpoints.map((name) => {
      const baseUrl = `http://${name}`;
      const sessionManager = new Http2SessionManager(baseUrl);
      managers.push(sessionManager);
      return { name, transport: createGrpcTransport({ baseUrl, sessionManager }) };
    }),
  });
  return {
    client,
    close() {
      for (const manager of managers) manager.abort();
    },
  };
}

/** To the playground, by Connect over HTTP/1.1: a connection for each call, closed after it. */
export function connectPlayground(url: string, timeoutMs: number, signal: AbortSignal): Connection {
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    nodeOptions: { agent: false },
  });
  const client = createRaftClient({ timeoutMs, signal, endpoints: [{ name: url, transport }] });
  return { client, close() {} };
}
