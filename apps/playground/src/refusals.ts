/** What the parts below refuse, as the playground tells it. */
import { ConnectError } from "@connectrpc/connect";
import { FaultError } from "@raftarium/faults";
import { SupervisorError } from "@raftarium/supervisor";
import { PlaygroundError } from "./playground-error.ts";

/** FaultError to PlaygroundError. */
export function sensible(change: () => void): void {
  try {
    change();
  } catch (error) {
    if (error instanceof FaultError) throw new PlaygroundError("invalid", error.message);
    throw error;
  }
}

/** SupervisorError to PlaygroundError. */
export async function supervised(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof SupervisorError)) throw error;
    switch (error.code) {
      case "unknown-node":
        throw new PlaygroundError("not-found", error.message);
      case "wrong-health":
        throw new PlaygroundError("not-now", error.message);
      case "start-failed":
      case "port-in-use":
        throw new PlaygroundError("failed", error.message);
    }
  }
}

/** What a node itself refused keeps its own code and words; one that is silent is named. */
export async function asked(
  nodeId: number,
  what: string,
  ask: () => Promise<unknown>,
): Promise<void> {
  try {
    await ask();
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    throw new ConnectError(`node ${nodeId} could not ${what}: ${rawMessage}`, code);
  }
}
