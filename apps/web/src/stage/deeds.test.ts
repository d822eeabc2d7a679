import {
  nodeById,
  type ClusterView,
  type LinkFault,
  type LinkView,
  type ObservationBody,
} from "@raftarium/observer";
import { describe, expect, test } from "vitest";
import { recordedCommands, type Commands } from "../commands.ts";
import { clusterOf } from "../panels/testing.ts";
import { deedsOf } from "./deeds.ts";

const WHOLE = { delayMs: 0, jitterMs: 0, dropRate: 0, duplicateRate: 0, messageKinds: [] };

function cut(source: number, target: number, fault: Partial<LinkFault> = {}): LinkView {
  return { source, target, ...WHOLE, cut: true, ...fault };
}

function view(links: readonly LinkView[] = []): ClusterView {
  return clusterOf(
    [{ role: "leader", leaderId: 1, term: 2 }, { term: 2 }, { term: 2 }],
    links.length === 0 ? [] : [[0, { kind: "links-changed", links }]],
  );
}

/** Commands of which only those that a test asks do anything. */
function commands(some: Partial<Commands>): Commands {
  return { ...recordedCommands, unavailable: null, ...some };
}

function deed(shown: ClusterView, nodeId: number, name: string, given: Partial<Commands> = {}) {
  const node = nodeById(shown, nodeId);
  const found = node && deedsOf(shown, node, commands(given)).find((each) => each.name === name);
  if (found === undefined) throw new Error(`expected a deed ${name} of node ${nodeId}`);
  return found;
}

describe("to join again", () => {
  const alone = [cut(3, 1), cut(1, 3), cut(3, 2, { delayMs: 40 }), cut(2, 3)];

  test("heals its own links, and nothing but the cut", async () => {
    const asked: string[] = [];
    const setLink: Commands["setLink"] = (source, target, fault) => {
      asked.push(`${source}>${target} cut ${fault.cut} delay ${fault.delayMs}`);
      return Promise.resolve({ ok: true, message: "" });
    };
    const join = deed(view([...alone, cut(1, 2)]), 3, "Join again", { setLink });
    expect(join.reason).toBeNull();
    expect(await join.run()).toEqual({ ok: true, message: "" });
    expect(asked.toSorted()).toEqual([
      "1>3 cut false delay 0",
      "2>3 cut false delay 0",
      "3>1 cut false delay 0",
      "3>2 cut false delay 40",
    ]);
  });

  test("says what was refused", async () => {
    const setLink = () => Promise.resolve({ ok: false, message: "no" });
    expect(await deed(view(alone), 3, "Join again", { setLink }).run()).toMatchObject({
      ok: false,
    });
  });

  test("there must be something to heal", () => {
    expect(deed(view(), 3, "Join again").reason).toBe("none of its links is cut");
    expect(deed(view([cut(1, 2)]), 3, "Join again").reason).toBe("none of its links is cut");
    expect(deed(view(alone), 3, "Isolate").reason).toBe("it is cut off");
  });
});

test("to stop is to leave in good order: only who runs can, and who leads hands over first", () => {
  expect(deed(view(), 1, "Stop")).toMatchObject({
    reason: null,
    hint: "SIGTERM: it hands over first",
  });
  expect(deed(view(), 2, "Stop")).toMatchObject({ reason: null, hint: "SIGTERM" });
  const pausing = { kind: "health-changed", health: "paused", pid: 1, address: "" } as const;
  const paused = clusterOf([{}, {}], [[1, { ...pausing, cause: "", lastWords: "" }]]);
  expect(deed(paused, 1, "Stop").reason).toBe("it is paused");
});

test("a vote is taken, or given to who learns; the last one stays", async () => {
  const configuration = { voters: [1, 2], votersOutgoing: [], learners: [3], addresses: {} };
  const told: ObservationBody = {
    kind: "configuration-changed",
    configuration,
    index: 1,
    committed: true,
  };
  const shown = clusterOf([{ role: "leader", term: 2 }, { term: 2 }, { term: 2 }], [[1, told]]);
  const asked: (readonly number[])[] = [];
  const setVoters: Commands["setVoters"] = (nodeIds) => {
    asked.push(nodeIds);
    return Promise.resolve({ ok: true, message: "" });
  };
  await deed(shown, 2, "Take its vote", { setVoters }).run();
  await deed(shown, 3, "Let it vote", { setVoters }).run();
  expect(asked).toEqual([[1], [1, 2, 3]]);
  const alone = { ...told, configuration: { ...configuration, voters: [1], learners: [2, 3] } };
  const last = clusterOf([{ role: "leader", term: 2 }, { term: 2 }, { term: 2 }], [[1, alone]]);
  expect(deed(last, 1, "Take its vote").reason).toBe("no other node votes");
  expect(deed(last, 2, "Let it vote").reason).toBeNull();
});

describe("to time out now", () => {
  test("is refused by those that hear a leader, and it is said beforehand and afterwards", () => {
    const { hint, afterwards, reason } = deed(view(), 2, "Time out now");
    expect(reason).toBeNull();
    expect(hint).toBe("the others hear a leader");
    expect(afterwards).toMatch(/^Node 2 asks .* node 1, the leader, will refuse/);
  });

  test("is nothing to explain where nobody leads, or nobody hears it", () => {
    const leaderless = clusterOf([{ term: 2 }, { term: 2 }]);
    expect(deed(leaderless, 2, "Time out now").afterwards).toBe("");
    const alone = view([cut(3, 1), cut(1, 3), cut(3, 2), cut(2, 3)]);
    expect(deed(alone, 3, "Time out now").afterwards).toBe("");
    expect(deed(view(), 1, "Time out now")).toMatchObject({ hint: "", reason: "it leads" });
  });
});
