/**
 * A node that comes back has much to do at once: its log, a snapshot, and what came since. Nodes on
 * the same machine that serve meanwhile go first: until it has caught up it has the lowest priority
 * there is. The processor is still its own whenever nobody else wants it, so a quorum that waits for
 * this node doesn't wait longer. Linux only, and only where the priority may be raised again.
 */
import { readdirSync, readFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import type { Envelope, Message, RaftStatus } from "@raftarium/node";

/** However far behind it still is: others on the machine may want the processor for ever. */
const YIELDING_MS_MAX = 10_000;
const LOOK_MS = 50;
/** Under load a node that keeps up is behind by what is on its way. */
const BEHIND_MAX = 1000;
/** Looks without anything to take over, after which there is nothing to catch up with. */
const QUIET_LOOKS = 10;
/** CAP_SYS_NICE, capabilities(7): its bit in the mask of effective capabilities. */
const MAY_RAISE = 1n << 23n;

type Standing = Pick<RaftStatus, "role" | "appliedIndex">;

export interface Yielding {
  /** Every message received, for what it says of the leader's log. */
  heard(envelope: Pick<Envelope, "message">): void;
  /** From now on it is watched for its end: caught up, a candidate, or ten seconds over. */
  untilCaughtUp(status: () => Standing): void;
}

/** Lowers this process's priority, now. Null: it could not be raised again, so it stays. */
export function startYielding(): Yielding | null {
  if (process.platform !== "linux" || !mayRaise()) return null;
  const normal = getPriority();
  setPriorities(constants.priority.PRIORITY_LOW);
  const since = performance.now();
  const hearing = new Hearing();
  return {
    heard: ({ message }) => hearing.heard(message),
    untilCaughtUp(status) {
      const timer = setInterval(() => {
        const late = performance.now() - since > YIELDING_MS_MAX;
        if (!late && !hearing.isOver(status())) return;
        clearInterval(timer);
        setPriorities(normal);
      }, LOOK_MS);
      timer.unref();
    },
  };
}

/** What the leader's messages say of how far behind a node is. */
export class Hearing {
  /**
   * A leader tells of its commit index only so much as a message reaches (etcd does the same): 0
   * until a message reaches beyond it, which is when there is nothing newer to send.
   */
  #leaderCommit = 0;
  /** Looks since anything came to take over; null until a leader is heard. */
  #quietLooks: number | null = null;

  heard(message: Message): void {
    if (message.type === "install-snapshot") this.#quietLooks = 0;
    if (message.type !== "append-entries") return;
    this.#quietLooks ??= 0;
    if (message.entries.length === 0) return;
    this.#quietLooks = 0;
    const { leaderCommit } = message;
    if (leaderCommit < message.prevLogIndex + message.entries.length) {
      this.#leaderCommit = leaderCommit;
    }
  }

  /** At each look. */
  isOver({ role, appliedIndex }: Standing): boolean {
    if (role !== "follower" && role !== "learner") return true;
    if (this.#quietLooks !== null && (this.#quietLooks += 1) > QUIET_LOOKS) return true;
    return this.#leaderCommit > 0 && appliedIndex + BEHIND_MAX >= this.#leaderCommit;
  }
}

function mayRaise(): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & MAY_RAISE) !== 0n;
}

/** Of every thread: on Linux each has its own, and V8's and libuv's are there already. */
function setPriorities(priority: number): void {
  for (const thread of readdirSync("/proc/self/task")) {
    try {
      setPriority(Number(thread), priority);
    } catch {
      // A thread that has ended since.
    }
  }
}
