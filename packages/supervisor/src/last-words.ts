import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const TAIL_BYTES_MAX = 16_384;

/**
 * The last line of a log file that was written at or after `fromByte`, for people: of a JSON log
 * line its message (and its error's, where there is one), else the line itself. Empty if there
 * is none or the file can't be read.
 */
export function lastWords(path: string, fromByte: number): string {
  const lines = readTail(path, fromByte)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const line = lines.at(-1);
  return line === undefined ? "" : humanReadable(line);
}

/** See `lastWords`; one line of a log. */
export function humanReadable(line: string): string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof record !== "object" || record === null) return line;
  const message = "msg" in record && typeof record.msg === "string" ? record.msg : "";
  const error = "err" in record ? record.err : undefined;
  const detail =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
  if (message === "" && detail === "") return line;
  if (message === "" || detail === "" || message.includes(detail)) return message || detail;
  return `${message}: ${detail}`;
}

function readTail(path: string, fromByte: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const size = fstatSync(file).size;
    const start = Math.max(fromByte, size - TAIL_BYTES_MAX);
    const buffer = Buffer.alloc(Math.max(0, size - start));
    const length = readSync(file, buffer, 0, buffer.length, start);
    return buffer.toString("utf8", 0, length);
  } catch {
    return "";
  } finally {
    closeSync(file);
  }
}
