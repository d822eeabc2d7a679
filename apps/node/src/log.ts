/** Structured logs: one JSON object a line, on standard error. */
import { destination, pino, type Logger } from "pino";

export type Log = Logger;

export function createLog(level: string, nodeId: number): Log {
  // Synchronous: the last words of a process that ends must not be lost.
  return pino({ level, base: { nodeId } }, destination({ dest: 2, sync: true }));
}
