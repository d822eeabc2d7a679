/** etcdserverpb.Maintenance: how a node is, and who shall lead. */
import { status as Status } from "@grpc/grpc-js";
import type { NodeApi } from "@raftarium/node";
import type { Maintenance } from "@raftarium/protocol/etcd";
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import { headerToWire } from "@raftarium/protocol/kv";
import { TEXT, failed } from "./failure.ts";
import type { Hosted, ServiceHost } from "./host.ts";
import type { Identity } from "./identity.ts";

/** The version of etcd's API that is served: its clients refuse a server that is much older. */
export const API_VERSION = "3.5.0";

const TRANSFER_POLL_MS = 10;

export function maintenanceService(
  host: ServiceHost,
  hosted: Hosted,
  identity: Identity,
): ServiceImplementation<typeof Maintenance> {
  const node: Pick<NodeApi<unknown>, "status" | "transferLeadership"> = hosted.node;
  const revision = (): number => (hosted.kind === "kv" ? hosted.machine.stats().revision : 0);
  const bytesInUse = (): number => (hosted.kind === "kv" ? hosted.machine.stats().byteCount : 0);

  return {
    status(_call, done) {
      const { id, term, leaderId, commitIndex, appliedIndex, configuration } = node.status();
      done(null, {
        header: headerToWire(revision(), identity.inTerm(term)),
        version: API_VERSION,
        dbSize: BigInt(host.diskBytes()),
        dbSizeInUse: BigInt(bytesInUse()),
        leader: BigInt(leaderId ?? 0),
        raftIndex: BigInt(commitIndex),
        raftTerm: BigInt(term),
        raftAppliedIndex: BigInt(appliedIndex),
        errors: leaderId === null ? [TEXT.noLeader] : [],
        // Who was removed, or waits to be added, is no member at all.
        isLearner: configuration.learners.includes(id),
      });
    },
    moveLeader(call, done) {
      const { role, configuration } = node.status();
      const target = Number(call.request.targetID);
      if (role !== "leader") {
        done(failed(Status.FAILED_PRECONDITION, TEXT.notLeader));
      } else if (!configuration.voters.includes(target)) {
        done(failed(Status.FAILED_PRECONDITION, "etcdserver: bad leader transferee"));
      } else {
        if (target !== host.nodeId) node.transferLeadership(target);
        awaitLeader(target, call, done);
      }
    },
  };

  function awaitLeader(
    target: number,
    call: { readonly cancelled: boolean },
    done: (error: Error | null, response?: object) => void,
  ): void {
    const deadlineMs = performance.now() + host.requestTimeoutMs();
    const look = (): void => {
      if (call.cancelled) return;
      if (node.status().leaderId === target) done(null, {});
      else if (performance.now() < deadlineMs) setTimeout(look, TRANSFER_POLL_MS);
      else {
        const text = "etcdserver: request timed out, leader transfer took too long";
        done(failed(Status.UNAVAILABLE, text));
      }
    };
    look();
  }
}
