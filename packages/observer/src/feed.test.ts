import { describe, expect, test } from "vitest";
import {
  BLANK_SUMMARY,
  createFeed,
  type EntryView,
  type FeedLine,
  type LinkView,
  type MessageSummary,
  type NodeView,
  type Observation,
  type ObservationBody,
} from "./index.ts";

type BodyOf<K extends ObservationBody["kind"]> = Extract<ObservationBody, { kind: K }>;

const heartbeat: MessageSummary = { ...BLANK_SUMMARY, term: 1 };

function entry(index: number, term: number, description = `k${index}=v`): EntryView {
  return { index, term, kind: "command", description };
}

const view: NodeView = {
  nodeId: 0,
  incarnation: 1,
  role: "follower",
  term: 1,
  votedFor: null,
  leaderId: null,
  commitIndex: 0,
  appliedIndex: 0,
  durableIndex: 0,
  lastIndex: 0,
  firstIndex: 1,
  snapshotIndex: 0,
  snapshotTerm: 0,
  votesGranted: [],
  votesRejected: [],
  timer: { atUs: 0, elapsedTicks: 0, timeoutTicks: 40, tickUs: 200_000 },
  entries: [],
  rows: [],
  progress: [],
  configuration: { voters: [1, 2, 3, 4, 5], votersOutgoing: [], learners: [], addresses: {} },
  diskBytes: 0,
  lastSyncUs: 0,
};

/** A feed over five running nodes, and how to tell it things; time moves by 200 ms each. */
function stage(node: Partial<NodeView> = {}) {
  const feed = createFeed();
  let timeUs = 1_000_000;
  let sequence = 1;
  const tell = (nodeId: number, body: ObservationBody, incarnation = 1, stepUs = 200_000) => {
    sequence += 1;
    timeUs += stepUs;
    const observation: Observation = { nodeId, incarnation, sequence, timeUs, body };
    feed.take(observation);
  };
  tell(0, { kind: "speed-changed", speed: 0.05, frozen: false });
  for (const nodeId of [1, 2, 3, 4, 5]) {
    tell(nodeId, health("running", { pid: 100 + nodeId }));
    tell(nodeId, { kind: "node-view", view: { ...view, ...node, nodeId } });
  }
  const before = feed.lines().length;
  return {
    tell,
    /** Newest first, without what was there before. */
    lines: () => feed.lines().slice(0, feed.lines().length - before),
    texts: () =>
      feed
        .lines()
        .slice(0, feed.lines().length - before)
        .map(textOf),
    feed,
  };
}

function textOf(line: FeedLine): string {
  const times = line.count > 1 ? ` x ${line.count}` : "";
  return line.words.map((words) => words.text).join("") + times;
}

function health(
  state: BodyOf<"health-changed">["health"],
  more: Partial<BodyOf<"health-changed">> = {},
): ObservationBody {
  const body = { pid: 0, address: "", cause: "", lastWords: "" };
  return { kind: "health-changed", health: state, ...body, ...more };
}

function role(
  to: BodyOf<"role-changed">["role"],
  term: number,
  reason: string,
  more: Partial<BodyOf<"role-changed">> = {},
): ObservationBody {
  return { kind: "role-changed", role: to, term, leaderId: null, votedFor: null, reason, ...more };
}

function link(source: number, target: number, fault: Partial<LinkView> = {}): LinkView {
  return {
    source,
    target,
    cut: false,
    delayMs: 0,
    jitterMs: 0,
    dropRate: 0,
    duplicateRate: 0,
    messageKinds: [],
    ...fault,
  };
}

const links = (...list: LinkView[]): ObservationBody => ({ kind: "links-changed", links: list });
const started = (requestId: string, description: string, write = true): ObservationBody => ({
  kind: "request-started",
  requestId,
  description,
  write,
});
const durable = (durableIndex: number): ObservationBody => ({
  kind: "durable-advanced",
  durableIndex,
  lastSyncUs: 500,
  diskBytes: 1000,
});

describe("elections", () => {
  test("one who heard no leader asks; seconds, not ticks", () => {
    const { tell, texts } = stage();
    tell(5, role("pre-candidate", 1, "heard no leader for 41 ticks"));
    tell(5, role("candidate", 2, "a majority would vote for it", { votedFor: 5 }));
    expect(texts()).toEqual([
      "Node 5 stands for election in term 2: a majority would vote for it",
      "Node 5 heard no leader for 8.2 s, and asks whether it would win term 2",
    ]);
  });

  test("one who asks again and again is counted", () => {
    const { tell, texts } = stage();
    tell(4, role("pre-candidate", 1, "heard no leader for 30 ticks"));
    for (let time = 0; time < 3; time += 1) {
      tell(4, role("pre-candidate", 1, "the election before was not decided in time"));
    }
    expect(texts()[0]).toBe("Node 4 was not answered by enough, and asks again about term 2 x 3");
    expect(texts()).toHaveLength(2);
  });

  test("votes of several are one line; the winner names its voters", () => {
    const { tell, texts, lines } = stage();
    tell(3, role("candidate", 4, "a majority would vote for it", { votedFor: 3 }));
    tell(2, role("follower", 4, "heard of term 4 from 3"));
    tell(2, role("follower", 4, "voted for 3", { votedFor: 3 }));
    tell(1, role("follower", 4, "voted for 3", { votedFor: 3 }));
    tell(3, role("leader", 4, "won with the votes of 1, 2 and itself", { leaderId: 3 }));
    tell(1, role("follower", 4, "3 leads term 4", { leaderId: 3, votedFor: 3 }));
    tell(2, role("follower", 4, "3 leads term 4", { leaderId: 3, votedFor: 3 }));
    expect(texts()).toEqual([
      "Nodes 1 and 2 accepted node 3 as the leader of term 4",
      "Node 3 won term 4 with the votes of 1, 2 and itself",
      "Nodes 1 and 2 voted for node 3 in term 4",
      "Node 3 stands for election in term 4: a majority would vote for it",
    ]);
    expect(lines()[1]?.words.find((words) => words.text === "term 4")?.term).toBe(4);
  });

  test("a lost election, and one given up", () => {
    const { tell, texts } = stage();
    tell(3, role("candidate", 2, "", { votedFor: 3 }));
    tell(3, role("follower", 2, "a majority refused its vote", { votedFor: 3 }));
    tell(4, role("pre-candidate", 2, ""));
    tell(4, role("follower", 2, "a majority refused its vote"));
    tell(5, role("pre-candidate", 2, ""));
    tell(5, role("follower", 2, "1 leads term 2", { leaderId: 1 }));
    expect(texts()).toEqual([
      "Node 5 gave up its election: node 1 leads term 2",
      "Node 5 asks whether it would win term 3",
      "Node 4 would not have won term 3: a majority refused",
      "Node 4 asks whether it would win term 3",
      "Node 3 lost the election of term 2: a majority refused",
      "Node 3 stands for election in term 2",
    ]);
  });

  test("a leader steps down: for a later term, or because it hears no majority", () => {
    const { tell, texts } = stage({ role: "leader", leaderId: 1 });
    tell(1, role("follower", 3, "heard of term 3 from 2"));
    tell(2, role("follower", 1, "heard no majority for 60 ticks"));
    expect(texts()).toEqual([
      "Node 2 stepped down: it heard no majority for 12.0 s",
      "Node 1 stepped down: it heard of term 3 from node 2",
    ]);
  });

  test("handing over", () => {
    const { tell, texts } = stage();
    tell(5, { kind: "transfer-changed", targetId: 3, phase: "started" });
    tell(5, { kind: "transfer-changed", targetId: 3, phase: "sent" });
    tell(3, role("candidate", 2, "the leader handed over to it"));
    tell(5, { kind: "transfer-changed", targetId: 3, phase: "aborted" });
    expect(texts()).toEqual([
      "Node 5 gave up handing leadership to node 3",
      "Node 3 stands for election in term 2: the leader handed over to it",
      "Node 5 hands leadership to node 3",
    ]);
  });
});

describe("writes", () => {
  test("a request, its forwarding, the disks it reaches, its commit", () => {
    const { tell, texts, lines } = stage({ durableIndex: 14, lastIndex: 14, commitIndex: 14 });
    tell(3, role("leader", 1, "", { leaderId: 3 }));
    tell(2, started("a", "fruit=pear"));
    tell(2, { kind: "request-forwarded", requestId: "a", leaderId: 3 });
    for (const nodeId of [3, 1, 4]) {
      tell(nodeId, { kind: "log-appended", entries: [entry(15, 1, "fruit=pear")] });
      tell(nodeId, durable(15));
    }
    tell(3, { kind: "commit-advanced", commitIndex: 15 });
    tell(1, { kind: "commit-advanced", commitIndex: 15 });
    tell(2, {
      kind: "request-finished",
      requestId: "a",
      outcome: "ok",
      detail: "",
      durationUs: 620_000,
    });
    expect(texts().slice(0, -1)).toEqual([
      "Node 2 answered its client after 0.6 s",
      "Node 3 committed index 15: on 3 of 5 disks",
      "Nodes 1, 3 and 4 stored index 15",
      "A client asked node 2 to put fruit = pear; node 2 forwarded it to node 3",
    ]);
    expect(lines().map((line) => line.tone)).toEqual(["quiet", "plain", "quiet", "plain", "plain"]);
  });

  test("who are all are called so", () => {
    const { tell, texts } = stage();
    for (const nodeId of [1, 2, 3, 4]) tell(nodeId, durable(1));
    expect(texts()).toEqual(["Nodes 1, 2, 3 and 4 stored index 1"]);
    tell(5, durable(1));
    expect(texts()).toEqual(["All nodes stored index 1"]);
  });

  test("an entry of another term on a disk is not counted as a copy", () => {
    const { tell, texts } = stage();
    tell(3, role("leader", 2, "", { leaderId: 3 }));
    for (const [nodeId, term] of [
      [3, 2],
      [1, 2],
      [4, 1],
    ] as const) {
      tell(nodeId, { kind: "log-appended", entries: [entry(1, term)] });
      tell(nodeId, durable(1));
    }
    tell(3, { kind: "commit-advanced", commitIndex: 1 });
    expect(texts()[0]).toBe("Node 3 committed index 1: on 2 of 5 disks");
  });

  test("gets and deletes, by the words of the state machine", () => {
    const { tell, texts } = stage();
    tell(1, started("a", "get fruit", false));
    tell(1, started("b", "del fruit"));
    tell(1, started("c", "txn if a=1: b=2"));
    tell(1, started("d", "frobnicate"));
    expect(texts()).toEqual([
      "A client asked node 1 to frobnicate",
      "A client asked node 1 to txn if a=1: b=2",
      "A client asked node 1 to delete fruit",
      "A client asked node 1 to get fruit",
    ]);
  });

  test("refused is told apart from unknown", () => {
    const { tell, texts } = stage();
    const finished = (requestId: string, outcome: "failed" | "unknown", detail: string) =>
      tell(1, { kind: "request-finished", requestId, outcome, detail, durationUs: 1 });
    tell(1, started("a", "a=1"));
    finished("a", "failed", "etcdserver: no leader");
    tell(1, started("b", "b=2"));
    finished("b", "unknown", "etcdserver: request timed out");
    expect(texts().filter((text) => text.startsWith("Node"))).toEqual([
      "Node 1 cannot tell its client whether put b = 2 took effect: request timed out",
      "Node 1 refused put a = 1: no leader",
    ]);
  });

  test("what is taken back is named, with the reason", () => {
    const { tell, texts } = stage({ lastIndex: 9, leaderId: 4 });
    tell(1, { kind: "log-truncated", fromIndex: 7 });
    tell(2, { kind: "log-truncated", fromIndex: 9 });
    expect(texts()).toEqual([
      "Node 2 took back index 9, never committed: node 4 has others there",
      "Node 1 took back indexes 7 to 9, never committed: node 4 has others there",
    ]);
  });

  test("under load requests and writes are told in sum", () => {
    const { tell, texts, feed } = stage({ role: "leader", leaderId: 1 });
    for (let at = 1; at <= 300; at += 1) {
      tell(1, started(`r${at}`, `k=${at}`), 1, 1000);
      tell(1, { kind: "log-appended", entries: [entry(at, 1)] }, 1, 1000);
      tell(1, durable(at), 1, 1000);
      tell(1, { kind: "commit-advanced", commitIndex: at }, 1, 1000);
      const detail = "";
      tell(
        1,
        { kind: "request-finished", requestId: `r${at}`, outcome: "ok", detail, durationUs: 900 },
        1,
        1000,
      );
    }
    expect(feed.lines().length).toBeLessThan(30);
    expect(
      texts().some((text) => /^Clients made \d\d\d requests, the last: put k = 300$/.test(text)),
    ).toBe(true);
    expect(
      texts().some((text) => /^Node 1 committed indexes \d+ to 300: on 1 of 5 disks$/.test(text)),
    ).toBe(true);
  });
});

describe("processes", () => {
  test("signals are told apart", () => {
    const { tell, texts } = stage();
    tell(5, health("crashed", { cause: "SIGKILL", lastWords: "listening" }));
    tell(4, health("paused", { pid: 104 }));
    tell(4, health("running", { pid: 104 }));
    tell(3, health("crashed", { cause: "exit 1", lastWords: "the disk failed" }));
    tell(2, health("stopped", { cause: "exit 0" }));
    tell(1, health("crashed", { cause: "SIGSEGV" }));
    expect(texts()).toEqual([
      "Node 1 was ended by SIGSEGV",
      "Node 2 left in good order (exit 0)",
      "Node 3 ended by itself (exit 1). Its last words: the disk failed",
      "Node 4 was resumed (SIGCONT)",
      "Node 4 was paused (SIGSTOP)",
      "Node 5 was killed (SIGKILL)",
    ]);
  });

  test("a restart", () => {
    const { tell, texts } = stage();
    tell(2, health("crashed", { cause: "SIGKILL" }));
    tell(2, health("starting", { pid: 900 }));
    tell(2, health("running", { pid: 900 }), 2);
    tell(2, health("running", { pid: 900 }), 2);
    expect(texts()).toEqual([
      "Node 2 is up",
      "Node 2 was started again, as process 900",
      "Node 2 was killed (SIGKILL)",
    ]);
  });

  test("what was so when the page came is one line", () => {
    const feed = createFeed();
    const at = (nodeId: number, body: ObservationBody): Observation => ({
      nodeId,
      incarnation: 1,
      sequence: 0,
      timeUs: 5,
      body,
    });
    for (const nodeId of [1, 2, 3]) feed.take(at(nodeId, health("running", { pid: nodeId })));
    feed.take(at(4, health("crashed", { cause: "SIGKILL" })));
    expect(feed.lines().map(textOf)).toEqual([
      "Node 4 had ended before",
      "Nodes 1, 2 and 3 ran when this page began to watch",
    ]);
  });
});

describe("links", () => {
  test("one way, both ways, slower, lossy, healed", () => {
    const { tell, texts } = stage();
    tell(0, links(link(1, 2, { cut: true })));
    tell(0, links(link(1, 2, { cut: true }), link(2, 1, { cut: true })));
    tell(0, links(link(2, 1, { cut: true })));
    tell(0, links(link(2, 1, { cut: true }), link(3, 4, { delayMs: 120, dropRate: 0.3 })));
    tell(0, links(link(3, 4, { cut: true, messageKinds: ["vote"] })));
    tell(0, links(link(3, 4)));
    expect(texts()).toEqual([
      "The link between 3 and 4 is whole again",
      "The link from 2 to 1 was healed; the link from 3 to 4 was cut (vote only)",
      "The link from 3 to 4 takes 120 ms longer and loses 30 % of its messages",
      "The link from 1 to 2 was healed",
      "The link between 1 and 2 was cut",
    ]);
  });

  test("both ways at once is one link", () => {
    const { tell, texts } = stage();
    tell(0, links(link(1, 2, { cut: true }), link(2, 1, { cut: true })));
    expect(texts()).toEqual(["The link between 1 and 2 was cut"]);
  });

  test("a partition is told as its groups, a lonely node by its name", () => {
    const { tell, texts } = stage();
    const apart = (left: number[], right: number[]) =>
      links(
        ...left.flatMap((a) =>
          right.flatMap((b) => [link(a, b, { cut: true }), link(b, a, { cut: true })]),
        ),
      );
    tell(0, apart([1, 2], [3, 4, 5]));
    tell(0, links());
    tell(0, apart([4], [1, 2, 3, 5]));
    tell(0, links());
    expect(texts()).toEqual([
      "All links were healed x 2",
      "Node 4 was cut off from all others",
      "The network was split: 1 and 2 | 3, 4 and 5",
    ]);
  });

  test("what a lossy link loses is counted; what a dead node misses is not", () => {
    const { tell, texts } = stage();
    const dropped: ObservationBody = {
      kind: "message-dropped",
      id: { source: 1, incarnation: 1, sequence: 1 },
      target: 2,
      sentAtUs: 1,
      reason: "loss",
      message: heartbeat,
    };
    tell(2, dropped);
    expect(texts()).toEqual([]);
    tell(0, links(link(1, 2, { dropRate: 0.5 })));
    tell(2, dropped);
    tell(2, dropped);
    expect(texts()[0]).toBe("2 messages were lost on the way from 1 to 2");
  });
});

describe("the rest", () => {
  test("speed, freezing, a gap, snapshots, members, reads", () => {
    const { tell, texts } = stage({ role: "leader", leaderId: 1 });
    tell(0, { kind: "speed-changed", speed: 0.1, frozen: false });
    tell(0, { kind: "speed-changed", speed: 0.1, frozen: true });
    tell(0, { kind: "speed-changed", speed: 0.1, frozen: false });
    tell(0, { kind: "gap", droppedCount: 31 });
    tell(1, { kind: "log-compacted", throughIndex: 9, snapshotIndex: 9, snapshotTerm: 1 });
    const transfer = { direction: "sending", peerId: 5, snapshotIndex: 9 } as const;
    tell(1, { kind: "snapshot-transfer", ...transfer, offset: 0, done: false });
    tell(1, { kind: "snapshot-transfer", ...transfer, offset: 10, done: false });
    tell(1, { kind: "snapshot-transfer", ...transfer, offset: 20, done: true });
    tell(5, { kind: "restored", snapshotIndex: 9, rows: [] });
    tell(1, { kind: "read-confirmed", index: 9, readCount: 2, acknowledgedBy: [2, 3] });
    expect(texts()).toEqual([
      "Node 1 may answer 2 reads: 2 others follow it still",
      "Node 5 took over a snapshot of all through index 9",
      "Node 1 has sent node 5 its snapshot of all through index 9",
      "Node 1 began to send node 5 its snapshot of all through index 9",
      "Node 1 put all through index 9 into a snapshot",
      "31 observations were lost on the way here",
      "Time goes on",
      "Time was frozen",
      "The speed is now 1/10",
    ]);
  });

  test("a lease read is told from one that was confirmed, and from that of a leader alone", () => {
    const { tell, texts } = stage({ role: "leader", leaderId: 1 });
    tell(1, { kind: "read-confirmed", index: 9, readCount: 1, acknowledgedBy: [] });
    expect(texts()[0]).toBe("Node 1 may answer a read by its lease; stale if clocks run wrong");
    const configuration = { voters: [1], votersOutgoing: [], learners: [], addresses: {} };
    tell(1, { kind: "configuration-changed", configuration, index: 10, committed: true });
    tell(1, { kind: "read-confirmed", index: 10, readCount: 1, acknowledgedBy: [] });
    expect(texts()[0]).toBe("Node 1 may answer a read: it votes alone");
  });

  test("a leader that removed itself steps down, and a person can read why", () => {
    const { tell, texts } = stage({ role: "leader", leaderId: 1 });
    tell(1, {
      kind: "role-changed",
      role: "learner",
      term: 1,
      leaderId: null,
      votedFor: null,
      reason: "the configuration without it is committed",
    });
    expect(texts()).toEqual(["Node 1 stepped down: the configuration without it is committed"]);
  });

  test("who takes part, also while two configurations count", () => {
    const { tell, texts } = stage({ role: "leader", leaderId: 1 });
    const change = (voters: number[], votersOutgoing: number[], learners: number[], at: number) => {
      const configuration = { voters, votersOutgoing, learners, addresses: {} };
      tell(1, { kind: "configuration-changed", configuration, index: at, committed: false });
    };
    change([1, 2, 3], [], [4], 2);
    change([1, 4, 5], [1, 2, 3], [], 3);
    expect(texts()).toEqual([
      "Node 1 proposed the members 1, 4, 5, jointly with 1, 2, 3",
      "Node 1 proposed the members 1, 2, 3, learning 4",
    ]);
  });

  test("a broken promise is marked as such, with the sentence why", () => {
    const { tell, lines, texts } = stage();
    const explanation = "Nodes 1 and 2 both led term 3.";
    tell(0, { kind: "invariant-violated", invariant: "Election safety", explanation });
    expect(texts()).toEqual([`A promise is broken: Election safety. ${explanation}`]);
    expect(lines()[0]?.tone).toBe("broken");
  });

  test("heartbeats are lines of their own tone, and counted", () => {
    const { tell, lines, texts } = stage();
    for (let target = 2; target <= 5; target += 1) {
      tell(1, {
        kind: "message-sent",
        id: { source: 1, incarnation: 1, sequence: target },
        target,
        message: heartbeat,
      });
    }
    expect(texts()).toEqual(["Node 1 sent 4 heartbeats"]);
    expect(lines()[0]?.tone).toBe("heartbeat");
  });

  test("the oldest lines are let go; a line keeps its id while it grows", () => {
    const feed = createFeed(20);
    for (let at = 1; at <= 200; at += 1) {
      feed.take({
        nodeId: 0,
        incarnation: 1,
        sequence: at,
        timeUs: at * 1_000_000,
        body: { kind: "gap", droppedCount: at },
      });
      feed.take({
        nodeId: 1,
        incarnation: at,
        sequence: 0,
        timeUs: at * 1_000_000,
        body: health(at % 2 === 0 ? "crashed" : "starting", { pid: at }),
      });
    }
    expect(feed.lines()).toHaveLength(20);
    const { id } = feed.lines().find((line) => textOf(line).includes("lost")) ?? { id: -1 };
    feed.take({
      nodeId: 0,
      incarnation: 1,
      sequence: 900,
      timeUs: 900_000_000,
      body: { kind: "gap", droppedCount: 1 },
    });
    expect(feed.lines()[0]).toMatchObject({ id, atUs: 900_000_000 });
    expect(feed.lines()).toBe(feed.lines());
  });
});
