/** `check-history`: is what clients saw linearizable, and if not, why? */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  HistoryError,
  checkLinearizable,
  describeAction,
  formatHistory,
  historyPage,
  keysOf,
  parseHistory,
  withDoubts,
} from "@raftarium/checker";
import type { LinearizabilityResult, Operation, ParsedHistory } from "@raftarium/checker";
import { EXIT } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { table, utf8Of } from "./text.ts";

/** What memory holds; time mostly ends sooner. */
const CONFIGURATIONS_MAX = 16_000_000;

/** Of the time limit, since the start, and in any case. */
const SHRINKING_SHARE = 0.2;
const SHRINKING_MS_MIN = 1000;

const EXITS = { ok: EXIT.ok, illegal: EXIT.failed, unknown: EXIT.unknown } as const;

interface Checked {
  readonly parsed: ParsedHistory;
  readonly result: LinearizabilityResult;
  readonly seconds: number;
  /** The window may be larger than it need be. */
  readonly isCutShort: boolean;
  /** It has no explanation, but may be incomplete. */
  readonly isDoubted: boolean;
}

export interface CheckHistoryOptions {
  /** Where to write the picture. */
  readonly html?: string;
}

/** `file`: - is standard input. */
export async function checkHistory(
  session: Session,
  file: string,
  options: CheckHistoryOptions,
): Promise<ExitCode> {
  const start = performance.now();
  const parsed = await read(session, file);
  if (typeof parsed === "string") return refuse(session, parsed);
  if (parsed instanceof HistoryError) {
    return refuse(session, `${file === "-" ? "" : `${file}, `}${parsed.message}`, parsed);
  }
  const limitMs = session.options.timeout.checkMs;
  const isOutOfTime = (): boolean => performance.now() - start > limitMs;
  const found = checkLinearizable(parsed.history, {
    budget: CONFIGURATIONS_MAX,
    isOutOfTime,
    isSmallEnough: shrinkingEnds(start, limitMs),
    thorough: true,
  });
  const result = withDoubts(found, parsed.doubts);
  const seconds = (performance.now() - start) / 1000;
  const isCutShort = result.verdict === "illegal" && !result.isSmallest;
  const checked: Checked = { parsed, result, seconds, isCutShort, isDoubted: result !== found };
  if (options.html !== undefined) {
    const problem = await drawTo(options.html, file, checked);
    if (problem !== null) return refuse(session, problem);
  }
  if (session.options.output === "json") session.json(toJson(checked));
  else for (const line of toText(checked)) session.line(line);
  return EXITS[result.verdict];
}

/** When the window of an illegal history must do: nobody waits for the whole limit for it. */
function shrinkingEnds(startMs: number, limitMs: number): () => boolean {
  let endMs: number | undefined;
  return () => {
    const now = performance.now();
    endMs ??= Math.max(startMs + limitMs * SHRINKING_SHARE, now + SHRINKING_MS_MIN);
    return now > endMs;
  };
}

/** null if it is written; otherwise why not. */
async function drawTo(path: string, file: string, checked: Checked): Promise<string | null> {
  const { parsed, result } = checked;
  const { history, lines, faults } = parsed;
  const note = notesOf(parsed).join("; ");
  const title = file === "-" ? "standard input" : basename(file);
  try {
    await writeFile(path, historyPage({ title, history, result, lines, faults, note }));
    return null;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

function notesOf({ notes, timesNote }: ParsedHistory): readonly string[] {
  return timesNote === "" ? notes : [...notes, timesNote];
}

/** A text says why there is nothing to read. */
async function read(
  session: Session,
  file: string,
): Promise<ParsedHistory | HistoryError | string> {
  let bytes: Uint8Array;
  try {
    bytes = file === "-" ? await session.io.readInput() : await readFile(file);
  } catch (error) {
    return `cannot read ${file}: ${(error as Error).message}`;
  }
  const text = utf8Of(bytes);
  if (text === null)
    return new HistoryError(lineOfBadText(bytes), "expected UTF-8, got other bytes");
  try {
    return parseHistory(text);
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
}

function lineOfBadText(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(10, start);
    const content = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (utf8Of(content) === null || end === -1) return line;
    start = end + 1;
  }
  return line;
}

function refuse(
  session: Session,
  text: string,
  { line, reason }: Partial<HistoryError> = {},
): ExitCode {
  if (session.options.output === "json") session.json({ error: reason ?? text, line });
  return session.usage(printable(text));
}

function toJson({ parsed, result, seconds, isCutShort }: Checked): object {
  const counts = countsOf(parsed.history);
  const { verdict, sentence, window, impossible, groups, visitedCount } = result;
  const lineOf = linesOf(parsed);
  return {
    verdict,
    ...counts,
    partitions: groups.length,
    configurations: visitedCount,
    seconds: Number(seconds.toFixed(3)),
    ...(parsed.timesNote === "" ? {} : { times: parsed.timesNote }),
    ...(parsed.notes.length === 0 ? {} : { notes: parsed.notes }),
    ...(sentence === "" ? {} : { reason: sentence }),
    ...(impossible === null ? {} : { impossibleLine: lineOf(impossible) }),
    ...(verdict !== "illegal"
      ? {}
      : { smallest: !isCutShort, window: window.map((one) => rowOf(one, lineOf(one))) }),
  };
}

function rowOf(operation: Operation, line: number): object {
  return { line, ...(JSON.parse(formatHistory([operation])) as object) };
}

function toText(checked: Checked): string[] {
  const { parsed, result, seconds, isDoubted } = checked;
  const { operations, unknown, failed, clients, keys } = countsOf(parsed.history);
  const told = {
    ok: `Ok: some order explains ${operations === 1 ? "the" : "all"} ${plural(operations, "operation")}.`,
    illegal: `Illegal: ${result.sentence}.`,
    unknown: `Unknown: ${result.sentence}.${isDoubted ? "" : " Give it more time (--timeout)."}`,
  };
  const outcomes = `${unknown} of unknown outcome, ${failed} failed`;
  const lines = [
    told[result.verdict],
    `${plural(operations, "operation")} (${outcomes}) of ${plural(clients, "client")} on ` +
      `${plural(keys, "key")}, in ${plural(result.groups.length, "partition")}; ` +
      `${result.visitedCount} configurations, ${seconds.toFixed(2)} s`,
  ];
  if (result.verdict === "illegal") lines.push("", ...windowOf(checked));
  for (const note of notesOf(parsed)) lines.push(`(${note})`);
  return lines.map(printable);
}

const ROWS_MAX = 60;

function windowOf({ parsed, result, isCutShort }: Checked): string[] {
  const { window, impossible } = result;
  const lineOf = linesOf(parsed);
  const count =
    window.length === 1
      ? "This operation alone has no explanation"
      : `No order explains these ${window.length} operations`;
  const why = isCutShort
    ? "; it was given up to find out whether fewer would do"
    : window.length === 1
      ? ""
      : ", and none of them can be left out";
  const rows = window.slice(0, ROWS_MAX).map((operation) => {
    const { client, action, call, return: returned, outcome } = operation;
    const end = returned === null ? "" : String(returned);
    const note = operation === impossible ? "  <- impossible" : "";
    const open = outcome === "unknown" ? " (unknown)" : "";
    const what = `${describeAction(action)}${open}${note}`;
    return [String(lineOf(operation)), String(client), String(call), end, printable(what)];
  });
  const more = window.length - rows.length;
  const text = table(["line", "client", "call", "return", "operation"], rows).split("\n");
  return [`${count}${why}:`, ...text, ...(more > 0 ? [`… and ${more} more (--output json)`] : [])];
}

function linesOf({ history, lines }: ParsedHistory): (operation: Operation) => number {
  const byOperation = new Map(history.map((operation, at) => [operation, lines[at]!]));
  return (operation) => byOperation.get(operation)!;
}

function countsOf(
  history: readonly Operation[],
): Record<"operations" | "unknown" | "failed" | "clients" | "keys", number> {
  return {
    operations: history.length,
    unknown: history.filter(({ outcome }) => outcome === "unknown").length,
    failed: history.filter(({ outcome }) => outcome === "fail").length,
    clients: new Set(history.map(({ client }) => client)).size,
    keys: new Set(history.flatMap(({ action }) => keysOf(action))).size,
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What could steer a terminal, as an escape that can be read. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}
