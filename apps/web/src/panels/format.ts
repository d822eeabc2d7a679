/** Numbers as people read them. */

/** "01:24.8": minutes, seconds and tenths since the start; never negative. */
export function clockWords(us: number): string {
  const tenths = Math.max(0, Math.floor(us / 100_000));
  const minutes = Math.floor(tenths / 600);
  const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${String(minutes).padStart(2, "0")}:${seconds}`;
}

/** "0.41 s", "3 ms", "12.3 s" */
export function durationWords(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** "14 s", "3 min", "2 h": how long ago. */
export function agoWords(us: number): string {
  const seconds = Math.max(0, us / 1_000_000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** "41 kB", "1.2 MB": powers of ten, as disks are sold. */
export function bytesWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const shown = unit === 0 || value >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${shown} ${units[unit]}`;
}

/** The cost of a sync: "0.6 ms", "12 ms". */
export function syncWords(us: number): string {
  if (us <= 0) return "none yet";
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}

/** "15 of 15" is dull: a stretch of the log, or that there is none. */
export function stretchWords(first: number, last: number): string {
  if (last < first) return "empty";
  return first === last ? String(last) : `${first} to ${last}`;
}
