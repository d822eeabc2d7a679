/**
 * Random lives of one directory: random writes, death at a random moment (of the process, or of
 * the power), and on from what is found. A seed that failed once joins `KEPT_SEEDS`.
 */
import { expect, test } from "vitest";

import { Chances, Rig, entry, hard } from "./testing.ts";
import { beginScript, check, compact, persist, snapshot } from "./testing-model.ts";
import type { Script, Step } from "./testing-model.ts";

const KEPT_SEEDS: readonly number[] = [];
const SEEDS = 150;
const LIVES = 5;
const STEPS_MAX = 25;

/** What the next step may build on. */
interface Position {
  term: number;
  last: number;
  /** The newest snapshot asked for: nothing up to it may be replaced. */
  floor: number;
}

function positionOf(script: Script): Position {
  const { hardState, log } = script.states.at(-1)!;
  const floor = Math.max(0, ...script.snapshotsAsked.keys());
  const lastTerm = Math.max(log.at(-1)?.term ?? 0, script.snapshotsAsked.get(floor) ?? 0);
  const last = Math.max(floor, log.at(-1)?.index ?? 0);
  return { term: Math.max(hardState.term, lastTerm, 1), last, floor };
}

function append(chances: Chances, from: number, term: number): Step {
  const count = chances.integer(1, 4);
  const list = Array.from({ length: count }, (_, at) => {
    const size = chances.integer(0, 30) === 0 ? 6000 : chances.integer(0, 900);
    return entry(from + at, term, size);
  });
  const hardState = chances.integer(0, 2) === 0 ? hard(term, chances.integer(1, 5)) : null;
  return persist(hardState, list, chances.integer(0, 3) > 0);
}

function randomStep(chances: Chances, script: Script): Step {
  const { term, last, floor } = positionOf(script);
  const choice = chances.integer(0, 15);
  if (choice < 7) return append(chances, last + 1, term);
  if (choice === 7) return append(chances, chances.integer(floor + 1, last + 1), term + 1);
  if (choice === 8) return persist(hard(term + 1, chances.integer(1, 5)), []);
  if (choice === 9) return persist(hard(term, null, last), [], false);
  if (choice === 10) return persist(null, [], chances.integer(0, 1) === 0);
  if (choice === 11) return compact(floor);
  if (choice === 12) {
    const index = last + chances.integer(1, 20);
    return snapshot("received", index, term, chances.integer(0, 2000));
  }
  const { log } = script.states.at(-1)!;
  const index = chances.integer(floor + 1, Math.max(last, floor + 1));
  const known = log.find((one) => one.index === index)?.term;
  if (known === undefined) return compact(floor);
  if (choice === 13)
    return snapshot("received", index, chances.integer(0, 1) === 0 ? known : term + 1);
  return snapshot("local", index, known, chances.integer(0, 3000));
}

/** Returns how many of its lives ended in the middle of something. */
function live(seed: number): number {
  const chances = new Chances(seed);
  let rig = new Rig();
  let storage = rig.open();
  let interrupted = 0;
  for (let life = 1; life <= LIVES; life += 1) {
    const script = beginScript(storage.recovered);
    const steps = chances.integer(1, STEPS_MAX);
    for (let step = 0; step < steps; step += 1) {
      randomStep(chances, script)(storage, script);
      for (let more = chances.integer(0, 12); more > 0 && rig.step(); more -= 1);
    }
    if (chances.integer(0, 3) === 0) rig.run();
    const next = rig.copy();
    if (rig.disk.pendingCount > 0) interrupted += 1;
    if (chances.integer(0, 3) > 0) next.disk.crash(chances);
    storage = check(next, script, `seed ${seed}, life ${life}`);
    expect(rig.fatal).toEqual([]);
    rig = next;
  }
  return interrupted;
}

test("whatever happens in one life, the next one finds what was answered", () => {
  let interrupted = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) interrupted += live(seed);
  for (const seed of KEPT_SEEDS) live(seed);
  expect(interrupted).toBeGreaterThan(SEEDS);
}, 60_000);
