/**
 * Carries a client's write to the leader. It is sent once at most: over a connection that is
 * known to stand, and never again unless the leader itself said that nothing was done.
 */
import type { DescMessage, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import { Client, Metadata, connectivityState, credentials, status as Status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { NodeId } from "@raftarium/node";
import type { StatusError } from "@raftarium/protocol/grpc";
import { toMethodDefinition } from "@raftarium/protocol/grpc";
import { TEXT, failed, outcomeOf, unknown } from "./failure.ts";
import type { ServiceHost } from "./host.ts";
import { FORWARDED_HEADER } from "./request.ts";
import type { Request } from "./request.ts";

/** How long a connection may take before the request looks for the leader anew, milliseconds. */
const CONNECT_MS_MAX = 1000;

export class Forwarder {
  readonly #host: ServiceHost;
  readonly #addressOf: (nodeId: NodeId) => string | undefined;
  readonly #clients = new Map<string, Client>();

  constructor(host: ServiceHost, addressOf: (nodeId: NodeId) => string | undefined) {
    this.#host = host;
    this.#addressOf = addressOf;
  }

  /** `retry` is called, at most once, if the leader certainly did nothing and another may. */
  forward<I extends DescMessage, O extends DescMessage>(
    request: Request,
    leaderId: NodeId,
    method: DescMethodUnary<I, O>,
    message: MessageShape<I>,
    retry: (error: StatusError) => void,
  ): void {
    const address = this.#addressOf(leaderId);
    if (address === undefined) {
      retry(failed(Status.UNAVAILABLE, TEXT.noLeader));
      return;
    }
    const client = this.#clientOf(address);
    const send = (): void => this.#send(client, request, leaderId, method, message, retry);
    if (client.getChannel().getConnectivityState(true) === connectivityState.READY) {
      send();
      return;
    }
    const remainingMs = request.deadlineMs - performance.now();
    client.waitForReady(Date.now() + Math.min(remainingMs, CONNECT_MS_MAX), (error) => {
      if (request.over) return;
      if (error === undefined) send();
      else retry(failed(Status.UNAVAILABLE, TEXT.noLeader));
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #send<I extends DescMessage, O extends DescMessage>(
    client: Client,
    request: Request,
    leaderId: NodeId,
    method: DescMethodUnary<I, O>,
    message: MessageShape<I>,
    retry: (error: StatusError) => void,
  ): void {
    const definition = toMethodDefinition<I, O>(method);
    const metadata = new Metadata();
    metadata.set(FORWARDED_HEADER, String(this.#host.nodeId));
    request.passOn(metadata);
    request.underWay = true;
    request.forwarded(leaderId);
    client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
      definition.path,
      definition.requestSerialize as (value: MessageShape<I>) => Buffer,
      definition.responseDeserialize,
      message,
      metadata,
      { deadline: Date.now() + (request.deadlineMs - performance.now()) },
      (error, response) => {
        // Over a cut link the answer doesn't get here: the time limit ends the request.
        if (request.finished || this.#host.isCut?.(leaderId) === true) return;
        if (error === null) request.succeed(this.#asOurs(response));
        else this.#failed(request, error, retry);
      },
    );
  }

  #failed(request: Request, error: ServiceError, retry: (error: StatusError) => void): void {
    const outcome = outcomeOf(error);
    if (outcome === "failed") {
      request.underWay = false;
      const answer = failed(error.code, error.details);
      if (error.code === Status.UNAVAILABLE) retry(answer);
      else request.fail(answer);
      return;
    }
    const timedOut = error.code === Status.DEADLINE_EXCEEDED;
    const text = outcome === "unknown" ? error.details : TEXT.connectionLost;
    request.fail(unknown(timedOut ? TEXT.timedOut : text));
  }

  /** The header tells of the node that was asked, as etcd's does. */
  #asOurs(response: unknown): unknown {
    const { header } = response as { header?: { memberId: bigint } };
    if (header !== undefined) header.memberId = BigInt(this.#host.nodeId);
    return response;
  }

  #clientOf(address: string): Client {
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = new Client(address, credentials.createInsecure(), {
        "grpc.enable_retries": 0,
        "grpc.max_receive_message_length": -1,
        "grpc.max_send_message_length": -1,
        "grpc.initial_reconnect_backoff_ms": 50,
        "grpc.max_reconnect_backoff_ms": 1000,
      });
      this.#clients.set(address, client);
    }
    return client;
  }
}
