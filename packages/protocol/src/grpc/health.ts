/** grpc.health.v1.Health: what load balancers and `grpc_health_probe` ask. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import { status as Status } from "@grpc/grpc-js";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  Health,
  HealthCheckRequest,
  HealthCheckResponseSchema,
} from "../gen/grpc/health/v1/health_pb.ts";
import { HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import type { ServiceImplementation } from "./service.ts";
import { StatusError, unary } from "./service.ts";

type Watcher = ServerWritableStream<
  HealthCheckRequest,
  MessageInitShape<typeof HealthCheckResponseSchema>
>;

export interface HealthService {
  readonly implementation: ServiceImplementation<typeof Health>;
  /** `service` is a full name, or "" for the server as a whole. Tells all who watch it. */
  setServing(service: string, serving: boolean): void;
  /** Ends all watches, so that a graceful shutdown need not wait for them. */
  close(): void;
}

/** Nothing is known until `setServing`; an unknown service is NOT_FOUND, as the protocol says. */
export function createHealth(): HealthService {
  const servingByService = new Map<string, boolean>();
  const watchers = new Map<Watcher, string>();

  const statusOf = (service: string): HealthCheckResponse_ServingStatus => {
    const serving = servingByService.get(service);
    if (serving === undefined) return HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN;
    return serving
      ? HealthCheckResponse_ServingStatus.SERVING
      : HealthCheckResponse_ServingStatus.NOT_SERVING;
  };

  return {
    implementation: {
      check: unary(({ service }: HealthCheckRequest) => {
        const status = statusOf(service);
        if (status !== HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN) return { status };
        const known = [...servingByService.keys()].map((name) => JSON.stringify(name)).join(", ");
        throw new StatusError(
          Status.NOT_FOUND,
          `cannot check "${service}": expected one of ${known || "(none yet)"}`,
        );
      }),
      watch(call) {
        watchers.set(call, call.request.service);
        const forget = (): boolean => watchers.delete(call);
        call.on("cancelled", forget);
        call.on("close", forget);
        call.write({ status: statusOf(call.request.service) });
      },
    },
    setServing(service, serving) {
      if (servingByService.get(service) === serving) return;
      servingByService.set(service, serving);
      for (const [watcher, watched] of watchers) {
        if (watched === service) watcher.write({ status: statusOf(service) });
      }
    },
    close() {
      for (const watcher of watchers.keys()) watcher.end();
      watchers.clear();
    },
  };
}
