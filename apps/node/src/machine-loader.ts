/** The state machine that a configuration names, with sessions around it. */
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createKv, decodeResult, DEFAULT_LIMITS, encodeResult } from "@raftarium/kv";
import { withSessions, type StateMachine } from "@raftarium/node";
import type { NodeConfig } from "./config.ts";

const METHODS = ["apply", "query", "snapshot", "restore", "describe", "rows"] as const;

/** The results of a user's own machine are bytes already. */
const BYTES = {
  encode: (result: Uint8Array): Uint8Array => result,
  decode: (bytes: Uint8Array): Uint8Array => bytes,
};

export interface Machine {
  /** What is asked directly… */
  readonly hosted:
    | {
        readonly kind: "kv";
        readonly machine: ReturnType<typeof createKv>;
        readonly limits: object;
      }
    | {
        readonly kind: "custom";
        readonly machine: StateMachine;
        readonly commandBytesMax: number;
      };
  /** …and what the log is applied to: the same, with sessions around it. */
  readonly replicated: StateMachine<unknown>;
}

/** @throws Error as `loadMachine` does. */
export async function machineOf(config: NodeConfig, configFile: string): Promise<Machine> {
  const { requestBytesMax, historyRevisionsMax } = config.limits;
  if (config.stateMachine === "kv") {
    const limits = { ...DEFAULT_LIMITS, requestBytesMax };
    const machine = createKv({ historyRevisionsMax, limits });
    const replicated = withSessions(machine, { encode: encodeResult, decode: decodeResult });
    return { hosted: { kind: "kv", machine, limits }, replicated };
  }
  const machine = await loadMachine(config.stateMachine, configFile);
  const replicated = withSessions(machine, BYTES);
  return { hosted: { kind: "custom", machine, commandBytesMax: requestBytesMax }, replicated };
}

/**
 * Imports a user's own state machine: a module whose default export is a function that returns a
 * fresh `StateMachine`.
 *
 * @param path as the configuration file has it, relative to that file
 * @throws Error naming the module and what it lacks
 */
async function loadMachine(path: string, configFile: string): Promise<StateMachine> {
  const file = isAbsolute(path) ? path : resolve(dirname(configFile), path);
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw new Error(
      `stateMachine: expected a module at ${file}, got an error: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (typeof loaded.default !== "function") {
    throw new Error(
      `stateMachine: expected ${file} to export a function by default, got ${typeof loaded.default}`,
    );
  }
  const machine = (loaded.default as () => Partial<StateMachine>)();
  const missing = METHODS.filter((method) => typeof machine?.[method] !== "function");
  if (missing.length > 0) {
    throw new Error(
      `stateMachine: expected ${file} to make an object with the methods ${METHODS.join(", ")}; ` +
        `it lacks ${missing.join(", ")}`,
    );
  }
  return describingAnything(machine as StateMachine);
}

/** Whatever a client proposes is described when somebody watches: no such bytes may end a node. */
export function describingAnything(machine: StateMachine): StateMachine {
  const describe = machine.describe.bind(machine);
  machine.describe = (command) => {
    try {
      return describe(command);
    } catch {
      return `${command.length} bytes`;
    }
  };
  return machine;
}
