import { BLANK_SUMMARY, type Observation } from "@raftarium/observer";
import type { Role } from "@raftarium/raft";
import { expect, test } from "vitest";
import { windowsOf } from "./leaderless.ts";

const became = (ms: number, nodeId: number, role: Role): Observation => ({
  nodeId,
  incarnation: 1,
  sequence: ms,
  timeUs: ms * 1000,
  body: { kind: "role-changed", role, term: 1, leaderId: null, votedFor: null, reason: "" },
});

const heartbeat = (ms: number, nodeId: number): Observation => ({
  ...became(ms, nodeId, "leader"),
  body: {
    kind: "message-sent",
    id: { source: nodeId, incarnation: 1, sequence: ms },
    target: 9,
    message: { ...BLANK_SUMMARY, term: 1 },
  },
});

test("from the last leader's stepping down, or from its last words, to the next leader", () => {
  const told = [
    became(1, 1, "candidate"),
    became(5, 1, "leader"),
    // Asked in vain: no window.
    became(10, 2, "pre-candidate"),
    became(20, 2, "follower"),
    became(100, 1, "learner"),
    became(104, 2, "candidate"),
    became(109, 2, "leader"),
    heartbeat(250, 2),
    // Nobody told that node 2 stepped down.
    became(300, 3, "pre-candidate"),
    became(310, 3, "candidate"),
    became(330, 3, "leader"),
  ];
  expect(windowsOf(told.toReversed())).toEqual([9, 80]);
});
