/** Tells the story of a run: what the world did, and what the nodes said, up to the violation. */
import type { Observation } from "@raftarium/observer";
import { tellObservation } from "./plain-words.ts";
import { simulate } from "./simulation.ts";
import type { SimulationOptions } from "./simulation.ts";

export interface ExplainOptions extends SimulationOptions {
  /** Lines before the end that are told. */
  readonly linesMax?: number;
}

const LINES_MAX = 120;

/** Runs the seed again, with observation, and returns the end of its story as text. */
export function explain(options: ExplainOptions): string {
  const linesMax = options.linesMax ?? LINES_MAX;
  let lines: string[] = [];
  let heading = "";
  let left = 0;

  function add(timeUs: number, who: string, text: string): void {
    lines.push(`${timeOf(timeUs)}  ${who.padEnd(7)} ${text}`);
    if (lines.length > linesMax * 2) {
      left += lines.length - linesMax;
      lines = lines.slice(-linesMax);
    }
  }

  const result = simulate({
    ...options,
    onEvent(timeUs, text) {
      if (text.startsWith("swarm: ")) heading = text;
      else add(timeUs, "world", text);
    },
    onObservation(observation: Observation) {
      const text = tellObservation(observation);
      if (text !== null) add(observation.timeUs, `node ${observation.nodeId}`, text);
    },
  });

  if (lines.length > linesMax) {
    left += lines.length - linesMax;
    lines = lines.slice(-linesMax);
  }
  const { violation } = result;
  return [
    `seed ${options.seed}, ${options.nodeCount} nodes`,
    heading,
    ...(left === 0 ? [] : [`(${left} earlier lines are left out)`]),
    ...lines,
    "",
    violation === null
      ? `No promise was broken in ${timeOf(result.simulatedUs)} of simulated time.`
      : `Broken at ${timeOf(result.simulatedUs)}: ${violation.invariant}.\n${violation.explanation}`,
    "",
  ].join("\n");
}

/** Seconds, with microseconds after the point: `12.345678`. */
function timeOf(timeUs: number): string {
  const micros = String(timeUs % 1_000_000).padStart(6, "0");
  return `${Math.floor(timeUs / 1_000_000)}.${micros}`.padStart(10);
}
