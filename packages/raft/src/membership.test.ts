/** Membership (paper, section 6; thesis, chapter 4), and leadership transfer (thesis 3.10). */
import { describe, expect, test } from "vitest";
import {
  Driver,
  append,
  command,
  logOf,
  messages,
  observations,
  only,
  optionsFor,
  recovered,
  voters,
} from "../test/driver.ts";
import { decodeConfiguration, encodeConfiguration } from "./index.ts";
import type { Configuration, ConfigurationChange, Entry, RaftOptions } from "./index.ts";

function leader(overrides: Partial<RaftOptions> = {}, ...others: number[]): Driver {
  const node = new Driver(optionsFor(1, overrides)).lead(2, ...others);
  node.acknowledge(2, 1);
  node.acknowledge(3, 1);
  node.sent();
  return node;
}

function change(node: Driver, wanted: ConfigurationChange, id = 1) {
  return node.step({ kind: "change-configuration", id, change: wanted });
}

function refusals(node: Driver, wanted: ConfigurationChange): string[] {
  return only(change(node, wanted), "proposal-refused").map(({ reason }) => reason);
}

function configurationEntry(index: number, term: number, configuration: Configuration): Entry {
  return { index, term, kind: "configuration", data: encodeConfiguration(configuration) };
}

const addFour: ConfigurationChange = { kind: "add-learner", nodeId: 4, address: "four:1" };

describe("thesis §4.1 one server at a time", () => {
  test("a configuration counts from its append on", () => {
    const node = leader();
    const effects = change(node, addFour);
    expect(only(effects, "proposal-accepted")).toMatchObject([{ id: 1, index: 2 }]);
    expect(only(effects, "configuration")).toMatchObject([
      { index: 2, configuration: { voters: [1, 2, 3], learners: [4], addresses: { 4: "four:1" } } },
    ]);
    expect(node.raft.status().progress.map(({ nodeId }) => nodeId)).toEqual([2, 3, 4]);
    const entry = node.raft.entries(2, 2)[0]!;
    expect(decodeConfiguration(entry.data)).toEqual(node.raft.status().configuration);
  });

  test("§4.2.1 a new server is a learner first: it counts for nothing until promoted", () => {
    const node = leader();
    change(node, addFour);
    node.acknowledge(4, 2);
    expect(node.raft.status().commitIndex).toBe(1);
    node.acknowledge(2, 2);
    expect(node.raft.status().commitIndex).toBe(2);
    node.acknowledge(3, 2);
    change(node, { kind: "promote", nodeId: 4 });
    expect(node.raft.status().configuration).toMatchObject({ voters: [1, 2, 3, 4], learners: [] });
    node.acknowledge(2, 3);
    expect(node.raft.status().commitIndex).toBe(2); // Two of four.
    node.acknowledge(4, 3);
    expect(node.raft.status().commitIndex).toBe(3);
  });

  test("§4.2.1 a learner that has not caught up is not promoted", () => {
    const node = leader({ entriesPerAppendMax: 2 });
    change(node, addFour);
    node.acknowledge(2, 2);
    expect(refusals(node, { kind: "promote", nodeId: 4 })).toEqual(["invalid"]);
    node.acknowledge(4, 2);
    expect(only(change(node, { kind: "promote", nodeId: 4 }), "proposal-accepted")).toHaveLength(1);
  });

  test("[25] one change at a time", () => {
    const node = leader();
    change(node, addFour);
    const five: ConfigurationChange = { kind: "add-learner", nodeId: 5, address: "five:1" };
    expect(refusals(node, five)).toEqual(["configuration-pending"]);
    node.acknowledge(2, 2);
    expect(only(change(node, five), "proposal-accepted")).toHaveLength(1);
  });

  test("[25] none before an entry of the leader's own term is committed (the bug of 2015)", () => {
    const node = new Driver(optionsFor(1)).lead(2);
    expect(refusals(node, addFour)).toEqual(["configuration-pending"]);
    node.acknowledge(2, 1);
    expect(only(change(node, addFour), "proposal-accepted")).toHaveLength(1);
  });

  test("the bug of 2015: two leaders' changes cannot both be committed", () => {
    // S1 of {1,2,3,4} appends {1,2,3,4,5} in term 1 and is cut off; S2 leads term 2 and would
    // remove S1. Without its own term committed it may not; so the majorities always meet.
    const start = recovered(1, [], {});
    const four = { initialConfiguration: voters(1, 2, 3, 4) };
    const s2 = new Driver(optionsFor(2, { ...four, recovered: start })).lead(3, 4);
    expect(refusals(s2, { kind: "remove", nodeId: 1 })).toEqual(["configuration-pending"]);
    s2.acknowledge(3, 1);
    s2.acknowledge(4, 1);
    expect(only(change(s2, { kind: "remove", nodeId: 1 }), "proposal-accepted")).toHaveLength(1);
  });

  test("changes that make no sense are refused", () => {
    const node = leader();
    const senseless: ConfigurationChange[] = [
      { kind: "add-learner", nodeId: 2, address: "two:1" },
      { kind: "add-learner", nodeId: 0, address: "none" },
      { kind: "promote", nodeId: 2 },
      { kind: "promote", nodeId: 9 },
      { kind: "remove", nodeId: 9 },
      { kind: "replace", voters: [], learners: [1], addresses: {} },
      { kind: "replace", voters: [1, 2], learners: [2], addresses: {} },
      { kind: "replace", voters: [1, 1], learners: [], addresses: {} },
    ];
    expect(senseless.flatMap((wanted) => refusals(node, wanted))).toEqual(
      senseless.map(() => "invalid"),
    );
  });

  test("the highest id is remembered when its node is gone, so that nobody gets it again", () => {
    const node = leader();
    const settle = () => node.acknowledge(2, node.raft.status().lastIndex);
    const addresses = () => node.raft.status().configuration.addresses;
    change(node, addFour);
    settle();
    change(node, { kind: "add-learner", nodeId: 5, address: "five:1" });
    settle();
    change(node, { kind: "remove", nodeId: 5 });
    settle();
    expect(addresses()).toEqual({ 4: "four:1", 5: "" });
    change(node, { kind: "remove", nodeId: 4 });
    settle();
    expect(addresses()).toEqual({ 5: "" });
    change(node, { kind: "add-learner", nodeId: 6, address: "six:1" });
    expect(addresses()).toEqual({ 6: "six:1" });
  });

  test("the last voter stays", () => {
    const node = new Driver(optionsFor(1, { initialConfiguration: voters(1) })).lead();
    expect(refusals(node, { kind: "remove", nodeId: 1 })).toEqual(["invalid"]);
  });

  test("a single node grows: it commits alone until the second is promoted", () => {
    const node = new Driver(optionsFor(1, { initialConfiguration: voters(1) })).lead();
    change(node, { kind: "add-learner", nodeId: 2, address: "two:1" });
    expect(node.raft.status().commitIndex).toBe(2);
    node.acknowledge(2, 2);
    change(node, { kind: "promote", nodeId: 2 });
    expect(node.raft.status().commitIndex).toBe(2);
    node.acknowledge(2, 3);
    expect(node.raft.status()).toMatchObject({ commitIndex: 3 });
  });

  test("who does not lead, or hands over, refuses", () => {
    expect(refusals(new Driver(optionsFor(2)), addFour)).toEqual(["not-leader"]);
    const node = leader();
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(refusals(node, addFour)).toEqual(["transferring"]);
  });
});

describe("the configuration follows the log", () => {
  const grown: Configuration = { ...voters(1, 2, 3, 4), addresses: { 4: "four:1" } };

  test("a follower takes it on append and goes back on truncation", () => {
    const node = new Driver(optionsFor(2, { observing: true }));
    node.receive(1, append(1, [0, 0], [command(1, 1), configurationEntry(2, 1, grown)]));
    expect(node.raft.status()).toMatchObject({ configurationIndex: 2, configuration: grown });
    const effects = node.receive(3, append(2, [1, 1], [command(2, 2)]));
    expect(node.raft.status()).toMatchObject({
      configurationIndex: 0,
      configuration: voters(1, 2, 3),
    });
    expect(only(effects, "configuration")).toMatchObject([{ index: 0 }]);
  });

  test("it is found again after a restart", () => {
    const entries = [...logOf(1), configurationEntry(2, 1, grown)];
    const node = new Driver(optionsFor(4, { recovered: recovered(1, entries) }));
    expect(node.raft.status()).toMatchObject({ role: "follower", configurationIndex: 2 });
  });

  test("a snapshot carries the one in force at its index, not the latest", () => {
    const entries = [...logOf(1, 1), configurationEntry(3, 1, grown)];
    const node = new Driver(
      optionsFor(2, { recovered: recovered(1, entries, { commitIndex: 3 }) }),
    );
    node.tick();
    expect(node.raft.snapshotMetadata(2)).toMatchObject({
      configuration: voters(1, 2, 3),
      configurationIndex: 0,
    });
    expect(node.raft.snapshotMetadata(3)).toMatchObject({
      configuration: grown,
      configurationIndex: 3,
    });
  });

  test("compaction forgets only those that no later snapshot can need", () => {
    const five = { ...voters(1, 2, 3, 4, 5), addresses: {} };
    const entries = [
      configurationEntry(1, 1, grown),
      command(2, 1),
      command(3, 1),
      configurationEntry(4, 1, five),
    ];
    const node = new Driver(
      optionsFor(2, { recovered: recovered(1, entries, { commitIndex: 4 }) }),
    );
    node.tick();
    node.step({ kind: "snapshot-saved", index: 2 });
    expect(node.raft.snapshotMetadata(3)).toMatchObject({ configurationIndex: 1 });
    expect(node.raft.snapshotMetadata(4)).toMatchObject({ configurationIndex: 4 });
  });

  test("a node without a configuration waits, and becomes what it is made", () => {
    const node = new Driver(optionsFor(4, { initialConfiguration: voters(), observing: true }));
    expect(node.raft.status().role).toBe("learner");
    const withLearner = { ...voters(1, 2, 3), learners: [4] };
    node.receive(1, append(1, [0, 0], [configurationEntry(1, 1, withLearner)]));
    expect(node.raft.status().role).toBe("learner");
    const effects = node.receive(1, append(1, [1, 1], [configurationEntry(2, 1, grown)]));
    expect(node.raft.status().role).toBe("follower");
    expect(observations(effects, "role-changed")).toMatchObject([
      { role: "follower", reason: "became a voter" },
    ]);
  });

  test("observers hear of its append and of its commitment, once each", () => {
    const node = leader({ observing: true });
    change(node, addFour);
    node.acknowledge(2, 2);
    node.acknowledge(3, 2);
    node.tick(3);
    const told = observations(node.effects, "configuration-changed");
    expect(told.map(({ index, committed }) => [index, committed])).toEqual([
      [2, false],
      [2, true],
    ]);
  });
});

describe("§6 joint consensus", () => {
  const replace: ConfigurationChange = {
    kind: "replace",
    voters: [1, 4, 5],
    learners: [],
    addresses: { 4: "four:1", 5: "five:1" },
  };

  test("[25] it is committed by both majorities, never by one of the union", () => {
    const node = leader();
    change(node, replace);
    expect(node.raft.status().configuration).toMatchObject({
      voters: [1, 4, 5],
      votersOutgoing: [1, 2, 3],
    });
    node.acknowledge(2, 2);
    node.acknowledge(3, 2);
    expect(node.raft.status().commitIndex).toBe(1);
    node.acknowledge(4, 2);
    expect(node.raft.status().commitIndex).toBe(2);
  });

  test("[25] an election in it needs both majorities", () => {
    const joint = { ...voters(1, 2, 3), votersOutgoing: [3, 4, 5] };
    const node = new Driver(optionsFor(1, { initialConfiguration: joint }));
    node.timeOut();
    const grant = (from: number) =>
      node.receive(from, {
        type: "request-vote-response",
        term: 1,
        preVote: false,
        voteGranted: true,
      });
    grant(2);
    expect(node.raft.status().role).toBe("candidate");
    grant(4);
    expect(node.raft.status().role).toBe("candidate");
    grant(5);
    expect(node.raft.status().role).toBe("leader");
  });

  test("once it is committed the leader leaves it, and tells those who are out", () => {
    const node = leader();
    change(node, replace);
    node.acknowledge(2, 2);
    node.acknowledge(4, 2);
    expect(node.raft.status()).toMatchObject({
      configurationIndex: 3,
      configuration: { voters: [1, 4, 5], votersOutgoing: [] },
    });
    expect(refusals(node, addFour)).toEqual(["configuration-pending"]);
    node.acknowledge(3, 3);
    expect(node.raft.status().commitIndex).toBe(2);
    node.sent();
    node.acknowledge(4, 3);
    expect(node.raft.status().commitIndex).toBe(3);
    expect(node.sentOf("append-entries", 3)).toMatchObject([{ leaderCommit: 3 }]);
    expect(node.raft.status().progress.map(({ nodeId }) => nodeId)).toEqual([4, 5]);
  });

  test("a new leader leaves the joint configuration that its predecessor began", () => {
    const joint = { ...voters(1, 4, 5), votersOutgoing: [1, 2, 3] };
    const entries = [...logOf(1), configurationEntry(2, 1, joint)];
    const node = new Driver(optionsFor(1, { recovered: recovered(1, entries) }));
    node.step({ kind: "campaign" });
    for (const from of [2, 4]) {
      node.receive(from, {
        type: "request-vote-response",
        term: 2,
        preVote: false,
        voteGranted: true,
      });
    }
    expect(node.raft.status().role).toBe("leader");
    node.acknowledge(2, 3);
    expect(node.raft.status().configurationIndex).toBe(2);
    node.acknowledge(4, 3);
    expect(node.raft.status()).toMatchObject({
      configurationIndex: 4,
      configuration: { votersOutgoing: [] },
    });
  });

  test("check-quorum needs both halves to be heard", () => {
    const node = leader({ checkQuorum: true });
    change(node, replace);
    for (let i = 0; i < 25; i++) {
      node.tick();
      node.acknowledge(2, 1);
      node.acknowledge(3, 1);
    }
    expect(node.raft.status().role).toBe("follower");
  });

  test("learners alone are replaced without a joint configuration", () => {
    const node = leader();
    change(node, { kind: "replace", voters: [3, 2, 1], learners: [9], addresses: { 9: "n:1" } });
    expect(node.raft.status().configuration).toMatchObject({
      voters: [1, 2, 3],
      votersOutgoing: [],
      learners: [9],
    });
  });
});

describe("§6 a leader that is not in the new configuration", () => {
  test("leads until that is committed, not counting itself, then hands over", () => {
    const node = leader();
    change(node, { kind: "remove", nodeId: 1 });
    expect(node.raft.status()).toMatchObject({ role: "leader", configuration: { voters: [2, 3] } });
    node.acknowledge(2, 2);
    expect(node.raft.status().commitIndex).toBe(1); // One of two.
    node.sent();
    node.acknowledge(3, 2);
    expect(node.raft.status()).toMatchObject({ role: "learner", commitIndex: 2, leaderId: null });
    const sent = node.sent();
    expect(sent.filter(({ message }) => message.type === "timeout-now")).toMatchObject([{ to: 2 }]);
    const told = sent.filter(({ message }) => message.type === "append-entries");
    expect(told.map(({ message }) => message)).toMatchObject([
      { leaderCommit: 2 },
      { leaderCommit: 2 },
    ]);
  });

  test("§4.2.2 one that is removed may have to campaign until that is committed", () => {
    const entries = [...logOf(1), configurationEntry(2, 1, voters(2))];
    const options = { initialConfiguration: voters(1, 2) };
    const node = new Driver(
      optionsFor(1, { ...options, recovered: recovered(1, entries, { commitIndex: 1 }) }),
    );
    node.timeOut();
    node.timeOut();
    expect(node.raft.status().role).toBe("candidate");
    node.receive(2, {
      type: "request-vote-response",
      term: node.raft.status().term,
      preVote: false,
      voteGranted: true,
    });
    expect(node.raft.status().role).toBe("leader");
    node.acknowledge(2, 3);
    expect(node.raft.status()).toMatchObject({ role: "learner", commitIndex: 3 });
  });

  test("a removed node that knows it is removed disturbs nobody", () => {
    const entries = [...logOf(1), configurationEntry(2, 1, voters(2, 3))];
    const node = new Driver(
      optionsFor(1, { recovered: recovered(1, entries, { commitIndex: 2 }) }),
    );
    expect(messages(node.tick(100), "request-vote")).toEqual([]);
  });
});

describe("thesis §3.10 leadership transfer", () => {
  test("the target catches up first, then is told to campaign at once", () => {
    const node = leader({ observing: true });
    node.propose("x");
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(node.sentOf("timeout-now")).toEqual([]);
    node.acknowledge(2, 2);
    expect(node.sentOf("timeout-now", 2)).toHaveLength(1);
    const effects = node.receive(2, {
      type: "request-vote",
      term: 2,
      preVote: false,
      lastLogIndex: 2,
      lastLogTerm: 1,
      leadershipTransfer: true,
    });
    expect(messages(effects, "request-vote-response")[0]?.voteGranted).toBe(true);
    const phases = observations(node.effects, "transfer-changed").map(({ phase }) => phase);
    expect(phases).toEqual(["started", "sent", "done"]);
  });

  test("meanwhile proposals are refused, so that there is an end to catching up", () => {
    const node = leader();
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(only(node.propose("x"), "proposal-refused")).toMatchObject([{ reason: "transferring" }]);
    expect(node.raft.status().transferTargetId).toBe(2);
  });

  test("after an election timeout it is given up, and proposals are taken again", () => {
    const node = leader({ observing: true });
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(observations(node.tick(18), "transfer-changed")).toEqual([]);
    const effects = node.tick(1);
    expect(observations(effects, "transfer-changed")).toMatchObject([{ phase: "aborted" }]);
    expect(only(node.propose("x"), "proposal-accepted")).toHaveLength(1);
  });

  test("TimeoutNow may be lost: it is sent again with the heartbeat", () => {
    const node = leader();
    node.step({ kind: "transfer-leadership", to: 2 });
    node.sent();
    node.tick(2);
    expect(node.sentOf("timeout-now", 2)).toHaveLength(1);
  });

  test("the same target again changes nothing; another takes its place", () => {
    const node = leader({ observing: true });
    node.step({ kind: "transfer-leadership", to: 2 });
    expect(node.step({ kind: "transfer-leadership", to: 2 })).toEqual([]);
    const effects = node.step({ kind: "transfer-leadership", to: 3 });
    const phases = observations(effects, "transfer-changed");
    expect(phases.map(({ targetId, phase }) => [targetId, phase])).toEqual([
      [2, "aborted"],
      [3, "started"],
      [3, "sent"],
    ]);
  });

  test("itself, a learner or a stranger are no targets", () => {
    const node = leader({ initialConfiguration: { ...voters(1, 2, 3), learners: [4] } });
    for (const to of [1, 4, 9]) {
      expect(node.step({ kind: "transfer-leadership", to })).toEqual([]);
    }
    expect(node.raft.status().transferTargetId).toBeNull();
  });

  test("the target skips the pre-vote and says that it was asked", () => {
    const node = new Driver(optionsFor(2, { preVote: true }));
    node.receive(1, append(1, [0, 0]));
    const effects = node.receive(1, { type: "timeout-now", term: 1 });
    expect(messages(effects, "request-vote")[0]).toMatchObject({
      term: 2,
      preVote: false,
      leadershipTransfer: true,
    });
  });

  test("a TimeoutNow of an earlier term means nothing", () => {
    const node = new Driver(optionsFor(2, { recovered: recovered(5, []) }));
    expect(node.receive(1, { type: "timeout-now", term: 4 })).toEqual([]);
  });
});
