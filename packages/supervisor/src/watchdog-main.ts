/**
 * The watchdog's program: a process of its own session that outlives the supervisor by a moment.
 *
 * Standard input: lines `+PID` (watch this process) and `-PID` (it ended, forget it). When the
 * pipe closes, because the supervisor ended in whatever way, every process still watched is
 * killed by SIGKILL, which works on stopped processes too. Nothing here imports anything of ours,
 * so that nothing can keep it from starting.
 */
import { readFileSync } from "node:fs";

/** Pid to the process's start time, where the system tells it: guards against a reused pid. */
const watched = new Map<number, string | null>();

/** Field 22 of /proc/PID/stat (proc(5)); null where there is no such file. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in parentheses, may itself contain anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function take(line: string): void {
  const pid = Number(line.slice(1));
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  if (line.startsWith("+")) watched.set(pid, startTime(pid));
  else if (line.startsWith("-")) watched.delete(pid);
}

function killAll(): never {
  for (const [pid, started] of watched) {
    if (startTime(pid) !== started) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  process.exit(0);
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  lines.forEach(take);
});
process.stdin.on("end", killAll);
process.stdin.on("error", killAll);

// A signal meant for the whole terminal must not end the watchdog before its work is done.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  process.on(signal, () => {});
}
