/** ObserverService: a node's observations as a stream. */
import type { ServiceImplementation } from "@raftarium/protocol/grpc";
import type { ObserverService } from "@raftarium/protocol/observer";
import { observationToWire } from "@raftarium/protocol";
import type { ObservationHub } from "./observation-hub.ts";

export function observerService(
  hub: ObservationHub,
): ServiceImplementation<typeof ObserverService> {
  return {
    observe(call) {
      const subscription = hub.subscribe({
        write: (observations) => call.write({ observations: observations.map(observationToWire) }),
      });
      call.on("drain", () => subscription.ready());
      const close = (): void => subscription.close();
      call.on("cancelled", close);
      call.on("close", close);
      call.on("error", close);
    },
  };
}
