/** Whose command an applied entry was (paper, section 8): index and term together say it. */
import type { Entry, Input } from "@raftarium/raft";
import { describe, expect, test } from "vitest";
import type { ProposalOutcome } from "./api.ts";
import { PendingProposals } from "./pending-proposals.ts";

const nothing = new Uint8Array(0);

function entryOf(index: number, term: number): Entry {
  return { index, term, kind: "command", data: nothing };
}

class Subject {
  readonly inputs: Input[] = [];
  /** By caller, what it was told; once, or the test fails. */
  readonly outcomes = new Map<string, ProposalOutcome<string>>();
  readonly pending: PendingProposals<string>;
  #turn: (() => void)[] = [];
  #ids = 0;

  constructor() {
    const defer = (task: () => void): void => void this.#turn.push(task);
    this.pending = new PendingProposals<string>({ nowUs: () => 0, defer }, (input) => {
      this.inputs.push(input);
    });
  }

  /** Returns the id under which the core knows it. */
  propose(caller: string): number {
    this.pending.add(nothing, (outcome) => this.#told(caller, outcome), undefined);
    this.#ids += 1;
    return this.#ids;
  }

  endTurn(): void {
    const tasks = this.#turn;
    this.#turn = [];
    for (const task of tasks) task();
  }

  #told(caller: string, outcome: ProposalOutcome<string>): void {
    expect(this.outcomes.has(caller), `${caller} is told twice`).toBe(false);
    this.outcomes.set(caller, outcome);
  }
}

describe("§8 a client is answered for its own command", () => {
  test("[21] not by the index alone: an entry of another term there is another's command", () => {
    const subject = new Subject();
    subject.pending.accepted(subject.propose("mine"), 7, 2);
    subject.pending.accepted(subject.propose("next"), 8, 2);
    subject.pending.entryApplied(entryOf(7, 3), "another's result");
    subject.pending.entryApplied(entryOf(8, 2), "my result");
    expect([...subject.outcomes]).toEqual([
      ["mine", { kind: "superseded", leaderId: null }],
      ["next", { kind: "applied", index: 8, term: 2, result: "my result" }],
    ]);
  });

  test("[21] an index that was lost and is this node's again answers each for its own entry", () => {
    const subject = new Subject();
    subject.pending.accepted(subject.propose("first"), 7, 2);
    subject.pending.accepted(subject.propose("second"), 7, 4);
    expect([...subject.outcomes]).toEqual([["first", { kind: "unknown", leaderId: null }]]);
    subject.pending.entryApplied(entryOf(7, 4), "of the second");
    expect(subject.outcomes.get("second")).toMatchObject({ result: "of the second", term: 4 });
  });

  test("a snapshot in place of the entries leaves it unknown; what comes after is answered", () => {
    const subject = new Subject();
    for (const index of [5, 6, 7]) subject.pending.accepted(subject.propose(`${index}`), index, 2);
    subject.pending.restored(6);
    subject.pending.entryApplied(entryOf(7, 2), "result");
    expect([...subject.outcomes.values()].map(({ kind }) => kind)).toEqual([
      "unknown",
      "unknown",
      "applied",
    ]);
  });

  test("a refusal tells why, and who leads; the end tells the rest what is known", () => {
    const subject = new Subject();
    const [refused, taken] = [subject.propose("refused"), subject.propose("taken")];
    subject.propose("asked");
    subject.pending.refused(refused, "overloaded", 3);
    subject.pending.accepted(taken, 9, 2);
    subject.pending.stop();
    expect(Object.fromEntries(subject.outcomes)).toEqual({
      refused: { kind: "refused", reason: "overloaded", leaderId: 3 },
      taken: { kind: "unknown", leaderId: null },
      asked: { kind: "refused", reason: "not-leader", leaderId: null },
    });
  });

  test("commands of one turn reach the core together", () => {
    const subject = new Subject();
    for (const caller of ["a", "b", "c"]) subject.propose(caller);
    expect(subject.inputs).toEqual([]);
    subject.endTurn();
    expect(subject.inputs).toMatchObject([
      { kind: "propose", proposals: [{ id: 1 }, { id: 2 }, { id: 3 }] },
    ]);
  });
});
