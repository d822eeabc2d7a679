/** A state machine of a user's own, and clients that send it what it does not expect. */
import { Metadata, status as Status } from "@grpc/grpc-js";
import type { NodeApi, SessionNotice, StateMachine } from "@raftarium/node";
import { expect, test } from "vitest";
import { describingAnything } from "../machine-loader.ts";
import { machineService } from "./machine-service.ts";
import { Reads } from "./reads.ts";
import { Requests } from "./request.ts";
import type { ServiceHost } from "./host.ts";
import type { Writes } from "./writes.ts";

/** Throws at whatever is empty. */
const touchy: StateMachine = {
  apply: (command) => ({ result: command, changes: [] }),
  query(question) {
    if (question.length === 0) throw new Error("expected a question, got nothing");
    return question;
  },
  snapshot: () => [].values(),
  restore: () => ({ write() {}, end() {} }),
  describe: (command) => command.join(" "),
  rows: () => [],
};

/** The answer, or the code, text and outcome of the error. */
function query(question: Uint8Array, serializable: boolean): unknown {
  const host = { requestTimeoutMs: () => 1000, observing: () => false } as Partial<ServiceHost>;
  const requests = new Requests(host as ServiceHost, () => undefined);
  const node = { read: (done) => done({ kind: "ready", index: 1 }) } as Pick<
    NodeApi<Uint8Array | SessionNotice>,
    "read"
  >;
  const hosted = { kind: "custom", machine: touchy, node, commandBytesMax: 10 } as unknown;
  const service = machineService(
    hosted as Parameters<typeof machineService>[0],
    new Reads(requests, node),
    {} as Writes,
  );
  const call = {
    request: { question, serializable },
    metadata: new Metadata(),
    getDeadline: () => Infinity,
    cancelled: false,
  };
  let told: unknown = "nothing";
  service.query(call as never, (error, answer) => {
    told =
      error === null
        ? answer
        : [error.code, error.details, error.metadata?.get("raftarium-outcome")];
  });
  requests.close();
  return told;
}

test.each([true, false])(
  "a question that it throws at is refused, and the node goes on (serializable: %s)",
  (serializable) => {
    expect(query(new Uint8Array(0), serializable)).toEqual([
      Status.INVALID_ARGUMENT,
      "the state machine has no answer: expected a question, got nothing",
      ["failed"],
    ]);
    expect(query(Uint8Array.of(7), serializable)).toEqual({ answer: Uint8Array.of(7) });
  },
);

test("a command that it can't describe is described by its length", () => {
  const machine = describingAnything({
    ...touchy,
    describe(this: StateMachine, command) {
      if (command.length === 0) throw new Error("nothing to describe");
      return `${this.rows(1).length} rows, ${command.join(" ")}`;
    },
  });
  expect(machine.describe(Uint8Array.of(1, 2))).toBe("0 rows, 1 2");
  expect(machine.describe(new Uint8Array(0))).toBe("0 bytes");
});
