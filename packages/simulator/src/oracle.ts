/**
 * Compares every answer with the committed log, as soon as it comes: the second oracle beside the
 * search for a linearization.
 */
import type { Action, InvariantChecker } from "@raftarium/checker";
import { createModel } from "./model.ts";
import type { Answer, Model } from "./model.ts";
import type { SessionPosition } from "@raftarium/node";

export interface Oracle {
  /**
   * A client is about to send this command; `fingerprint` recognises it in the log. `position`
   * null: it is sent once. Otherwise it may be in the log often, and counts once (thesis, 6.3).
   */
  proposed(
    fingerprint: number,
    requestId: number,
    action: Action,
    position: SessionPosition | null,
  ): void;
  /** The sessions refused what they should have carried out. */
  refused(requestId: number, notice: string): void;
  /** Everything answered so far must come before an operation that begins now. */
  floor(): number;
  answeredWrite(requestId: number, fingerprint: number, index: number, answer: Answer): void;
  answeredRead(requestId: number, key: string, index: number, answer: Answer): void;
  /** A definite failure: the command must never be committed. */
  failed(requestId: number, fingerprint: number): void;
  /** Where the command took effect in the log; 0: nowhere. */
  placeOf(fingerprint: number): number;
  /** Lets the model follow the commit index. */
  advance(): void;
  /** The model's state as text, in the form of `VirtualProcess.stateText`. */
  stateText(): string;
}

interface Proposed {
  readonly requestId: number;
  readonly action: Action;
  readonly floor: number;
  readonly position: SessionPosition | null;
  /** Where it took effect; 0: nowhere yet. */
  committedIndex: number;
  /** All places in the log, where it has a position. */
  readonly copies: number[];
  failed: boolean;
}

export function createOracle(checker: InvariantChecker): Oracle {
  const model: Model = createModel();
  const byFingerprint = new Map<number, Proposed>();
  const readFloors = new Map<number, number>();
  let floor = 0;
  /** Commands of a session up to here came too late if they were not there by then. */
  const answeredThrough = new Map<number, number>();

  function fail(explanation: string): void {
    checker.report({ invariant: "client answers", explanation, nodeIds: [] });
  }

  function advance(): void {
    while (model.appliedIndex < checker.commitIndex) {
      const index = model.appliedIndex + 1;
      const fingerprint = checker.committedCommand(index);
      const proposed = fingerprint === null ? undefined : byFingerprint.get(fingerprint);
      const counts =
        proposed !== undefined && (proposed.position === null || isNew(proposed, index));
      model.apply(counts ? proposed.action : null);
      if (!counts) continue;
      if (proposed.committedIndex !== 0) {
        fail(
          `request ${proposed.requestId} is in the committed log twice, ` +
            `at index ${proposed.committedIndex} and at ${index}`,
        );
      }
      proposed.committedIndex = index;
      if (proposed.failed) {
        fail(
          `request ${proposed.requestId} was answered with a definite failure, ` +
            `but is committed at index ${index}`,
        );
      }
    }
  }

  /** A model of the sessions: whether the command at `index` takes effect there. */
  function isNew(proposed: Proposed, index: number): boolean {
    const { session, sequence, answeredThrough: told } = proposed.position!;
    const through = Math.max(answeredThrough.get(session) ?? 0, Math.min(told, sequence - 1));
    answeredThrough.set(session, through);
    proposed.copies.push(index);
    return proposed.committedIndex === 0 && sequence > through;
  }

  function compare(requestId: number, index: number, answer: Answer, expected: Answer): void {
    const same =
      answer.revision === expected.revision &&
      answer.succeeded === expected.succeeded &&
      answer.values.length === expected.values.length &&
      answer.values.every((value, at) => value === expected.values[at]);
    if (same) return;
    fail(
      `request ${requestId} was answered ${describe(answer)} as of index ${index}, ` +
        `but the committed log says ${describe(expected)}`,
    );
  }

  function checkFloor(requestId: number, index: number, callFloor: number): void {
    if (index < callFloor) {
      fail(
        `request ${requestId} was answered as of index ${index}, ` +
          `but index ${callFloor} was already answered before it began`,
      );
    }
    floor = Math.max(floor, index);
  }

  return {
    proposed(fingerprint, requestId, action, position) {
      if (action.kind === "get") readFloors.set(requestId, floor);
      else {
        const proposed = { requestId, action, floor, position };
        byFingerprint.set(fingerprint, {
          ...proposed,
          committedIndex: 0,
          copies: [],
          failed: false,
        });
      }
    },
    refused(requestId, notice) {
      fail(`request ${requestId} of an open session was refused: ${notice}`);
    },
    floor: () => floor,
    answeredWrite(requestId, fingerprint, index, answer) {
      advance();
      const proposed = byFingerprint.get(fingerprint);
      if (proposed === undefined) return;
      const { committedIndex } = proposed;
      if (committedIndex !== index && !(committedIndex > 0 && proposed.copies.includes(index))) {
        fail(
          `request ${requestId} was told that it took effect at index ${index}, but it is ` +
            (proposed.committedIndex === 0
              ? "not committed"
              : `committed at index ${proposed.committedIndex}`),
        );
        return;
      }
      const expected = model.answerAt(committedIndex);
      if (expected !== null) compare(requestId, index, answer, expected);
      // The write itself is later than all that was answered before it began.
      checkFloor(requestId, committedIndex, proposed.floor + 1);
      floor = Math.max(floor, index);
    },
    answeredRead(requestId, key, index, answer) {
      advance();
      const callFloor = readFloors.get(requestId) ?? 0;
      readFloors.delete(requestId);
      if (index > model.appliedIndex) {
        fail(
          `request ${requestId} read as of index ${index}, ` +
            `but only ${model.appliedIndex} is committed`,
        );
        return;
      }
      const revision = model.revisionAt(index);
      const values = [model.valueAt(key, index)];
      compare(requestId, index, answer, { revision, succeeded: true, values });
      checkFloor(requestId, index, callFloor);
    },
    failed(requestId, fingerprint) {
      readFloors.delete(requestId);
      const proposed = byFingerprint.get(fingerprint);
      if (proposed === undefined) return;
      proposed.failed = true;
      advance();
      if (proposed.committedIndex !== 0) {
        fail(
          `request ${requestId} was answered with a definite failure, ` +
            `but is committed at index ${proposed.committedIndex}`,
        );
      }
    },
    placeOf: (fingerprint) => byFingerprint.get(fingerprint)?.committedIndex ?? 0,
    advance,
    stateText: () => model.stateText(),
  };
}

function describe({ revision, succeeded, values }: Answer): string {
  const list = values.map((value) => value ?? "nothing").join(", ");
  return `${succeeded ? "yes" : "no"} at revision ${revision}${list === "" ? "" : `: ${list}`}`;
}
