/**
 * The services that a node offers to clients, as handlers over the node it stands in.
 *
 *     const services = addClientServices(server, host, hosted);
 *     createReflection([...services.descriptors, Health, …]);
 *     …
 *     services.close();    // before the server: whatever waits is answered
 */
import { status as Status } from "@grpc/grpc-js";
import type { Server } from "@grpc/grpc-js";
import type { DescService } from "@bufbuild/protobuf";
import type { ObservationBody } from "@raftarium/observer";
import { Cluster, KV, Maintenance } from "@raftarium/protocol/etcd";
import { addService } from "@raftarium/protocol/grpc";
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import {
  MembershipService,
  SessionService,
  StateMachineService,
} from "@raftarium/protocol/machine";
import { clusterService } from "./cluster-service.ts";
import { failed } from "./failure.ts";
import type { Hosted, ServiceHost } from "./host.ts";
import { Identity } from "./identity.ts";
import { kvService } from "./kv-service.ts";
import { machineService } from "./machine-service.ts";
import { maintenanceService } from "./maintenance-service.ts";
import { membershipService } from "./membership-service.ts";
import { Reads } from "./reads.ts";
import { Requests } from "./request.ts";
import { sessionService } from "./session-service.ts";
import { Writes } from "./writes.ts";

export type { Hosted, ServiceHost } from "./host.ts";
export { clusterIdOf } from "./identity.ts";

export interface ClientServices {
  readonly descriptors: readonly DescService[];
  /** Ends what waits: what is in a log as unknown, the rest as failed. */
  close(): void;
}

export function addClientServices(
  server: Server,
  host: ServiceHost,
  hosted: Hosted,
): ClientServices {
  const { node } = hosted;
  const requests = new Requests(host, (body: ObservationBody) => node.observe(body));
  const identity = new Identity(host.clusterName, host.nodeId, node);
  const reads = new Reads(requests, node);
  const writes = new Writes(requests, node);
  const parts = { identity, reads, writes };

  addService(
    server,
    KV,
    hosted.kind === "kv"
      ? kvService({ hosted, requests, ...parts })
      : notServed(KV, "this cluster runs a state machine of its own: ask StateMachineService"),
  );
  addService(
    server,
    StateMachineService,
    hosted.kind === "custom"
      ? machineService(hosted, reads, writes)
      : notServed(StateMachineService, "this cluster runs the key-value machine: ask KV"),
  );
  addService(server, SessionService, sessionService(node, writes));
  addService(server, MembershipService, membershipService(node, writes));
  addService(server, Cluster, clusterService(node, identity, reads, writes));
  addService(server, Maintenance, maintenanceService(host, hosted, identity));
  return {
    descriptors: [KV, StateMachineService, SessionService, MembershipService, Cluster, Maintenance],
    close() {
      requests.close();
      writes.close();
    },
  };
}

function notServed<S extends DescService>(service: S, reason: string): ServiceImplementation<S> {
  const refuse = (_call: unknown, done: (error: Error) => void): void =>
    done(failed(Status.UNIMPLEMENTED, reason));
  return Object.fromEntries(
    service.methods.map(({ localName }) => [localName, refuse]),
  ) as unknown as ServiceImplementation<S>;
}
