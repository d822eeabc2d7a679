import { createServer, type Server } from "node:net";
import { SupervisorError } from "./errors.ts";

/**
 * `count` free ports of 127.0.0.1, all different. They are free at the moment of the answer; who
 * wants to keep them should use them soon.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(close));
  return ports;
}

/**
 * Rejects with a SupervisorError "port-in-use" naming the port, what it was wanted for, and what
 * to do about it, unless `port` of 127.0.0.1 can be listened on now.
 */
export async function requireFreePort(
  port: number,
  purpose: string,
  advice: string,
): Promise<void> {
  try {
    await close(await listen(port));
  } catch (error) {
    throw new SupervisorError("port-in-use", portProblem(port, purpose, advice, error));
  }
}

/** The sentence about a port that can't be listened on; `error` is what listen failed with. */
export function portProblem(port: number, purpose: string, advice: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const found =
    code === "EADDRINUSE"
      ? "another program listens there"
      : code === "EACCES"
        ? "this user may not listen there"
        : code;
  return `cannot listen on 127.0.0.1:${port} for ${purpose}: expected a free port, but ${found}; ${advice}`;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error(`expected a TCP address, got ${String(address)}`);
  }
  return address.port;
}
