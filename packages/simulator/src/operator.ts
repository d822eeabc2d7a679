/**
 * Who runs the cluster: lets members join and leave, through whichever node leads, and asks again
 * until it is done. Of several wishes each is asked for in turn.
 */
import type { InvariantChecker } from "@raftarium/checker";
import type { Configuration, ConfigurationChange } from "@raftarium/raft";
import type { FaultCounts } from "./fault-counts.ts";
import type { Fleet } from "./fleet.ts";
import type { VirtualProcess } from "./process.ts";
import type { Timeline } from "./timeline.ts";

export interface Wish {
  /** Ids that nobody had; their processes are started with empty disks. */
  readonly joining: readonly number[];
  readonly leaving: readonly number[];
  /** By one joint change. Otherwise one after the other: learner, voter, and then the leaving. */
  readonly atOnce: boolean;
}

export interface Operator {
  /** No more wishes now: enough is still to be done. */
  readonly busy: boolean;
  wish(wish: Wish): void;
  /** From now on nothing is asked any more. */
  stop(): void;
}

export interface OperatorPorts {
  readonly timeline: Timeline;
  readonly checker: InvariantChecker;
  readonly counts: FaultCounts;
  readonly fleet: Fleet;
  /** So many wishes may wait at once. */
  readonly wishesMax: number;
  /** null: nobody listens. */
  readonly tell: ((text: string) => void) | null;
}

const ASK_EVERY_US = 100_000;
/** Who left runs on for a while, as it may not know it yet. */
const RETIRE_AFTER_US = 300_000;

export function createOperator(ports: OperatorPorts): Operator {
  const { timeline, checker, counts, fleet, wishesMax, tell } = ports;
  const wishes: Wish[] = [];
  let stopped = false;

  function work(): void {
    const wish = wishes.shift();
    if (stopped || wish === undefined) return;
    let isDone = false;
    const leader = leaderOf(fleet.all);
    if (leader !== null) {
      const { index, configuration } = leader.configuration;
      const change = nextChange(wish, configuration);
      if (change === "impossible") isDone = true;
      else if (change !== null) leader.changeMembers(change, (done) => heard(done, change));
      else isDone = index <= checker.commitIndex && configuration.votersOutgoing.length === 0;
      if (change === null && isDone) retireLeavers(wish);
    }
    if (!isDone) wishes.push(wish);
    timeline.after(ASK_EVERY_US, work);
  }

  function heard(done: boolean, change: ConfigurationChange): void {
    if (!done) return;
    counts.add(`membership: ${change.kind}`);
    tell?.(`the cluster has carried out: ${textOf(change)}`);
  }

  function retireLeavers({ leaving }: Wish): void {
    for (const nodeId of leaving) {
      timeline.after(RETIRE_AFTER_US, () => {
        if (!stopped) fleet.find(nodeId)?.retire();
      });
    }
  }

  /** null: nothing is left to be changed. */
  function nextChange(
    { joining, leaving, atOnce }: Wish,
    { voters, learners, addresses }: Configuration,
  ): ConfigurationChange | "impossible" | null {
    const joiner = joining.find((nodeId) => !voters.includes(nodeId));
    const leaver = leaving.find((nodeId) => voters.includes(nodeId) || learners.includes(nodeId));
    const next = [
      ...voters.filter((nodeId) => !leaving.includes(nodeId)),
      ...joining.filter((nodeId) => !voters.includes(nodeId)),
    ];
    if (joiner === undefined && leaver === undefined) return null;
    // What would leave no majority that runs can never be committed.
    const alive = next.filter((nodeId) => fleet.isUsable(nodeId)).length;
    if (alive * 2 <= next.length) return "impossible";
    if (atOnce) return { kind: "replace", voters: next, learners: [], addresses };
    if (joiner === undefined) return { kind: "remove", nodeId: leaver! };
    if (learners.includes(joiner)) return { kind: "promote", nodeId: joiner };
    return { kind: "add-learner", nodeId: joiner, address: `node-${joiner}` };
  }

  return {
    get busy() {
      return wishes.length >= wishesMax;
    },
    wish(wish) {
      for (const nodeId of wish.joining) fleet.join(nodeId).start();
      wishes.push(wish);
      if (wishes.length === 1) timeline.after(1, work);
    },
    stop() {
      stopped = true;
    },
  };
}

/** Several may think that they lead: the one of the latest term. */
function leaderOf(processes: readonly VirtualProcess[]): VirtualProcess | null {
  let found: VirtualProcess | null = null;
  for (const process of processes) {
    if (process.health !== "running" || !process.isLeader()) continue;
    if (found === null || process.term() > found.term()) found = process;
  }
  return found;
}

function textOf(change: ConfigurationChange): string {
  switch (change.kind) {
    case "add-learner":
      return `node ${change.nodeId} joins as a learner`;
    case "promote":
      return `node ${change.nodeId} is to vote`;
    case "remove":
      return `node ${change.nodeId} leaves`;
    case "replace":
      return `from now on nodes ${change.voters.join(", ")} vote`;
  }
}
