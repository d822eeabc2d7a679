/** raftarium.machine.v1.SessionService: sessions come and go through the log, like everything. */
import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { status as Status } from "@grpc/grpc-js";
import { closeSession, isSessionNotice, openSession } from "@raftarium/node";
import type { NodeApi, SessionNotice } from "@raftarium/node";
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import { SessionService } from "@raftarium/protocol/machine";
import { failed } from "./failure.ts";
import type { WriteKind, Writes } from "./writes.ts";

export function sessionService(
  node: Pick<NodeApi<unknown>, "propose">,
  writes: Writes,
): ServiceImplementation<typeof SessionService> {
  const kind = <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    answer: (notice: SessionNotice) => MessageInitShape<O> | null,
  ): WriteKind<I, O, Uint8Array, unknown> => ({
    method,
    propose: (command, done, onAccepted) => node.propose(command, done, onAccepted),
    describe: () => method.name,
    answer: (result) =>
      (isSessionNotice(result) ? answer(result) : null) ??
      failed(Status.INTERNAL, `${method.name}: expected an answer of the sessions, got another`),
  });
  const open = kind(SessionService.method.openSession, (notice) =>
    notice.session === "opened" ? { session: BigInt(notice.id) } : null,
  );
  const close = kind(SessionService.method.closeSession, (notice) =>
    notice.session === "closed" ? {} : null,
  );
  return {
    openSession: (call, done) => writes.write(open, openSession(), call, done),
    closeSession(call, done) {
      const session = Number(call.request.session);
      if (Number.isSafeInteger(session)) {
        writes.write(close, closeSession(session), call, done);
        return;
      }
      const text = `session: expected a whole number up to 2^53 - 1, got ${call.request.session}`;
      done(failed(Status.INVALID_ARGUMENT, text));
    },
  };
}
