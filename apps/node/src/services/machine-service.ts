/** raftarium.machine.v1.StateMachineService: opaque bytes for a state machine of a user's own. */
import { status as Status } from "@grpc/grpc-js";
import { isSessionNotice, loggedCommand } from "@raftarium/node";
import type { SessionNotice } from "@raftarium/node";
import { StateMachineService } from "@raftarium/protocol/machine";
import { toStatusError } from "@raftarium/protocol/grpc";
import type { ServiceImplementation, StatusError } from "@raftarium/protocol/grpc";
import { failed } from "./failure.ts";
import type { Hosted } from "./host.ts";
import type { Reads } from "./reads.ts";
import { refusalBySession } from "./session.ts";
import type { WriteKind, Writes } from "./writes.ts";

type CustomHosted = Extract<Hosted, { readonly kind: "custom" }>;
type Propose = typeof StateMachineService.method.propose;

export function machineService(
  { machine, node, commandBytesMax }: CustomHosted,
  reads: Reads,
  writes: Writes,
): ServiceImplementation<typeof StateMachineService> {
  type Result = Uint8Array | SessionNotice;
  const propose: WriteKind<Propose["input"], Propose["output"], Uint8Array, Result> = {
    method: StateMachineService.method.propose,
    propose: (command, done, onAccepted) => node.propose(command, done, onAccepted),
    logged: loggedCommand,
    describe: (command) => machine.describe(command),
    answer: (result, index, term) =>
      isSessionNotice(result)
        ? refusalBySession(result)
        : { result, index: BigInt(index), term: BigInt(term) },
  };
  return {
    propose(call, done) {
      const { command } = call.request;
      if (command.length > commandBytesMax) {
        const text = `cannot propose: expected at most ${commandBytesMax} bytes, got ${command.length}`;
        done(failed(Status.INVALID_ARGUMENT, text));
        return;
      }
      writes.write(propose, command, call, done);
    },
    query(call, done) {
      const { question, serializable } = call.request;
      const describe = (): string => `query, ${question.length} bytes`;
      const look = (): { answer: Uint8Array } | StatusError => {
        try {
          return { answer: machine.query(question) };
        } catch (error) {
          // One client's question must not end a node.
          const text = `the state machine has no answer: ${toStatusError(error).details}`;
          return failed(Status.INVALID_ARGUMENT, text);
        }
      };
      reads.read({ method: "Query", serializable, describe, look }, call, done);
    },
  };
}
