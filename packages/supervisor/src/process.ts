import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, fstatSync, openSync } from "node:fs";
import { lastWords } from "./last-words.ts";

export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** Its standard error is appended here: it outlives both, and nobody has to keep reading it. */
  readonly logFile: string;
}

export interface ProcessEnd {
  /** "SIGKILL", "exit 1", "ENOENT". */
  readonly cause: string;
  readonly lastWords: string;
  /** It was asked to stop. */
  readonly wanted: boolean;
}

export interface Listening {
  /** As the node itself counts; null if it did not say. */
  readonly incarnation: number | null;
}

/** One run of one process, from its start to its end. */
export interface NodeProcess {
  /** 0: it could not even be started. */
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  /** Null if it ended first; a process that is still silent after `msMax` is killed. */
  listening(msMax: number): Promise<Listening | null>;
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** SIGTERM; SIGKILL after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
  /** Closes its standard input; SIGKILL after `graceMs`. Resolves when it has ended. */
  end(graceMs: number): Promise<void>;
}

/**
 * Starts a process whose standard input is a pipe that we hold open, and whose standard output
 * brings one JSON line when it listens: {"event":"listening","incarnation":1}.
 */
export function startProcess(spec: ProcessSpec): NodeProcess {
  const log = openSync(spec.logFile, "a");
  const logStart = fstatSync(log).size;
  const child = spawn(spec.command, [...spec.args], {
    // Ctrl-C in a terminal goes to us alone; what it means for the nodes is for us to say.
    detached: true,
    stdio: ["pipe", "pipe", log],
  });
  closeSync(log);
  let wanted = false;

  const ended = new Promise<ProcessEnd>((resolve) => {
    const end = (cause: string) =>
      resolve({ cause, wanted, lastWords: lastWords(spec.logFile, logStart) });
    child.once("exit", (code, signal) => end(signal ?? `exit ${code}`));
    child.once("error", (error) => {
      if (child.pid === undefined) end("code" in error ? String(error.code) : error.message);
    });
  });
  // Writing to a process that is ending fails; its end is told by "exit".
  child.stdin?.on("error", () => {});
  const listening = listeningLine(child);

  const signal = (name: NodeJS.Signals) => {
    child.kill(name);
  };
  async function endWithin(graceMs: number): Promise<void> {
    wanted = true;
    const timer = setTimeout(() => signal("SIGKILL"), graceMs);
    await ended;
    clearTimeout(timer);
  }

  return {
    pid: child.pid ?? 0,
    ended,
    signal,
    async listening(msMax) {
      const timer = setTimeout(() => signal("SIGKILL"), msMax);
      const first = await Promise.race([listening, ended.then(() => null)]);
      clearTimeout(timer);
      return first;
    },
    stop(graceMs) {
      signal("SIGTERM");
      return endWithin(graceMs);
    },
    end(graceMs) {
      child.stdin?.end();
      return endWithin(graceMs);
    },
  };
}

/** Resolves with the first line that says "listening"; never, if there is none. */
function listeningLine(child: ChildProcess): Promise<Listening> {
  return new Promise((resolve) => {
    let rest = "";
    child.stdout?.setEncoding("utf8");
    child.stdout?.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const listening = parseListening(line);
        if (listening !== null) resolve(listening);
      }
    });
  });
}

function parseListening(line: string): Listening | null {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof record !== "object" || record === null) return null;
  if (!("event" in record) || record.event !== "listening") return null;
  const incarnation = "incarnation" in record ? record.incarnation : null;
  return { incarnation: typeof incarnation === "number" ? incarnation : null };
}
