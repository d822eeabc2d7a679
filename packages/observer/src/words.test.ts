import { describe, expect, test } from "vitest";
import type { NodeId, Role } from "@raftarium/raft";
import {
  createFold,
  headlineOf,
  listWords,
  nodeLabel,
  nodeWord,
  sentenceOf,
  type ClusterView,
  type Health,
  type LinkView,
  type ObservationBody,
} from "./index.ts";

interface Told {
  readonly voters?: readonly number[];
  readonly votersOutgoing?: readonly number[];
  readonly learners?: readonly number[];
  readonly role?: Role;
  readonly term?: number;
  readonly health?: Health;
  readonly cause?: string;
  readonly commitIndex?: number;
}

/** A cluster of these nodes, from 1 up, with these pairs cut both ways. */
function cluster(nodes: readonly Told[], cuts: readonly (readonly [NodeId, NodeId])[] = []) {
  const folding = createFold();
  let sequence = 0;
  const tell = (nodeId: number, body: ObservationBody) => {
    sequence += 1;
    folding.apply({ nodeId, incarnation: 1, sequence, timeUs: sequence, body });
  };
  nodes.forEach(
    (
      { role = "follower", term = 1, commitIndex = 0, health = "running", cause = "", ...who },
      at,
    ) => {
      const nodeId = at + 1;
      const { voters, votersOutgoing = [], learners = [] } = who;
      tell(nodeId, {
        kind: "role-changed",
        role,
        term,
        leaderId: null,
        votedFor: null,
        reason: "",
      });
      if (voters !== undefined) {
        const configuration = { voters, votersOutgoing, learners, addresses: {} };
        tell(nodeId, { kind: "configuration-changed", configuration, index: 1, committed: false });
      }
      if (commitIndex > 0) tell(nodeId, { kind: "commit-advanced", commitIndex });
      tell(nodeId, { kind: "health-changed", health, pid: 1, address: "", cause, lastWords: "" });
    },
  );
  const fault = { delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0, messageKinds: [] };
  const links = cuts.flatMap(([a, b]): LinkView[] => [
    { source: a, target: b, cut: true, ...fault },
    { source: b, target: a, cut: true, ...fault },
  ]);
  tell(0, { kind: "links-changed", links });
  return folding.snapshot();
}

function sentence(view: ClusterView): string {
  return sentenceOf(view)
    .map((piece) => piece.text)
    .join("");
}

const F: Told = {};

describe("one sentence says how the cluster is", () => {
  test("nothing known yet", () => {
    expect(sentence(createFold().snapshot())).toBe("Waiting for the cluster.");
  });

  test("all is well; the term is a piece of its own, to wear its colour", () => {
    const view = cluster([F, F, { role: "leader", commitIndex: 15 }, F, F]);
    expect(sentence(view)).toBe("Node 3 leads term 1. All 5 running, 15 entries committed.");
    expect(sentenceOf(view).map((piece) => piece.term)).toEqual([null, 1, null]);
  });

  test("one dead, one entry", () => {
    const view = cluster([{ role: "leader", commitIndex: 1 }, F, { health: "crashed" }]);
    expect(sentence(view)).toBe("Node 1 leads term 1. 2 of 3 running, 1 entry committed.");
  });

  test("somebody is cut off", () => {
    const view = cluster(
      [{ role: "leader" }, F, F],
      [
        [1, 3],
        [2, 3],
      ],
    );
    expect(sentence(view)).toContain("All 3 running, node 3 cut off, 0 entries committed.");
  });

  test("a leader that reaches no majority", () => {
    const view = cluster([{ role: "leader" }, { health: "crashed" }, { health: "paused" }]);
    expect(sentence(view)).toBe(
      "Node 1 still leads term 1, but reaches no majority: nothing can be committed.",
    );
  });

  test("somebody learns", () => {
    const leader: Told = { role: "leader", voters: [1, 2], learners: [3] };
    expect(sentence(cluster([leader, F, F]))).toContain(
      "All 3 running, node 3 learning, 0 entries",
    );
  });

  test("while the members change jointly, two majorities are named and counted", () => {
    const leader: Told = { role: "leader", voters: [1, 4, 5], votersOutgoing: [1, 2, 3] };
    expect(sentence(cluster([leader, F, F, F, F]))).toBe(
      "Node 1 leads term 1. Joint consensus: a majority of 1, 2, 3 and one of 1, 4, 5.",
    );
    const dead: Told = { health: "crashed" };
    // Three of five, and still no majority of the old ones.
    expect(sentence(cluster([leader, dead, dead, F, F]))).toContain("reaches no majority");
    expect(sentence(cluster([leader, F, F, dead, dead]))).toContain("reaches no majority");
  });

  test("two that believe they lead", () => {
    const view = cluster(
      [{ role: "leader", term: 1 }, { role: "leader", term: 2 }, { term: 2 }],
      [
        [1, 2],
        [1, 3],
      ],
    );
    expect(sentence(view)).toBe("Node 2 leads term 2. Node 1 still believes that it leads term 1.");
  });

  test("nobody leads: who asks, or who is missing", () => {
    const asking: Told = { role: "candidate", term: 2 };
    expect(sentence(cluster([asking, F, asking]))).toBe(
      "No leader. Nodes 1 and 3 ask for votes in term 2.",
    );
    expect(sentence(cluster([{ role: "pre-candidate" }, F, F]))).toBe(
      "No leader. Node 1 asks whether an election would be won.",
    );
    expect(sentence(cluster([F, F, F]))).toBe(
      "No leader. The first timer to run out starts an election.",
    );
    expect(sentence(cluster([F, { health: "crashed" }, { health: "crashed" }]))).toBe(
      "No leader: 1 of 3 is running, and 2 must agree.",
    );
  });

  test("what is read out leaves out what every write changes", () => {
    const view = cluster([{ role: "leader", commitIndex: 15 }, F, F]);
    const headline = headlineOf(view).map((piece) => piece.text);
    expect(headline.join("")).toBe("Node 1 leads term 1.");
  });
});

describe("a node in words", () => {
  const node = (told: Told) => {
    const found = cluster([told]).nodes[0];
    if (found === undefined) throw new Error("expected a node");
    return found;
  };

  test("what it does, or what became of it", () => {
    expect(nodeWord(node({ role: "pre-candidate" }))).toBe("asking for pre-votes");
    expect(nodeWord(node({ health: "crashed", cause: "SIGKILL" }))).toBe("killed (9)");
    expect(nodeWord(node({ health: "crashed", cause: "exit 1" }))).toBe("crashed (exit 1)");
    expect(nodeWord(node({ role: "leader", health: "paused" }))).toBe("leader, paused");
  });

  test("its accessible name", () => {
    expect(nodeLabel(node({ role: "leader", term: 3 }))).toBe("Node 1, leader, term 3, running");
  });

  test("lists", () => {
    expect([[], [1], [1, 2], [1, 2, 3]].map(listWords)).toEqual(["", "1", "1 and 2", "1, 2 and 3"]);
  });
});
