import { describe, expect, test } from "vitest";
import type { ObservationBody } from "@raftarium/observer";
import { killed, observationsOf } from "../panels/testing.ts";
import { createTape, type TapeModel } from "./tape-model.ts";

const leads = (nodeId: number, term: number): readonly [number, ObservationBody] => [
  nodeId,
  { kind: "role-changed", role: "leader", term, leaderId: nodeId, votedFor: nodeId, reason: "" },
];
const follows = (nodeId: number, term: number): readonly [number, ObservationBody] => [
  nodeId,
  { kind: "role-changed", role: "follower", term, leaderId: null, votedFor: null, reason: "" },
];
const commits = (nodeId: number, commitIndex: number): readonly [number, ObservationBody] => [
  nodeId,
  { kind: "commit-advanced", commitIndex },
];
const health = (
  nodeId: number,
  state: "running" | "paused" | "starting",
): readonly [number, ObservationBody] => {
  const process = { pid: 1, address: "", cause: "", lastWords: "" };
  return [nodeId, { kind: "health-changed", health: state, ...process }];
};

/** Three followers are told first: the rest happens from the 7th second on, one a second. */
function tapeOf(...more: (readonly [number, ObservationBody])[]): TapeModel {
  const tape = createTape();
  for (const observation of observationsOf([{}, {}, {}], more)) tape.take(observation);
  return tape.model();
}

const bandsOf = ({ bands }: TapeModel) =>
  bands.map(({ fromUs, toUs, term, leaderId }) => [
    fromUs / 1e6,
    toUs === null ? null : toUs / 1e6,
    term,
    leaderId,
  ]);

describe("the tape", () => {
  test("a band for each leader; a gap while nobody leads; a cross for a kill", () => {
    const model = tapeOf(leads(1, 1), killed(1), follows(2, 2), leads(2, 2));
    expect(bandsOf(model)).toEqual([
      [7, 8, 1, 1],
      [10, null, 2, 2],
    ]);
    expect(model.kills).toEqual([{ atUs: 8_000_000, nodeId: 1 }]);
  });

  test("a leader that is stopped in mid-life does not lead, and does again when it goes on", () => {
    expect(bandsOf(tapeOf(leads(1, 1), health(1, "paused"), health(1, "running")))).toEqual([
      [7, 8, 1, 1],
      [9, null, 1, 1],
    ]);
  });

  test("of two that believe to lead the one of the later term does", () => {
    expect(bandsOf(tapeOf(leads(1, 1), leads(2, 2), follows(1, 2)))).toEqual([
      [7, 8, 1, 1],
      [8, null, 2, 2],
    ]);
  });

  test("a killed leader that starts again is a follower", () => {
    expect(
      bandsOf(tapeOf(leads(1, 1), killed(1), health(1, "starting"), health(1, "running"))),
    ).toEqual([[7, 8, 1, 1]]);
  });

  test("what the leader commits is a write; what the others hear of it is not", () => {
    const { writes } = tapeOf(leads(1, 1), commits(1, 1), commits(2, 1), commits(1, 2));
    expect(writes).toEqual([8_000_000, 10_000_000]);
  });

  test("one who was dead before is no kill", () => {
    const tape = createTape();
    const [nodeId, body] = killed(1);
    tape.take({ nodeId, incarnation: 1, sequence: 0, timeUs: 1, body });
    expect(tape.model().kills).toEqual([]);
  });

  test("the model is the same until something changes", () => {
    const tape = createTape();
    expect(tape.model()).toBe(tape.model());
  });
});
