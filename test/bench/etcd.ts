/** etcd's own three processes, for comparison: same machine, same client, same file system. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { Maintenance } from "@raftarium/protocol/etcd";
import { callUnary } from "@raftarium/protocol/grpc";
import { end, eventually, freePorts, run } from "../processes/spawn.ts";

export interface EtcdCluster {
  readonly leaderAddress: string;
  close(): Promise<void>;
}

const url = (port: number): string => `http://127.0.0.1:${port}`;

/** Needs `etcd` on PATH. Heartbeats and election timeouts are etcd's defaults. */
export async function startEtcd(directory: string, count: number): Promise<EtcdCluster> {
  mkdirSync(directory, { recursive: true });
  const clientPorts = await freePorts(count);
  const peerPorts = await freePorts(count);
  const initial = peerPorts.map((port, index) => `m${index}=${url(port)}`).join(",");
  const processes = clientPorts.map((port, index) => {
    const peer = url(peerPorts[index] as number);
    return run("etcd", [
      `--name=m${index}`,
      `--data-dir=${join(directory, `m${index}`)}`,
      `--listen-client-urls=${url(port)}`,
      `--advertise-client-urls=${url(port)}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${initial}`,
      "--initial-cluster-state=new",
      "--log-level=error",
    ]);
  });
  const addresses = clientPorts.map((port) => `127.0.0.1:${port}`);
  const leaderAddress = await eventually("etcd's leader", async () => {
    for (const address of addresses) {
      const client = new Client(address, credentials.createInsecure());
      try {
        const { leader, header } = await callUnary(
          client,
          Maintenance.method.status,
          {},
          { deadline: Date.now() + 1000 },
        );
        if (leader !== 0n && header?.memberId === leader) return address;
      } finally {
        client.close();
      }
    }
    return undefined;
  });
  return {
    leaderAddress,
    async close() {
      await Promise.all(processes.map((each) => end(each)));
    },
  };
}
