/** From SIGKILL of the leader to the next acknowledged write. */
import type { Client } from "@grpc/grpc-js";
import { KV } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import type { TestCluster } from "../processes/cluster.ts";

export interface Failover {
  /** One for each time the leader was killed. */
  readonly gapsMs: readonly number[];
  readonly electionTimeoutMsMax: number;
}

const TIMES = 5;
const ELECTION_TIMEOUT_MS_MAX = 600;

/** At the default, real-time settings. Each killed node is started again before the next kill. */
export async function measureFailover(cluster: TestCluster): Promise<Failover> {
  const gapsMs: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const leader = await cluster.leader();
    const others = cluster.members.filter((member) => member !== leader);
    const killedAt = performance.now();
    leader.process?.child.kill("SIGKILL");
    gapsMs.push(
      (await nextWrite(
        others.map(({ client }) => client),
        time,
      )) - killedAt,
    );
    await cluster.kill(leader.id);
    cluster.start(leader.id);
    await cluster.leader();
  }
  return { gapsMs, electionTimeoutMsMax: ELECTION_TIMEOUT_MS_MAX };
}

/** Asks every survivor, again and again, until one acknowledges. Returns when. */
async function nextWrite(clients: readonly Client[], time: number): Promise<number> {
  const key = new TextEncoder().encode("failover");
  for (;;) {
    const tries = clients.map(async (client) => {
      const value = new TextEncoder().encode(`after kill ${time}`);
      await callUnary(client, KV.method.put, { key, value }, { deadline: Date.now() + 200 });
      return performance.now();
    });
    try {
      return await Promise.any(tries);
    } catch {
      // Nobody leads yet.
    }
  }
}
