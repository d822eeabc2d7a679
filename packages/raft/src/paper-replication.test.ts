/**
 * Sections 5.3 and 5.4 of the paper: log replication and what is committed. A number in brackets
 * is that of the classic bug that the test kills.
 */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  bytes,
  command,
  logOf,
  messages,
  only,
  optionsFor,
  recovered,
  requestVote,
  voters,
} from "../test/driver.ts";
import type { Message } from "./index.ts";

function rejection(
  term: number,
  rejectedIndex: number,
  hintIndex: number,
  hintTerm: number,
): Message {
  return {
    type: "append-entries-response",
    term,
    success: false,
    matchIndex: 0,
    hintIndex,
    hintTerm,
    rejectedIndex,
    readRound: 0,
    heartbeat: false,
    priority: 0,
  };
}

describe("§5.3 log replication", () => {
  test("a command is appended, replicated, committed by a majority, applied", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.acknowledge(2, 1);
    node.acknowledge(3, 1);
    node.sent();
    const proposed = node.propose("x=1");
    expect(only(proposed, "proposal-accepted")).toEqual([
      { kind: "proposal-accepted", id: 1, index: 2, term: 1 },
    ]);
    expect(node.sentOf("append-entries", 3)[0]).toMatchObject({
      prevLogIndex: 1,
      prevLogTerm: 1,
      entries: [{ index: 2, term: 1, kind: "command", data: bytes("x=1") }],
      leaderCommit: 1,
    });
    expect(node.raft.status().commitIndex).toBe(1);
    const effects = node.acknowledge(2, 2);
    expect(node.raft.status().commitIndex).toBe(2);
    expect(only(effects, "apply")).toMatchObject([{ entries: [{ index: 2 }] }]);
  });

  test("many proposals of one step make one write, and one append for each peer", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.acknowledge(2, 1);
    node.acknowledge(3, 1);
    const effects = node.propose("a", "b", "c", "d");
    expect(only(effects, "persist").map(({ entries }) => entries.length)).toEqual([4]);
    const sends = only(effects, "send");
    expect(sends.map(({ to }) => to)).toEqual([2, 3]);
  });

  test("followers learn of the commitment, and apply in order, each entry once", () => {
    const node = new Driver(optionsFor(2));
    node.receive(1, append(1, [0, 0], logOf(1, 1, 1), { leaderCommit: 1 }));
    node.receive(1, append(1, [3, 1], [], { leaderCommit: 3 }));
    node.receive(1, append(1, [3, 1], [], { leaderCommit: 3 }));
    const applied = only(node.effects, "apply").flatMap(({ entries }) => entries);
    expect(applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  test("a leader tells of a commitment at once, not with the next heartbeat", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.acknowledge(2, 1);
    node.acknowledge(3, 1);
    node.propose("x");
    node.sent();
    node.acknowledge(2, 2);
    expect(node.sentOf("append-entries", 3)).toMatchObject([
      { prevLogIndex: 2, entries: [], leaderCommit: 2 },
    ]);
  });

  test("[12] a follower commits no further than the append proves", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(2, logOf(1, 2, 2, 2)) }));
    node.receive(1, append(3, [1, 1], [], { leaderCommit: 4 }));
    expect(node.raft.status().commitIndex).toBe(1);
    node.receive(1, append(3, [1, 1], [command(2, 3)], { leaderCommit: 4 }));
    expect(node.raft.status()).toMatchObject({ commitIndex: 2, lastIndex: 2 });
  });

  test("no leader forwards a commitment beyond what its message proves", () => {
    const node = new Driver(
      optionsFor(1, { recovered: recovered(1, logOf(1, 1, 1), { commitIndex: 3 }) }),
    ).lead(2);
    node.receive(2, rejection(2, 3, 0, 0));
    node.tick(4);
    for (const { prevLogIndex, entries, leaderCommit } of node.sentOf("append-entries")) {
      expect(leaderCommit).toBeLessThanOrEqual(prevLogIndex + entries.length);
    }
  });

  test("[11] an append is refused if the term at prevLogIndex differs", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(2, logOf(1, 1, 1)) }));
    const effects = node.receive(1, append(3, [3, 2], [command(4, 3)]));
    expect(messages(effects, "append-entries-response")).toMatchObject([
      { success: false, rejectedIndex: 3, hintIndex: 2, hintTerm: 1 },
    ]);
    expect(node.terms).toEqual([1, 1, 1]);
  });

  test("[10] entries that conflict are replaced, with all that follows them", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(2, logOf(1, 1, 2, 2)) }));
    const effects = node.receive(1, append(3, [2, 1], [command(3, 3)]));
    expect(node.terms).toEqual([1, 1, 3]);
    expect(only(effects, "persist")[0]).toMatchObject({ entries: [{ index: 3, term: 3 }] });
  });

  test("[9] an append that was overtaken truncates nothing", () => {
    const node = new Driver(optionsFor(2));
    node.receive(1, append(1, [0, 0], logOf(1, 1, 1)));
    const effects = node.receive(1, append(1, [0, 0], logOf(1)));
    expect(node.terms).toEqual([1, 1, 1]);
    expect(messages(effects, "append-entries-response")).toMatchObject([{ matchIndex: 1 }]);
    expect(only(effects, "persist")).toEqual([]);
  });

  test("[13] an acknowledgement covers the append that it answers, not the whole log", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(2, logOf(1, 2, 2, 2)) }));
    const effects = node.receive(1, append(3, [1, 1]));
    expect(messages(effects, "append-entries-response")).toMatchObject([
      { success: true, matchIndex: 1 },
    ]);
  });

  test("[13] an acknowledgement that was overtaken does not lower matchIndex", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.propose("a", "b");
    node.acknowledge(2, 3);
    node.acknowledge(2, 1);
    node.receive(2, rejection(1, 1, 0, 0));
    expect(node.raft.status().progress[0]).toMatchObject({ matchIndex: 3, nextIndex: 4 });
  });

  test("an acknowledgement beyond the leader's log is nonsense, and ignored", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.acknowledge(2, 99);
    expect(node.raft.status().commitIndex).toBe(0);
  });

  test("a committed entry is never replaced: that would mean that Raft is broken", () => {
    const node = new Driver(
      optionsFor(2, { recovered: recovered(1, logOf(1, 1), { commitIndex: 2 }) }),
    );
    expect(() => node.receive(1, append(3, [1, 1], [command(2, 3)]))).toThrow(
      /cannot replace entry 2 of term 1: it is committed/,
    );
  });

  test("an append with holes or falling terms is as good as lost", () => {
    const node = new Driver(optionsFor(2));
    node.receive(1, append(3, [0, 0], [command(1, 2), command(3, 2)]));
    node.receive(1, append(3, [0, 0], [command(1, 2), command(2, 1)]));
    node.receive(1, append(3, [0, 0], [command(1, 4)]));
    const garbage = { index: 1, term: 3, kind: "configuration", data: bytes("?") } as const;
    node.receive(1, append(3, [0, 0], [garbage]));
    expect(node.raft.status().lastIndex).toBe(0);
  });
});

describe("§5.3 Figure 7: a new leader makes followers' logs like its own", () => {
  const leaderTerms = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers: Record<string, number[]> = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, terms] of Object.entries(followers)) {
    test(`[14] follower ${name}, in at most one refusal for each term that differs`, () => {
      const leader = new Driver(
        optionsFor(1, { recovered: recovered(7, logOf(...leaderTerms)) }),
      ).lead(3);
      const follower = new Driver(optionsFor(2, { recovered: recovered(7, logOf(...terms)) }));
      let refusals = 0;
      for (let round = 0; round < 20; round++) {
        for (const message of leader.sentOf("append-entries", 2)) follower.receive(1, message);
        for (const answer of follower.sentOf("append-entries-response")) {
          if (!answer.success) refusals++;
          leader.receive(2, answer);
        }
      }
      expect(follower.terms).toEqual([...leaderTerms, 8]);
      expect(refusals).toBeLessThanOrEqual(2);
      expect(leader.raft.status()).toMatchObject({ commitIndex: 11 });
      expect(follower.raft.status()).toMatchObject({ commitIndex: 11 });
    });
  }

  test("and of these, votes for the leader come from a, b, e and f only (§5.4.1)", () => {
    const granted = Object.entries(followers).filter(([, terms]) => {
      const node = new Driver(optionsFor(2, { recovered: recovered(7, logOf(...terms)) }));
      const effects = node.receive(1, requestVote(8, [10, 6]));
      return messages(effects, "request-vote-response")[0]?.voteGranted;
    });
    expect(granted.map(([name]) => name)).toEqual(["a", "b", "e", "f"]);
  });

  test("[14] a follower with nothing is brought up from the first entry on", () => {
    const leader = new Driver(
      optionsFor(1, { recovered: recovered(7, logOf(...leaderTerms)) }),
    ).lead(3);
    const follower = new Driver(optionsFor(2));
    for (let round = 0; round < 5; round++) {
      for (const message of leader.sentOf("append-entries", 2)) follower.receive(1, message);
      for (const answer of follower.sentOf("append-entries-response")) leader.receive(2, answer);
    }
    expect(follower.terms).toEqual([...leaderTerms, 8]);
  });
});

describe("§5.4.2 committing entries from previous terms", () => {
  test("[1] a leader does not commit entries of earlier terms by counting replicas", () => {
    // Figure 8, time (c): S1 leads term 4; its entry of term 2 is on a majority by now.
    const leader = new Driver(
      optionsFor(1, {
        initialConfiguration: voters(1, 2, 3, 4, 5),
        recovered: recovered(3, logOf(1, 2), { commitIndex: 1 }),
      }),
    ).lead(2, 3);
    expect(leader.terms).toEqual([1, 2, 4]);
    leader.acknowledge(2, 2);
    leader.acknowledge(3, 2);
    expect(leader.raft.status().commitIndex).toBe(1);
    // Time (e): its own entry of term 4 is on a majority, and takes the earlier ones with it.
    leader.acknowledge(2, 3);
    leader.acknowledge(3, 3);
    expect(leader.raft.status().commitIndex).toBe(3);
  });

  test("Figure 8, time (d): S5 may still win and replace the entry of term 2", () => {
    const s3 = new Driver(optionsFor(3, { recovered: recovered(4, logOf(1, 2)) }));
    const effects = s3.receive(5, requestVote(5, [2, 3]));
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(true);
    s3.receive(5, append(5, [1, 1], [command(2, 3)]));
    expect(s3.terms).toEqual([1, 3]);
  });

  test("§8 a new leader appends a no-op, so that earlier entries are committed soon", () => {
    const leader = new Driver(optionsFor(1, { recovered: recovered(3, logOf(1, 2)) })).lead(2);
    expect(leader.raft.entries(3, 3)).toMatchObject([{ term: 4, kind: "no-op" }]);
    leader.acknowledge(2, 3);
    expect(leader.raft.status().commitIndex).toBe(3);
  });
});

describe("§5.5 crashes", () => {
  test("a request that comes twice is answered alike, and changes nothing the second time", () => {
    const node = new Driver(optionsFor(1));
    const requests: Message[] = [
      requestVote(3, [0, 0]),
      append(3, [0, 0], logOf(1, 3, 3), { leaderCommit: 2 }),
      append(3, [2, 3], [command(3, 3)], { leaderCommit: 3 }),
    ];
    for (const request of requests) {
      const first = node.receive(2, request);
      const status = node.raft.status();
      const second = node.receive(2, request);
      expect(only(first, "send")).toHaveLength(1);
      expect(only(second, "send")).toEqual(only(first, "send"));
      expect(only(second, "persist")).toEqual([]);
      expect(only(second, "apply")).toEqual([]);
      const { electionTimeoutTicks: _drawnAnew, ...rest } = status;
      expect(node.raft.status()).toMatchObject(rest);
    }
    expect(node.terms).toEqual([1, 3, 3]);
  });

  test("a restarted node applies from the start (or its snapshot) what is known committed", () => {
    const node = new Driver(
      optionsFor(1, { recovered: recovered(2, logOf(1, 1, 2), { commitIndex: 2 }) }),
    );
    const effects = node.tick();
    expect(only(effects, "apply")[0]?.entries.map(({ index }) => index)).toEqual([1, 2]);
  });

  test("the commit index on disk is only a hint: never believed beyond the log", () => {
    const node = new Driver(
      optionsFor(1, { recovered: recovered(2, logOf(1), { commitIndex: 9 }) }),
    );
    expect(node.raft.status()).toMatchObject({ commitIndex: 1, lastIndex: 1 });
  });

  test("a single node that restarts applies its log again once it leads", () => {
    const node = new Driver(
      optionsFor(1, {
        initialConfiguration: voters(1),
        recovered: recovered(2, logOf(1, 2)),
      }),
    );
    node.timeOut();
    const applied = only(node.effects, "apply").flatMap(({ entries }) => entries);
    expect(applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });
});
