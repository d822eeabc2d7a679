/**
 * Writes that take effect once, however often they are sent (Raft thesis, section 6.3): in a
 * session of this page, under a number of their own, sent again until the outcome is known.
 */
import { Code, ConnectError, type CallOptions, type Client } from "@connectrpc/connect";
import type { SessionService } from "@raftarium/protocol/machine";

export interface Once {
  /**
   * Sends a write until it is answered, definitely refused, given up, or out of time; each time
   * with the same headers. Rejects with the last attempt's error.
   */
  write<Reply>(
    options: OnceOptions,
    send: (options: CallOptions) => Promise<Reply>,
  ): Promise<Sent<Reply>>;
}

export interface OnceOptions extends CallOptions {
  readonly headers: Headers;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Sent<Reply> {
  readonly reply: Reply;
  readonly session: number;
  readonly attempts: number;
}

const RETRY_MS = 300;

/** @param sessions where a session is opened: when it is first needed. */
export function createOnce(sessions: Pick<Client<typeof SessionService>, "openSession">): Once {
  let opening: Promise<bigint> | null = null;
  let sequence = 0;
  const underWay = new Set<number>();

  async function opened(options: CallOptions): Promise<bigint> {
    opening ??= sessions.openSession({}, options).then(({ session }) => session);
    const mine = opening;
    try {
      return await mine;
    } catch (error) {
      if (opening === mine) opening = null;
      throw error;
    }
  }

  return {
    async write(options, send) {
      const { timeoutMs, signal } = options;
      const until = performance.now() + timeoutMs;
      const session = await notSent(opened({ timeoutMs, signal }));
      sequence += 1;
      const mine = sequence;
      underWay.add(mine);
      const headers = new Headers(options.headers);
      headers.set("raftarium-session", String(session));
      headers.set("raftarium-sequence", String(mine));
      headers.set("raftarium-answered", String(Math.min(...underWay) - 1));
      try {
        for (let attempts = 1; ; attempts += 1) {
          const left = Math.max(1, Math.ceil(until - performance.now()));
          try {
            const reply = await send({ ...options, headers, timeoutMs: left });
            return { reply, session: Number(session), attempts };
          } catch (error) {
            const late = signal.aborted || performance.now() + RETRY_MS >= until;
            // Closed, or gone for others: the next write opens another.
            if (isGone(error)) opening = null;
            if (late || !isPassing(error)) throw error;
          }
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      } finally {
        underWay.delete(mine);
      }
    },
  };
}

/** Without a session nothing was written, whatever became of the session. */
async function notSent<Value>(opening: Promise<Value>): Promise<Value> {
  try {
    return await opening;
  } catch (error) {
    const { rawMessage, code } = ConnectError.from(error);
    throw new ConnectError(rawMessage, code, { "raftarium-outcome": "failed" });
  }
}

/** Another attempt may do better. */
function isPassing(error: unknown): boolean {
  const { code, cause } = ConnectError.from(error);
  // The playground itself is gone.
  if (cause instanceof TypeError) return false;
  return code === Code.Unavailable || code === Code.DeadlineExceeded || code === Code.Aborted;
}

function isGone(error: unknown): boolean {
  const { code, rawMessage } = ConnectError.from(error);
  return code === Code.FailedPrecondition && rawMessage.includes("the session is not open");
}
