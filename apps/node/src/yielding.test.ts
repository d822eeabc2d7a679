import type { Message } from "@raftarium/node";
import { expect, test } from "vitest";
import { Hearing } from "./yielding.ts";

/** `count` entries after `prevLogIndex`. */
function append(prevLogIndex: number, count: number, leaderCommit: number): Message {
  const entries = Array.from({ length: count }, (_, at) => ({
    index: prevLogIndex + 1 + at,
    term: 1,
    kind: "command" as const,
    data: new Uint8Array(0),
  }));
  const term = 1;
  const prevLogTerm = 1;
  const type = "append-entries";
  return { type, term, prevLogIndex, prevLogTerm, entries, leaderCommit, readRound: 0 };
}

const follower = (appliedIndex: number) => ({ role: "follower" as const, appliedIndex });

test("a node is behind while all that it is sent is committed already, however much it applies", () => {
  const hearing = new Hearing();
  for (let index = 0; index < 100_000; index += 1000) {
    hearing.heard(append(index, 1000, index + 1000));
    expect(hearing.isOver(follower(index + 1000))).toBe(false);
  }
});

test("it has caught up once it is sent what is not committed yet, and has applied what is", () => {
  const hearing = new Hearing();
  hearing.heard(append(50_000, 100, 50_020));
  expect(hearing.isOver(follower(20_000))).toBe(false);
  expect(hearing.isOver(follower(50_000))).toBe(true);
});

test("where nothing is written it is over after a while without news", () => {
  const hearing = new Hearing();
  // As long as nobody leads there is no telling.
  for (let look = 0; look < 100; look += 1) expect(hearing.isOver(follower(5))).toBe(false);
  hearing.heard(append(5, 0, 5));
  const looks = Array.from({ length: 20 }, () => {
    hearing.heard(append(5, 0, 5));
    return hearing.isOver(follower(5));
  });
  expect(looks.indexOf(true)).toBe(10);
});

test("a snapshot on its way is news", () => {
  const hearing = new Hearing();
  hearing.heard(append(5, 0, 5));
  const chunk = {
    type: "install-snapshot" as const,
    term: 1,
    snapshot: {
      index: 90_000,
      term: 1,
      configuration: { voters: [1], votersOutgoing: [], learners: [], addresses: {} },
      configurationIndex: 0,
    },
    offset: 0,
    data: new Uint8Array(1),
    done: false,
  } satisfies Message;
  for (let look = 0; look < 100; look += 1) {
    hearing.heard(chunk);
    expect(hearing.isOver(follower(5))).toBe(false);
  }
});

test("who stands for election or leads has nobody to catch up with", () => {
  for (const role of ["pre-candidate", "candidate", "leader"] as const) {
    expect(new Hearing().isOver({ role, appliedIndex: 0 })).toBe(true);
  }
});
