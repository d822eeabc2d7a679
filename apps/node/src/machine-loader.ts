/** Loads the state machine that a configuration names. */
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { StateMachine } from "@raftarium/node";

const METHODS = ["apply", "query", "snapshot", "restore", "describe", "rows"] as const;

/**
 * Imports a user's own state machine: a module whose default export is a function that returns a
 * fresh `StateMachine`.
 *
 * @param path as the configuration file has it, relative to that file
 * @throws Error naming the module and what it lacks
 */
export async function loadMachine(path: string, configFile: string): Promise<StateMachine> {
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
  return machine as StateMachine;
}
