/**
 * Sections 5.1, 5.2 and 5.4.1 of the paper, and what the thesis adds to elections. One rule, one
 * test. A number in brackets, as in [5], is that of the classic bug that it kills.
 */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
  requestVote,
  vote,
  voters,
} from "../test/driver.ts";
import { createRandom } from "../test/random.ts";

describe("§5.1 terms", () => {
  test("a node that sees a later term enters it and follows", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.receive(3, append(7, [0, 0]));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 7, leaderId: 3 });
  });

  test("a candidate that sees a later term steps down", () => {
    const node = new Driver(optionsFor(1));
    node.step({ kind: "campaign" });
    node.receive(2, vote(5, false));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 5, votedFor: null });
  });

  test("[15] a leader that sees a later term in a reply steps down", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.receive(2, {
      type: "append-entries-response",
      term: 9,
      success: false,
      matchIndex: 0,
      hintIndex: 0,
      hintTerm: 0,
      rejectedIndex: 0,
      readRound: 0,
      heartbeat: false,
      priority: 0,
    });
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 9, leaderId: null });
  });

  test("a request of an earlier term is refused with the later term", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(5, []) }));
    expect(messages(node.receive(2, append(4, [0, 0])), "append-entries-response")).toMatchObject([
      { term: 5, success: false },
    ]);
    expect(messages(node.receive(2, requestVote(4, [9, 4])), "request-vote-response")).toEqual([
      { type: "request-vote-response", term: 5, preVote: false, voteGranted: false },
    ]);
  });

  test("a reply of an earlier term changes nothing", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(5, []) })).lead(2);
    node.receive(3, {
      type: "append-entries-response",
      term: 5,
      success: true,
      matchIndex: 1,
      hintIndex: 0,
      hintTerm: 0,
      rejectedIndex: 0,
      readRound: 0,
      heartbeat: false,
      priority: 0,
    });
    expect(node.raft.status().commitIndex).toBe(0);
  });

  test("[3] term and vote are what storage found, after a restart", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(5, [], { votedFor: 2 }) }));
    const refused = node.receive(3, requestVote(5, [9, 5]));
    expect(messages(refused, "request-vote-response")[0]?.voteGranted).toBe(false);
    const repeated = node.receive(2, requestVote(5, [9, 5]));
    expect(messages(repeated, "request-vote-response")[0]?.voteGranted).toBe(true);
  });
});

describe("§5.2 leader election", () => {
  test("nodes start as followers", () => {
    expect(new Driver(optionsFor(1)).raft.status()).toMatchObject({ role: "follower", term: 0 });
  });

  test("a follower that hears no leader for an election timeout campaigns", () => {
    const node = new Driver(optionsFor(1));
    const { electionTimeoutTicks } = node.raft.status();
    node.tick(electionTimeoutTicks - 1);
    expect(node.raft.status().role).toBe("follower");
    const effects = node.tick();
    expect(node.raft.status()).toMatchObject({ role: "candidate", term: 1, votedFor: 1 });
    expect(only(effects, "send").map(({ to }) => to)).toEqual([2, 3]);
    expect(messages(effects, "request-vote")[0]).toEqual({
      type: "request-vote",
      term: 1,
      preVote: false,
      lastLogIndex: 0,
      lastLogTerm: 0,
      leadershipTransfer: false,
    });
  });

  test("a candidate whose election is not decided in time starts another", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.timeOut();
    expect(node.raft.status()).toMatchObject({ role: "candidate", term: 2 });
  });

  const elections = [
    { size: 1, granted: [], role: "leader" },
    { size: 3, granted: [2, 3], role: "leader" },
    { size: 3, granted: [2], role: "leader" },
    { size: 3, granted: [], role: "candidate" },
    { size: 4, granted: [2], role: "candidate" },
    { size: 4, granted: [2, 3], role: "leader" },
    { size: 5, granted: [2], role: "candidate" },
    { size: 5, granted: [2, 3], role: "leader" },
  ];
  for (const { size, granted, role } of elections) {
    test(`of ${size}, votes of ${granted.join() || "nobody"} and itself make a ${role}`, () => {
      const everybody = Array.from({ length: size }, (_, i) => i + 1);
      const node = new Driver(optionsFor(1, { initialConfiguration: voters(...everybody) }));
      node.timeOut();
      for (const from of granted) node.receive(from, vote(1, true));
      expect(node.raft.status().role).toBe(role);
    });
  }

  test("[8] a vote repeated counts once", () => {
    const everybody = voters(1, 2, 3, 4, 5);
    const node = new Driver(optionsFor(1, { initialConfiguration: everybody, observing: true }));
    node.timeOut();
    for (let i = 0; i < 5; i++) node.receive(2, vote(1, true));
    expect(node.raft.status().role).toBe("candidate");
    const told = observations(node.effects, "votes-changed");
    expect(told.map(({ granted }) => granted)).toEqual([[1], [1, 2]]);
  });

  test("[8] a vote of an earlier term does not count", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.timeOut();
    node.receive(2, vote(1, true));
    expect(node.raft.status().role).toBe("candidate");
    node.receive(2, vote(2, true));
    expect(node.raft.status().role).toBe("leader");
  });

  test("[8] a granted pre-vote is not a vote", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.receive(2, vote(1, true, true));
    expect(node.raft.status().role).toBe("candidate");
  });

  test("a candidate that a majority refused waits as a follower, in the same term", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.receive(2, vote(1, false));
    expect(node.raft.status().role).toBe("candidate");
    node.receive(3, vote(1, false));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 1, votedFor: 1 });
  });

  test("[7] a node votes for one candidate in a term: the first that asks", () => {
    const node = new Driver(optionsFor(1));
    const first = node.receive(2, requestVote(1, [0, 0]));
    const second = node.receive(3, requestVote(1, [0, 0]));
    expect(messages(first, "request-vote-response")[0]?.voteGranted).toBe(true);
    expect(messages(second, "request-vote-response")[0]?.voteGranted).toBe(false);
    expect(node.raft.status().votedFor).toBe(2);
  });

  test("[7] stepping down within a term does not give the vote back", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.receive(2, append(1, [0, 0]));
    const effects = node.receive(3, requestVote(1, [9, 1]));
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(false);
    expect(node.raft.status().votedFor).toBe(1);
  });

  test("[16] a candidate that hears the leader of its own term follows it", () => {
    const node = new Driver(optionsFor(1));
    node.timeOut();
    node.receive(2, append(1, [0, 0]));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 1, leaderId: 2 });
  });

  test("[16] a leader takes no append of its own term from anybody else", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    const effects = node.receive(3, append(1, [0, 0], logOf(1)));
    expect(effects).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "leader", leaderId: 1 });
  });

  test("a new leader tells everybody at once, without waiting for a tick", () => {
    const everybody = voters(1, 2, 3, 4, 5);
    const node = new Driver(optionsFor(1, { initialConfiguration: everybody }));
    node.timeOut();
    node.receive(2, vote(1, true));
    const effects = node.receive(3, vote(1, true));
    expect(node.raft.status()).toMatchObject({ role: "leader", leaderId: 1 });
    const told = only(effects, "send").filter(({ message }) => message.type === "append-entries");
    expect(told.map(({ to }) => to)).toEqual([2, 3, 4, 5]);
    expect(told[0]?.message).toMatchObject({ term: 1, prevLogIndex: 0, leaderCommit: 0 });
  });

  test("a leader sends heartbeats to everybody", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    node.sent();
    node.tick(2);
    const heartbeats = node.sent();
    expect(heartbeats.map(({ to }) => to)).toEqual([2, 3]);
    expect(heartbeats[0]?.message).toMatchObject({ type: "append-entries", entries: [] });
  });

  test("[17] the election timer is reset by the leader and by a granted vote", () => {
    const node = new Driver(optionsFor(1));
    node.tick(5);
    node.receive(2, requestVote(1, [0, 0]));
    expect(node.raft.status().electionElapsedTicks).toBe(0);
    node.tick(5);
    node.receive(2, append(1, [0, 0]));
    expect(node.raft.status().electionElapsedTicks).toBe(0);
  });

  test("[17] the election timer runs on at anything else", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(3, logOf(1, 2, 3)) }));
    node.tick(5);
    node.receive(2, append(2, [0, 0])); // A leader of the past.
    node.receive(2, requestVote(4, [1, 1])); // A candidate that cannot win.
    node.receive(2, requestVote(9, [1, 1]));
    node.receive(3, vote(9, true));
    expect(node.raft.status()).toMatchObject({ term: 9, electionElapsedTicks: 5 });
  });

  test("election timeouts are drawn anew at each reset, over the whole range", () => {
    const node = new Driver(optionsFor(1, { random: createRandom(7) }));
    const drawn = new Set<number>();
    for (let i = 0; i < 300; i++) {
      node.receive(2, append(1, [0, 0]));
      drawn.add(node.raft.status().electionTimeoutTicks);
    }
    const ascending = [...drawn].toSorted((a, b) => a - b);
    expect(ascending).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test("nobody votes before the election timer of a restarted node has run", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(4, logOf(1, 4)) }));
    expect(node.tick(9)).toEqual([]);
  });
});

describe("§5.4.1 election restriction", () => {
  const cases: [own: number[], candidate: number[], granted: boolean][] = [
    [[1], [1], true],
    [[1], [1, 1], true],
    [[1, 1], [1], false],
    [[1], [2], true],
    [[1, 1], [2], true], // A later term beats a longer log.
    [[2], [1, 1, 1], false],
    [[2, 2], [1, 1, 1, 1], false],
    [[], [], true],
  ];
  for (const [own, candidate, granted] of cases) {
    test(`[5] [6] terms ${own.join() || "none"} ${granted ? "vote" : "do not vote"} for ${candidate.join() || "none"}`, () => {
      const node = new Driver(optionsFor(1, { recovered: recovered(2, logOf(...own)) }));
      const last = [candidate.length, candidate.at(-1) ?? 0] as const;
      const effects = node.receive(2, requestVote(3, last));
      expect(messages(effects, "request-vote-response")).toMatchObject([
        { term: 3, voteGranted: granted },
      ]);
    });
  }

  test("[6] the last terms are compared first, then the indexes; the same log is good enough", () => {
    const lasts: [term: number, index: number][] = [1, 2, 3].flatMap((term) =>
      [term, term + 1, 7].map((index): [number, number] => [term, index]),
    );
    for (const [ownTerm, ownIndex] of lasts) {
      const own = Array.from({ length: ownIndex }, (_, i) => Math.min(i + 1, ownTerm));
      for (const [term, index] of lasts) {
        const node = new Driver(optionsFor(1, { recovered: recovered(3, logOf(...own)) }));
        const [answer] = messages(
          node.receive(2, requestVote(4, [index, term])),
          "request-vote-response",
        );
        const expected = term === ownTerm ? index >= ownIndex : term > ownTerm;
        expect(answer?.voteGranted, `${index}@${term} asks ${ownIndex}@${ownTerm}`).toBe(expected);
      }
    }
  });

  test("a learner votes if it is asked: it may be a voter and not know yet", () => {
    const node = new Driver(optionsFor(4));
    expect(node.raft.status().role).toBe("learner");
    const effects = node.receive(2, requestVote(1, [0, 0]));
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(true);
  });

  test("a learner does not campaign, and forgets a leader that is silent", () => {
    const node = new Driver(optionsFor(4));
    node.receive(1, append(1, [0, 0]));
    node.tick(40);
    expect(node.raft.status()).toMatchObject({ role: "learner", term: 1, leaderId: null });
    expect(node.step({ kind: "campaign" })).toEqual([]);
  });
});

describe("thesis §9.6 PreVote", () => {
  const options = optionsFor(1, { preVote: true, recovered: recovered(4, logOf(1, 4)) });

  test("a pre-candidate asks for the next term and changes nothing", () => {
    const node = new Driver(options);
    const effects = node.timeOut();
    expect(node.raft.status()).toMatchObject({ role: "pre-candidate", term: 4, votedFor: null });
    expect(messages(effects, "request-vote")[0]).toMatchObject({ term: 5, preVote: true });
    expect(only(effects, "persist")).toEqual([]);
  });

  test("with a majority it campaigns in earnest", () => {
    const node = new Driver(options);
    node.timeOut();
    const effects = node.receive(2, vote(5, true, true));
    expect(node.raft.status()).toMatchObject({ role: "candidate", term: 5 });
    expect(messages(effects, "request-vote")[0]).toMatchObject({ term: 5, preVote: false });
  });

  test("refused by a majority it follows again; its term stands", () => {
    const node = new Driver(options);
    node.timeOut();
    node.receive(2, vote(4, false, true));
    node.receive(3, vote(3, false, true)); // From an earlier term.
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 4 });
  });

  test("a refusal with a later term is entered: the pre-candidate lagged behind", () => {
    const node = new Driver(options);
    node.timeOut();
    node.receive(2, vote(8, false, true));
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 8 });
  });

  test("who grants one gives no vote away, and keeps its timer", () => {
    const node = new Driver(optionsFor(1));
    node.tick(3);
    for (const from of [2, 3]) {
      const effects = node.receive(from, requestVote(1, [0, 0], { preVote: true }));
      expect(messages(effects, "request-vote-response")).toEqual([
        { type: "request-vote-response", term: 1, preVote: true, voteGranted: true },
      ]);
    }
    expect(node.raft.status()).toMatchObject({ term: 0, votedFor: null, electionElapsedTicks: 3 });
  });

  test("a pre-vote of an earlier term is refused, not ignored, with the later term", () => {
    const node = new Driver(optionsFor(1, { recovered: recovered(9, []) }));
    const effects = node.receive(2, requestVote(5, [0, 0], { preVote: true }));
    expect(messages(effects, "request-vote-response")).toEqual([
      { type: "request-vote-response", term: 9, preVote: true, voteGranted: false },
    ]);
  });

  test("a node that was cut off does not raise its term", () => {
    const node = new Driver(options);
    for (let i = 0; i < 20; i++) node.timeOut();
    expect(node.raft.status().term).toBe(4);
  });

  test("a single node needs nobody", () => {
    const node = new Driver(optionsFor(1, { preVote: true, initialConfiguration: voters(1) }));
    node.timeOut();
    expect(node.raft.status()).toMatchObject({ role: "leader", term: 1, commitIndex: 1 });
  });
});

describe("thesis §4.2.3 and §6.2 check-quorum", () => {
  const checkQuorum = { checkQuorum: true };

  test("who heard its leader lately ignores a vote, even of a later term", () => {
    const node = new Driver(optionsFor(1, checkQuorum));
    node.receive(2, append(1, [0, 0]));
    node.tick(9);
    expect(node.receive(3, requestVote(5, [9, 1]))).toEqual([]);
    expect(node.raft.status()).toMatchObject({ term: 1, leaderId: 2 });
  });

  test("and refuses a pre-vote, so that the other need not wait", () => {
    const node = new Driver(optionsFor(1, checkQuorum));
    node.receive(2, append(1, [0, 0]));
    const effects = node.receive(3, requestVote(2, [9, 1], { preVote: true }));
    expect(messages(effects, "request-vote-response")).toMatchObject([
      { term: 1, voteGranted: false },
    ]);
  });

  test("but votes once the shortest election timeout has passed", () => {
    const latest = { integer: (_min: number, max: number) => max };
    const node = new Driver(optionsFor(1, { ...checkQuorum, random: latest }));
    node.receive(2, append(1, [0, 0]));
    node.tick(10);
    const effects = node.receive(3, requestVote(5, [9, 1]));
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(true);
  });

  test("and votes at once if the leader itself asked for the election (§3.10)", () => {
    const node = new Driver(optionsFor(1, checkQuorum));
    node.receive(2, append(1, [0, 0]));
    const effects = node.receive(3, requestVote(2, [9, 1], { leadershipTransfer: true }));
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(true);
  });

  test("a leader is loyal to itself, however long it leads", () => {
    const node = new Driver(optionsFor(1, checkQuorum)).lead(2);
    for (let i = 0; i < 40; i++) {
      node.tick();
      node.acknowledge(2, 1);
    }
    expect(node.receive(3, requestVote(9, [9, 9]))).toEqual([]);
    expect(node.raft.status()).toMatchObject({ role: "leader", term: 1 });
  });

  test("a leader that hears no majority for an election timeout steps down", () => {
    const node = new Driver(
      optionsFor(1, {
        ...checkQuorum,
        initialConfiguration: voters(1, 2, 3, 4, 5),
        observing: true,
      }),
    ).lead(2, 3);
    for (let i = 0; i < 30; i++) {
      node.tick();
      node.acknowledge(2, 1);
      node.acknowledge(3, 1);
    }
    expect(node.raft.status().role).toBe("leader");
    let effects = node.tick(18);
    for (let i = 0; i < 18; i++) node.acknowledge(2, 1); // One of five is no majority.
    expect(node.raft.status().role).toBe("leader");
    effects = node.tick(2);
    expect(node.raft.status()).toMatchObject({ role: "follower", term: 1, leaderId: null });
    expect(observations(effects, "role-changed")[0]?.reason).toMatch(/heard no majority/);
  });

  test("a leader alone in its cluster never does", () => {
    const node = new Driver(
      optionsFor(1, { ...checkQuorum, initialConfiguration: voters(1) }),
    ).lead();
    node.tick(100);
    expect(node.raft.status().role).toBe("leader");
  });

  test("a node stuck in a later term is freed: the leader's append tells the leader of it", () => {
    const leader = new Driver(optionsFor(1, checkQuorum)).lead(2);
    const stuck = new Driver(optionsFor(3, { ...checkQuorum, recovered: recovered(6, []) }));
    const [answer] = messages(stuck.receive(1, append(1, [0, 0])), "append-entries-response");
    expect(answer).toMatchObject({ term: 6, success: false });
    leader.receive(3, answer!);
    expect(leader.raft.status()).toMatchObject({ role: "follower", term: 6 });
  });
});

describe("§5.6 timing: nothing but ticks makes time pass", () => {
  test("the same inputs give the same effects", () => {
    const play = () => {
      const node = new Driver(optionsFor(1, { random: createRandom(3), observing: true }));
      node.tick(25);
      node.receive(2, vote(node.raft.status().term, true));
      node.propose("a", "b");
      node.acknowledge(3, 2);
      node.tick(5);
      return node.effects;
    };
    expect(play()).toEqual(play());
    expect(play().length).toBeGreaterThan(20);
  });
});
