import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Wait before a killed watchdog is replaced, so that one that can't live costs little. */
const RESTART_DELAY_MS = 50;

export interface Watchdog {
  /** From now on this process is killed when the supervisor's process ends. */
  watch(pid: number): void;
  /** It has ended; its pid may soon be somebody else's. */
  forget(pid: number): void;
  /** Ends the watchdog, and with it everything that it still watches. */
  close(): void;
  /** The watchdog's own pid; 0 when it could not be started. */
  pid(): number;
}

/**
 * Starts the watchdog process. If it is killed, another takes its place and is told of everything
 * that must be watched.
 */
export function startWatchdog(): Watchdog {
  const program = fileURLToPath(import.meta.resolve("./watchdog-main.ts"));
  const pids = new Set<number>();
  let closed = false;
  let child: ChildProcess | null = null;

  function start(): void {
    const started = spawn(process.execPath, [program], {
      // A session of its own: no signal of a terminal or a process group reaches it.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child = started;
    started.unref();
    started.stdin.on("error", () => {});
    // A socket that holds no event loop open; the pipe closes when this process ends.
    if ("unref" in started.stdin && typeof started.stdin.unref === "function") {
      started.stdin.unref();
    }
    started.once("error", () => {});
    started.once("exit", () => {
      if (!closed) setTimeout(restart, RESTART_DELAY_MS).unref();
    });
    for (const pid of pids) started.stdin.write(`+${pid}\n`);
  }

  function restart(): void {
    if (!closed) start();
  }

  start();
  return {
    watch(pid) {
      pids.add(pid);
      child?.stdin?.write(`+${pid}\n`);
    },
    forget(pid) {
      pids.delete(pid);
      child?.stdin?.write(`-${pid}\n`);
    },
    close() {
      closed = true;
      child?.stdin?.end();
    },
    pid: () => child?.pid ?? 0,
  };
}
