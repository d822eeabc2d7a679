/** What Stryker found out, as a table and a list, beside the reasons that are written down. */

interface Place {
  readonly line: number;
  readonly column: number;
}

interface ReportedMutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Report {
  readonly files: Record<
    string,
    { readonly source: string; readonly mutants: readonly ReportedMutant[] }
  >;
}

export interface Summary {
  /** Markdown: a row for each file, and one for all. */
  readonly table: string;
  /** One line for each survivor: place, what it was, what it became. */
  readonly survivors: readonly string[];
  /** Those of them for which the document has no line. */
  readonly unexplained: readonly string[];
  /** Lines of the document for what was not tried, or is noticed by now. */
  readonly outdated: readonly string[];
  /** Killed of all that were not left alone, per cent. */
  readonly score: number;
}

interface Counts {
  killed: number;
  timeout: number;
  survived: number;
  ignored: number;
}

/**
 * @param report What Stryker keeps, as JSON.
 * @param document Markdown: a list item for each survivor, with its reason below or above it.
 */
export function summarize(report: string, document: string): Summary {
  const { files } = JSON.parse(report) as Report;
  const rows: string[] = [];
  const survivors: string[] = [];
  const all: Counts = { killed: 0, timeout: 0, survived: 0, ignored: 0 };
  for (const [file, { source, mutants }] of Object.entries(files).toSorted(byName)) {
    const counts: Counts = { killed: 0, timeout: 0, survived: 0, ignored: 0 };
    for (const mutant of mutants) {
      const kind = kindOf(mutant.status);
      counts[kind] += 1;
      all[kind] += 1;
      if (kind === "survived") {
        survivors.push(`${file.replace("src/", "")}:${told(mutant, source)}`);
      }
    }
    rows.push(row(file.replace("src/", ""), counts));
  }
  const head =
    "| File | Killed | Timed out | Survived | Left alone | Score |\n" +
    "| --- | --- | --- | --- | --- | --- |";
  const explained = [...document.matchAll(/^- (\S+\.ts:\d.*)$/gm)].map(([, line = ""]) => line);
  return {
    table: [head, ...rows, row("all", all)].join("\n"),
    survivors,
    unexplained: survivors.filter((line) => !explained.includes(line)),
    outdated: explained.filter((line) => !survivors.includes(line)),
    score: scoreOf(all),
  };
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function kindOf(status: string): keyof Counts {
  switch (status) {
    case "Killed":
      return "killed";
    case "Timeout":
      return "timeout";
    case "Ignored":
      return "ignored";
    // Also what no test reaches, or broke the run: not shown to be noticed.
    default:
      return "survived";
  }
}

function scoreOf({ killed, timeout, survived }: Counts): number {
  const count = killed + timeout + survived;
  return count === 0 ? 100 : (100 * (killed + timeout)) / count;
}

function row(name: string, counts: Counts): string {
  const { killed, timeout, survived, ignored } = counts;
  const score = `${scoreOf(counts).toFixed(1)} %`;
  return `| ${name} | ${killed} | ${timeout} | ${survived} | ${ignored} | ${score} |`;
}

function told({ location, replacement, status }: ReportedMutant, source: string): string {
  const { start, end } = location;
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const cut = lines
    .map((line, at) =>
      line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined),
    )
    .join("\n");
  const reached = status === "Survived" ? "" : ` (${status})`;
  return `${start.line}:${start.column}${reached} ${short(cut)} → ${short(replacement ?? "")}`;
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return `\`${line.length > 90 ? `${line.slice(0, 60)} … ${line.slice(-25)}` : line}\``;
}
