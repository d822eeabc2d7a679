/**
 * Members that come and go while the cluster runs: a new node joins as a learner and votes once it
 * has caught up; one that leaves is out of the configuration before its process ends.
 */
import { createClient, type CallOptions, type Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { leaderOf, listWords, nodeById, type ClusterNode } from "@raftarium/observer";
import { Cluster as EtcdCluster, type Member } from "@raftarium/protocol/etcd";
import type { NodeSpec } from "@raftarium/supervisor";
import { sleep } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import type { Feed } from "./feed.ts";
import type { Home, NodeHome } from "./home.ts";
import { NODES_MAX } from "./options.ts";
import { PlaygroundError } from "./playground-error.ts";

export interface MembershipOptions {
  readonly cluster: Pick<
    Cluster,
    | "add"
    | "remove"
    | "restart"
    | "setLeaving"
    | "process"
    | "processes"
    | "leader"
    | "speed"
    | "frozen"
  >;
  readonly feed: Pick<Feed, "view">;
  readonly home: Pick<Home, "nodes" | "add" | "remove" | "freeAddress">;
  readonly specOf: (node: NodeHome) => NodeSpec;
}

/** Rejections are PlaygroundErrors, or ConnectErrors with a node's own reason. */
export interface Membership {
  /** Resolves with the new node's id once it votes. */
  add(): Promise<number>;
  remove(nodeId: number): Promise<void>;
  /** Replaces a member by a new one, without data, at the same address. Resolves with its id. */
  wipe(nodeId: number): Promise<number>;
  /** Goes on with what an earlier playground began: learners of its own are to vote. */
  resume(): void;
  close(): void;
}

/** How long a change may take, in cluster time, milliseconds ... */
const CHANGE_MS_MAX = 20_000;
/** ... but not longer than this on the wall. */
const CHANGE_WALL_MS_MAX = 600_000;
/** A node gives its answer, or says that it has none, in less cluster time than this. */
const ANSWER_MS_MAX = 6_000;
const LOOK_MS = 50;
/** How long is waited for a removed leader's own word that it leads no more. */
const LAST_WORDS_MS_MAX = 1_000;
const RETRY_MS = 250;
/** A learner this close behind the leader may be asked to vote; the leader decides. */
const BEHIND_MAX = 1_000;
/** If nothing is heard of how far it is, the leader is asked all the same, this often. */
const ASK_ANYWAY_MS = 2_000;
const OUTCOME_HEADER = "raftarium-outcome";
/** Who was just started or resumed may not have been heard yet: two longest election timeouts. */
const UNHEARD_MS_MAX = 1_200;
const UNHEARD = "not enough started members";

type EtcdClient = Client<typeof EtcdCluster>;

/** Undefined: the members don't show (yet) what was asked for. */
type Find<T> = (members: readonly Member[]) => T | undefined;

export function createMembership(options: MembershipOptions): Membership {
  const { cluster, feed, home } = options;
  const leaving = new Set<number>();
  let joining: Promise<unknown> = Promise.resolve();
  const ending = new AbortController();

  const wallMs = (clusterMs: number) => Math.min(clusterMs / cluster.speed(), CHANGE_WALL_MS_MAX);
  const known = (nodeId: number) =>
    cluster.processes().some((process) => process.nodeId === nodeId);

  function requireTime(what: string): void {
    if (!cluster.frozen()) return;
    throw new PlaygroundError(
      "not-now",
      `cannot ${what}: expected time to run, but it is frozen; thaw it first`,
    );
  }

  function requireLeader(what: string): ClusterNode {
    const leader = leaderOf(feed.view());
    if (leader !== undefined && cluster.leader() !== null) return leader;
    throw new PlaygroundError(
      "not-now",
      `cannot ${what}: expected a leader that a majority follows, but there is none; ` +
        "wait for an election, or bring nodes back",
    );
  }

  /** Those that are left must be able to agree to the change, and to go on afterwards. */
  function requireOthers(what: string, nodeId: number): void {
    const { voters } = requireLeader(what).configuration;
    const left = voters.filter((voter) => voter !== nodeId);
    if (left.length === 0) {
      throw new PlaygroundError(
        "not-now",
        `cannot ${what}: expected another voter to go on without it, but it is the only one; ` +
          "add a node first",
      );
    }
    const alive = cluster
      .processes()
      .filter((process) => process.health === "running" && left.includes(process.nodeId));
    if (alive.length * 2 > left.length) return;
    throw new PlaygroundError(
      "not-now",
      `cannot ${what}: expected a majority of the voters that are left (${listWords(left)}) to ` +
        `run, but only ${alive.length} of ${left.length} do; bring others back first`,
    );
  }

  async function ask<T>(call: (client: EtcdClient, timed: CallOptions) => Promise<T>): Promise<T> {
    const leader = cluster.leader();
    if (leader === null) throw new ConnectError("there is no leader", Code.Unavailable);
    const timed = { timeoutMs: wallMs(ANSWER_MS_MAX) };
    return call(createClient(EtcdCluster, leader.link.transport), timed);
  }

  /** Whether the members show what was asked for, as whoever leads now knows them. */
  async function look<T>(find: Find<T>): Promise<T | undefined> {
    try {
      const { members } = await ask((client, timed) =>
        client.memberList({ linearizable: true }, timed),
      );
      return find(members);
    } catch {
      return undefined;
    }
  }

  /**
   * One change of the members, asked of whoever leads. Asked again while another change is under
   * way or nobody leads; where the outcome is not known, only after a look at the members.
   */
  async function change<T>(
    what: string,
    call: (client: EtcdClient, timed: CallOptions) => Promise<T>,
    find: Find<T>,
  ): Promise<T> {
    const begun = performance.now();
    const until = begun + wallMs(CHANGE_MS_MAX);
    for (;;) {
      let problem: ConnectError;
      try {
        return await ask(call);
      } catch (error) {
        problem = ConnectError.from(error);
      }
      const failed = problem.metadata.get(OUTCOME_HEADER) === "failed";
      const unheard =
        problem.rawMessage.includes(UNHEARD) && performance.now() < begun + wallMs(UNHEARD_MS_MAX);
      if (failed && problem.code !== Code.Unavailable && !unheard) {
        const reason = problem.rawMessage.replace(/^etcdserver: /, "");
        throw new ConnectError(`cannot ${what}: ${reason}`, problem.code);
      }
      const found = failed ? undefined : await look(find);
      if (found !== undefined) return found;
      if (ending.signal.aborted || performance.now() > until) {
        throw new PlaygroundError("failed", `cannot ${what}: ${problem.rawMessage}`);
      }
      await sleep(RETRY_MS);
    }
  }

  /** From nothing to a running learner. One at a time: each takes an id and an address. */
  function join(what: string, addressOf: () => Promise<string>): Promise<number> {
    const turn = joining.then(async () => {
      const address = await addressOf().catch((error: unknown) => {
        throw new PlaygroundError("failed", `cannot ${what}: ${(error as Error).message}`);
      });
      const url = `http://${address}`;
      const nodeId = await change(
        what,
        async (client, timed) => {
          const { member } = await client.memberAdd({ peerURLs: [url], isLearner: true }, timed);
          return Number(member?.ID);
        },
        (members) => {
          const member = members.find(({ peerURLs }) => peerURLs.includes(url));
          return member === undefined ? undefined : Number(member.ID);
        },
      );
      cluster.add(options.specOf(home.add(nodeId, address)));
      try {
        await cluster.restart(nodeId);
      } catch (error) {
        // One that runs but was slow to take its configuration will be told again.
        if (cluster.process(nodeId).health !== "running") {
          await expel(what, nodeId).catch(() => {});
          throw error;
        }
      }
      return nodeId;
    });
    joining = turn.catch(() => {});
    return turn;
  }

  /** A learner that the leader has brought close to itself; null: nothing is heard of it. */
  function hasCaughtUp(nodeId: number): boolean | null {
    const leader = leaderOf(feed.view());
    const progress = leader?.progress.find(({ peerId }) => peerId === nodeId);
    if (leader === undefined || progress === undefined) return null;
    return progress.state === "replicate" && leader.lastIndex - progress.matchIndex <= BEHIND_MAX;
  }

  /** Lets a learner vote once it has caught up, however long that takes. */
  async function promote(nodeId: number): Promise<void> {
    let askedAt = performance.now();
    for (; !ending.signal.aborted; await sleep(LOOK_MS)) {
      if (!known(nodeId)) {
        throw new PlaygroundError("not-now", `node ${nodeId} was removed before it could vote`);
      }
      const leader = leaderOf(feed.view());
      if (leader?.configurationCommitted && leader.configuration.voters.includes(nodeId)) return;
      const silentMs = performance.now() - askedAt;
      const caughtUp = hasCaughtUp(nodeId) ?? silentMs > wallMs(ASK_ANYWAY_MS);
      if (!caughtUp || silentMs < RETRY_MS || cluster.frozen()) continue;
      askedAt = performance.now();
      try {
        await ask((client, timed) => client.memberPromote({ ID: BigInt(nodeId) }, timed));
      } catch {
        // Not close enough after all, or the leader went away: the next round sees.
      }
    }
  }

  async function voting(nodeId: number): Promise<number> {
    const promoted = promote(nodeId);
    const patience = new AbortController();
    const late = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => {
        const text = `node ${nodeId} is a learner, but has not caught up yet; it will vote once it has`;
        reject(new PlaygroundError("failed", text));
      }, wallMs(CHANGE_MS_MAX));
      patience.signal.addEventListener("abort", () => clearTimeout(timer));
    });
    promoted.catch(() => {});
    try {
      await Promise.race([promoted, late]);
    } finally {
      patience.abort();
    }
    return nodeId;
  }

  /** A leader that was removed says so before its process ends, if it can. */
  async function steppedDown(nodeId: number): Promise<void> {
    const until = performance.now() + LAST_WORDS_MS_MAX;
    const leads = () => nodeById(feed.view(), nodeId)?.role === "leader";
    while (known(nodeId) && cluster.process(nodeId).health === "running" && leads()) {
      if (performance.now() > until) return;
      await sleep(LOOK_MS);
    }
  }

  /** Out of the configuration, then out of the world. */
  async function expel(what: string, nodeId: number): Promise<void> {
    const gone: Find<true> = (members) =>
      members.some(({ ID }) => ID === BigInt(nodeId)) ? undefined : true;
    try {
      await change(
        what,
        async (client, timed): Promise<true> => {
          await client.memberRemove({ ID: BigInt(nodeId) }, timed);
          return true;
        },
        gone,
      );
    } catch (error) {
      // Somebody else removed it, or an earlier attempt did.
      if (!(error instanceof ConnectError && error.code === Code.NotFound)) throw error;
    }
    await steppedDown(nodeId);
    await cluster.remove(nodeId);
    home.remove(nodeId);
  }

  async function leave(what: string, nodeId: number): Promise<void> {
    cluster.process(nodeId);
    requireTime(what);
    if (leaving.has(nodeId)) {
      throw new PlaygroundError("not-now", `cannot ${what}: it is being removed already`);
    }
    requireOthers(what, nodeId);
    leaving.add(nodeId);
    cluster.setLeaving(nodeId, true);
    try {
      await expel(what, nodeId);
    } finally {
      leaving.delete(nodeId);
      cluster.setLeaving(nodeId, false);
    }
  }

  return {
    async add() {
      const what = "add a node";
      requireTime(what);
      requireLeader(what);
      const count = cluster.processes().length;
      if (count >= NODES_MAX) {
        throw new PlaygroundError(
          "not-now",
          `cannot ${what}: expected at most ${NODES_MAX} nodes, and there are ${count}; remove one first`,
        );
      }
      return voting(await join(what, () => home.freeAddress()));
    },
    remove: (nodeId) => leave(`remove node ${nodeId}`, nodeId),
    async wipe(nodeId) {
      const what = `wipe node ${nodeId}`;
      const { address } = cluster.process(nodeId);
      await leave(what, nodeId);
      return voting(await join(what, async () => address));
    },
    resume() {
      for (const { nodeId, founder } of home.nodes()) {
        if (!founder) void promote(nodeId).catch(() => {});
      }
    },
    close() {
      ending.abort();
    },
  };
}
