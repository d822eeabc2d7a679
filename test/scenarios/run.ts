/** Runs a scenario's commands on the real core and writes down what happened. */
import { loggedCommand, openSession } from "@raftarium/node";
import type { ConfigurationChange } from "@raftarium/raft";
import { parseScenario, renderBlock } from "./grammar.ts";
import { World } from "./world.ts";

/** The scenario again, with what happened now below each command. */
export function runScenario(text: string): string {
  let world = new World({
    nodeCount: 3,
    preVote: false,
    entriesPerAppendMax: 100,
    trailingEntries: 0,
    preferred: 0,
    leaseReads: false,
    inflightAppendsMax: 16,
    uncommittedBytesMax: 1 << 20,
  });
  const rendered: string[] = [];
  for (const block of parseScenario(text)) {
    const [name, ...words] = block.command;
    if (name === "cluster") world = createWorld(words);
    else if (name !== undefined) command(world, name, words);
    rendered.push(renderBlock(block, world.takeOutput()));
  }
  return rendered.join("\n");
}

function createWorld([count, ...words]: readonly string[]): World {
  const after = (word: string, otherwise: number): number => {
    const at = words.indexOf(word);
    return at === -1 ? otherwise : whole(words[at + 1]);
  };
  return new World({
    nodeCount: whole(count),
    // A lease rests on check-quorum, which comes with it.
    preVote: words.includes("pre-vote") || words.includes("lease"),
    leaseReads: words.includes("lease"),
    inflightAppendsMax: after("inflight", 16),
    uncommittedBytesMax: after("uncommitted", 1 << 20),
    entriesPerAppendMax: after("batch", 100),
    trailingEntries: after("trailing", 0),
    preferred: after("prefer", 0),
  });
}

function command(world: World, name: string, words: readonly string[]): void {
  const [first, second] = words;
  switch (name) {
    case "campaign":
      return world.give(whole(first), { kind: "campaign" });
    case "propose":
      for (const text of words.slice(1)) world.propose(whole(first), text);
      return;
    case "open":
      return world.proposeBytes(whole(first), openSession());
    case "once": {
      const [session, sequence, text = ""] = words.slice(1);
      const position = { session: whole(session), sequence: whole(sequence), answeredThrough: 0 };
      const data = loggedCommand(new TextEncoder().encode(text), position);
      return world.proposeBytes(whole(first), data);
    }
    case "read":
      return world.read(whole(first));
    case "tick":
      return world.tick(first === "all" ? world.nodeIds : [whole(first)], whole(second));
    case "crash":
      for (const nodeId of words) world.crash(whole(nodeId));
      return;
    case "restart":
      for (const nodeId of words) world.restart(whole(nodeId));
      return;
    case "cut":
      return cut(world, words);
    case "heal":
      return world.heal();
    case "hold":
      return world.hold();
    case "deliver":
      return world.deliver(...linkOf(first));
    case "lose":
      return world.lose(...linkOf(first));
    case "flow":
      return world.flow();
    case "messages":
      return world.showMessages(first === "on");
    case "disk":
      return second === "hold" ? world.holdWrites(whole(first)) : world.finishWrites(whole(first));
    case "snapshot":
      return world.snapshot(whole(first));
    case "transfer":
      return world.give(whole(first), { kind: "transfer-leadership", to: whole(second) });
    case "node":
      return world.addNode(whole(first));
    case "change":
      return world.change(whole(first), changeOf(words.slice(1)));
    case "progress":
      return world.describeProgress(whole(first));
    case "log":
      return world.describe();
    default:
      throw new Error(`cannot run ${name}: expected a command of test/scenarios/README.md`);
  }
}

/** `add 4`, `promote 4`, `remove 4`, or `replace 1,4,5`: the voters that shall be. */
function changeOf([kind, text]: readonly string[]): ConfigurationChange {
  switch (kind) {
    case "add":
      return { kind: "add-learner", nodeId: whole(text), address: "" };
    case "promote":
    case "remove":
      return { kind, nodeId: whole(text) };
    case "replace": {
      const voters = (text ?? "").split(",").map(whole);
      return { kind, voters, learners: [], addresses: {} };
    }
    default:
      throw new Error(`cannot change the members: expected add, promote, remove or replace`);
  }
}

/** `cut 1→2`, or `cut 1,2 | 3,4,5`: the two sides don't hear each other. */
function cut(world: World, words: readonly string[]): void {
  const text = words.join("");
  const sides = text.split("|").map((side) => side.split(",").map(Number));
  if (text.includes("→")) {
    const [source, target] = text.split("→");
    world.cut(whole(source), whole(target));
    return;
  }
  for (const [at, side] of sides.entries()) {
    for (const source of side) {
      for (const target of sides.flatMap((other, place) => (place === at ? [] : other))) {
        world.cut(source, target);
      }
    }
  }
}

/** `1→2`; nothing at all means every link. */
function linkOf(text: string | undefined): readonly [source: number | null, target: number | null] {
  if (text === undefined) return [null, null];
  const [source, target] = text.split("→");
  return [whole(source), whole(target)];
}

function whole(text: string | undefined): number {
  const value = Number(text);
  if (text !== undefined && Number.isSafeInteger(value)) return value;
  throw new Error(`expected a whole number, got ${text}`);
}
