/** Writes: proposed here, or forwarded to the leader once it is known. */
import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { LogIndex, NodeApi, ProposalOutcome, SessionPosition, Term } from "@raftarium/node";
import { StatusError } from "@raftarium/protocol/grpc";
import { TEXT, failed, refusalOf } from "./failure.ts";
import { positionOf } from "./session.ts";
import { Forwarder } from "./forwarder.ts";
import { RETRY_MS, Request } from "./request.ts";
import type { Requests } from "./request.ts";

/** One kind of write: how it is proposed, told of, and answered. */
export interface WriteKind<I extends DescMessage, O extends DescMessage, Command, Result> {
  readonly method: DescMethodUnary<I, O>;
  propose(
    command: Command,
    done: (outcome: ProposalOutcome<Result>) => void,
    onAccepted: (index: LogIndex, term: Term) => void,
  ): void;
  /** As it stands in the log, for a session or none. Left out: no session may ask for this. */
  logged?(command: Command, position: SessionPosition | null): Command;
  describe(command: Command): string;
  /** What to say where the core finds that this makes no sense now. Left out: in general words. */
  invalid?(command: Command): StatusError;
  /** The answer, or why the state machine refused. */
  answer(result: Result, index: LogIndex, term: Term): MessageInitShape<O> | StatusError;
}

export class Writes {
  readonly #requests: Requests;
  readonly #forwarder: Forwarder;

  constructor(requests: Requests, node: Pick<NodeApi<unknown>, "configuration">) {
    this.#requests = requests;
    this.#forwarder = new Forwarder(
      requests.host,
      (nodeId) => node.configuration().addresses[nodeId],
    );
  }

  /** `call`'s request is sent on as it is if another node leads. */
  write<I extends DescMessage, O extends DescMessage, Command, Result>(
    kind: WriteKind<I, O, Command, Result>,
    command: Command,
    call: ServerUnaryCall<MessageShape<I>, MessageInitShape<O>>,
    done: sendUnaryData<MessageInitShape<O>>,
  ): void {
    const request = new Request(this.#requests, kind.method.name, call, done);
    request.start(() => kind.describe(command), true);
    const { isCut } = this.#requests.host;
    if (isCut !== undefined) {
      const source = request.forwardedBy();
      // It does not arrive: whoever sent it learns nothing.
      if (source !== null && isCut(source)) return;
    }
    const position = positionOf(call.metadata);
    if (position instanceof StatusError) return request.fail(position);
    if (position !== null && kind.logged === undefined) {
      const text = `${kind.method.name}: expected no session, got ${position.session}`;
      return request.fail(failed(Status.INVALID_ARGUMENT, text));
    }
    this.#attempt(kind, kind.logged?.(command, position) ?? command, call.request, request);
  }

  close(): void {
    this.#forwarder.close();
  }

  #attempt<I extends DescMessage, O extends DescMessage, Command, Result>(
    kind: WriteKind<I, O, Command, Result>,
    command: Command,
    message: MessageShape<I>,
    request: Request,
  ): void {
    const again = (error: StatusError): void => {
      request.lastError = error;
      setTimeout(() => {
        if (!request.over) this.#attempt(kind, command, message, request);
      }, RETRY_MS);
    };
    request.underWay = true;
    kind.propose(
      command,
      (outcome) => {
        if (outcome.kind === "applied") {
          const answer = kind.answer(outcome.result, outcome.index, outcome.term);
          if (answer instanceof StatusError) request.fail(answer);
          else request.succeed(answer);
          return;
        }
        request.underWay = false;
        if (outcome.kind === "refused" && outcome.reason === "invalid" && kind.invalid) {
          return request.fail(kind.invalid(command));
        }
        const refusal = refusalOf(outcome);
        if (refusal.kind === "answer") {
          request.fail(refusal.error);
          return;
        }
        const { leaderId } = outcome;
        if (request.forwardedBy() !== null) {
          // The node that forwarded it looks for the leader again, not this one.
          request.fail(failed(Status.UNAVAILABLE, TEXT.notLeader));
        } else if (
          outcome.kind === "refused" &&
          outcome.reason === "not-leader" &&
          leaderId !== null &&
          leaderId !== this.#requests.host.nodeId
        ) {
          this.#forwarder.forward(request, leaderId, kind.method, message, again);
        } else {
          again(refusal.error);
        }
      },
      (index, term) => request.proposed(index, term),
    );
  }
}
