import { readFileSync } from "node:fs";

/**
 * Whether a process is stopped (SIGSTOP), as /proc/PID/stat tells (proc(5), state T); null where
 * there is no such file: another system, or no such process.
 */
export function isStopped(pid: number): boolean | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in parentheses, may itself contain anything.
    return stat[stat.lastIndexOf(")") + 2] === "T";
  } catch {
    return null;
  }
}
