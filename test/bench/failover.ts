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

const TIMES = 10;
/** Not slower than what is measured: one write at a time would wait for its own deadline. */
const ASK_EVERY_MS = 10;
const GIVE_UP_MS = 20_000;
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

/** Asks every survivor, every few milliseconds, until one acknowledges. Returns when. */
function nextWrite(clients: readonly Client[], time: number): Promise<number> {
  const key = new TextEncoder().encode("failover");
  const value = new TextEncoder().encode(`after kill ${time}`);
  return new Promise((resolve, reject) => {
    const ask = async (client: Client): Promise<void> => {
      const deadline = Date.now() + GIVE_UP_MS;
      try {
        await callUnary(client, KV.method.put, { key, value }, { deadline });
        clearInterval(asking);
        clearTimeout(givingUp);
        resolve(performance.now());
      } catch {
        // Nobody leads yet, or the one it was sent to has just died.
      }
    };
    const asking = setInterval(() => {
      for (const client of clients) void ask(client);
    }, ASK_EVERY_MS);
    const givingUp = setTimeout(() => {
      clearInterval(asking);
      reject(new Error(`expected a write to be acknowledged within ${GIVE_UP_MS} ms of the kill`));
    }, GIVE_UP_MS);
  });
}
