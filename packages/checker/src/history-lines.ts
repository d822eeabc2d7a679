/**
 * Histories as newline-delimited JSON, one operation a line:
 *
 *     {"client":1,"op":"put","key":"x","value":"1","call":10,"return":20,"outcome":"ok"}
 *
 * `op`: put; get, whose `value` is null when the key was absent; delete; cas, with `expected`,
 * `value` and `swapped`; txn, with `compare`, `writes` and `reads` (lists of `{"key","value"}`) and
 * `succeeded`. Times are whole nanoseconds. Without `return` the outcome is unknown.
 *
 * What was wrong for a while is a line, too; without `until`, to the end:
 *
 *     {"fault":"cut off","nodes":[1,2],"from":10,"until":20}
 *
 * So is what a reader should know, and why what has no explanation may have one all the same:
 *
 *     {"note":"keys left out, because others wrote them: x"}
 *     {"doubt":"two writes may be missing"}
 */
import type { Action, FaultBand, KeyValue, Operation, Outcome, Value } from "./history.ts";
import { createTimes } from "./history-times.ts";

/** What is wrong with a line, in a sentence. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  /** From 1. */
  readonly line: number;
  readonly reason: string;

  constructor(line: number, reason: string) {
    super(`line ${line}: ${reason}`);
    this.line = line;
    this.reason = reason;
  }
}

export interface ParsedHistory {
  readonly history: readonly Operation[];
  /** Of each operation, from 1. */
  readonly lines: readonly number[];
  readonly faults: readonly FaultBand[];
  /** What a reader should know besides. */
  readonly notes: readonly string[];
  /** Why it may be incomplete: withDoubts. */
  readonly doubts: readonly string[];
  /** What the operations' times are if they are not those of the text; empty if they are. */
  readonly timesNote: string;
}

interface ParsedFault {
  readonly label: string;
  readonly from: bigint;
  readonly to: bigint | null;
}

interface ParsedLine {
  readonly line: number;
  readonly client: number;
  readonly action: Action;
  readonly call: bigint;
  readonly return: bigint | null;
  readonly outcome: Outcome;
}

/**
 * Lines may end in CR LF; empty ones are skipped, unknown fields ignored.
 *
 * @throws HistoryError naming the first line that makes no sense, and why.
 */
export function parseHistory(text: string): ParsedHistory {
  const parsed: ParsedLine[] = [];
  const bands: ParsedFault[] = [];
  const notes: string[] = [];
  const doubts: string[] = [];
  let line = 0;
  for (const content of text.replace(/^\uFEFF/, "").split("\n")) {
    line += 1;
    if (content.trim() === "") continue;
    const fields = new Fields(content, line);
    const isAside = !fields.has("op");
    if (isAside && fields.has("fault")) bands.push(faultOf(fields));
    else if (isAside && fields.has("note")) notes.push(fields.text("note"));
    else if (isAside && fields.has("doubt")) doubts.push(fields.text("doubt"));
    else parsed.push(operationOf(fields, line));
  }
  const times = createTimes([
    ...parsed.flatMap(({ call, return: returned }) =>
      returned === null ? [call] : [call, returned],
    ),
    ...bands.flatMap(({ from, to }) => (to === null ? [from] : [from, to])),
  ]);
  const history = parsed.map(({ client, action, call, return: returned, outcome }): Operation => ({
    client,
    action,
    call: times.of(call),
    return: returned === null ? null : times.of(returned),
    outcome,
  }));
  const faults = bands.map(({ label, from, to }): FaultBand => {
    return { label, from: times.of(from), to: to === null ? null : times.of(to) };
  });
  const lines = parsed.map(({ line: place }) => place);
  return { history, lines, faults, notes, doubts, timesNote: times.note };
}

/** The same operations, faults, notes and doubts as text; `parseHistory` gives them back. */
export function formatHistory(
  history: readonly Operation[],
  faults: readonly FaultBand[] = [],
  { notes = [], doubts = [] }: Partial<Pick<ParsedHistory, "notes" | "doubts">> = {},
): string {
  const bands = faults.map(({ label: fault, from, to }) => {
    return to === null ? { fault, from } : { fault, from, until: to };
  });
  const asides = [...notes.map((note) => ({ note })), ...doubts.map((doubt) => ({ doubt }))];
  return [...history.map(fieldsOf), ...bands, ...asides]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
}

function fieldsOf({ client, action, call, return: returned, outcome }: Operation): object {
  const { kind: op, ...rest } = action;
  const end = returned === null ? {} : { return: returned };
  return { client, op, ...rest, call, ...end, outcome };
}

function faultOf(fields: Fields): ParsedFault {
  const fault = fields.text("fault");
  const nodes = fields.has("nodes") ? fields.wholes("nodes") : [];
  const label = [fault, nodesWord(nodes)].join(" ").trim();
  const from = fields.time("from");
  const to = fields.has("until") ? fields.time("until") : null;
  if (to !== null && to < from) {
    fields.refuse(`expected "until" at or after "from", got ${to} before ${from}`);
  }
  return { label, from, to };
}

function nodesWord(nodes: readonly number[]): string {
  if (nodes.length === 0) return "";
  return `(${nodes.length === 1 ? "node" : "nodes"} ${nodes.join(", ")})`;
}

function operationOf(fields: Fields, line: number): ParsedLine {
  const client = fields.whole("client");
  const call = fields.time("call");
  const returned = fields.has("return") ? fields.time("return") : null;
  if (returned !== null && returned < call) {
    fields.refuse(`expected "return" at or after "call", got ${returned} before ${call}`);
  }
  const isOpen = returned === null;
  const told = isOpen && !fields.has("outcome") ? "unknown" : fields.outcome();
  const outcome = isOpen ? "unknown" : told;
  const action = actionOf(fields, outcome === "ok");
  return { line, client, action, call, return: returned, outcome };
}

/** `isTold`: the client knows what came back. */
function actionOf(fields: Fields, isTold: boolean): Action {
  const kind = fields.text("op");
  if (kind === "txn") return txnOf(fields, isTold);
  const key = fields.text("key");
  switch (kind) {
    case "put":
      return { kind, key, value: fields.text("value") };
    case "get":
      return { kind, key, value: isTold || fields.has("value") ? fields.value("value") : null };
    case "delete":
      return { kind, key };
    case "cas": {
      const swapped = isTold ? fields.flag("swapped") : null;
      return {
        kind,
        key,
        expected: fields.value("expected"),
        value: fields.text("value"),
        swapped,
      };
    }
    default:
      return fields.refuse(
        `expected "op" to be put, get, delete, cas or txn, got ${JSON.stringify(kind)}`,
      );
  }
}

function txnOf(fields: Fields, isTold: boolean): Action {
  return {
    kind: "txn",
    compare: fields.cells("compare"),
    writes: fields.cells("writes"),
    reads: isTold ? fields.cells("reads") : [],
    succeeded: isTold ? fields.flag("succeeded") : null,
  };
}

/** A number as it stands in the text: times may be larger than what a double holds exactly. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `context` is what engines hand to a reviver since 2023; without it numbers are as parsed. */
function keepNumbers(
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  return typeof value === "number" ? new NumberText(context?.source ?? String(value)) : value;
}

const SHOWN_MAX = 40;

/** The fields of one line, each taken as what it must be. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #line: number;

  constructor(content: string, line: number) {
    this.#line = line;
    let found: unknown;
    try {
      found = JSON.parse(content, keepNumbers);
    } catch {
      const shown = content.length > SHOWN_MAX ? `${content.slice(0, SHOWN_MAX)}…` : content;
      this.refuse(`expected one JSON object, got ${JSON.stringify(shown.trim())}`);
    }
    if (!isObject(found)) this.refuse(`expected one JSON object, got ${nameOf(found)}`);
    this.#fields = found;
  }

  refuse(reason: string): never {
    throw new HistoryError(this.#line, reason);
  }

  /** It is there, and not null. */
  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name) && this.#fields[name] !== null;
  }

  text(name: string): string {
    const found = this.#get(name);
    return typeof found === "string" ? found : this.#mustBe(name, "a string", found);
  }

  value(name: string): Value {
    const found = this.#get(name);
    if (typeof found === "string" || found === null) return found;
    return this.#mustBe(name, "a string, or null when absent", found);
  }

  flag(name: string): boolean {
    const found = this.#get(name);
    return typeof found === "boolean" ? found : this.#mustBe(name, "true or false", found);
  }

  whole(name: string): number {
    const found = this.#get(name);
    const whole = found instanceof NumberText ? Number(found.text) : Number.NaN;
    return Number.isSafeInteger(whole) ? whole : this.#mustBe(name, "a whole number", found);
  }

  wholes(name: string): readonly number[] {
    const found = this.#get(name);
    const wanted = "a list of whole numbers";
    if (!Array.isArray(found)) return this.#mustBe(name, wanted, found);
    return found.map((one: unknown): number => {
      const whole = one instanceof NumberText ? Number(one.text) : Number.NaN;
      return Number.isSafeInteger(whole) ? whole : this.#mustBe(name, wanted, one);
    });
  }

  time(name: string): bigint {
    const found = this.#get(name);
    if (found instanceof NumberText) {
      if (/^-?\d+$/.test(found.text)) return BigInt(found.text);
      if (Number.isSafeInteger(Number(found.text))) return BigInt(Number(found.text));
    }
    return this.#mustBe(name, "a whole number of nanoseconds", found);
  }

  outcome(): Outcome {
    const found = this.#get("outcome");
    if (found === "ok" || found === "fail" || found === "unknown") return found;
    return this.#mustBe("outcome", "ok, fail or unknown", found);
  }

  cells(name: string): readonly KeyValue[] {
    const found = this.#get(name);
    const wanted = 'a list of {"key","value"}';
    if (!Array.isArray(found)) return this.#mustBe(name, wanted, found);
    return found.map((cell: unknown): KeyValue => {
      if (!isObject(cell)) return this.#mustBe(name, wanted, cell);
      const { key, value } = cell;
      const isValue = typeof value === "string" || value === null;
      return typeof key === "string" && isValue ? { key, value } : this.#mustBe(name, wanted, cell);
    });
  }

  #get(name: string): unknown {
    if (Object.hasOwn(this.#fields, name)) return this.#fields[name];
    return this.refuse(`expected a field "${name}", got none`);
  }

  #mustBe(name: string, expected: string, found: unknown): never {
    return this.refuse(`expected "${name}" to be ${expected}, got ${nameOf(found)}`);
  }
}

function isObject(found: unknown): found is Readonly<Record<string, unknown>> {
  const isPlain = typeof found === "object" && found !== null && !Array.isArray(found);
  return isPlain && !(found instanceof NumberText);
}

function nameOf(found: unknown): string {
  if (found instanceof NumberText) return found.text;
  if (Array.isArray(found)) return "a list";
  return typeof found === "object" && found !== null ? "an object" : JSON.stringify(found);
}
