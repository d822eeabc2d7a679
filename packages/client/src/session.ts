/** Writes that are carried out once, however often they must be sent (thesis, section 6.3). */
import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { KV } from "@raftarium/protocol/etcd";
import { SessionService, StateMachineService } from "@raftarium/protocol/machine";
import type { CallOptions, RaftClient } from "./client.ts";
import type { Outcome } from "./outcome.ts";

/**
 * As a `RaftClient` writes, but a write whose outcome is unknown is sent again, to any node, until
 * it is known or there is no time left. Many may be under way at the same time.
 *
 * A session that nobody used for long may have made room for others. A write that finds it so is
 * answered `unknown`, code `failed precondition`, if it was ever sent before: open another session.
 */
export interface WriteSession extends Pick<
  RaftClient,
  "put" | "deleteRange" | "txn" | "compact" | "propose"
> {
  readonly id: bigint;
  /** Its answers need not be remembered any more. */
  close(options?: CallOptions): Promise<Outcome<void>>;
}

/** Opens a session, by a log entry. */
export async function openSession(
  client: RaftClient,
  options?: CallOptions,
): Promise<Outcome<WriteSession>> {
  // One that was opened in vain ends by itself.
  const { openSession: open, closeSession } = SessionService.method;
  const opened = await client.call(open, {}, "repeatable", options);
  if (opened.outcome !== "ok") return opened;
  const { session } = opened.value;
  const underWay = new Set<number>();
  let sequence = 0;

  const once =
    <I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) =>
    async (
      request: MessageInitShape<I>,
      settings: CallOptions = {},
    ): Promise<Outcome<MessageShape<O>>> => {
      sequence += 1;
      const mine = sequence;
      underWay.add(mine);
      const headers = {
        ...settings.headers,
        "raftarium-session": `${session}`,
        "raftarium-sequence": `${mine}`,
        "raftarium-answered": `${Math.min(...underWay) - 1}`,
      };
      try {
        return await client.call(method, request, "repeatable", { ...settings, headers });
      } finally {
        // Given up counts as answered: a copy that is still on its way does nothing after the next.
        underWay.delete(mine);
      }
    };

  const value: WriteSession = {
    id: session,
    put: once(KV.method.put),
    deleteRange: once(KV.method.deleteRange),
    txn: once(KV.method.txn),
    compact: once(KV.method.compact),
    propose: once(StateMachineService.method.propose),
    async close(settings) {
      const closed = await client.call(closeSession, { session }, "repeatable", settings);
      return closed.outcome === "ok" ? { ...closed, value: undefined } : closed;
    },
  };
  return { ...opened, value };
}
