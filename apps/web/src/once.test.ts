import { Code, ConnectError, type CallOptions } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createOnce } from "./once.ts";

function sessions() {
  let count = 0;
  return {
    opened: () => count,
    openSession: () => {
      count += 1;
      return Promise.resolve({ session: BigInt(40 + count) } as never);
    },
  };
}

function options(timeoutMs = 5000) {
  return { headers: new Headers(), timeoutMs, signal: new AbortController().signal };
}

const of = ({ headers }: CallOptions) => {
  const all = new Headers(headers);
  return ["session", "sequence", "answered"].map((name) => Number(all.get(`raftarium-${name}`)));
};

const lost = (code: Code, text = "lost") => Promise.reject(new ConnectError(text, code));

test("what gets no answer is sent again under the same number, the next under another", async () => {
  const once = createOnce(sessions());
  const sent: number[][] = [];
  const first = await once.write(options(), (call) => {
    sent.push(of(call));
    return sent.length < 3 ? lost(Code.Unavailable) : Promise.resolve("done");
  });
  expect(first).toEqual({ reply: "done", session: 41, attempts: 3 });
  expect(sent).toEqual([
    [41, 1, 0],
    [41, 1, 0],
    [41, 1, 0],
  ]);
  const next = await once.write(options(), (call) => Promise.resolve(of(call)));
  expect(next.reply).toEqual([41, 2, 1]);
});

test("a definite refusal is not sent again; a session that is gone is opened anew", async () => {
  const opening = sessions();
  const once = createOnce(opening);
  let count = 0;
  const refuse = (code: Code, text: string) => () => {
    count += 1;
    return lost(code, text);
  };
  await expect(once.write(options(), refuse(Code.InvalidArgument, "no key"))).rejects.toThrow();
  const gone = "raftarium: the session is not open; it was closed, or made room for others";
  await expect(once.write(options(), refuse(Code.FailedPrecondition, gone))).rejects.toThrow(gone);
  expect([count, opening.opened()]).toEqual([2, 1]);
  expect((await once.write(options(), () => Promise.resolve("x"))).session).toBe(42);
});

test("when time is up the last error stands; without a session nothing was sent", async () => {
  const once = createOnce(sessions());
  await expect(once.write(options(50), () => lost(Code.Unavailable, "late"))).rejects.toThrow(
    "late",
  );
  const closed = createOnce({ openSession: () => lost(Code.Unavailable, "no leader") });
  const error = await closed
    .write(options(), () => Promise.resolve("never"))
    .catch((reason: unknown) => ConnectError.from(reason));
  expect((error as ConnectError).metadata.get("raftarium-outcome")).toBe("failed");
});
