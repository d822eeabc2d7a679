/**
 * A history as one HTML page that needs nothing else: rows by client, operations as bars from call
 * to return, the window that has no explanation marked. What keys and values hold is data in it,
 * never markup.
 */
import { keysOf } from "../history.ts";
import type { FaultBand, Operation } from "../history.ts";
import type { LinearizabilityResult } from "../linearizability/check.ts";
import { describeAction } from "../linearizability/describe.ts";
import { lanesOf } from "./lanes.ts";
import { PICTURE_SCRIPT } from "./script.ts";
import { PICTURE_STYLE } from "./style.ts";

export interface Picture {
  readonly title: string;
  readonly history: readonly Operation[];
  readonly result: LinearizabilityResult;
  /** Bands behind the operations. */
  readonly faults?: readonly FaultBand[];
  /** Where each operation of the history stands in its file, from 1. */
  readonly lines?: readonly number[];
  /** What else a reader must know, such as from when times are counted. */
  readonly note?: string;
}

/** A bar: what the script in the page draws. Kept short: there may be many. */
interface Bar {
  /** Place in the list of clients. */
  readonly c: number;
  /** Place in the list of keys. */
  readonly k: number;
  /** Below others of its client that it overlaps with. */
  readonly lane?: number;
  readonly op: string;
  readonly from: number;
  readonly to: number | null;
  readonly outcome: string;
  readonly text: string;
  /** Changed nothing: refused. */
  readonly refused?: true;
  readonly line?: number;
  /** When it took effect, in the order that was found. */
  readonly at?: number;
  readonly window?: true;
  readonly impossible?: true;
}

const TEXT_MAX = 200;
/** Rows of the table of the window; the bars show them all. */
const ROWS_MAX = 200;

export function historyPage(picture: Picture): string {
  const { title, result } = picture;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark light">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(`${VERDICTS[result.verdict]}: ${title}`)}</title>
<style>${PICTURE_STYLE}</style>
</head>
<body>
${headOf(picture)}
<main>
${STAGE}
${windowOf(picture)}
<details id="all"><summary>All operations as a table</summary><div id="table"></div></details>
</main>
<script type="application/json" id="data">${dataOf(picture)}</script>
<script>${PICTURE_SCRIPT}</script>
</body>
</html>
`;
}

const VERDICTS = { ok: "Linearizable", illegal: "Not linearizable", unknown: "Unknown" } as const;

const STAGE = `<div class="bar" role="group" aria-label="View">
<button type="button" id="out" aria-label="Zoom out">−</button>
<button type="button" id="in" aria-label="Zoom in">+</button>
<button type="button" id="fit">Whole history</button>
<button type="button" id="jump" hidden>First impossible operation</button>
<span id="keys" role="group" aria-label="Keys"></span>
</div>
<div id="stage" tabindex="0" role="application" aria-label="Operations by client over time"
 aria-describedby="help"><canvas id="canvas" aria-hidden="true"></canvas><div id="room"></div></div>
<p id="told" role="status" aria-live="polite">Choose an operation to see it whole.</p>
<p id="help" class="muted">Arrow keys go from operation to operation, + and − zoom, 0 shows the
whole history, W goes through the window. Filled: writes. Hollow: reads and refusals. Fading:
nobody knows what became of it. A foot below a bar: where it takes effect in the order that was found.</p>`;

function headOf({ title, history, result, note = "" }: Picture): string {
  const { verdict, sentence } = result;
  const keys = new Set(history.flatMap(({ action }) => keysOf(action))).size;
  const clients = new Set(history.map(({ client }) => client)).size;
  const open = history.filter(({ outcome }) => outcome === "unknown").length;
  const counts =
    `${counted(history.length, "operation")} of ${counted(clients, "client")} on ` +
    `${counted(keys, "key")}, ${open} of unknown outcome`;
  const why = {
    ok: "Some order explains everything that everybody saw.",
    illegal: `${sentence}.`,
    unknown: `${sentence}.`,
  }[verdict];
  return `<header class="${verdict}">
<p class="title">${escaped(title)}</p>
<h1>${VERDICTS[verdict]}</h1>
<p class="why">${escaped(capital(why))}</p>
<p class="muted">${escaped(counts)}${note === "" ? "" : `; ${escaped(note)}`}</p>
</header>`;
}

/** The window in words, for who can't see the bars, and for who wants to copy it. */
function windowOf({ history, result, lines }: Picture): string {
  const { window, impossible, isSmallest } = result;
  if (window.length === 0) return "";
  const places = new Map(history.map((operation, at) => [operation, at]));
  const rows = window.slice(0, ROWS_MAX).map((operation) => {
    const at = places.get(operation)!;
    const what = describeAction(operation.action);
    const mark = operation === impossible ? " <b>fits nowhere</b>" : "";
    const open = operation.outcome === "unknown" ? " (unknown)" : "";
    return (
      `<tr${operation === impossible ? ' class="impossible"' : ""}>` +
      `<td><button type="button" data-bar="${at}">${lines?.[at] ?? at + 1}</button></td>` +
      `<td>${operation.client}</td><td data-time="${operation.call}"></td>` +
      `<td${operation.return === null ? "" : ` data-time="${operation.return}"`}></td>` +
      `<td>${escaped(cut(what))}${open}${mark}</td></tr>`
    );
  });
  const more = window.length - rows.length;
  const all =
    window.length === 1
      ? "This operation alone has no explanation"
      : `No order explains these ${window.length} operations`;
  const few = isSmallest
    ? "None of them can be left out."
    : "It was given up to find out whether fewer would do.";
  return `<section aria-labelledby="smallest"><h2 id="smallest">${all}</h2>
${window.length === 1 ? "" : `<p class="muted">${few}</p>\n`}<table><thead><tr><th>${lines === undefined ? "no." : "line"}</th><th>client</th><th>call</th>
<th>return</th><th>operation</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>
${more > 0 ? `<p class="muted">and ${more} more</p>` : ""}</section>`;
}

function dataOf({ history, result, faults = [], lines }: Picture): string {
  const keys = [...new Set(history.flatMap(({ action }) => keysOf(action)))];
  const keyPlaces = new Map(keys.map((key, at) => [key, at]));
  const clients = [...new Set(history.map(({ client }) => client))].toSorted(
    (left, right) => left - right,
  );
  const clientPlaces = new Map(clients.map((client, at) => [client, at]));
  const lanes = lanesOf(history);
  const window = new Set(result.window);
  const moments = momentsOf(result);
  const bars = history.map((operation, at): Bar => {
    const { client, action, call, outcome } = operation;
    const refused =
      (action.kind === "cas" && action.swapped === false) ||
      (action.kind === "txn" && action.succeeded === false);
    const moment = moments.get(operation);
    const line = lines?.[at];
    const lane = lanes.of[at]!;
    return {
      c: clientPlaces.get(client)!,
      k: keyPlaces.get(keysOf(action)[0] ?? "") ?? 0,
      ...(lane === 0 ? {} : { lane }),
      op: action.kind,
      from: call,
      to: operation.return,
      outcome,
      text: cut(describeAction(action)),
      ...(refused ? { refused: true } : {}),
      ...(line === undefined ? {} : { line }),
      ...(moment === undefined ? {} : { at: moment }),
      ...(window.has(operation) ? { window: true } : {}),
      ...(operation === result.impossible ? { impossible: true } : {}),
    };
  });
  // A closing tag in a value must not end the script.
  return JSON.stringify({
    keys: keys.map(cut),
    clients,
    lanes: clients.map((client) => lanes.counts.get(client)!),
    bars,
    faults,
  }).replaceAll("<", "\\u003c");
}

/** Each as soon as it may be: after those before it in the order, and after its call. */
function momentsOf({ groups }: LinearizabilityResult): ReadonlyMap<Operation, number> {
  const moments = new Map<Operation, number>();
  for (const { order } of groups) {
    let now = Number.NEGATIVE_INFINITY;
    for (const operation of order) {
      now = Math.max(now, operation.call);
      moments.set(operation, now);
    }
  }
  return moments;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function capital(text: string): string {
  return /^(client|no) /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
