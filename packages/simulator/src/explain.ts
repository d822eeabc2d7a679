/** Tells the story of a run: what the world did, and what the nodes said, up to the violation. */
import { PROMISES } from "@raftarium/checker";
import type { Observation } from "@raftarium/observer";
import { tellMessage, tellObservation } from "./plain-words.ts";
import { simulate } from "./simulation.ts";
import type { SimulationOptions, SimulationResult } from "./simulation.ts";
import { describeWorld } from "./story-world.ts";

export interface ExplainOptions extends SimulationOptions {
  /** Lines before the end that are told. */
  readonly linesMax?: number;
}

const LINES_MAX = 200;

/** Runs the seed again, with observation, and returns the end of its story as text. */
export function explain(options: ExplainOptions): string {
  const story = new Story(options.linesMax ?? LINES_MAX);
  const result = simulate({
    ...options,
    onEvent(timeUs, text) {
      if (!text.startsWith("swarm: ")) story.world(timeUs, text);
    },
    onObservation: (observation) => story.observe(observation),
  });
  return [
    `Seed ${options.seed}, ${options.seconds} s` +
      (options.schedule === undefined ? "" : ", with nothing that it does not need"),
    "",
    describeWorld(result.swarm, options.schedule ?? null),
    "",
    "Below, each line is a moment in seconds, who, and what. WORLD is what is done to the nodes, and",
    "what clients hear; 7:3 is the entry at index 7 of term 3; → 2 4 is a message to nodes 2 and 4.",
    "",
    ...story.end(),
    "",
    ...story.standing(),
    "",
    endOf(result),
    "",
  ].join("\n");
}

function endOf({ violation, simulatedUs }: SimulationResult): string {
  if (violation === null) {
    return `No promise was broken in ${seconds(simulatedUs)} s of simulated time.`;
  }
  const { invariant, explanation } = violation;
  const sentence = explanation.charAt(0).toUpperCase() + explanation.slice(1);
  return [
    `BROKEN at ${seconds(simulatedUs)} s: ${invariant}.`,
    `The promise:   ${PROMISES[invariant]}`,
    `What happened: ${/[.!?]$/.test(sentence) ? sentence : `${sentence}.`}`,
  ].join("\n");
}

interface Line {
  readonly timeUs: number;
  readonly who: string;
  text: string;
  /** Of a message that went to several at once. */
  readonly message: string | null;
  /** In a row. */
  times: number;
}

/** Where a node stands, as it last said itself. */
interface Standing {
  health: string;
  role: string;
  term: number;
  lastIndex: number;
  commitIndex: number;
  appliedIndex: number;
}

class Story {
  readonly #linesMax: number;
  #lines: Line[] = [];
  #leftCount = 0;
  readonly #standings = new Map<number, Standing>();

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  tell(timeUs: number, who: string, words: string, message: string | null = null): void {
    // Long values are padded.
    const text = words.replaceAll(/\.{4,}/g, "…");
    const last = this.#lines.at(-1);
    if (last?.who === who && last.text === text) {
      last.times += 1;
      return;
    }
    this.#lines.push({ timeUs, who, text, message, times: 1 });
    if (this.#lines.length > this.#linesMax * 2) this.#trim();
  }

  /** What the world does; the same that happens to several nodes at once is one line. */
  world(timeUs: number, text: string): void {
    const [, name, health] = /^node (\d+) (starting|running|paused|crashed)$/.exec(text) ?? [];
    if (name === undefined || health === undefined) {
      this.tell(timeUs, "WORLD", text);
      return;
    }
    this.#standingOf(Number(name)).health = health;
    const last = this.#lines.at(-1);
    const [, names] = /^nodes? ([\d, ]+) /.exec(last?.text ?? "") ?? [];
    const isSame = last?.timeUs === timeUs && last.who === "WORLD" && last.text.endsWith(health);
    if (isSame && names !== undefined) last.text = `nodes ${names}, ${name} ${health}`;
    else this.tell(timeUs, "WORLD", text);
  }

  observe(observation: Observation): void {
    const { nodeId, timeUs, body } = observation;
    const who = `node ${nodeId}`;
    const standing = this.#standingOf(nodeId);
    if (body.kind === "applied") {
      standing.appliedIndex = body.appliedIndex;
      // What is committed is applied at once, nearly always: one line is enough.
      const last = this.#lines.at(-1);
      if (
        last?.who === who &&
        last.timeUs === timeUs &&
        body.appliedIndex === standing.commitIndex
      ) {
        last.text = `commits and applies through index ${body.appliedIndex}`;
        return;
      }
    }
    if (body.kind === "message-sent") {
      const message = tellMessage(body.message);
      if (message !== null) this.#send(timeUs, who, body.target, message);
      return;
    }
    follow(standing, body);
    if (body.kind === "role-changed" && body.role === "leader") {
      this.tell(timeUs, "", `———— node ${nodeId} leads term ${body.term} ————`);
    }
    const text = tellObservation(observation);
    if (text !== null) this.tell(timeUs, who, text);
  }

  /** The same to several peers at one time is one line. */
  #send(timeUs: number, who: string, target: number, message: string): void {
    const last = this.#lines.at(-1);
    const isSame = last?.timeUs === timeUs && last.who === who && last.message === message;
    if (isSame && !` ${last.text}`.includes(` ${target} `)) {
      last.text = last.text.replace("  ", ` ${target}  `);
    } else this.tell(timeUs, who, `→ ${target}  ${message}`, message);
  }

  end(): readonly string[] {
    this.#trim();
    const earlier =
      this.#leftCount === 0 ? [] : [`(${this.#leftCount} earlier lines are left out)`];
    return [
      ...earlier,
      ...this.#lines.map(({ timeUs, who, text, times }) => {
        const often = times === 1 ? "" : ` (${times} times)`;
        return `${seconds(timeUs).padStart(10)}  ${who.padEnd(7)} ${text}${often}`.trimEnd();
      }),
    ];
  }

  /** Where everybody stands in the end. */
  standing(): readonly string[] {
    return [...this.#standings]
      .toSorted(([left], [right]) => left - right)
      .map(
        ([nodeId, { health, role, term, lastIndex, commitIndex, appliedIndex }]) =>
          `node ${nodeId}: ${health === "running" ? "" : `${health}; it was `}${role} of term ` +
          `${term}, log up to ${lastIndex}, committed ${commitIndex}, applied ${appliedIndex}`,
      );
  }

  #standingOf(nodeId: number): Standing {
    let standing = this.#standings.get(nodeId);
    if (standing === undefined) {
      const nothing = { term: 0, lastIndex: 0, commitIndex: 0, appliedIndex: 0 };
      standing = { health: "starting", role: "follower", ...nothing };
      this.#standings.set(nodeId, standing);
    }
    return standing;
  }

  #trim(): void {
    const excess = this.#lines.length - this.#linesMax;
    if (excess <= 0) return;
    this.#leftCount += excess;
    this.#lines = this.#lines.slice(excess);
  }
}

function follow(standing: Standing, body: Observation["body"]): void {
  switch (body.kind) {
    case "node-view": {
      const { role, term, lastIndex, commitIndex, appliedIndex } = body.view;
      Object.assign(standing, { role, term, lastIndex, commitIndex, appliedIndex });
      return;
    }
    case "role-changed":
      standing.role = body.role;
      standing.term = body.term;
      return;
    case "log-appended":
      standing.lastIndex = body.entries.at(-1)?.index ?? standing.lastIndex;
      return;
    case "log-truncated":
      standing.lastIndex = body.fromIndex - 1;
      return;
    case "commit-advanced":
      standing.commitIndex = body.commitIndex;
      return;
    case "restored":
      standing.appliedIndex = body.snapshotIndex;
      return;
    default:
      return;
  }
}

/** With microseconds after the point: `12.345678`. */
function seconds(timeUs: number): string {
  const micros = String(timeUs % 1_000_000).padStart(6, "0");
  return `${Math.floor(timeUs / 1_000_000)}.${micros}`;
}
