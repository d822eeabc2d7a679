/**
 * Spawns, signals and watches node processes, and leaves no orphan.
 *
 *     const supervisor = createSupervisor({ onChange: (view) => report(view) });
 *     supervisor.add({ nodeId: 1, address, command: process.execPath, args, logFile });
 *     await supervisor.start(1);   // resolves once the node says that it listens
 *     await supervisor.crash(1);   // SIGKILL; resolves once it is gone
 *     await supervisor.close();    // ends everything, in at most 3 s
 *
 * However the process that holds the supervisor ends, its nodes end too: each node leaves when
 * its standard input closes, and a watchdog process kills those that can't (paused, or stuck).
 */
export { SupervisorError, type SupervisorErrorCode } from "./errors.ts";
export { freePorts, portProblem, requireFreePort } from "./ports.ts";
export {
  createSupervisor,
  unknownNode,
  type NodeSpec,
  type ProcessView,
  type Supervisor,
  type SupervisorOptions,
} from "./supervisor.ts";
