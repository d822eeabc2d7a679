import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { KV } from "@raftarium/protocol/etcd";
import { SessionService } from "@raftarium/protocol/machine";
import { describe, expect, test } from "vitest";
import { createRaftClient } from "./client.ts";
import { openSession } from "./session.ts";
import type { WriteSession } from "./session.ts";

const KEY = new Uint8Array([1]);

type Answer = "ok" | "no leader" | "lost" | "expired" | Promise<"ok">;

/** A node that answers puts as told, and keeps the headers of each. */
function node(answers: Answer[]) {
  const headers: string[] = [];
  const closed: bigint[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(KV, {
      async put(_request, { requestHeader }) {
        const of = (name: string): string | null => requestHeader.get(`raftarium-${name}`);
        headers.push(`${of("session")}:${of("sequence")}/${of("answered")}`);
        const answer = await (answers.shift() ?? "ok");
        if (answer === "ok") return {};
        const outcome = answer === "no leader" ? "failed" : "unknown";
        const code = answer === "expired" ? Code.FailedPrecondition : Code.Unavailable;
        throw new ConnectError(answer, code, { "raftarium-outcome": outcome });
      },
    });
    service(SessionService, {
      openSession: () => ({ session: 7n }),
      closeSession({ session }) {
        closed.push(session);
        return {};
      },
    });
  });
  return { headers, closed, endpoint: { name: "a", transport } };
}

async function sessionOn({ endpoint }: ReturnType<typeof node>, timeoutMs = 5000) {
  const client = createRaftClient({ endpoints: [endpoint], timeoutMs, retryMs: 1 });
  const opened = await openSession(client);
  if (opened.outcome !== "ok") throw new Error(opened.message);
  return opened.value satisfies WriteSession;
}

describe("writes of a session", () => {
  test("are sent again, as the same write, until the outcome is known", async () => {
    const asked = node(["lost", "no leader", "ok"]);
    const session = await sessionOn(asked);
    expect(await session.put({ key: KEY })).toMatchObject({ outcome: "ok", attempts: 3 });
    expect(asked.headers).toEqual(["7:1/0", "7:1/0", "7:1/0"]);
  });

  test("have numbers of their own, and say which answers are there", async () => {
    const asked = node([]);
    const session = await sessionOn(asked);
    await session.put({ key: KEY });
    await session.put({ key: KEY });
    expect(asked.headers).toEqual(["7:1/0", "7:2/1"]);
  });

  test("don't claim answers that are still under way", async () => {
    let release: ((answer: "ok") => void) | undefined;
    const first = new Promise<"ok">((resolve) => {
      release = resolve;
    });
    const asked = node([first]);
    const session = await sessionOn(asked);
    const slow = session.put({ key: KEY });
    await session.put({ key: KEY });
    await session.put({ key: KEY });
    release?.("ok");
    await slow;
    await session.put({ key: KEY });
    expect(asked.headers).toEqual(["7:1/0", "7:2/0", "7:3/0", "7:4/3"]);
  });

  test("stay unknown if the time is up after an attempt that may have done it", async () => {
    const asked = node(["lost", ...Array.from({ length: 1000 }, () => "no leader" as const)]);
    const session = await sessionOn(asked, 100);
    expect(await session.put({ key: KEY })).toMatchObject({
      outcome: "unknown",
      message: "no leader",
    });
  });

  test("end with a session that is gone", async () => {
    const asked = node(["lost", "expired"]);
    const session = await sessionOn(asked);
    expect(await session.put({ key: KEY })).toMatchObject({
      outcome: "unknown",
      code: "failed precondition",
      attempts: 2,
    });
  });

  test("come before its end", async () => {
    const asked = node([]);
    const session = await sessionOn(asked);
    expect(await session.close()).toMatchObject({ outcome: "ok" });
    expect(asked.closed).toEqual([7n]);
  });
});
