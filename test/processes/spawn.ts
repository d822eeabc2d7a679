/** Processes for tests and benchmarks: started, waited for, and ended by their id. */
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";

/** Free ports of the loopback interface, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
  );
  return ports;
}

/**
 * Waits until `probe` gives something other than undefined. It may throw meanwhile: the last
 * error is told when the deadline passes.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  deadlineMs = 20_000,
): Promise<T> {
  const started = performance.now();
  let last: unknown = "nothing yet";
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() - started > deadlineMs) {
      throw new Error(`${what}: not within ${deadlineMs} ms (last: ${String(last)})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has written on standard output and standard error, so far. */
  output(): string;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/** Starts a process. Its standard input stays open until it ends. */
export function run(program: string, args: readonly string[], cwd?: string): Running {
  const child = spawn(program, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? 0));
    child.once("error", (error) => resolve(error.message));
  });
  return { child, pid: child.pid ?? 0, output: () => chunks.join(""), ended };
}

/** SIGTERM, then SIGKILL if that is not answered in time. */
export async function end(running: Running, graceMs = 5000): Promise<void> {
  running.child.kill("SIGTERM");
  const timer = setTimeout(() => running.child.kill("SIGKILL"), graceMs);
  await running.ended;
  clearTimeout(timer);
}
