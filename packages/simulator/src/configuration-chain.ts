/**
 * Configurations follow one another in one agreed order (paper, section 6; thesis 4.1): each
 * committed one differs from the one before by a single voter, or joins two, or leaves a joint one;
 * and no leader begins a change before the last one is committed.
 */
import type { InvariantChecker } from "@raftarium/checker";
import type { Configuration } from "@raftarium/raft";

export interface ConfigurationAt {
  /** Of its entry; 0: the first start's. */
  readonly index: number;
  readonly configuration: Configuration;
}

export interface ConfigurationChain {
  /** The latest that is known to be committed. */
  readonly committed: ConfigurationAt;
  /** A node put the entry of a configuration into its log. */
  appended(index: number, term: number, configuration: Configuration): void;
  /** A leader did, whose configuration until then was the one of `previousIndex`. */
  begun(nodeId: number, index: number, previousIndex: number, commitIndex: number): void;
  /** Lets the chain follow the commit index. */
  advance(): void;
}

interface Pending extends ConfigurationAt {
  readonly term: number;
}

export function createConfigurationChain(
  initial: Configuration,
  checker: InvariantChecker,
): ConfigurationChain {
  let pending: Pending[] = [];

  function fail(explanation: string, nodeIds: readonly number[]): void {
    checker.report({ invariant: "configuration chain", explanation, nodeIds });
  }

  function take(next: Pending): void {
    const reason = whyNot(chain.committed.configuration, next.configuration);
    if (reason !== null) {
      fail(
        `the configuration ${textOf(next.configuration)} is committed at index ${next.index} ` +
          `after ${textOf(chain.committed.configuration)}: ${reason}`,
        next.configuration.voters,
      );
    }
    chain.committed = next;
  }

  const chain = {
    committed: { index: 0, configuration: initial } as ConfigurationAt,
    appended(index: number, term: number, configuration: Configuration) {
      if (index <= chain.committed.index) return;
      if (pending.some((one) => one.index === index && one.term === term)) return;
      pending.push({ index, term, configuration });
      pending.sort((left, right) => left.index - right.index);
    },
    begun(nodeId: number, index: number, previousIndex: number, commitIndex: number) {
      if (previousIndex <= commitIndex) return;
      fail(
        `node ${nodeId} begins a change at index ${index}, but has committed only up to ` +
          `${commitIndex}, and the change before it is at ${previousIndex}`,
        [nodeId],
      );
    },
    advance() {
      if (pending.length === 0 || pending[0]!.index > checker.commitIndex) return;
      const due = pending.filter(({ index }) => index <= checker.commitIndex);
      pending = pending.filter(({ index }) => index > checker.commitIndex);
      for (const next of due) if (checker.committedTerm(next.index) === next.term) take(next);
    },
  };
  return chain;
}

/** null: one may follow the other. */
function whyNot(before: Configuration, after: Configuration): string | null {
  if (before.votersOutgoing.length > 0) {
    if (after.votersOutgoing.length > 0) return "a joint configuration follows another";
    return sameIds(after.voters, before.voters) ? null : "a joint one must become its new half";
  }
  if (after.votersOutgoing.length > 0) {
    return sameIds(after.votersOutgoing, before.voters) ? null : "the old half is not the old one";
  }
  const added = after.voters.filter((nodeId) => !before.voters.includes(nodeId));
  const removed = before.voters.filter((nodeId) => !after.voters.includes(nodeId));
  return added.length + removed.length <= 1 ? null : "more than one voter changes at once";
}

function sameIds(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((nodeId) => right.includes(nodeId));
}

export function textOf({ voters, votersOutgoing, learners }: Configuration): string {
  const outgoing = votersOutgoing.length === 0 ? "" : ` and of ${votersOutgoing.join(" ")}`;
  const learning = learners.length === 0 ? "" : `, learners ${learners.join(" ")}`;
  return `of ${voters.join(" ")}${outgoing}${learning}`;
}
