/** Reads: after the cluster has confirmed that this node's state is new enough, or at once. */
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { NodeApi } from "@raftarium/node";
import { StatusError } from "@raftarium/protocol/grpc";
import { readErrorOf } from "./failure.ts";
import { RETRY_MS, Request } from "./request.ts";
import type { Requests } from "./request.ts";

export interface Read<Response> {
  readonly method: string;
  /** From this node's state as it is, however old. */
  readonly serializable: boolean;
  describe(): string;
  look(): Response | StatusError;
}

export class Reads {
  readonly #requests: Requests;
  readonly #node: Pick<NodeApi<unknown>, "read">;

  constructor(requests: Requests, node: Pick<NodeApi<unknown>, "read">) {
    this.#requests = requests;
    this.#node = node;
  }

  read<I, O>(read: Read<O>, call: ServerUnaryCall<I, O>, done: sendUnaryData<O>): void {
    const request = new Request(this.#requests, read.method, call, done);
    request.start(() => read.describe(), false);
    if (read.serializable) this.#look(read, request);
    else this.#attempt(read, request);
  }

  #attempt<O>(read: Read<O>, request: Request): void {
    this.#node.read((outcome) => {
      if (outcome.kind === "ready") {
        this.#look(read, request);
        return;
      }
      // A read changes nothing: asking again is always safe.
      request.lastError = readErrorOf(outcome);
      setTimeout(() => {
        if (!request.over) this.#attempt(read, request);
      }, RETRY_MS);
    });
  }

  #look<O>(read: Read<O>, request: Request): void {
    if (request.over) return;
    const answer = read.look();
    if (answer instanceof StatusError) request.fail(answer);
    else request.succeed(answer);
  }
}
