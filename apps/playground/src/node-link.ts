/**
 * What connects the playground with one run of one node's process: its observations in, and what
 * is asked of it out. It ends with the process; the next process gets a new one.
 */
import { createClient, type Client, type Transport } from "@connectrpc/connect";
import { Http2SessionManager, createGrpcTransport } from "@connectrpc/connect-node";
import type { Observation } from "@raftarium/observer";
import { observationFromWire } from "@raftarium/protocol";
import { NodeControlService } from "@raftarium/protocol/control";
import { ObserverService } from "@raftarium/protocol/observer";
import { sleep } from "./clock.ts";

export interface NodeLinkOptions {
  /** host:port */
  readonly address: string;
  readonly onObservations: (observations: readonly Observation[]) => void;
  /** The stream has (again) begun, or the node says anew how it is: configure it. */
  readonly onView: () => void;
}

export interface NodeLink {
  readonly control: Client<typeof NodeControlService>;
  /** For whatever else the node serves. */
  readonly transport: Transport;
  close(): void;
}

/** A stream that broke while its process lives is opened again after this. */
const REOPEN_MS = 100;
/** A node on this machine answers at once, or it is paused, or stuck. */
const CONTROL_MS_MAX = 5_000;

export function openNodeLink(options: NodeLinkOptions): NodeLink {
  const baseUrl = `http://${options.address}`;
  // No pings: connect-node may throw past everybody when they go unanswered, and a paused node
  // answers none. Whether a node lives is told by its process.
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  const control = createClient(
    NodeControlService,
    createGrpcTransport({ baseUrl, sessionManager, defaultTimeoutMs: CONTROL_MS_MAX }),
  );
  const closed = new AbortController();

  async function follow(): Promise<void> {
    const observer = createClient(ObserverService, transport);
    while (!closed.signal.aborted) {
      try {
        for await (const { observations } of observer.observe({}, { signal: closed.signal })) {
          const plain = observations.map(observationFromWire);
          options.onObservations(plain);
          if (plain.some(({ body }) => body.kind === "node-view")) options.onView();
        }
      } catch {
        // Its process ended, or will be asked again below.
      }
      if (!closed.signal.aborted) await sleep(REOPEN_MS);
    }
  }

  void follow();
  return {
    control,
    transport,
    close() {
      closed.abort();
      sessionManager.abort();
    },
  };
}
